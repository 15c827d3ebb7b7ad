"""Loaded by every Python process of a traced command, through PYTHONPATH: reports file accesses with their place.

Each access becomes one line of JSON in the file that `TASKGATES_TRACE_LOG` names. An `open` by which the interpreter
loads code is marked: in the log, and for strace by a look-up of a path that does not exist, just before the `open`.
Existence tests raise no audit event, so the functions of `os` that make them are wrapped; those that the import system
and the standard library make for purposes of their own are left out. The hook imports nothing that the interpreter has
not loaded by then, and the sitecustomize module that it hides is run at the end.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,import-not-found,no-any-return,attr-defined"
# ruff: noqa: INP001, PTH100, PTH112, PTH115, PTH117, PTH118, PTH120, ANN001, ANN002, ANN003, ANN202

from __future__ import annotations

import _thread
import os
import sys

_LOG = os.environ.get("TASKGATES_TRACE_LOG", "")
_ROOT = os.environ.get("TASKGATES_TRACE_ROOT", "")
_MARKER = "/.taskgates-code-follows"
_PRESENCE = "/.taskgates-hook-is-here"
_HERE = os.path.dirname(os.path.abspath(__file__))
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))
_RUNNERS = frozenset({"cProfile", "profile", "trace", "pdb"})
_RUNNING = frozenset({"main", "run", "_run", "_runscript", "code"})
_SOURCE_PRINTERS = frozenset({"traceback", "warnings"})
_PATHS = {
    "os.listdir": (0,), "os.scandir": (0,), "os.remove": (0,), "os.rmdir": (0,), "os.mkdir": (0,), "os.truncate": (0,),
    "os.rename": (0, 1), "os.link": (0, 1), "os.symlink": (1,), "os.utime": (0,), "sqlite3.connect": (0,),
}  # fmt: skip
_FOLDER_DESCRIPTORS = {
    "os.remove": (1,), "os.rmdir": (1,), "os.mkdir": (2,), "os.rename": (2, 3), "os.link": (2, 3), "os.symlink": (2,),
    "os.utime": (3,),
}  # fmt: skip
"""Where the arguments of an event name the folders to which its paths are relative."""
_TESTS = {
    "genericpath": frozenset(
        {"exists", "isfile", "isdir", "getsize", "getmtime", "getatime", "getctime", "samefile"}
    ),
    "posixpath": frozenset({"lexists", "islink", "ismount"}),
    "pathlib": frozenset(
        {
            "exists", "is_file", "is_dir", "is_symlink", "is_mount", "is_fifo", "is_socket", "is_block_device",
            "is_char_device", "stat", "lstat", "samefile", "owner", "group",
        }
    ),
}  # fmt: skip
"""Functions of the standard library that are there to test a path for their caller."""


def _module(frame) -> str:
    """The name of a module of the standard library or the folder of an installed one; "-" for anything else."""
    name = frame.f_code.co_filename
    if "-packages" + os.sep in name:
        return "site-packages"
    if name.startswith("<frozen "):
        return name[len("<frozen ") : -1]
    if not name.startswith(_LIBRARY + os.sep):
        return "-"
    return name[len(_LIBRARY) + 1 :].removesuffix(".py").partition(os.sep)[0]


def _loads_code(frame) -> bool:
    """Whether an `open` comes from the machinery that loads code, or from the interpreter itself."""
    if frame is None:
        return True
    module, function = _module(frame), frame.f_code.co_name
    if module == "zipimport":
        return True
    if module == "importlib._bootstrap_external":
        caller = frame.f_back
        return function == "get_data" and caller is not None and caller.f_code.co_name == "get_code"
    if module == "runpy":
        return function == "_get_code_from_file"
    if module in _RUNNERS:
        return function in _RUNNING
    if module in ("linecache", "tokenize"):
        while frame is not None:
            if _module(frame) in _SOURCE_PRINTERS:
                return True
            frame = frame.f_back
    return False


def _tester(frame):
    """The code that wanted to know about a path; None where the standard library did so for itself."""
    while frame is not None:
        module = _module(frame)
        if module == "-":
            return frame
        if frame.f_code.co_name not in _TESTS.get(module, ()):
            return None
        frame = frame.f_back
    return None


def _site(frame):
    """File, line and function of the innermost code below the root."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_ROOT + "/") or not (name.startswith("<") or os.path.isabs(name)):
            return [name, frame.f_lineno, frame.f_code.co_qualname if sys.version_info >= (3, 11) else ""]
        frame = frame.f_back
    return None


def _text(value, folder=-1) -> str:
    """The absolute path behind an argument; "" where it names none."""
    try:
        if type(value) is int:
            return os.readlink(f"/proc/self/fd/{value}")
        text = os.fsdecode(value)
        if type(folder) is int and folder >= 0 and not os.path.isabs(text):
            text = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), text)
        return os.path.abspath(text)
    except (TypeError, ValueError, OSError):
        return ""


def _database(value):
    """The file of an SQLite database; None where it lies in memory."""
    try:
        text = os.fsdecode(value)
    except TypeError:
        return None
    if text.startswith("file:"):
        text, _, query = text[len("file:") :].partition("?")
        if "mode=memory" in query:
            return None
    return None if text in ("", ":memory:") else text


def _quoted(text: str) -> str:
    # JSON without the json module: everything beyond plain ASCII as an escape.
    escaped = []
    for character in text:
        code = ord(character)
        if character in '"\\':
            escaped.append("\\" + character)
        elif 32 <= code < 127:
            escaped.append(character)
        elif code < 0x10000:
            escaped.append(f"\\u{code:04x}")
        else:
            code -= 0x10000
            escaped.append(f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}")
    return '"' + "".join(escaped) + '"'


def _report(event, paths, flags, code, site) -> None:
    place = "null" if site is None else f"[{_quoted(site[0])}, {site[1]}, {_quoted(site[2])}]"
    listed = ", ".join(_quoted(path) for path in paths)
    existed = "true" if os.path.lexists(paths[-1]) else "false"
    line = (
        f'{{"event": {_quoted(event)}, "paths": [{listed}], "flags": {flags}, "code": {"true" if code else "false"}, '
        f'"existed": {existed}, "site": {place}}}\n'
    )
    descriptor = os.open(_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode("ascii"))
    finally:
        os.close(descriptor)


def _paths_of(event, arguments):
    if event == "sqlite3.connect":
        database = _database(arguments[0])
        return [] if database is None else [_text(database)]
    if event == "os.utime" and not (arguments[1] is None and arguments[2] is None):
        # Setting the time to now is what `touch` does; copying one is no write of its own.
        return []
    places = _FOLDER_DESCRIPTORS.get(event, ())
    folders = [arguments[place] if place < len(arguments) else -1 for place in places] or [-1]
    values = ["." if arguments[index] is None else arguments[index] for index in _PATHS[event]]
    return [_text(value, folder) for value, folder in zip(values, folders * len(values))]  # noqa: B905


def _install() -> None:
    # The threads in which the hook itself is at work.
    busy = set()
    access = os.access

    def hook(event, arguments) -> None:
        if (event != "open" and event not in _PATHS) or _thread.get_ident() in busy:
            return
        busy.add(_thread.get_ident())
        try:
            frame = sys._getframe(1)  # noqa: SLF001
        except ValueError:
            frame = None
        try:
            if event == "open":
                if not isinstance(arguments[0], (str, bytes)):
                    return
                code = _loads_code(frame)
                paths, flags = [_text(arguments[0])], arguments[2] or 0
                if not flags & os.O_ACCMODE and os.path.isdir(paths[0]):
                    # To list it, or to name files relative to it.
                    paths = []
            else:
                code = event == "os.listdir" and frame is not None and _module(frame).startswith("importlib.")
                paths, flags = _paths_of(event, arguments), 0
            if paths and all(paths):
                _report(event, paths, flags, code, _site(frame))
            if code:
                # The last thing before the open itself.
                access(_MARKER, os.F_OK)
        except OSError:
            pass
        finally:
            busy.discard(_thread.get_ident())

    def watched(name):
        original = getattr(os, name)

        def test(path, *arguments, **options):
            me = _thread.get_ident()
            if me not in busy and not isinstance(path, int) and options.get("dir_fd") is None:
                busy.add(me)
                try:
                    frame = _tester(sys._getframe(1))  # noqa: SLF001
                    place = _text(path) if frame is not None else ""
                    if place:
                        _report("os." + name, [place], 0, False, _site(frame))
                except OSError:
                    pass
                finally:
                    busy.discard(me)
            return original(path, *arguments, **options)

        test.__name__, test.__qualname__, test.__doc__ = name, name, original.__doc__
        test.__module__, test.__wrapped__ = "os", original
        for functions in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids):
            if original in functions:
                functions.add(test)
        setattr(os, name, test)

    for name in ("stat", "lstat", "access"):
        watched(name)
    sys.addaudithook(hook)
    # From here on existence tests of this process are told by the wrapped functions, not by its system calls.
    access(_PRESENCE, os.F_OK)


def _run_hidden_module() -> None:
    """Run the sitecustomize that would have been found without this one."""
    if _HERE in sys.path:
        sys.path.remove(_HERE)
    own = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError:
        if own is not None:
            sys.modules["sitecustomize"] = own


if _LOG:
    _install()
    _run_hidden_module()
