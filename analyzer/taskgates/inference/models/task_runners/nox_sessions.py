"""Nox: the sessions of a noxfile, what they may call, and the program that runs them."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.registry import Machine, constant, function, method
from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import below, place_of, program
from taskgates.inference.models.task_runners.launching import install, make_environment, run_words, use_environment
from taskgates.inference.models.test_runners.unittest_loading import add_search_folder
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj
from taskgates.inference.paths import join_paths, split_last
from taskgates.inference.renderings import render, text_hole
from taskgates.inference.text import concat
from taskgates.inference.values import (
    FALSE,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Native,
    TupleV,
    as_value,
    options,
    path_text,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.text import TextLike

FUNC = "nox.Func"
PARAM = "nox.Param"
SESSION = "nox.Session"
OPTIONS = "nox.options"
REGISTRY = "nox.registry"

_PARAMETERS = "nox.parameters"
_MODULE = "nox"
_SETTINGS = ("python", "py", "reuse_venv", "name", "venv_backend", "venv_params", "tags")
_VALUED = frozenset(
    ["--noxfile", "--envdir", "--default-venv-backend", "--force-venv-backend", "--report", "--extra-pythons",
     "--force-pythons", "--download-python", "-f", "-db", "-fb"]
)  # fmt: skip
_SESSIONS = ("-s", "-e", "--session", "--sessions")
_PYTHONS = ("-p", "--python", "--pythons")
_TAGS = ("-t", "--tags")
_KEYWORDS = ("-k", "--keywords")


# What a noxfile declares


@function("nox.session", "nox.registry.session_decorator")
def session(machine: Machine, args: Arguments) -> AnyValue:
    """`@nox.session`, with or without settings."""

    def make(inner: Machine, given: Arguments) -> AnyValue:
        made = Instance(Ext(FUNC))
        func = given.pos[0] if given.pos else UNKNOWN
        if isinstance(func, Instance) and func.library_type == FUNC:
            func = func.slots["func"]
        made.slots["func"] = func
        for position, name in enumerate(_SETTINGS):
            value = args.kw.get(name)
            if value is None and len(args.pos) > position + 1 and args.pos[0] is func:
                value = args.pos[position + 1]
            if value is not None:
                made.slots["python" if name == "py" else name] = value
        for name in ("default", "requires"):
            if name in args.kw:
                made.slots[name] = args.kw[name]
        marked = getattr(func, "slots", {}).get(_PARAMETERS)
        if marked is not None:
            made.slots[_PARAMETERS] = marked
        named = text_of(made.slots.get("name", NONE))
        node = getattr(func, "node", None)
        registered = named if isinstance(named, str) else node.name if node is not None else ""
        made.slots["registered"] = Known(registered)
        inner.put(_registry(inner), Known(registered), made)
        return made

    if args.pos:
        return make(machine, args)
    return Native("nox.session", make)


def _registry(machine: Machine) -> DictObj:
    found = machine.library.get(REGISTRY)
    if not isinstance(found, DictObj):
        found = machine.library[REGISTRY] = DictObj()
    return found


@constant(OPTIONS)
def settings(machine: Machine) -> AnyValue:
    """`nox.options`: an object that noxfiles assign attributes of."""
    found = machine.library.get(OPTIONS)
    if not isinstance(found, Instance):
        found = machine.library[OPTIONS] = Instance(Ext("nox.options.Options"))
    return found


@method(f"{FUNC}.__call__")
def call_session(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """A session called as a function, by another one."""
    return machine.call(obj.slots["func"], args)  # type: ignore[no-any-return]


@function("nox.param", PARAM)
def param(machine: Machine, args: Arguments) -> AnyValue:
    """`nox.param(*values, id="name")`."""
    del machine
    made = Instance(Ext(PARAM))
    made.slots["args"] = TupleV(args.pos)
    made.slots["id"] = args.kw.get("id", NONE)
    return made


@function("nox.parametrize")
def parametrize(machine: Machine, args: Arguments) -> AnyValue:
    """`@nox.parametrize("a, b", [(1, 2), (3, 4)], ids=[...])`."""
    del machine
    entry = TupleV([args.get(0, "arg_names") or UNKNOWN, args.get(1, "arg_values_list") or UNKNOWN,
                    args.get(2, "ids") or NONE])  # fmt: skip

    def apply(inner: Machine, given: Arguments) -> AnyValue:
        target = given.pos[0] if given.pos else UNKNOWN
        slots = getattr(target, "slots", None)
        if slots is not None:
            before = slots.get(_PARAMETERS)
            inner.state.write(
                slots, _PARAMETERS, TupleV([*(before.items if isinstance(before, TupleV) else ()), entry])
            )
        return target

    return Native("nox.parametrize", apply)


@dataclass(frozen=True)
class Runner:
    """A session with the arguments of one call.

    Attributes:
        func: what the noxfile declares.
        names: what it can be selected by; the first is its own.
        environment: the name that its folder is made of.
        keywords: arguments.
        python: the version that it asks for; empty for the one that runs Nox, None for no environment.
    """

    func: Instance
    names: tuple[str, ...]
    environment: str
    keywords: tuple[tuple[str, AnyValue], ...]
    python: str | None


def runners_of(machine: Machine, func: Instance) -> list[Runner]:
    """The runs that a session stands for: one for each version of Python and each set of parameters."""
    name = str(text_of(func.slots["registered"]))
    versions = func.slots.get("python", NONE)
    pythons: list[str | None] = [""]
    several = isinstance(versions, ListObj | TupleV)
    if versions == FALSE:
        pythons = [None]
    elif isinstance(versions, ListObj | TupleV):
        pythons = [str(text) for item in versions.items if (text := text_of(item)) is not None]
    elif isinstance(text := text_of(versions), str):
        pythons = [text]
    sets: list[tuple[tuple[str, ...], tuple[tuple[str, AnyValue], ...]]] = [((), ())]
    declared = func.slots.get(_PARAMETERS)
    for entry in declared.items if isinstance(declared, TupleV) else ():
        found = _parameter_sets(machine, entry)
        sets = [((*first, *after), (*one, *other)) for after, other in found for first, one in sets]
    made: list[Runner] = []
    for python in pythons:
        bases = [f"{name}-{python}"] if python else [name]
        if python and not several:
            bases.append(name)
        for labels, keywords in sets:
            suffix = f"({', '.join(labels)})" if labels else ""
            names = tuple(base + suffix for base in bases)
            made.append(Runner(func, (*names, *bases, name), names[0], keywords, python))
    return made


def _parameter_sets(
    machine: Machine, entry: AnyValue
) -> list[tuple[tuple[str, ...], tuple[tuple[str, AnyValue], ...]]]:
    assert isinstance(entry, TupleV)
    named, values, ids = entry.items
    text = text_of(named)
    names = (
        [part.strip() for part in text.split(",")]
        if isinstance(text, str)
        else [str(text_of(item)) for item in machine.iterate(named).items]
    )
    labels = [text_of(item) for item in machine.iterate(ids).items] if ids != NONE else []
    made: list[tuple[tuple[str, ...], tuple[tuple[str, AnyValue], ...]]] = []
    for position, value in enumerate(machine.iterate(values).items):
        label = labels[position] if position < len(labels) else None
        given: tuple[AnyValue, ...] = (value,)
        if isinstance(value, Instance) and value.library_type == PARAM:
            given = value.slots["args"].items
            own = text_of(value.slots["id"])
            label = own if own is not None else label
        elif len(names) > 1 and isinstance(value, ListObj | TupleV):
            given = tuple(value.items)
        keywords = tuple(zip(names, given, strict=False))
        shown = ", ".join(
            f"{name}={item.value!r}" if isinstance(item, Known) else f"{name}=*" for name, item in keywords
        )
        made.append(((label if isinstance(label, str) else shown,), keywords))
    return made


# What a session may call


def _words(args: Sequence[AnyValue]) -> list[TextLike]:
    return [text if (text := path_text(value)) is not None else render(value) for value in args]


def _run(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`session.run("program", "argument", ...)`, or a function with its arguments."""
    if not args.pos:
        return NONE
    first = args.pos[0]
    if path_text(first) is None:
        return machine.call(first, Arguments(args.pos[1:]))  # type: ignore[no-any-return]
    variables: dict[str, TextLike] = {}
    for mapping in (obj.slots.get("env", NONE), *options(args.kw.get("env", NONE))):
        if isinstance(mapping, DictObj):
            for key, value in mapping.known():
                name, text = text_of(key), path_text(value)
                if isinstance(name, str) and text is not None:
                    variables[name] = text
    words = _words(args.pos)
    folder = text_of(obj.slots["folder"])
    if folder is not None and str(words[0]).startswith("python"):
        use_environment(machine, folder, _MODULE)
    run_words(machine, words, variables)
    return text_hole(slash=True) if args.kw.get("silent") == TRUE else TRUE


for _name in ("run", "run_always", "run_install"):
    method(f"{SESSION}.{_name}")(_run)


@method(f"{SESSION}.install", f"{SESSION}.conda_install")
def install_packages(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`session.install("package")`: goes into the environment, which is written anyway."""
    if obj.slots["folder"] != NONE:
        install(machine, _words(args.pos), _MODULE)
    return NONE


@method(f"{SESSION}.install_and_run_script")
def script(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`session.install_and_run_script(path, *args)`."""
    return _run(machine, obj, Arguments([Known("python"), *args.pos]))


@method(f"{SESSION}.chdir", f"{SESSION}.cd")
def change_folder(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`session.chdir(folder)`: changes the folder, and back at the end where it is used with `with`."""
    del obj
    before = machine.cwd
    machine.call(Ext("os.chdir"), Arguments(args.pos[:1]))
    made = Instance(Ext("nox.sessions.WorkingFolder"))
    made.slots["before"] = as_value(before)
    return made


@method("nox.sessions.WorkingFolder.__enter__")
def enter_folder(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The folder was changed before."""
    del machine, args
    return obj


@method("nox.sessions.WorkingFolder.__exit__")
def leave_folder(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Back to the folder before."""
    del args
    machine.call(Ext("os.chdir"), Arguments([obj.slots["before"]]))
    return NONE


@method(f"{SESSION}.create_tmp")
def temporary_folder(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`session.create_tmp()`: a folder in that of the environment."""
    del args
    folder = text_of(obj.slots["tmp"])
    made = as_value(join_paths(folder if folder is not None else ".nox", "tmp"))
    machine.access(Operation.MKDIR, made, "nox.Session.create_tmp")
    machine.set_environ["TMPDIR"] = made
    return made


@method(f"{SESSION}.notify")
def notify(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`session.notify("other", posargs)`: another session is to run later."""
    target = args.get(0, "target") or UNKNOWN
    if isinstance(target, Instance):
        target = target.slots.get("registered", UNKNOWN)
    queue = obj.slots["queue"]
    machine.call_method(queue, "append", Arguments([TupleV([target, args.get(1, "posargs") or NONE])]), None)
    return NONE


def _nothing(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Shows something."""
    del machine, obj, args
    return NONE


for _name in ("log", "warn", "debug"):
    method(f"{SESSION}.{_name}")(_nothing)


@method(f"{SESSION}.error", f"{SESSION}.skip")
def stop(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The session ends."""
    del obj, args
    raise machine.throw("SystemExit")


# The program


class Program:
    """One run of Nox."""

    def __init__(self, machine: Machine, words: Sequence[AnyValue]) -> None:
        self.machine = machine
        self._line = LooseLine(words, _VALUED, open_ended=(*_SESSIONS, *_PYTHONS, *_TAGS, *_KEYWORDS))
        self._posargs: list[AnyValue] = self._line.behind or []
        self._folder: TextLike = ""
        self._ran: set[tuple[str, ...]] = set()

    def main(self) -> None:
        """Carry out the command line."""
        flags = self._line.flags
        if flags & {"--version", "-h", "--help"} or not self._load():
            return
        runners = [one for func in self._declared() for one in runners_of(self.machine, func)]
        if flags & {"-l", "--list", "--list-sessions", "--usage"}:
            return
        for runner in self._selected(runners):
            self._execute(runner, runners, self._posargs)
        report = self._line.last("--report")
        if report is not None:
            self.machine.access(Operation.OVERWRITE, report, _MODULE)

    def _chosen(self, names: tuple[str, ...]) -> list[str] | None:
        """The words behind an option; None where it is not given."""
        values = self._line.every(*names)
        if any(not isinstance(text_of(value), str) for value in values):
            self.machine.opaque("nox: a word of the command line is not known", other_code=True)
        return self._line.texts(*names) if self._line.flags & set(names) else None

    def _load(self) -> bool:
        machine = self.machine
        named = self._line.last("-f", "--noxfile") or Known("noxfile.py")
        place = machine.absolute(place_of(named))
        if not isinstance(place, str) or machine.exists(place, "file") is not True:
            machine.opaque("nox: there is no noxfile", other_code=True)
            return False
        machine.access(Operation.READ, Known(place), _MODULE)
        machine.cwd, file = split_last(place)
        self._folder = machine.cwd
        add_search_folder(machine, machine.cwd)
        try:
            machine.import_module(str(file).removesuffix(".py"))
        except AbstractRaise as error:
            machine.note_end(error)
            return False
        return True

    def _declared(self) -> list[Instance]:
        return [value for _, value in _registry(self.machine).known() if isinstance(value, Instance)]

    def _setting(self, name: str) -> AnyValue:
        return settings(self.machine).slots.get(name, NONE)  # type: ignore[no-any-return,union-attr]

    def _selected(self, runners: list[Runner]) -> list[Runner]:
        sessions, tags, keywords = map(self._chosen, (_SESSIONS, _TAGS, _KEYWORDS))
        if sessions is None and tags is None and keywords is None:
            given = self._setting("sessions")
            if given != NONE:
                sessions = [str(text_of(item)) for item in self.machine.iterate(given).items]
        chosen = runners
        if sessions is not None:
            chosen = [one for name in sessions for one in runners if name in one.names]
            for name in sessions:
                if not any(name in one.names for one in runners):
                    self.machine.opaque(f"nox: there is no session {name}")
        elif tags is None and keywords is None:
            chosen = [one for one in runners if one.func.slots.get("default", TRUE) != FALSE]
        if tags is not None:
            chosen = [one for one in chosen if set(tags) & self._tags(one)]
        pythons = self._chosen(_PYTHONS)
        if pythons is not None:
            chosen = [one for one in chosen if one.python in pythons]
        if keywords is not None:
            words = set(re.findall(r"[\w.-]+", " ".join(keywords))) - {"and", "or", "not"}
            if len(words) != 1:
                self.machine.opaque("nox: sessions are chosen by an expression")
            chosen = [one for one in chosen if any(fnmatch.fnmatch(one.names[0], f"*{word}*") for word in words)]
        return list({one.names: one for one in chosen}.values())

    def _tags(self, runner: Runner) -> set[str]:
        tags = runner.func.slots.get("tags", NONE)
        return {str(text_of(item)) for item in self.machine.iterate(tags).items} if tags != NONE else set()

    def _has_environment(self, runner: Runner) -> bool:
        if runner.python is None or "--no-venv" in self._line.flags:
            return False
        forced = self._line.last("-fb", "--force-venv-backend")
        own = runner.func.slots.get("venv_backend", NONE)
        given = self._line.last("-db", "--default-venv-backend")
        default = given if given is not None else self._setting("default_venv_backend")
        chosen = forced if forced is not None else own if own != NONE else default
        return text_of(chosen) != "none"

    def _execute(self, runner: Runner, runners: list[Runner], posargs: list[AnyValue]) -> None:
        machine = self.machine
        if runner.names in self._ran:
            return
        self._ran.add(runner.names)
        required = runner.func.slots.get("requires", NONE)
        for item in machine.iterate(required).items if required != NONE else ():
            for other in runners:
                if text_of(item) in other.names:
                    self._execute(other, runners, posargs)
        machine.cwd = self._folder
        current = "{}.{}".format(*machine.python_version)
        doubtful = bool(runner.python) and runner.python != current
        machine.undecided += doubtful
        folder = self._environment(runner) if self._has_environment(runner) else None
        made = Instance(Ext(SESSION))
        queue = ListObj("list")
        envdir = self._line.last("--envdir") or self._setting("envdir")
        base = place_of(envdir) if envdir != NONE else ".nox"
        tmp = concat(base, "/", _folder_name(runner.environment))
        made.slots.update(
            {
                "name": Known(runner.names[0]),
                "posargs": ListObj("list", posargs),
                "env": DictObj(),
                "python": Known(runner.python) if runner.python else NONE,
                "interactive": FALSE,
                "folder": as_value(machine.absolute(folder)) if folder is not None else NONE,
                "tmp": as_value(machine.absolute(tmp)),
                "bin": as_value(machine.absolute(concat(folder, "/bin"))) if folder is not None else UNKNOWN,
                "invoked_from": as_value(self._folder),
                "cache_dir": below(base, ".cache"),
                "queue": queue,
            }
        )
        try:
            machine.call(runner.func.slots["func"], Arguments([made], dict(runner.keywords)))
        except AbstractRaise as error:
            machine.note_end(error)
        finally:
            machine.undecided -= doubtful
        self._notified(queue, runners)

    def _notified(self, queue: ListObj, runners: list[Runner]) -> None:
        for item in queue.items:
            target, given = item.items if isinstance(item, TupleV) else (UNKNOWN, NONE)
            name = text_of(target)
            words = list(self.machine.iterate(given).items) if given != NONE else self._posargs
            for other in runners:
                if name in other.names:
                    self._execute(other, runners, words)

    def _environment(self, runner: Runner) -> TextLike:
        envdir = self._line.last("--envdir") or self._setting("envdir")
        base = place_of(envdir) if envdir != NONE else ".nox"
        for name in (".gitignore", "CACHEDIR.TAG"):
            self.machine.access(Operation.OVERWRITE, below(base, name), _MODULE)
        folder = concat(base, "/", _folder_name(runner.environment))
        make_environment(self.machine, self.machine.absolute(folder), _MODULE)
        return folder


def _folder_name(name: str) -> str:
    """The folder of an environment, after the name of its session."""
    return re.sub(r"[^\w.]+", "-", name).strip("-")


@program("nox", commands=["nox"])
def nox(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`nox -s SESSION`."""
    Program(machine, args).main()
