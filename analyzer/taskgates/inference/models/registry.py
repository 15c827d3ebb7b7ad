"""The registries of Python models: what library names mean at the level of values.

Effects on files are data (`taskgates_rules/effects`); here stands what data cannot say. Every model module adds to
these mappings when it is imported, once, before any analysis starts; nothing changes them afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from taskgates.inference.objects import Arguments, ClassV, ModuleV
from taskgates.inference.values import AnyValue, PathV, TupleV

Machine = Any
"""The interpreter; models are mixed in from below, so its full type is not nameable here."""

FunctionModel = Callable[[Machine, Arguments], AnyValue | None]
MethodModel = Callable[[Machine, Any, Arguments], Any]

FunctionT = TypeVar("FunctionT", bound=FunctionModel)
MethodT = TypeVar("MethodT", bound=MethodModel)

FUNCTIONS: dict[str, FunctionModel] = {}
"""Library callables by qualified name; a model that returns None leaves the call to the effect tables."""

METHODS: dict[str, MethodModel] = {}
"""Methods by `type.method`; dunder names serve the corresponding syntax."""

CONSTANTS: dict[str, Callable[[Machine], AnyValue]] = {}
"""Attributes of library modules that are values."""
ABSENT: set[str] = set()
"""Attributes of library modules that exist elsewhere (on another system, in a frozen program) and not here."""

SETTERS: dict[str, Callable[[Machine, AnyValue], None]] = {}
"""Attributes of library modules that programs assign to."""

ITEMS: dict[str, Callable[[Machine, AnyValue], AnyValue]] = {}
"""`name[index]` of library objects that stand for themselves (`os.environ`)."""

ITERATIONS: dict[str, Callable[[Machine], TupleV]] = {}
"""Iteration over library objects that stand for themselves."""

MEMBERSHIPS: dict[str, Callable[[Machine, AnyValue, bool], AnyValue]] = {}
"""`value in NAME`, for library objects by name: the value, and whether it is `in` rather than `not in`."""

PATH_ATTRIBUTES: dict[str, Callable[[Machine, PathV], AnyValue]] = {}
"""Attributes of pathlib paths."""

CLASS_ATTRIBUTES: dict[str, Callable[[Machine, ClassV], AnyValue | None]] = {}
"""Attributes that decorators and metaclasses add to classes."""

PROGRAMS: list[Callable[[AnyValue, ModuleV], bool]] = []
"""Tests for objects of a module that are programs: called without arguments, they read the command line."""

ALIASES: dict[str, str] = {}
"""Other names of library things that have models."""


def function(*names: str) -> Callable[[FunctionT], FunctionT]:
    """Register a model for library callables."""

    def register(model: FunctionT) -> FunctionT:
        for name in names:
            FUNCTIONS[name] = model
        return model

    return register


def method(*names: str) -> Callable[[MethodT], MethodT]:
    """Register a model for methods, each as `type.method`."""

    def register(model: MethodT) -> MethodT:
        for name in names:
            METHODS[name] = model
        return model

    return register


def constant(*names: str) -> Callable[[Callable[[Machine], AnyValue]], Callable[[Machine], AnyValue]]:
    """Register the value of a library attribute."""

    def register(model: Callable[[Machine], AnyValue]) -> Callable[[Machine], AnyValue]:
        for name in names:
            CONSTANTS[name] = model
        return model

    return register


def fixed(value: AnyValue) -> Callable[[Machine], AnyValue]:
    """The model of an attribute that has one value everywhere."""
    return lambda _: value


def path_attribute(name: str) -> Callable[[Callable[[Machine, PathV], AnyValue]], Callable[[Machine, PathV], AnyValue]]:
    """Register an attribute of pathlib paths."""

    def register(model: Callable[[Machine, PathV], AnyValue]) -> Callable[[Machine, PathV], AnyValue]:
        PATH_ATTRIBUTES[name] = model
        return model

    return register
