"""Constants of the standard library that are the same on every machine."""

from __future__ import annotations

import codecs
import csv
import errno
import hashlib
import keyword
import logging
import stat
import string
import sys
import tarfile
import token
import tokenize
import zipfile
import zlib
from typing import TYPE_CHECKING

from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, constant
from taskgates.inference.objects import ListObj
from taskgates.inference.values import AnyValue, Known, TupleV

if TYPE_CHECKING:
    from types import ModuleType

_MODULES = (codecs, csv, errno, logging, stat, string, tarfile, token, tokenize, zipfile, zlib)


def _register(module: ModuleType) -> None:
    """The names in capitals that a module binds to plain values."""
    for name, value in vars(module).items():
        plain = int(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if name.isupper() and not name.startswith("_") and isinstance(plain, str | bytes | int):
            registry.CONSTANTS.setdefault(f"{module.__name__}.{name}", registry.fixed(Known(plain)))


for _module in _MODULES:
    _register(_module)

registry.CONSTANTS["string.octdigits"] = registry.fixed(Known(string.octdigits))
registry.CONSTANTS["string.printable"] = registry.fixed(Known(string.printable))

for _names in ("builtin_module_names", "stdlib_module_names"):
    _values = TupleV([Known(name) for name in sorted(getattr(sys, _names))])
    registry.CONSTANTS[f"sys.{_names}"] = registry.fixed(_values)


@constant("hashlib.algorithms_guaranteed")
def digests(machine: Machine) -> AnyValue:
    """`hashlib.algorithms_guaranteed`."""
    del machine
    return ListObj("set", [Known(name) for name in sorted(hashlib.algorithms_guaranteed)])


for _name, _suffix in (("SOURCE", ".py"), ("BYTECODE", ".pyc")):
    registry.CONSTANTS[f"importlib.machinery.{_name}_SUFFIXES"] = registry.fixed(TupleV([Known(_suffix)]))


@constant("keyword.kwlist")
def keywords(machine: Machine) -> AnyValue:
    """`keyword.kwlist`."""
    del machine
    return ListObj("list", [Known(word) for word in keyword.kwlist])
