"""Built-in functions, itertools, functools, operator, copy: what they do to values."""

from __future__ import annotations

import builtins
import itertools
import math
from typing import Any

from taskgates.inference.core import matches_text
from taskgates.inference.models import registry
from taskgates.inference.models.containers import everything, sort_content, summary
from taskgates.inference.models.registry import Machine, constant, function, method
from taskgates.inference.models.strings import pure_call, to_text
from taskgates.inference.operators import NotKnown, to_python
from taskgates.inference.paths import join_paths
from taskgates.inference.text import concat
from taskgates.inference.values import (
    BOOL,
    CONTENT,
    FALSE,
    FLOAT,
    INT,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Arguments,
    BoundMethod,
    ClassV,
    Descriptor,
    DictObj,
    Ext,
    FunctionV,
    Heap,
    Instance,
    Known,
    ListObj,
    Maybe,
    Method,
    ModuleV,
    Native,
    Partial,
    PathV,
    Scalar,
    TupleV,
    Union,
    Unknown,
    as_value,
    join,
    options,
    path_text,
    render,
    text_hole,
    text_of,
)


def _pure(name: str, func: Any, otherwise: AnyValue) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        known = pure_call(machine, func, args)
        if known is not None:
            return known
        machine.may_raise("ValueError", "TypeError")
        return otherwise

    registry.FUNCTIONS[name] = model


for _name, _result in (
    ("abs", INT),
    ("round", INT),
    ("divmod", TupleV([INT, INT])),
    ("pow", INT),
    ("chr", text_hole()),
    ("ord", INT),
    ("hex", text_hole()),
    ("oct", text_hole()),
    ("bin", text_hole()),
    ("ascii", text_hole()),
    ("hash", INT),
):
    _pure(f"builtins.{_name}", getattr(builtins, _name), _result)
for _name in dir(math):
    _value = getattr(math, _name)
    if callable(_value) and not _name.startswith("_") and _name not in ("factorial", "comb", "perm"):
        _pure(f"math.{_name}", _value, FLOAT)
    elif isinstance(_value, float):
        registry.CONSTANTS[f"math.{_name}"] = registry.fixed(Known(_value))


@function("builtins.print", "builtins.breakpoint")
def nothing(machine: Machine, args: Arguments) -> AnyValue:
    """Calls that matter only by what they evaluate."""
    for value in args.every():
        if (
            isinstance(value, Instance)
            and isinstance(value.cls, ClassV)
            and not isinstance(args.kw.get("file"), type(value))
        ):
            to_text(machine, value)
    return NONE


@function("builtins.str")
def make_str(machine: Machine, args: Arguments) -> AnyValue:
    """`str(value)`."""
    if not args.pos:
        return Known("")
    value = args.pos[0]
    if len(args.pos) > 1 or "encoding" in args.kw:
        return registry.METHODS["builtins.bytes.decode"](machine, value, Arguments(args.pos[1:], args.kw))  # type: ignore[no-any-return]
    return machine.each(value, lambda option: as_value(to_text(machine, option)))  # type: ignore[no-any-return]


@function("builtins.repr")
def make_repr(machine: Machine, args: Arguments) -> AnyValue:
    """`repr(value)`."""
    value = args.pos[0] if args.pos else UNKNOWN
    try:
        return Known(repr(to_python(value)))
    except NotKnown:
        text = text_of(value)
        return as_value(concat("'", text, "'")) if text is not None else as_value(to_text(machine, value))


@function("builtins.format")
def make_format(machine: Machine, args: Arguments) -> AnyValue:
    """`format(value, spec)`."""
    spec = args.pos[1] if len(args.pos) > 1 else Known("")
    return machine.each(args.pos[0], lambda option: machine.format_value(option, None, spec))  # type: ignore[no-any-return]


@function("builtins.int")
def make_int(machine: Machine, args: Arguments) -> AnyValue:
    """`int(value)`."""
    return (
        machine.each(args.pos[0], lambda o: _number(machine, int, Arguments([o, *args.pos[1:]], args.kw), INT))
        if args.pos
        else Known(0)
    )


@function("builtins.float")
def make_float(machine: Machine, args: Arguments) -> AnyValue:
    """`float(value)`."""
    return (
        machine.each(args.pos[0], lambda o: _number(machine, float, Arguments([o]), FLOAT)) if args.pos else Known(0.0)
    )


def _number(machine: Machine, func: Any, args: Arguments, otherwise: AnyValue) -> AnyValue:
    known = pure_call(machine, func, args)
    if known is not None:
        return known
    value = args.pos[0]
    if isinstance(value, Instance) and isinstance(value.cls, ClassV):
        for name in ("__int__", "__index__", "__float__"):
            if machine.has_attr(value, name):
                return machine.call(machine.get_attr(value, name), Arguments())  # type: ignore[no-any-return]
        plain = value.slots.get(("value",)) or value.slots.get("value")
        if isinstance(plain, Known):
            return _number(machine, func, Arguments([plain]), otherwise)
    if not isinstance(value, Scalar):
        machine.may_raise("ValueError", "TypeError")
    return otherwise


@function("builtins.bool")
def make_bool(machine: Machine, args: Arguments) -> AnyValue:
    """`bool(value)`."""
    decided = machine.truth(args.pos[0]) if args.pos else False
    return BOOL if decided is None else Known(decided)


@function("builtins.bytes", "builtins.bytearray")
def make_bytes(machine: Machine, args: Arguments) -> AnyValue:
    """`bytes(...)`."""
    known = pure_call(
        machine, lambda *a, **k: bytes(*a, **k) if not (a and isinstance(a[0], int) and a[0] > 4096) else b"", args
    )
    return known if known is not None else Scalar("bytes")


@function("builtins.len")
def length(machine: Machine, args: Arguments) -> AnyValue:
    """`len(value)`."""
    value = args.pos[0] if args.pos else UNKNOWN
    return machine.each(value, lambda option: _length(machine, option))  # type: ignore[no-any-return]


def _length(machine: Machine, value: AnyValue) -> AnyValue:
    if isinstance(value, Known):
        try:
            return Known(len(value.value))
        except TypeError:
            raise machine.throw("TypeError") from None
    if isinstance(value, TupleV | ListObj):
        return Known(len(value.items)) if value.rest is None else INT
    if isinstance(value, DictObj):
        return Known(len(value.known())) if value.exact else INT
    if isinstance(value, Instance) and machine.has_attr(value, "__len__"):
        return machine.call(machine.get_attr(value, "__len__"), Arguments())  # type: ignore[no-any-return]
    if isinstance(value, Instance) and isinstance(value.cls, ClassV) and "tuple" in value.cls.traits:
        return Known(len(value.cls.traits["tuple"]))
    if isinstance(value, ClassV) and "members" in value.traits:
        return Known(len(value.traits["members"]))
    return INT


@function("builtins.range")
def make_range(machine: Machine, args: Arguments) -> AnyValue:
    """`range(...)`."""
    known = pure_call(machine, range, args)
    return known if known is not None else ListObj("list", (), INT)


@function("builtins.enumerate")
def enumerate_(machine: Machine, args: Arguments) -> AnyValue:
    """`enumerate(iterable, start)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    start = args.get(1, "start", Known(0))
    base = start.value if isinstance(start, Known) and isinstance(start.value, int) else None
    items = [TupleV([Known(base + i) if base is not None else INT, item]) for i, item in enumerate(content.items)]
    return ListObj("iterator", items, TupleV([INT, content.rest]) if content.rest is not None else None)


@function("builtins.zip", "itertools.zip_longest")
def zip_(machine: Machine, args: Arguments) -> AnyValue:
    """`zip(...)`."""
    contents = [machine.iterate(value) for value in args.pos]
    if args.star is not None:
        inner = machine.iterate(args.star)
        found = summary(inner)
        return ListObj("iterator", (), TupleV((), found if found is not None else UNKNOWN))
    if not contents:
        return ListObj("iterator")
    items: list[AnyValue] = []
    index = 0
    while True:
        row: list[AnyValue] = []
        uncertain = False
        for content in contents:
            if index < len(content.items):
                row.append(content.items[index])
            elif content.rest is not None:
                row.append(content.rest)
                uncertain = True
            else:
                return ListObj("iterator", items)
        if uncertain:
            if all(index >= len(content.items) for content in contents):
                return ListObj("iterator", items, TupleV(row))
            if index > 64:
                return ListObj("iterator", items, TupleV(row))
            # Some sequence is known to go on: so does the pairing, as far as the unknown one does.
            rest = [
                join([*content.items[index:], *([content.rest] if content.rest is not None else [])])
                for content in contents
            ]
            return ListObj("iterator", items, TupleV(rest))
        items.append(TupleV(row))
        index += 1


@function("builtins.map")
def map_(machine: Machine, args: Arguments) -> AnyValue:
    """`map(function, iterable, ...)`."""
    if not args.pos:
        return ListObj("iterator")
    func = args.pos[0]
    rows = zip_(machine, Arguments(args.pos[1:], {}, args.star))
    return _apply_rows(machine, func, rows)


@function("itertools.starmap")
def starmap(machine: Machine, args: Arguments) -> AnyValue:
    """`starmap(function, rows)`."""
    if len(args.pos) < 2:
        return ListObj("iterator")
    content = machine.iterate(args.pos[1])
    rows = ListObj(
        "iterator",
        [machine.iterate(item) for item in content.items],
        machine.iterate(content.rest) if content.rest is not None else None,
    )
    return _apply_rows(machine, args.pos[0], rows)


def _apply_rows(machine: Machine, func: AnyValue, rows: AnyValue) -> AnyValue:
    assert isinstance(rows, ListObj)
    items = [machine.call(func, Arguments(row.items, {}, row.rest)) for row in rows.items if isinstance(row, TupleV)]
    rest = None
    if isinstance(rows.rest, TupleV):
        machine.undecided += 1
        try:
            rest = machine.call(func, Arguments(rows.rest.items, {}, rows.rest.rest))
        finally:
            machine.undecided -= 1
    return ListObj("iterator", items, rest)


@function("builtins.filter", "itertools.filterfalse")
def filter_(machine: Machine, args: Arguments) -> AnyValue:
    """`filter(function, iterable)`."""
    func, source = args.get(0, "function") or NONE, args.get(1, "iterable")
    content = machine.iterate(source) if source is not None else TupleV(())
    kept: list[AnyValue] = []
    loose: list[AnyValue] = []
    for item in content.items:
        decided = machine.truth(item) if func == NONE else machine.truth(machine.call(func, Arguments([item])))
        if decided is True and not loose:
            kept.append(item)
        elif decided is not False:
            loose.append(item)
    if content.rest is not None:
        if func != NONE:
            machine.call(func, Arguments([content.rest]))
        loose.append(content.rest)
    return ListObj("iterator", kept, join(loose) if loose else None)


@function("builtins.sorted")
def sorted_(machine: Machine, args: Arguments) -> AnyValue:
    """`sorted(iterable)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    found = sort_content(machine, content, args)
    return ListObj("list", found.items, found.rest)


@function("builtins.reversed")
def reversed_(machine: Machine, args: Arguments) -> AnyValue:
    """`reversed(sequence)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    if content.rest is None:
        return ListObj("iterator", content.items[::-1])
    return ListObj("iterator", (), summary(content))


@function("builtins.iter", "builtins.aiter")
def iter_(machine: Machine, args: Arguments) -> AnyValue:
    """`iter(iterable)`, `iter(callable, sentinel)`."""
    if len(args.pos) == 2:
        return ListObj("iterator", (), machine.call(args.pos[0], Arguments()))
    value = args.pos[0] if args.pos else UNKNOWN
    if isinstance(value, ListObj) and value.kind == "iterator":
        return value
    if isinstance(value, Instance) and machine.has_attr(value, "__iter__"):
        return machine.call(machine.get_attr(value, "__iter__"), Arguments())  # type: ignore[no-any-return]
    content = machine.iterate(value)
    return ListObj("iterator", content.items, content.rest)


@function("builtins.next", "builtins.anext")
def next_(machine: Machine, args: Arguments) -> AnyValue:
    """`next(iterator, default)`."""
    value = args.pos[0] if args.pos else UNKNOWN
    default = args.pos[1] if len(args.pos) > 1 else None
    if isinstance(value, ListObj):
        content: TupleV = value.slots[CONTENT]
        if content.items:
            machine.state.write(value.slots, CONTENT, TupleV(content.items[1:], content.rest))
            return content.items[0]
        if content.rest is not None:
            machine.may_raise("StopIteration")
            return join([content.rest, default])
        if default is not None:
            return default
        raise machine.throw("StopIteration")
    if isinstance(value, Instance) and machine.has_attr(value, "__next__"):
        return machine.call(machine.get_attr(value, "__next__"), Arguments())  # type: ignore[no-any-return]
    machine.may_raise("StopIteration")
    content = machine.iterate(value)
    found = content.items[0] if content.items else content.rest
    return join([found, default]) if default is not None else (found or UNKNOWN)


@function("builtins.sum")
def sum_(machine: Machine, args: Arguments) -> AnyValue:
    """`sum(iterable, start)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    known = pure_call(machine, sum, Arguments([content, *args.pos[1:]], args.kw))
    if known is not None:
        return known
    start = args.get(1, "start")
    if start is not None and not isinstance(start, Known):
        result = start
        for item in everything(content):
            result = machine.operate("+", result, item)
        return result
    return INT


@function("builtins.min", "builtins.max")
def extreme(machine: Machine, args: Arguments) -> AnyValue:
    """`min(...)`, `max(...)`."""
    content = machine.iterate(args.pos[0]) if len(args.pos) == 1 else TupleV(args.pos, args.star)
    key = args.kw.get("key")
    if key is not None:
        for item in everything(content):
            machine.call(key, Arguments([item]))
    return join([*everything(content), *([args.kw["default"]] if "default" in args.kw else [])] or [UNKNOWN])


def _extreme(name: str) -> None:
    func = getattr(builtins, name)

    def model(machine: Machine, args: Arguments) -> AnyValue:
        if "key" not in args.kw:
            content = [machine.iterate(args.pos[0])] if len(args.pos) == 1 else args.pos
            known = pure_call(machine, func, Arguments(content, args.kw, args.star))
            if known is not None:
                return known
            return extreme(machine, Arguments(content, args.kw, args.star))
        return extreme(machine, args)

    registry.FUNCTIONS[f"builtins.{name}"] = model


_extreme("min")
_extreme("max")


@function("builtins.any", "builtins.all")
def quantifier(machine: Machine, args: Arguments) -> AnyValue:
    """`any(...)`; `all` is registered apart."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    answers = [machine.truth(item) for item in content.items]
    if True in answers:
        return TRUE
    return FALSE if content.rest is None and None not in answers else BOOL


@function("builtins.all")
def all_(machine: Machine, args: Arguments) -> AnyValue:
    """`all(...)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    answers = [machine.truth(item) for item in content.items]
    if False in answers:
        return FALSE
    return TRUE if content.rest is None and None not in answers else BOOL


@function("builtins.isinstance", "builtins.issubclass")
def isinstance_(machine: Machine, args: Arguments) -> AnyValue:
    """`isinstance(value, types)`; `issubclass` is registered apart."""
    if len(args.pos) < 2:
        return BOOL
    found = machine.is_instance(args.pos[0], args.pos[1])
    return BOOL if found is None else Known(found)


@function("builtins.issubclass")
def issubclass_(machine: Machine, args: Arguments) -> AnyValue:
    """`issubclass(cls, types)`."""
    del machine
    if len(args.pos) < 2 or not isinstance(args.pos[0], ClassV):
        return BOOL
    kinds = args.pos[1].items if isinstance(args.pos[1], TupleV) else (args.pos[1],)
    if any(kind in args.pos[0].mro for kind in kinds):
        return TRUE
    return FALSE if all(isinstance(kind, ClassV) for kind in kinds) else BOOL


@function("builtins.type")
def type_(machine: Machine, args: Arguments) -> AnyValue:
    """`type(value)`, `type(name, bases, namespace)`."""
    if len(args.pos) == 3:
        name = text_of(args.pos[0])
        module = machine.frame.module if machine.frame is not None else None
        bases = machine.iterate(args.pos[1])
        cls = ClassV(str(name), f"{module.name if module else ''}.{name}", module, bases.items)
        if isinstance(args.pos[2], DictObj):
            for key, value in args.pos[2].known():
                if isinstance(key, Known):
                    cls.slots[key.value] = value
                    if isinstance(value, FunctionV) and value.cls is None:
                        value.cls = cls
        return machine.build_class(None, cls, {}) if False else cls
    return machine.type_of(args.pos[0]) if args.pos else UNKNOWN


@function("builtins.callable")
def callable_(machine: Machine, args: Arguments) -> AnyValue:
    """`callable(value)`."""
    value = args.pos[0] if args.pos else UNKNOWN
    if isinstance(value, FunctionV | BoundMethod | ClassV | Native | Partial | Method):
        return TRUE
    if isinstance(value, Known | TupleV | ListObj | DictObj | PathV | ModuleV):
        return FALSE
    if isinstance(value, Instance):
        return Known(machine.has_attr(value, "__call__")) if isinstance(value.cls, ClassV) else BOOL
    return BOOL


@function("builtins.id")
def id_(machine: Machine, args: Arguments) -> AnyValue:
    """`id(value)`."""
    del machine, args
    return INT


@function("builtins.getattr")
def getattr_(machine: Machine, args: Arguments) -> AnyValue:
    """`getattr(obj, name, default)`."""
    obj = args.get(0, "object") or UNKNOWN
    name = args.get(1, "name") or UNKNOWN
    default = args.get(2, "default")
    found: list[AnyValue] = []
    for option in options(name):
        if isinstance(option, Known) and isinstance(option.value, str):
            found.append(machine.each(obj, lambda o, n=option.value: _getattr_one(machine, o, n, default)))
        else:
            found.extend(_matching_attributes(machine, obj, option, default))
    return join(found) if found else UNKNOWN


def _getattr_one(machine: Machine, obj: AnyValue, name: str, default: AnyValue | None) -> AnyValue:
    if default is not None:
        present = _has_attribute(machine, obj, name)
        if present is False:
            return default
        value: AnyValue = machine.get_attr(obj, name)
        if present is None:
            return default if isinstance(value, Method) and isinstance(obj, Known) else join([value, default])
        return value
    return machine.get_attr(obj, name)  # type: ignore[no-any-return]


def _has_attribute(machine: Machine, obj: AnyValue, name: str) -> bool | None:
    if isinstance(obj, ModuleV):
        if name in obj.slots:
            return None if isinstance(obj.slots[name], Maybe) else True
        return None if "__getattr__" in obj.slots else machine.submodule(obj, name) is not None
    if isinstance(obj, Instance):
        if name in obj.slots:
            return None if isinstance(obj.slots[name], Maybe) else True
        if isinstance(obj.cls, ClassV):
            if machine.has_attr(obj, name):
                return True
            if any(isinstance(b, Ext) and b.name not in ("builtins.object", "abc.ABC") for b in obj.cls.mro):
                return None
            return None if machine.has_attr(obj, "__getattr__") else False
        if obj.cls.name == "types.SimpleNamespace":
            return False
        return None
    if isinstance(obj, ClassV):
        if any(isinstance(base, ClassV) and name in base.slots for base in obj.mro):
            return True
        return (
            None if any(isinstance(b, Ext) and b.name not in ("builtins.object", "abc.ABC") for b in obj.mro) else False
        )
    if isinstance(obj, Known):
        return hasattr(obj.value, name)
    if isinstance(obj, FunctionV):
        return (
            name in obj.slots
            or name in ("__name__", "__qualname__", "__module__", "__doc__", "__dict__", "__wrapped__")
            or None
        )
    if isinstance(obj, Ext):
        full = f"{obj.name}.{name}"
        known = machine.effects.lookup(full) is not None or full in registry.FUNCTIONS or full in registry.CONSTANTS
        return True if known else None
    if isinstance(obj, PathV):
        return name in registry.PATH_ATTRIBUTES or f"pathlib.Path.{name}" in registry.METHODS or None
    if isinstance(obj, ListObj | TupleV | DictObj):
        return hasattr(
            {"list": list, "set": set}.get(getattr(obj, "kind", ""), dict if isinstance(obj, DictObj) else tuple), name
        )
    return None


def _matching_attributes(machine: Machine, obj: AnyValue, name: AnyValue, default: AnyValue | None) -> list[AnyValue]:
    pattern = text_of(name)
    found: list[AnyValue] = [] if default is None else [default]
    machine.may_raise("AttributeError")
    if pattern is None or isinstance(pattern, str):
        if isinstance(name, Unknown) and isinstance(obj, Heap):
            pattern = None
        else:
            return [*found, Unknown("an attribute of unknown name")]
    holders: list[Heap] = []
    if isinstance(obj, Instance) and isinstance(obj.cls, ClassV):
        holders = [obj, *(base for base in obj.cls.mro if isinstance(base, ClassV))]
    elif isinstance(obj, Heap):
        holders = [obj]
    names = {key for holder in holders for key in holder.slots if isinstance(key, str) and not key.startswith("__")}
    for key in sorted(names):
        if pattern is None or matches_text(pattern, key):
            value = machine.get_attr(obj, key)
            if isinstance(value, BoundMethod | FunctionV | Known | ClassV) or pattern is not None:
                found.append(value)
    return found or [Unknown("an attribute of unknown name")]


@function("builtins.hasattr")
def hasattr_(machine: Machine, args: Arguments) -> AnyValue:
    """`hasattr(obj, name)`."""
    if len(args.pos) < 2 or not isinstance(args.pos[1], Known):
        return BOOL
    found = _has_attribute(machine, args.pos[0], str(args.pos[1].value))
    return BOOL if found is None else Known(bool(found))


@function("builtins.setattr", "builtins.object.__setattr__")
def setattr_(machine: Machine, args: Arguments) -> AnyValue:
    """`setattr(obj, name, value)`."""
    if len(args.pos) >= 3:
        for option in options(args.pos[1]):
            if isinstance(option, Known) and isinstance(option.value, str):
                machine.set_attr(args.pos[0], option.value, args.pos[2])
    return NONE


@function("builtins.delattr")
def delattr_(machine: Machine, args: Arguments) -> AnyValue:
    """`delattr(obj, name)`."""
    if len(args.pos) >= 2 and isinstance(args.pos[0], Heap) and isinstance(args.pos[1], Known):
        machine.state.erase(args.pos[0].slots, args.pos[1].value)
    return NONE


@function("builtins.vars")
def vars_(machine: Machine, args: Arguments) -> AnyValue:
    """`vars(obj)`."""
    if args.pos and isinstance(args.pos[0], Heap):
        return machine.slots_view(args.pos[0])  # type: ignore[no-any-return]
    return DictObj("dict", None, UNKNOWN)


@function("builtins.dir")
def dir_(machine: Machine, args: Arguments) -> AnyValue:
    """`dir(obj)`."""
    if args.pos and isinstance(args.pos[0], Heap):
        names = set()
        holders: list[Any] = [args.pos[0]]
        if isinstance(args.pos[0], Instance) and isinstance(args.pos[0].cls, ClassV):
            holders.extend(base for base in args.pos[0].cls.mro if isinstance(base, ClassV))
        if isinstance(args.pos[0], ClassV):
            holders = [base for base in args.pos[0].mro if isinstance(base, ClassV)]
        for holder in holders:
            names |= {key for key in holder.slots if isinstance(key, str)}
        return ListObj("list", [Known(name) for name in sorted(names)])
    del machine
    return ListObj("list", (), text_hole())


@function("builtins.object")
def make_object(machine: Machine, args: Arguments) -> AnyValue:
    """`object()`."""
    del machine, args
    return Instance(Ext("builtins.object"))


@function("builtins.object.__new__")
def object_new(machine: Machine, args: Arguments) -> AnyValue:
    """`object.__new__(cls)`."""
    del machine
    return Instance(args.pos[0]) if args.pos and isinstance(args.pos[0], ClassV) else UNKNOWN


@function("builtins.slice")
def make_slice(machine: Machine, args: Arguments) -> AnyValue:
    """`slice(...)`."""
    known = None
    if all(isinstance(value, Known) for value in args.pos) and args.star is None:
        known = Known(slice(*(value.value for value in args.pos)))  # type: ignore[union-attr]
    del machine
    return known if known is not None else Instance(Ext("builtins.slice"))


@function("builtins.property")
def make_property(machine: Machine, args: Arguments) -> AnyValue:
    """`property(getter, setter)`."""
    del machine
    return Descriptor("property", args.get(0, "fget") or NONE, args.get(1, "fset"))


@function("builtins.staticmethod")
def make_static(machine: Machine, args: Arguments) -> AnyValue:
    """`staticmethod(function)`."""
    del machine
    return Descriptor("staticmethod", args.pos[0] if args.pos else UNKNOWN)


@function("builtins.classmethod")
def make_classmethod(machine: Machine, args: Arguments) -> AnyValue:
    """`classmethod(function)`."""
    del machine
    return Descriptor("classmethod", args.pos[0] if args.pos else UNKNOWN)


@function("builtins.input")
def input_(machine: Machine, args: Arguments) -> AnyValue:
    """`input(prompt)`."""
    del args
    machine.may_raise("EOFError", "KeyboardInterrupt")
    return text_hole("argument", slash=True)


@function("builtins.__import__")
def import_(machine: Machine, args: Arguments) -> AnyValue:
    """`__import__(name)`."""
    name = text_of(args.pos[0]) if args.pos else None
    if isinstance(name, str):
        module = machine.import_module(name)
        fromlist = args.get(3, "fromlist")
        if "." in name and (fromlist is None or machine.truth(fromlist) is False):
            return machine.import_module(name.split(".", 1)[0])  # type: ignore[no-any-return]
        return module  # type: ignore[no-any-return]
    machine.opaque("__import__ with a name that is not known")
    return UNKNOWN


@function("builtins.exec", "builtins.eval")
def exec_(machine: Machine, args: Arguments) -> AnyValue:
    """`exec(code, globals, locals)`, `eval(...)`."""
    bound: dict[str, AnyValue] = {}
    for index, name in ((1, "globals"), (2, "locals")):
        value = args.get(index, name)
        if value is not None:
            bound[name] = value
    result: AnyValue = UNKNOWN
    for option in options(args.pos[0]) if args.pos else ():
        found = machine.run_text(option, bound)
        result = found if found is not None else UNKNOWN
    return result


@function("builtins.compile")
def compile_(machine: Machine, args: Arguments) -> AnyValue:
    """`compile(source, ...)`: the code object keeps its source."""
    del machine
    out = Instance(Ext("types.CodeType"))
    out.slots["source"] = args.pos[0] if args.pos else UNKNOWN
    return out


# itertools


@function("itertools.chain")
def chain(machine: Machine, args: Arguments) -> AnyValue:
    """`chain(...)`."""
    out = ListObj("iterator")
    for value in args.pos:
        machine.extend(out, value)
    if args.star is not None:
        machine.extend(out, ListObj("list", (), summary(machine.iterate(args.star)) or UNKNOWN))
    return out


@function("itertools.chain.from_iterable")
def chain_from(machine: Machine, args: Arguments) -> AnyValue:
    """`chain.from_iterable(iterables)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    out = ListObj("iterator")
    for item in everything(content):
        inner = machine.iterate(item)
        machine.extend(out, TupleV(inner.items, inner.rest) if item is not content.rest else TupleV((), summary(inner)))
    return out


@function("itertools.product")
def product(machine: Machine, args: Arguments) -> AnyValue:
    """`product(...)`."""
    contents = [machine.iterate(value) for value in args.pos]
    repeat = args.kw.get("repeat")
    if isinstance(repeat, Known) and isinstance(repeat.value, int) and repeat.value <= 4:
        contents = contents * repeat.value
    total = math.prod(len(content.items) for content in contents)
    if all(content.rest is None for content in contents) and total <= 512:
        return ListObj("iterator", [TupleV(row) for row in itertools.product(*(content.items for content in contents))])
    return ListObj("iterator", (), TupleV([summary(content) or UNKNOWN for content in contents]))


@function("itertools.combinations", "itertools.permutations", "itertools.combinations_with_replacement")
def combinations(machine: Machine, args: Arguments) -> AnyValue:
    """Selections of elements."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    count = args.get(1, "r")
    found = summary(content)
    if found is None:
        return ListObj("iterator")
    size = count.value if isinstance(count, Known) and isinstance(count.value, int) and count.value < 8 else None
    return ListObj("iterator", (), TupleV([found] * size) if size is not None else TupleV((), found))


@function("itertools.takewhile", "itertools.dropwhile", "itertools.compress", "itertools.cycle")
def some_of(machine: Machine, args: Arguments) -> AnyValue:
    """Some of the elements, in order."""
    values = list(args.pos)
    if values and isinstance(values[0], FunctionV | BoundMethod | Partial | Ext | Method):
        machine.call_with_unknowns(values[0]) if isinstance(values[0], FunctionV) else None
        values = values[1:]
    content = machine.iterate(values[0]) if values else TupleV(())
    return ListObj("iterator", (), summary(content))


@function("itertools.islice")
def islice(machine: Machine, args: Arguments) -> AnyValue:
    """`islice(iterable, [start,] stop[, step])`: an iterator goes on behind what was taken."""
    source = args.pos[0] if args.pos else UNKNOWN
    content = machine.iterate(source)
    consumed = source if isinstance(source, ListObj) and source.kind == "iterator" else None
    bounds: list[int | None] = []
    for value in args.pos[1:]:
        if not isinstance(value, Known) or not (value.value is None or isinstance(value.value, int)):
            bounds = []
            break
        bounds.append(value.value)
    if not bounds:
        return ListObj("iterator", (), summary(content))
    stop = bounds[0] if len(bounds) == 1 else bounds[1]
    if content.rest is not None and (stop is None or stop > len(content.items)):
        if consumed is not None and stop is not None:
            machine.state.write(consumed.slots, CONTENT, TupleV((), content.rest))
        return ListObj("iterator", (), summary(content))
    if consumed is not None and stop is not None:
        machine.state.write(consumed.slots, CONTENT, TupleV(content.items[stop:], content.rest))
    return ListObj("iterator", content.items[slice(*bounds)])


@function("itertools.count", "itertools.repeat", "itertools.accumulate")
def endless(machine: Machine, args: Arguments) -> AnyValue:
    """Endless iterators."""
    del machine
    return ListObj("iterator", (), INT if not args.pos or isinstance(args.pos[0], Known) else args.pos[0])


@function("itertools.repeat")
def repeat_(machine: Machine, args: Arguments) -> AnyValue:
    """`repeat(value)`."""
    del machine
    return ListObj("iterator", (), args.pos[0] if args.pos else UNKNOWN)


@function("itertools.groupby")
def groupby(machine: Machine, args: Arguments) -> AnyValue:
    """`groupby(iterable, key)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    found = summary(content)
    if found is None:
        return ListObj("iterator")
    key = args.get(1, "key")
    label = machine.call(key, Arguments([found])) if key is not None and key != NONE else found
    return ListObj("iterator", (), TupleV([label, ListObj("iterator", (), found)]))


@function("itertools.tee")
def tee(machine: Machine, args: Arguments) -> AnyValue:
    """`tee(iterable, n)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    return TupleV([ListObj("iterator", content.items, content.rest), ListObj("iterator", content.items, content.rest)])


@function("itertools.pairwise", "itertools.batched")
def pairwise(machine: Machine, args: Arguments) -> AnyValue:
    """Neighbouring elements."""
    found = summary(machine.iterate(args.pos[0])) if args.pos else None
    return ListObj("iterator", (), TupleV([found, found])) if found is not None else ListObj("iterator")


# functools, operator, copy, contextlib and relatives


@function("functools.partial", "functools.partialmethod")
def partial(machine: Machine, args: Arguments) -> AnyValue:
    """`partial(function, ...)`."""
    del machine
    return Partial(args.pos[0], Arguments(args.pos[1:], args.kw, args.star, args.kwstar)) if args.pos else UNKNOWN


@function("functools.reduce")
def reduce(machine: Machine, args: Arguments) -> AnyValue:
    """`reduce(function, iterable, initial)`."""
    if len(args.pos) < 2:
        return UNKNOWN
    content = machine.iterate(args.pos[1])
    items = list(content.items)
    if len(args.pos) > 2:
        result = args.pos[2]
    elif items:
        result = items.pop(0)
    else:
        result = content.rest or UNKNOWN
    for item in items:
        result = machine.call(args.pos[0], Arguments([result, item]))
    if content.rest is not None:
        result = join([result, machine.call(args.pos[0], Arguments([result, content.rest]))])
    return result


def _identity_decorator(machine: Machine, args: Arguments) -> AnyValue:
    """Decorators that leave the function as it is, with or without arguments of their own."""
    del machine
    if len(args.pos) == 1 and isinstance(args.pos[0], FunctionV | ClassV | BoundMethod | Descriptor | Partial):
        return args.pos[0]
    return Native("decorator", lambda _, inner: inner.pos[0] if inner.pos else UNKNOWN)


for _name in (
    "functools.lru_cache",
    "functools.cache",
    "functools.total_ordering",
    "abc.abstractmethod",
    "typing.final",
    "typing.override",
    "typing.overload",
    "typing.runtime_checkable",
    "typing.no_type_check",
    "enum.unique",
    "types.coroutine",
):
    registry.FUNCTIONS[_name] = _identity_decorator


@function("functools.wraps", "functools.update_wrapper")
def wraps(machine: Machine, args: Arguments) -> AnyValue:
    """`wraps(function)`."""
    del machine
    if len(args.pos) >= 2:
        return args.pos[0]
    wrapped = args.pos[0] if args.pos else UNKNOWN

    def run(inner: Machine, given: Arguments) -> AnyValue:
        value = given.pos[0] if given.pos else UNKNOWN
        if isinstance(value, FunctionV):
            if isinstance(wrapped, FunctionV):
                for name, item in wrapped.slots.items():
                    inner.state.write(value.slots, name, item)
            inner.state.write(value.slots, "__wrapped__", wrapped)
            if isinstance(wrapped, FunctionV):
                inner.state.write(value.slots, "__name__", Known(wrapped.node.name))
        return value

    return Native("wraps", run)


@function("functools.singledispatch", "functools.singledispatchmethod")
def singledispatch(machine: Machine, args: Arguments) -> AnyValue:
    """`singledispatch(function)`: an object that picks an implementation by the first argument's type."""
    del machine
    out = Instance(Ext("functools.singledispatch"))
    out.slots["default"] = args.pos[0] if args.pos else UNKNOWN
    out.slots["table"] = DictObj()
    return out


@method("functools.singledispatch.register")
def dispatch_register(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`@function.register(type)` or `@function.register` with an annotation."""
    table = obj.slots["table"]
    first = args.pos[0] if args.pos else UNKNOWN
    if isinstance(first, FunctionV):
        kinds: list[AnyValue] = [UNKNOWN]
        for param in first.node.params:
            if param.annotation is not None:
                kinds = list(options(machine.eval(param.annotation, first.frame)))
                break
        for kind in kinds:
            machine.put(table, kind, first)
        return first
    if len(args.pos) > 1:
        machine.put(table, first, args.pos[1])
        return args.pos[1]

    def run(inner: Machine, given: Arguments) -> AnyValue:
        value = given.pos[0] if given.pos else UNKNOWN
        inner.put(table, first, value)
        return value

    return Native("register", run)


@method("functools.singledispatch.__call__")
def dispatch_call(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Call the implementation for the first argument's type."""
    value = args.pos[0] if args.pos else UNKNOWN
    candidates: list[AnyValue] = []
    for kind, implementation in reversed(obj.slots["table"].known()):
        decided = machine.is_instance(value, kind)
        if decided is True:
            return machine.call(implementation, args)  # type: ignore[no-any-return]
        if decided is None:
            candidates.append(implementation)
    candidates.append(obj.slots["default"])
    return machine.call(join(candidates), args)  # type: ignore[no-any-return]


@function("functools.cmp_to_key")
def cmp_to_key(machine: Machine, args: Arguments) -> AnyValue:
    """`cmp_to_key(function)`."""
    func = args.pos[0] if args.pos else UNKNOWN
    del machine
    return Native("key", lambda inner, given: inner.call(func, Arguments([*given.pos, *given.pos])))


@function("operator.itemgetter")
def itemgetter(machine: Machine, args: Arguments) -> AnyValue:
    """`itemgetter(key, ...)`."""
    keys = list(args.pos)

    def run(inner: Machine, given: Arguments) -> AnyValue:
        values = [inner.get_item(given.pos[0], key) for key in keys] if given.pos else []
        return values[0] if len(values) == 1 else TupleV(values)

    del machine
    return Native("itemgetter", run)


@function("operator.attrgetter")
def attrgetter(machine: Machine, args: Arguments) -> AnyValue:
    """`attrgetter(name, ...)`."""
    names = [str(render(value)) for value in args.pos]

    def run(inner: Machine, given: Arguments) -> AnyValue:
        values = []
        for name in names:
            value = given.pos[0] if given.pos else UNKNOWN
            for part in name.split("."):
                value = inner.get_attr(value, part)
            values.append(value)
        return values[0] if len(values) == 1 else TupleV(values)

    del machine
    return Native("attrgetter", run)


@function("operator.methodcaller")
def methodcaller(machine: Machine, args: Arguments) -> AnyValue:
    """`methodcaller(name, ...)`."""
    name = str(render(args.pos[0])) if args.pos else ""
    rest = Arguments(args.pos[1:], args.kw)
    del machine
    return Native("methodcaller", lambda inner, given: inner.call(inner.get_attr(given.pos[0], name), rest))


def _operation(symbol: str) -> registry.FunctionModel:
    return lambda machine, args: machine.operate(symbol, args.pos[0], args.pos[1]) if len(args.pos) > 1 else UNKNOWN


def _comparison(symbol: str) -> registry.FunctionModel:
    return lambda machine, args: machine.compare_values(symbol, args.pos[0], args.pos[1]) if len(args.pos) > 1 else BOOL


for _operator, _symbol in (
    ("add", "+"),
    ("sub", "-"),
    ("mul", "*"),
    ("truediv", "/"),
    ("floordiv", "//"),
    ("mod", "%"),
    ("or_", "|"),
    ("and_", "&"),
    ("concat", "+"),
    ("iadd", "+"),
    ("pow", "**"),
):
    registry.FUNCTIONS[f"operator.{_operator}"] = _operation(_symbol)
for _operator, _symbol in (
    ("eq", "=="),
    ("ne", "!="),
    ("lt", "<"),
    ("le", "<="),
    ("gt", ">"),
    ("ge", ">="),
    ("is_", "is"),
    ("is_not", "is not"),
):
    registry.FUNCTIONS[f"operator.{_operator}"] = _comparison(_symbol)


@function("operator.getitem")
def getitem(machine: Machine, args: Arguments) -> AnyValue:
    """`getitem(obj, key)`."""
    return machine.get_item(args.pos[0], args.pos[1]) if len(args.pos) > 1 else UNKNOWN


@function("operator.truth", "operator.not_", "operator.contains", "operator.index")
def operator_misc(machine: Machine, args: Arguments) -> AnyValue:
    """The remaining functions of operator."""
    del machine, args
    return BOOL


@function("copy.copy")
def copy(machine: Machine, args: Arguments) -> AnyValue:
    """A shallow copy."""
    del machine
    return _copy(args.pos[0] if args.pos else UNKNOWN, {}, deep=False)


@function("copy.deepcopy")
def deepcopy(machine: Machine, args: Arguments) -> AnyValue:
    """A deep copy."""
    del machine
    return _copy(args.pos[0] if args.pos else UNKNOWN, {}, deep=True)


@function("dataclasses.replace", "attr.evolve", "attrs.evolve", "copy.replace")
def replace(machine: Machine, args: Arguments) -> AnyValue:
    """A copy with some fields changed."""
    out = _copy(args.pos[0] if args.pos else UNKNOWN, {}, deep=False)
    if isinstance(out, Instance):
        out.slots.update(args.kw)
    del machine
    return out


@function("dataclasses.asdict", "attr.asdict", "attrs.asdict")
def asdict(machine: Machine, args: Arguments) -> AnyValue:
    """Fields as a dict, nested ones too."""
    value = args.pos[0] if args.pos else UNKNOWN
    return _plain(machine, value, 0)


def _plain(machine: Machine, value: AnyValue, depth: int) -> AnyValue:
    if depth > 8:
        return UNKNOWN
    if isinstance(value, Instance) and isinstance(value.cls, ClassV):
        fields = next(
            (b.traits["fields"] for b in value.cls.mro if isinstance(b, ClassV) and "fields" in b.traits), None
        )
        if fields is not None:
            return machine.dict_of({name: _plain(machine, machine.get_attr(value, name), depth + 1) for name in fields})  # type: ignore[no-any-return]
    if isinstance(value, ListObj):
        return ListObj(value.kind, [_plain(machine, item, depth + 1) for item in value.items], value.rest)
    return value


@function("dataclasses.astuple")
def astuple(machine: Machine, args: Arguments) -> AnyValue:
    """Fields as a tuple."""
    found = asdict(machine, args)
    return TupleV(value for _, value in found.known()) if isinstance(found, DictObj) else UNKNOWN


@function("dataclasses.fields", "attr.fields", "attrs.fields")
def fields(machine: Machine, args: Arguments) -> AnyValue:
    """The fields of a dataclass."""
    value = args.pos[0] if args.pos else UNKNOWN
    cls = value.cls if isinstance(value, Instance) else value
    del machine
    if isinstance(cls, ClassV):
        found: dict[str, AnyValue | None] = next(
            (b.traits["fields"] for b in cls.mro if isinstance(b, ClassV) and "fields" in b.traits), {}
        )
        out = []
        for name, default in found.items():
            field = Instance(Ext("dataclasses.Field"))
            field.slots["name"] = Known(name)
            field.slots["type"] = UNKNOWN
            field.slots["metadata"] = DictObj("dict", None, UNKNOWN)
            field.slots["default"] = default if default is not None else UNKNOWN
            out.append(field)
        return TupleV(out)
    return TupleV((), UNKNOWN)


def _copy(value: AnyValue, seen: dict[int, AnyValue], *, deep: bool) -> AnyValue:
    if id(value) in seen:
        return seen[id(value)]
    out: Heap
    if isinstance(value, ListObj):
        out = ListObj(value.kind, value.items, value.rest)
        seen[id(value)] = out
        if deep:
            out.slots[CONTENT] = TupleV(
                [_copy(item, seen, deep=True) for item in value.items],
                _copy(value.rest, seen, deep=True) if value.rest is not None else None,
            )
        return out
    if isinstance(value, DictObj):
        out = DictObj(value.kind)
        seen[id(value)] = out
        for key, item in value.slots.items():
            if isinstance(item, Maybe):
                out.slots[key] = Maybe(_copy(item.value, seen, deep=True)) if deep else item
            else:
                out.slots[key] = _copy(item, seen, deep=True) if deep else item
        return out
    if isinstance(value, Instance) and type(value) is Instance:
        out = Instance(value.cls)
        seen[id(value)] = out
        for key, item in value.slots.items():
            out.slots[key] = _copy(item, seen, deep=True) if deep and isinstance(item, Heap) else item
        return out
    if isinstance(value, TupleV) and deep:
        return TupleV([_copy(item, seen, deep=True) for item in value.items], value.rest)
    return value


@constant("sys.maxsize")
def maxsize(machine: Machine) -> AnyValue:
    """`sys.maxsize`."""
    del machine
    return Known((1 << 63) - 1)


@function("weakref.ref", "weakref.proxy", "typing.cast", "typing.assert_type", "sys.intern", "builtins.memoryview")
def passed_through(machine: Machine, args: Arguments) -> AnyValue:
    """Calls that hand one argument back."""
    del machine
    return args.pos[-1] if args.pos else UNKNOWN


@function("typing.TypeVar", "typing.NewType", "typing.ParamSpec", "typing.TypedDict")
def type_helper(machine: Machine, args: Arguments) -> AnyValue:
    """Names for the type checker."""
    del machine
    if len(args.pos) > 1 and isinstance(args.pos[1], ClassV | Ext):
        return args.pos[1]
    return Native(
        "type",
        lambda _, given: given.pos[0] if given.pos else DictObj("dict", {Known(k): v for k, v in given.kw.items()}),
    )


@constant("typing.TYPE_CHECKING")
def type_checking(machine: Machine) -> AnyValue:
    """`TYPE_CHECKING` is false when a program runs."""
    del machine
    return FALSE


__all__ = ["Union", "join_paths", "path_text"]
