"""logging: handlers that a configuration file names."""

from __future__ import annotations

import ast
import configparser

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.models.files.formats import content_of
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.objects import Arguments, Instance
from taskgates.inference.text import Hole
from taskgates.inference.values import NONE, UNKNOWN, AnyValue, Ext, Known, path_text
from taskgates.model.access import Operation

_LARGE = 1 << 20
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


def _is_new(machine: Machine, path: AnyValue) -> bool:
    """Whether a file is certainly not there before: it is absent, or its name has the time of the run."""
    text = path_text(path)
    if isinstance(text, str):
        return machine.exists(text) is False
    return text is not None and any(isinstance(part, Hole) and part.origin == "clock" for part in text.parts)


@function("logging.config.fileConfig")
def file_config(machine: Machine, args: Arguments) -> AnyValue:
    """`fileConfig(name, defaults)`: every handler that the file lists is made with the arguments that it gives."""
    source = args.get(0, "fname") or UNKNOWN
    if not isinstance(source, Instance):
        machine.access(Operation.READ, source, "logging.config.fileConfig")
    text = content_of(machine, source)
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
