"""logging: handlers that a configuration file names."""

from __future__ import annotations

import ast
import configparser

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.files.formats import content_of
from taskgates.inference.models.reading import handle_content
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.objects import Arguments, DictObj, Instance
from taskgates.inference.text import Hole
from taskgates.inference.values import NONE, TRUE, UNKNOWN, AnyValue, Ext, Known, path_text, text_of
from taskgates.model.access import Operation, SharedKind

_LARGE = 1 << 16
"""Bytes that no single run is expected to log."""


@function("logging.handlers.RotatingFileHandler")
def rotating_handler(machine: Machine, args: Arguments) -> AnyValue | None:
    """`RotatingFileHandler(filename, maxBytes=...)`: a new file with a large bound is not rotated in its first run."""
    bound = args.get(2, "maxBytes")
    size = bound.value if isinstance(bound, Known) and isinstance(bound.value, int) else 0 if bound is None else -1
    if size and not (size >= _LARGE and _is_new(machine, args.get(0, "filename") or UNKNOWN)):
        return None
    given = {name: value for name, value in args.kw.items() if name in ("filename", "mode", "encoding", "delay")}
    made = machine.call(Ext("logging.FileHandler"), Arguments(args.pos[:2], given))
    if isinstance(made, Instance):
        made.cls = Ext("logging.handlers.RotatingFileHandler")
    return made  # type: ignore[no-any-return]


@function("logging.handlers.TimedRotatingFileHandler")
def timed_handler(machine: Machine, args: Arguments) -> AnyValue | None:
    """`TimedRotatingFileHandler(filename, when="h")`: a new file is not rotated in a first run of less than an hour."""
    when = text_of(args.get(1, "when") or Known("h"))
    new = _is_new(machine, args.get(0, "filename") or UNKNOWN)
    if not new or not isinstance(when, str) or when.lower() in ("s", "m"):
        return None
    given = {name: value for name, value in args.kw.items() if name in ("filename", "encoding", "delay")}
    made = machine.call(Ext("logging.FileHandler"), Arguments(args.pos[:1], given))
    if isinstance(made, Instance):
        made.cls = Ext("logging.handlers.TimedRotatingFileHandler")
    return made  # type: ignore[no-any-return]


def _is_new(machine: Machine, path: AnyValue) -> bool:
    """Whether a file is certainly not there before: it is absent, or its name has the time of the run."""
    text = path_text(path)
    if isinstance(text, str):
        return machine.exists(text) is False
    return text is not None and any(isinstance(part, Hole) and part.origin == "clock" for part in text.parts)


_CONFIGURED = "logging.basicConfig"
"""Where the machine keeps whether the root logger has handlers."""


@function("logging.basicConfig")
def basic_config(machine: Machine, args: Arguments) -> AnyValue | None:
    """`basicConfig(...)`: nothing happens where it was called before, unless it is forced."""
    force = args.kw.get("force")
    if machine.library.get(_CONFIGURED) == TRUE and (force is None or machine.truth(force) is False):
        return NONE
    if machine.closed and not machine.conditional:
        machine.library[_CONFIGURED] = TRUE
    return None


_NO_ARGUMENTS = ("class", "()", "level", "formatter", "filters", ".")
"""What the description of a handler says beside the arguments of its class."""


@function("logging.config.dictConfig")
def dict_config(machine: Machine, args: Arguments) -> AnyValue | None:
    """`dictConfig(config)`: every handler that is described is made; left to the table where one is not known."""
    config = args.get(0, "config")
    handlers = _entry(config, "handlers")
    if not isinstance(handlers, DictObj) or handlers.rest is not None:
        return None
    made: list[tuple[AnyValue, Arguments]] = []
    for _, handler in handlers.known():
        kind = _maker(machine, handler)
        if not isinstance(handler, DictObj) or handler.rest is not None or kind is None:
            return None
        keywords = {str(key.value): value for key, value in handler.known() if isinstance(key, Known)}
        made.append((kind, Arguments((), {name: keywords[name] for name in keywords if name not in _NO_ARGUMENTS})))
    machine.shared("logging", SharedKind.PROCESS, "write", call="logging.config.dictConfig")
    for kind, arguments in made:
        machine.call(kind, arguments)
    return NONE


def _maker(machine: Machine, handler: AnyValue) -> AnyValue | None:
    """What makes a handler that is described: a class of the library, or one of the program, perhaps by its name."""
    given = _entry(handler, "()") or _entry(handler, "class") or NONE
    name = text_of(given)
    if name is None:
        return None if given == NONE else given
    if not isinstance(name, str):
        return None
    if name.startswith("logging."):
        return Ext(name)
    module, _, attribute = name.removeprefix("ext://").rpartition(".")
    try:
        owner = machine.modules.get(module) or (machine.import_module(module) if module else None)
        return machine.get_attr(owner, attribute) if owner is not None else None
    except AbstractRaise:
        return None


def _entry(value: AnyValue | None, name: str) -> AnyValue | None:
    return dict(value.known()).get(Known(name)) if isinstance(value, DictObj) else None


@function("logging.config.fileConfig")
def file_config(machine: Machine, args: Arguments) -> AnyValue:
    """`fileConfig(name, defaults)`: every handler that the file lists is made with the arguments that it gives."""
    source = args.get(0, "fname") or UNKNOWN
    if not isinstance(source, Instance):
        machine.access(Operation.READ, source, "logging.config.fileConfig")
    text = handle_content(machine, source) if isinstance(source, Instance) else content_of(machine, source)
    if not (isinstance(text, Known) and isinstance(text.value, str)):
        machine.opaque("logging is configured by a file that is not known")
        return NONE
    try:
        defaults = to_python(args.get(1, "defaults") or NONE)
    except NotKnown:
        defaults = None
    try:
        parser = configparser.ConfigParser(defaults, strict=False)
        parser.read_string(text.value)
        names = [name.strip() for name in parser.get("handlers", "keys").split(",") if name.strip()]
        for name in names:
            section = parser[f"handler_{name}"]
            values = ast.literal_eval(section.get("args", "()"))
            keywords = ast.literal_eval(section.get("kwargs", "{}"))
            kind = section.get("class", "")
            made = Ext(kind if kind.startswith("logging.") else f"logging.{kind}")
            given = Arguments([from_python(value) for value in values])
            given.kw.update({str(key): from_python(value) for key, value in dict(keywords).items()})
            machine.call(made, given)
    except (configparser.Error, ValueError, SyntaxError, TypeError, KeyError):
        machine.opaque("a handler of the logging configuration could not be read")
    return NONE
