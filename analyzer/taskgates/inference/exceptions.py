"""Exceptions: which handler catches which, and what they carry."""

from __future__ import annotations

import builtins
import errno
import os
from typing import TYPE_CHECKING, Any

from taskgates.inference.objects import CONTENT, Arguments, ClassV, Instance, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import concat
from taskgates.inference.values import (
    INT,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Native,
    TupleV,
    Union,
    as_value,
    path_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.inference.frames import TryContext
    from taskgates.inference.text import TextLike

_BASES = {
    "click.ClickException": "builtins.Exception",
    "click.UsageError": "click.ClickException",
    "click.BadParameter": "click.UsageError",
    "click.MissingParameter": "click.BadParameter",
    "click.NoSuchOption": "click.UsageError",
    "click.BadOptionUsage": "click.UsageError",
    "click.BadArgumentUsage": "click.UsageError",
    "click.FileError": "click.ClickException",
    "click.Abort": "builtins.RuntimeError",
    "click.exceptions.Exit": "builtins.RuntimeError",
    "getopt.GetoptError": "builtins.Exception",
    "json.JSONDecodeError": "builtins.ValueError",
    "json.decoder.JSONDecodeError": "json.JSONDecodeError",
    "tomllib.TOMLDecodeError": "builtins.ValueError",
    "tomli.TOMLDecodeError": "builtins.ValueError",
    "subprocess.SubprocessError": "builtins.Exception",
    "subprocess.CalledProcessError": "subprocess.SubprocessError",
    "subprocess.TimeoutExpired": "subprocess.SubprocessError",
    "shutil.Error": "builtins.OSError",
    "shutil.SameFileError": "shutil.Error",
    "shutil.SpecialFileError": "builtins.OSError",
    "shutil.ReadError": "builtins.OSError",
    "configparser.Error": "builtins.Exception",
    "configparser.NoSectionError": "configparser.Error",
    "configparser.NoOptionError": "configparser.Error",
    "configparser.ParsingError": "configparser.Error",
    "configparser.MissingSectionHeaderError": "configparser.ParsingError",
    "configparser.DuplicateSectionError": "configparser.Error",
    "configparser.DuplicateOptionError": "configparser.Error",
    "zipfile.BadZipFile": "builtins.Exception",
    "zipfile.LargeZipFile": "builtins.Exception",
    "tarfile.TarError": "builtins.Exception",
    "tarfile.ReadError": "tarfile.TarError",
    "tarfile.CompressionError": "tarfile.TarError",
    "tarfile.ExtractError": "tarfile.TarError",
    "lzma.LZMAError": "builtins.Exception",
    "zlib.error": "builtins.Exception",
    "binascii.Error": "builtins.ValueError",
    "struct.error": "builtins.Exception",
    "socket.timeout": "builtins.TimeoutError",
    "socket.gaierror": "builtins.OSError",
    "socket.herror": "builtins.OSError",
    "urllib.error.URLError": "builtins.OSError",
    "urllib.error.HTTPError": "urllib.error.URLError",
    "io.UnsupportedOperation": "builtins.OSError",
    "argparse.ArgumentTypeError": "builtins.Exception",
    "argparse.ArgumentError": "builtins.Exception",
    "queue.Empty": "builtins.Exception",
    "queue.Full": "builtins.Exception",
    "sqlite3.Error": "builtins.Exception",
    "sqlite3.DatabaseError": "sqlite3.Error",
    "sqlite3.OperationalError": "sqlite3.DatabaseError",
    "sqlite3.IntegrityError": "sqlite3.DatabaseError",
    "sqlite3.ProgrammingError": "sqlite3.DatabaseError",
    "csv.Error": "builtins.Exception",
    "pickle.PickleError": "builtins.Exception",
    "pickle.UnpicklingError": "pickle.PickleError",
    "pickle.PicklingError": "pickle.PickleError",
    "asyncio.CancelledError": "builtins.BaseException",
    "asyncio.QueueEmpty": "builtins.Exception",
    "asyncio.QueueFull": "builtins.Exception",
    "concurrent.futures.CancelledError": "builtins.Exception",
    "concurrent.futures.BrokenExecutor": "builtins.RuntimeError",
    "dataclasses.FrozenInstanceError": "builtins.AttributeError",
    "re.error": "builtins.Exception",
    "decimal.InvalidOperation": "builtins.ArithmeticError",
    "uuid.UUIDError": "builtins.ValueError",
    "xml.etree.ElementTree.ParseError": "builtins.SyntaxError",
}
"""The direct bases of library exceptions."""

_PARAMETERS = {
    "subprocess.CalledProcessError": ("returncode", "cmd", "output", "stderr"),
    "subprocess.TimeoutExpired": ("cmd", "timeout", "output", "stderr"),
    "configparser.NoSectionError": ("section",),
    "configparser.NoOptionError": ("option", "section"),
}
"""What the constructors of library exceptions keep."""

_SAME = {
    "socket.error": "OSError",
    "select.error": "OSError",
    "os.error": "OSError",
    "builtins.IOError": "OSError",
    "builtins.EnvironmentError": "OSError",
    "concurrent.futures.TimeoutError": "TimeoutError",
    "asyncio.TimeoutError": "TimeoutError",
    "asyncio.exceptions.TimeoutError": "TimeoutError",
}
"""Other names of built-in exceptions."""

_FOLLOWED = frozenset({"click", "getopt"})
"""Modules whose models raise their exceptions themselves."""

_RAISED_BY = {"queue": ("queue", "multiprocessing"), "subprocess": ("subprocess", "asyncio"), "zlib": ("zlib", "gzip")}
"""The modules whose calls raise the exceptions of a module, where it is not that one alone."""


def is_library_exception(name: str) -> bool:
    """Whether a qualified name is that of a library exception whose bases are known."""
    return name in _BASES


def _library_bases(name: str) -> list[AnyValue]:
    """A library exception's bases, as far as they are listed."""
    out: list[AnyValue] = []
    while (base := _BASES.get(name)) is not None:
        out.append(Ext(base))
        name = base
    return out


def builtin_class(name: str) -> type[BaseException] | None:
    """The built-in exception class behind a qualified name, by Python's own hierarchy."""
    found = getattr(builtins, _SAME.get(name, name).removeprefix("builtins."), None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def _ancestry(kind: AnyValue) -> tuple[list[AnyValue], bool]:
    """The classes that a class is a subclass of, and whether that is the whole truth."""
    if isinstance(kind, ClassV):
        out = list(kind.mro)
        return [*out, *(base for cls in out if isinstance(cls, Ext) for base in _library_bases(cls.name))], True
    if isinstance(kind, Ext) and kind.name in _BASES:
        return [kind, *_library_bases(kind.name)], True
    return [kind], isinstance(kind, Ext) and builtin_class(kind.name) is not None


def _subclass(kind: AnyValue, wanted: AnyValue) -> bool | None:
    ancestors, certain = _ancestry(kind)
    if wanted in ancestors:
        return True
    target = builtin_class(wanted.name) if isinstance(wanted, Ext) else None
    for ancestor in ancestors:
        if isinstance(ancestor, Ext):
            own = builtin_class(ancestor.name)
            if own is not None and target is not None and issubclass(own, target):
                return True
            if own is None and ancestor.name not in _BASES:
                certain = False
    if isinstance(wanted, ClassV) or (isinstance(wanted, Ext) and (target is not None or wanted.name in _BASES)):
        return False if certain else None
    return None


def catches(kind: AnyValue | None, raised: AnyValue) -> bool | None:
    """Whether `except kind` takes a raised value; None where it is undecided."""
    if kind is None:
        return True
    if isinstance(kind, TupleV | Union):
        members = kind.items if isinstance(kind, TupleV) else kind.options
        found = [catches(member, raised) for member in members]
        return True if True in found else (None if None in found or isinstance(kind, Union) else False)
    if isinstance(raised, Union):
        answers = {catches(kind, option) for option in raised.options}
        return answers.pop() if len(answers) == 1 else None
    if not isinstance(raised, Instance):
        return True if isinstance(kind, Ext) and kind.name in ("builtins.BaseException", "builtins.Exception") else None
    return _subclass(raised.cls, kind)


def may_catch(kind: AnyValue | None, context: TryContext) -> bool:
    """Whether a handler can be reached, given what may leave the body."""
    if context.anything:
        return True
    if kind is None:
        return bool(context.names or context.values)
    if isinstance(kind, TupleV | Union):
        members = kind.items if isinstance(kind, TupleV) else kind.options
        return any(may_catch(member, context) for member in members)
    if any(catches(kind, value) is not False for value in context.values):
        return True
    for name in context.names:
        instance = Instance(Ext(f"builtins.{name}"))
        if catches(kind, instance) is not False:
            return True
        # `except FileNotFoundError` takes what is only known to be an OSError.
        own = builtin_class(name)
        if own is not None and any(issubclass(wanted, own) for wanted in _builtin_bases(kind)):
            return True
    if isinstance(kind, Ext) and kind.name in _BASES:
        module = kind.name.split(".", 1)[0]
        if module in _FOLLOWED:
            return False
        return any(name in context.libraries for name in _RAISED_BY.get(module, (module,)))
    return False


def _builtin_bases(kind: AnyValue) -> list[type[BaseException]]:
    """The built-in class that a class is or derives from, as far as it is known."""
    if not isinstance(kind, Ext):
        return []
    found = [builtin_class(name.name) for name in (kind, *_library_bases(kind.name)) if isinstance(name, Ext)]
    return [cls for cls in found if cls is not None]


def library_exceptions() -> list[str]:
    """The library exceptions that programs raise themselves."""
    return sorted(name for name in _BASES if name.split(".", 1)[0] not in _FOLLOWED)


def make_exception(name: str, args: Arguments) -> Instance:
    """An exception of a library, as its class makes it.

    Args:
        name: the qualified name of the class.
        args: the arguments of the call.
    """
    out = Instance(Ext(name))
    out.slots["args"] = TupleV(args.pos, args.star)
    out.slots.update(zip(_PARAMETERS.get(name, ()), args.pos, strict=False))
    out.slots.update(args.kw)
    return out


# What exceptions carry


def is_exception(cls: ClassV | Ext) -> bool:
    """Whether a class is one of exceptions, as far as that is known."""
    bases = cls.mro if isinstance(cls, ClassV) else (cls,)
    return any(bool(_builtin_bases(base)) for base in bases if isinstance(base, Ext))


def exception_attribute(obj: Instance, name: str) -> AnyValue | None:
    """An attribute that Python gives every exception; None for any other.

    Args:
        obj: an exception.
        name: the attribute.
    """
    if name in ("__cause__", "__context__"):
        return NONE
    if name == "__suppress_context__":
        return Known("__cause__" in obj.slots)
    given = obj.slots.get("args")
    items = given.items if isinstance(given, TupleV) and given.rest is None else None
    if name == "args":
        return given if isinstance(given, TupleV) else TupleV((), text_hole())
    if name == "add_note":
        return Native("add_note", lambda machine, args: _add_note(machine, obj, args))
    if name == "with_traceback":
        return Native("with_traceback", lambda _, __: obj)
    bases = obj.cls.mro if isinstance(obj.cls, ClassV) else (obj.cls,)
    kinds = [kind for base in bases for kind in _builtin_bases(base)]
    if name in ("code", "value") and any(issubclass(kind, SystemExit | StopIteration) for kind in kinds):
        return UNKNOWN if items is None else (NONE if not items else items[0])
    place = {"errno": 0, "strerror": 1, "filename": 2, "filename2": 4}.get(name)
    if place is not None and any(issubclass(kind, OSError) for kind in kinds):
        if items is not None:
            return items[place] if len(items) >= 2 and place < len(items) else NONE
        return (INT, text_hole(), text_hole("data", slash=True), NONE)[min(place, 3)]
    return None


def _add_note(machine: Any, obj: Instance, args: Arguments) -> AnyValue:
    notes = obj.slots.get("__notes__")
    if not isinstance(notes, ListObj):
        notes = ListObj("list")
        machine.state.write(obj.slots, "__notes__", notes)
    machine.state.write(notes.slots, CONTENT, TupleV((*notes.items, *args.pos[:1]), notes.rest))
    return NONE


def exception_text(obj: Instance, render_item: Callable[[AnyValue], TextLike]) -> TextLike | None:
    """What `str` of an exception gives; None where its arguments are not known.

    Args:
        obj: an exception.
        render_item: what `str` of another value gives.
    """
    given = obj.slots.get("args")
    if not isinstance(given, TupleV) or given.rest is not None:
        return None
    bases = obj.cls.mro if isinstance(obj.cls, ClassV) else (obj.cls,)
    kinds = [kind for base in bases for kind in _builtin_bases(base)]
    if not given.items:
        return ""
    first = given.items[0]
    if len(given.items) == 1 and isinstance(first, Known) and any(issubclass(kind, KeyError) for kind in kinds):
        return repr(first.value)
    if any(issubclass(kind, OSError) for kind in kinds) and len(given.items) in (2, 3):
        number, reason, *file = map(render_item, given.items)
        return concat("[Errno ", number, "] ", reason, *((": '", file[0], "'") if file else ()))
    if len(given.items) == 1:
        return render_item(given.items[0])
    if all(isinstance(item, Known) for item in given.items):
        return str(tuple(item.value for item in given.items if isinstance(item, Known)))
    return None


ERRORS = {
    "FileNotFoundError": errno.ENOENT,
    "FileExistsError": errno.EEXIST,
    "IsADirectoryError": errno.EISDIR,
    "NotADirectoryError": errno.ENOTDIR,
}
"""The numbers of the errors about files that the engine raises."""


def file_error(name: str, path: AnyValue) -> TupleV:
    """The arguments of an error about a file: number, reason, path."""
    text = path_text(path)
    number = ERRORS[name]
    return TupleV([Known(number), Known(os.strerror(number)), as_value(text) if text is not None else text_hole()])
