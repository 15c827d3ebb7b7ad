"""Which handler catches which exception."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from taskgates.inference.values import AnyValue, ClassV, Ext, Instance, TupleV, Union

if TYPE_CHECKING:
    from taskgates.inference.core import TryContext

_ALIASES = {
    "json.JSONDecodeError": "ValueError",
    "json.decoder.JSONDecodeError": "ValueError",
    "tomllib.TOMLDecodeError": "ValueError",
    "tomli.TOMLDecodeError": "ValueError",
    "subprocess.CalledProcessError": "Exception",
    "subprocess.TimeoutExpired": "Exception",
    "subprocess.SubprocessError": "Exception",
    "shutil.Error": "OSError",
    "shutil.SameFileError": "OSError",
    "configparser.Error": "Exception",
    "zipfile.BadZipFile": "Exception",
    "tarfile.TarError": "Exception",
    "socket.error": "OSError",
    "select.error": "OSError",
    "os.error": "OSError",
    "io.UnsupportedOperation": "OSError",
    "argparse.ArgumentTypeError": "Exception",
    "queue.Empty": "Exception",
    "queue.Full": "Exception",
    "sqlite3.Error": "Exception",
    "csv.Error": "Exception",
    "pickle.PickleError": "Exception",
    "concurrent.futures.TimeoutError": "TimeoutError",
    "asyncio.TimeoutError": "TimeoutError",
    "asyncio.CancelledError": "BaseException",
}


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
}
"""The direct bases of exceptions of libraries that the models raise; only these and what derives from them count."""


def _library_bases(name: str) -> list[AnyValue]:
    """A library exception's bases, as far as they are listed."""
    out: list[AnyValue] = []
    while (base := _BASES.get(name)) is not None:
        out.append(Ext(base))
        name = base
    return out


def builtin_class(name: str) -> type[BaseException] | None:
    """The built-in exception class behind a qualified name, by Python's own hierarchy."""
    found = getattr(builtins, _ALIASES.get(name, name).removeprefix("builtins."), None)
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
                return ancestor.name not in _ALIASES or wanted not in ancestors
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
        wanted = builtin_class(kind.name) if isinstance(kind, Ext) else None
        own = builtin_class(name)
        if wanted is not None and own is not None and issubclass(wanted, own):
            return True
    return False
