"""os and sys: the working directory, arguments, streams and constants of the running system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models import registry
from taskgates.inference.models.reading import standard_input
from taskgates.inference.models.registry import Machine, constant, function, method
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Hole, Text
from taskgates.inference.values import (
    FALSE,
    INT,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    NamedTupleV,
    TupleV,
    Unknown,
    as_value,
    options,
    path_text,
    widen_texts,
)
from taskgates.model.access import SharedKind

if TYPE_CHECKING:
    from collections.abc import Callable


@function("os.getcwd", "os.getcwdb")
def getcwd(machine: Machine, args: Arguments) -> AnyValue:
    """`os.getcwd()`."""
    del args
    return as_value(machine.cwd)


@function("os.chdir")
def chdir(machine: Machine, args: Arguments) -> AnyValue:
    """`os.chdir(path)`."""
    texts = [path_text(option) for option in options(args.pos[0])] if args.pos else [None]
    found = [machine.absolute(text) if text is not None else Text((Hole("unknown", True),)) for text in texts]
    machine.cwd = found[0] if len(set(found)) == 1 else widen_texts(found)
    machine.shared("working-directory", SharedKind.PROCESS, "write", call="os.chdir")
    return NONE


@method("contextlib.chdir.__enter__")
def chdir_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with contextlib.chdir(path)`."""
    del args
    stack = obj.slots.setdefault(("saved",), [])
    stack.append(machine.cwd)
    chdir(machine, Arguments([obj.slots["path"]]))
    return NONE


@method("contextlib.chdir.__exit__")
def chdir_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Back to the folder before."""
    del args
    stack = obj.slots.get(("saved",))
    if stack:
        machine.cwd = stack.pop()
    return FALSE


@function("contextlib.chdir")
def make_chdir(machine: Machine, args: Arguments) -> AnyValue:
    """`contextlib.chdir(path)`."""
    del machine
    out = Instance(Ext("contextlib.chdir"))
    out.slots["path"] = args.get(0, "path") or UNKNOWN
    return out


@function("sys.getdefaultencoding", "sys.getfilesystemencoding")
def encoding(machine: Machine, args: Arguments) -> AnyValue:
    """The encoding of texts and of file names, which is UTF-8 unless the environment says otherwise."""
    del machine, args
    return Known("utf-8")


@function("sys.exit", "os._exit", "builtins.exit", "builtins.quit", "os.abort")
def sys_exit(machine: Machine, args: Arguments) -> AnyValue:
    """The program ends here."""
    raise machine.throw("SystemExit", args=TupleV(args.pos, args.star))


for _name, _value in (
    ("os.sep", "/"),
    ("os.path.sep", "/"),
    ("os.linesep", "\n"),
    ("os.pathsep", ":"),
    ("os.curdir", "."),
    ("os.pardir", ".."),
    ("os.extsep", "."),
    ("os.path.extsep", "."),
    ("os.path.curdir", "."),
    ("os.path.pardir", ".."),
    ("os.path.pathsep", ":"),
    ("os.name", "posix"),
    ("os.devnull", "/dev/null"),
    ("os.path.devnull", "/dev/null"),
    ("os.altsep", None),
    ("sys.platform", "linux"),
    ("sys.byteorder", "little"),
    ("sys.maxsize", (1 << 63) - 1),
    ("sys.maxunicode", 0x10FFFF),
    ("string.ascii_letters", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("string.ascii_lowercase", "abcdefghijklmnopqrstuvwxyz"),
    ("string.ascii_uppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("string.digits", "0123456789"),
    ("string.punctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    ("string.whitespace", " \t\n\r\x0b\x0c"),
    ("string.hexdigits", "0123456789abcdefABCDEF"),
    ("os.O_RDONLY", 0),
    ("os.O_WRONLY", 1),
    ("os.O_RDWR", 2),
    ("os.O_CREAT", 0o100),
    ("os.O_EXCL", 0o200),
    ("os.O_TRUNC", 0o1000),
    ("os.O_APPEND", 0o2000),
    ("os.O_NONBLOCK", 0o4000),
    ("os.O_DIRECTORY", 0o200000),
    ("os.O_CLOEXEC", 0o2000000),
    ("os.O_BINARY", 0),
    ("os.F_OK", 0),
    ("os.R_OK", 4),
    ("os.W_OK", 2),
    ("os.X_OK", 1),
    ("os.SEEK_SET", 0),
    ("os.SEEK_CUR", 1),
    ("os.SEEK_END", 2),
):
    registry.CONSTANTS[_name] = registry.fixed(Known(_value))


registry.ABSENT |= {
    *(f"sys.{name}" for name in ("frozen", "_MEIPASS", "real_prefix", "pypy_version_info", "getwindowsversion")),
    *(f"sys.{name}" for name in ("winver", "setdefaultencoding", "maxint", "ps1", "ps2", "gettotalrefcount")),
    *(f"os.{name}" for name in ("startfile", "getcwdu", "errno", "O_TEXT", "add_dll_directory")),
    "time.clock",
}


@constant("sys.argv")
def argv(machine: Machine) -> AnyValue:
    """`sys.argv`."""
    return machine.argv  # type: ignore[no-any-return]


@constant("sys.path")
def sys_path(machine: Machine) -> AnyValue:
    """`sys.path`: the folders below the root that modules are searched in."""
    return machine.search  # type: ignore[no-any-return]


def _set_arguments(machine: Machine, value: AnyValue) -> None:
    machine.shared("sys.argv", SharedKind.PROCESS, "write")
    machine.argv = value


registry.SETTERS["sys.argv"] = _set_arguments


def _set_search_path(machine: Machine, value: AnyValue) -> None:
    machine.shared("sys.path", SharedKind.PROCESS, "write")
    machine.search.slots.update(ListObj("list", machine.iterate(value).items).slots)


registry.SETTERS["sys.path"] = _set_search_path


def _set_temporary_folder(machine: Machine, value: AnyValue) -> None:
    machine.shared("tempfile.tempdir", SharedKind.PROCESS, "write")
    machine.library["tempfile.tempdir"] = value


registry.SETTERS["tempfile.tempdir"] = _set_temporary_folder


@constant("sys.modules")
def sys_modules(machine: Machine) -> AnyValue:
    """`sys.modules`: one mapping, so that what the program puts there is found by later imports."""
    if machine.module_table is None:
        machine.module_table = DictObj("dict", None, Ext("sys.modules"))
    for name, module in machine.modules.items():
        machine.module_table.slots.setdefault(Known(name), module)
    return machine.module_table  # type: ignore[no-any-return]


@constant("sys.version_info")
def version_info(machine: Machine) -> AnyValue:
    """The version of the environment's Python."""
    major, minor = machine.python_version
    items = {"major": Known(major), "minor": Known(minor), "micro": INT, "releaselevel": Known("final"), "serial": INT}
    return NamedTupleV(items)


@constant("sys.hexversion")
def hex_version(machine: Machine) -> AnyValue:
    """The version of the environment's Python as one number: of the first release, since tests ask for that."""
    major, minor = machine.python_version
    return Known(major << 24 | minor << 16 | 0xF0)


def _version_text(machine: Machine, *end: str | Hole) -> AnyValue:
    """The version of the environment's Python as text; its last number is not known."""
    major, minor = machine.python_version
    return Text((f"{major}.{minor}.", Hole("environment", slash=False), *end))


@constant("sys.version")
def version_text(machine: Machine) -> AnyValue:
    """`sys.version`: the version first."""
    return _version_text(machine, " (", Hole("environment", True), ")")


@function("platform.python_version")
def python_version(machine: Machine, args: Arguments) -> AnyValue:
    """`platform.python_version()`."""
    del args
    return _version_text(machine)


@function("platform.python_version_tuple")
def python_version_tuple(machine: Machine, args: Arguments) -> AnyValue:
    """`platform.python_version_tuple()`: three texts."""
    del args
    return TupleV([*(Known(str(number)) for number in machine.python_version), text_hole("environment")])


@function("platform.system")
def system_name(machine: Machine, args: Arguments) -> AnyValue:
    """`platform.system()`: Linux, as everywhere."""
    del machine, args
    return Known("Linux")


@function("platform.python_implementation")
def python_implementation(machine: Machine, args: Arguments) -> AnyValue:
    """`platform.python_implementation()`."""
    del machine, args
    return Known("CPython")


def _uname(first: str, second: str) -> AnyValue:
    unknown: AnyValue = text_hole("environment")
    fields: dict[str, AnyValue] = {first: Known("Linux")}
    return NamedTupleV({**fields, **dict.fromkeys((second, "release", "version", "machine"), unknown)})


@function("os.uname")
def os_uname(machine: Machine, args: Arguments) -> AnyValue:
    """`os.uname()`: which system it is, of the rest of which nothing is known."""
    del machine, args
    return _uname("sysname", "nodename")


@function("platform.uname")
def platform_uname(machine: Machine, args: Arguments) -> AnyValue:
    """`platform.uname()`."""
    del machine, args
    return _uname("system", "node")


@constant("sys.implementation")
def implementation(machine: Machine) -> AnyValue:
    """`sys.implementation`."""
    major, minor = machine.python_version
    out = Instance(Ext("types.SimpleNamespace"))
    out.slots["name"] = Known("cpython")
    out.slots["cache_tag"] = Known(f"cpython-{major}{minor}")
    out.slots["version"] = version_info(machine)
    out.slots["hexversion"] = hex_version(machine)
    return out


@constant("sys.executable")
def executable(machine: Machine) -> AnyValue:
    """`sys.executable`, as a command that is recognised."""
    del machine
    return Known("python")


@constant("sys.flags")
def flags(machine: Machine) -> AnyValue:
    """`sys.flags`: nothing special."""
    del machine
    return Unknown("interpreter flags", "data")


def _process_setter(state: str) -> Callable[[Machine, AnyValue], None]:
    """Assigning to an attribute that the whole process shares."""
    return lambda machine, _: machine.shared(state, SharedKind.PROCESS, "write")


for _stream in ("stdin", "stdout", "stderr", "__stdout__", "__stderr__", "__stdin__"):

    def _standard(machine: Machine, name: str = _stream) -> AnyValue:
        if name.strip("_") == "stdout":
            # What is written to the stream itself is not followed.
            machine.printed = None
        known = standard_input(machine) if name.strip("_") == "stdin" else None
        if known is not None:
            return known
        out = Instance(Ext("io.TextIOWrapper"))
        out.slots["name"] = Unknown("a standard stream", "stream")
        out.slots["buffer"] = out
        out.slots["stream"] = Known(name)
        return out

    registry.CONSTANTS[f"sys.{_stream}"] = _standard
    registry.SETTERS[f"sys.{_stream}"] = _process_setter("standard-streams")


@function("os.cpu_count", "os.getpid", "os.getppid", "os.getuid", "multiprocessing.cpu_count")
def number(machine: Machine, args: Arguments) -> AnyValue:
    """A number of the running system."""
    del machine, args
    return INT


for _name, _state in (
    ("excepthook", "except-hook"),
    ("unraisablehook", "except-hook"),
    ("displayhook", "display-hook"),
    ("dont_write_bytecode", "byte-code"),
):
    registry.SETTERS[f"sys.{_name}"] = _process_setter(_state)
registry.SETTERS["threading.excepthook"] = _process_setter("except-hook")


def _set_except_hook(machine: Machine, value: AnyValue) -> None:
    machine.shared("except-hook", SharedKind.PROCESS, "write")
    machine.library["sys.excepthook"] = value


registry.SETTERS["sys.excepthook"] = _set_except_hook
