"""Which classes of the standard library plain values belong to: abstract base classes and aliases of `typing` too."""

from __future__ import annotations

import builtins
import collections
import collections.abc
import importlib
import io
import numbers
import types
import typing
from functools import cache
from pathlib import PurePosixPath

from taskgates.inference.objects import DictObj, ListObj
from taskgates.inference.text import Text
from taskgates.inference.values import AnyValue, Known, PathV, Scalar, TupleV

_MODULES = {module.__name__: module for module in (builtins, collections, collections.abc, io, numbers, types, typing)}


_ASKED = frozenset(
    ["abc", "base64", "builtins", "collections", "fractions", "functools", "gettext", "inspect", "io", "itertools",
     "locale", "math", "operator", "os", "platform", "random", "re", "shlex", "shutil", "string", "sys", "threading",
     "time", "tokenize", "types", "typing"]
)  # fmt: skip
"""Modules whose names changed most often, and which are cheap to look into."""


def belongs(value: AnyValue, name: str) -> bool | None:
    """Whether a plain value is an instance of a class of the standard library.

    Args:
        value: the value.
        name: the qualified name of the class.

    Returns:
        None where either is not a plain one.
    """
    own = _plain_class(value)
    wanted = _class(name) if own is not None else None
    return None if own is None or wanted is None else issubclass(own, wanted)


def _plain_class(value: AnyValue) -> type | None:
    if isinstance(value, Known):
        return type(value.value)
    if isinstance(value, Text):
        return str
    if isinstance(value, TupleV):
        return tuple
    if isinstance(value, PathV):
        return PurePosixPath
    if isinstance(value, Scalar | ListObj | DictObj):
        found = getattr(builtins, value.kind, None)
        return found if isinstance(found, type) else None
    return None


@cache
def _class(name: str) -> type | None:
    module, _, attribute = name.rpartition(".")
    found = getattr(_MODULES.get(module), attribute, None)
    found = getattr(found, "__origin__", found)
    return found if isinstance(found, type) and found is not typing.Generic else None


@cache
def is_gone(module: str, name: str) -> bool:
    """Whether a module of the standard library certainly has no such name: mostly one that Python 2 had."""
    if module not in _ASKED:
        return False
    return not hasattr(importlib.import_module(module), name)
