"""Built-in functions and types."""

from __future__ import annotations

import builtins
import collections.abc
import math
from typing import TYPE_CHECKING, Any

from taskgates.inference.exceptions import (
    exception_text,
    library_exceptions,
    make_exception,
)
from taskgates.inference.models import registry
from taskgates.inference.models.files.buffers import CONTENTS, print_into
from taskgates.inference.models.reading import handle_content, line_from, standard_input
from taskgates.inference.models.registry import Machine, constant, function
from taskgates.inference.models.values.class_hooks import class_check, has_own_check, is_abstractly, library_class
from taskgates.inference.models.values.formatting import repr_text, show_elements, to_text
from taskgates.inference.models.values.strings import pure_call
from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.operators import bounded
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import concat
from taskgates.inference.values import (
    BOOL,
    FALSE,
    FLOAT,
    INT,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Descriptor,
    Ext,
    Known,
    Method,
    Native,
    Partial,
    PathV,
    Scalar,
    TupleV,
    as_value,
    options,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.inference.text import TextLike


_OWN_OPERATORS = {
    "builtins.abs": "__abs__",
    "builtins.round": "__round__",
    "builtins.divmod": "__divmod__",
    "builtins.pow": "__pow__",
    "math.floor": "__floor__",
    "math.ceil": "__ceil__",
    "math.trunc": "__trunc__",
}
"""The method that a function asks an object of the program for."""


def _pure(name: str, func: Any, otherwise: AnyValue, limit: Callable[[Arguments], bool] | None = None) -> None:
    own = _OWN_OPERATORS.get(name)

    def model(machine: Machine, args: Arguments) -> AnyValue:
        if own is not None and args.pos and machine.has_attr(args.pos[0], own):
            return machine.call(machine.get_attr(args.pos[0], own), Arguments(args.pos[1:], args.kw))  # type: ignore[no-any-return]
        known = pure_call(machine, func, args) if limit is None or limit(args) else None
        if known is not None:
            return known
        machine.may_raise("ValueError", "TypeError")
        return otherwise

    registry.FUNCTIONS[name] = model


def _small_power(args: Arguments) -> bool:
    """Whether a power of known numbers stays small."""
    base, exponent = args.get(0, "base"), args.get(1, "exp")
    if args.get(2, "mod") is not None or not (isinstance(base, Known) and isinstance(exponent, Known)):
        return True
    return bounded("**", base.value, exponent.value)


def _few_digits(args: Arguments) -> bool:
    """Whether a number is rounded to a place that numbers have."""
    digits = args.get(1, "ndigits")
    return not (isinstance(digits, Known) and isinstance(digits.value, int)) or abs(digits.value) <= _DIGITS


_DIGITS = 400
"""Decimal places, more than a float can have."""


_pure("builtins.pow", pow, INT, _small_power)
_pure("builtins.round", round, INT, _few_digits)
for _name, _result in (
    ("abs", INT),
    ("divmod", TupleV([INT, INT])),
    ("chr", text_hole()),
    ("ord", INT),
    ("hex", text_hole()),
    ("oct", text_hole()),
    ("bin", text_hole()),
    ("ascii", text_hole()),
):
    _pure(f"builtins.{_name}", getattr(builtins, _name), _result)


@function("builtins.hash")
def hash_(machine: Machine, args: Arguments) -> AnyValue:
    """`hash(value)`, user-defined `__hash__` included; a string's differs from run to run."""
    if args.pos and machine.has_attr(args.pos[0], "__hash__"):
        return machine.call(machine.get_attr(args.pos[0], "__hash__"), Arguments())  # type: ignore[no-any-return]
    machine.may_raise("TypeError")
    return INT


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
        elif isinstance(value, ListObj | DictObj | TupleV):
            show_elements(machine, value)
    target = args.kw.get("file")
    if machine.printed is not None and (target is None or target == NONE):
        _keep_printed(machine, args)
    if isinstance(target, Instance) and CONTENTS in target.slots:
        print_into(machine, target, args)
    return NONE


def _keep_printed(machine: Machine, args: Arguments) -> None:
    """Keep what the program prints for whoever started it; once that is not certain, it is not known."""
    ends = [text_of(args.kw.get(name) or Known(usual)) for name, usual in (("sep", " "), ("end", "\n"))]
    if machine.conditional or machine.threads or args.star is not None or None in ends:
        machine.printed = None
        return
    pieces: list[TextLike] = []
    for number, value in enumerate(args.pos):
        pieces += [*([ends[0] or ""] if number else []), to_text(machine, value)]
    machine.printed.append(concat(*pieces, ends[1] or ""))


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
    return machine.each(value, lambda option: as_value(repr_text(machine, option)))  # type: ignore[no-any-return]


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


@function("builtins.bytearray")
def make_bytearray(machine: Machine, args: Arguments) -> AnyValue:
    """`bytearray(...)`: it can be changed in place by whoever holds it, so its content is not followed."""
    del machine, args
    return Scalar("bytes")


@function("builtins.bytes")
def make_bytes(machine: Machine, args: Arguments) -> AnyValue:
    """`bytes(...)`."""
    if args.pos and machine.has_attr(args.pos[0], "__bytes__"):
        return machine.call(machine.get_attr(args.pos[0], "__bytes__"), Arguments())  # type: ignore[no-any-return]
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
        if isinstance(value, ListObj) and value.kind == "iterator":
            raise machine.throw("TypeError", "object has no len()")
        return Known(len(value.items)) if value.rest is None else INT
    if isinstance(value, DictObj):
        return Known(len(value.known())) if value.exact else INT
    if isinstance(value, Instance) and isinstance(value.cls, Ext):
        sized = registry.METHODS.get(f"{value.cls.name}.__len__")
        found = sized(machine, value, Arguments()) if sized is not None else None
        return found if found is not None else INT
    if isinstance(value, Instance) and machine.has_attr(value, "__len__"):
        return machine.call(machine.get_attr(value, "__len__"), Arguments())  # type: ignore[no-any-return]
    if isinstance(value, Instance) and isinstance(value.cls, ClassV) and "tuple" in value.cls.traits:
        return Known(len(value.cls.traits["tuple"]))
    if isinstance(value, Instance) and isinstance(value.cls, ClassV):
        inner = machine.inner(value, value.cls.library_base())
        return _length(machine, inner) if isinstance(inner, ListObj | DictObj | Known) else INT
    if isinstance(value, ClassV) and (counted := machine.class_protocol(value, "__len__")) is not None:
        return machine.call(counted, Arguments())  # type: ignore[no-any-return]
    if isinstance(value, ClassV) and "members" in value.traits:
        return Known(len(value.traits["members"]))
    return INT


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
    if len(args.pos) < 2 or not isinstance(args.pos[0], ClassV | Ext):
        return BOOL
    cls = args.pos[0]
    kinds = args.pos[1].items if isinstance(args.pos[1], TupleV) else (args.pos[1],)
    found = [
        class_check(machine, kind, "__subclasscheck__", cls)
        if isinstance(kind, ClassV) and has_own_check(kind)
        else None
        for kind in kinds
    ]
    found = [derives(cls, kind) if answer is None else answer for kind, answer in zip(kinds, found, strict=True)]
    return TRUE if True in found else (BOOL if None in found else FALSE)


def derives(cls: ClassV | Ext, kind: AnyValue) -> bool | None:
    """Whether a class derives from another; None where that depends on a library."""
    bases = cls.mro if isinstance(cls, ClassV) else (cls,)
    if kind in bases or kind == Ext("builtins.object"):
        return True
    if isinstance(kind, ClassV):
        return False
    if isinstance(kind, Ext) and is_abstractly(bases, kind.name):
        return True
    plain = [_builtin_type(base) for base in bases if isinstance(base, Ext)]
    wanted = _builtin_type(kind)
    if wanted is None or None in plain:
        return None
    return any(base is not None and issubclass(base, wanted) for base in plain)


def _builtin_type(kind: AnyValue) -> type | None:
    if kind == Ext("collections.iterator"):
        return collections.abc.Iterator
    return library_class(kind.name) if isinstance(kind, Ext) else None


@function("builtins.type", "abc.ABCMeta")
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
        return cls
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
    stream = standard_input(machine)
    line = line_from(machine, stream, handle_content(machine, stream)) if stream is not None else None
    if isinstance(line, Known):
        if not line.value:
            raise machine.throw("EOFError")
        return Known(line.value.removesuffix("\n"))
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
        if fromlist is not None and isinstance(module, ModuleV) and module.path:
            for wanted in machine.iterate(fromlist).items:
                full = f"{name}.{text_of(wanted)}"
                if text_of(wanted) not in module.slots and machine.locate_child(module, full) is not None:
                    machine.import_module(full)
        return module  # type: ignore[no-any-return]
    machine.opaque("__import__ with a name that is not known")
    return UNKNOWN


@function("builtins.exec")
def exec_(machine: Machine, args: Arguments) -> AnyValue:
    """`exec(code, globals, locals)`."""
    return _run_code(machine, args, expression=False)


@function("builtins.eval")
def eval_(machine: Machine, args: Arguments) -> AnyValue:
    """`eval(expression, globals, locals)`."""
    return _run_code(machine, args, expression=True)


def _run_code(machine: Machine, args: Arguments, *, expression: bool) -> AnyValue:
    bound: dict[str, AnyValue] = {}
    for index, name in ((1, "globals"), (2, "locals")):
        value = args.get(index, name)
        if value is not None:
            bound[name] = value
    result: AnyValue = UNKNOWN
    for option in options(args.pos[0]) if args.pos else ():
        found = machine.run_text(option, bound, expression=expression)
        result = found if found is not None else UNKNOWN
    return result


@function("builtins.compile")
def compile_(machine: Machine, args: Arguments) -> AnyValue:
    """`compile(source, ...)`: the code object keeps its source."""
    del machine
    out = Instance(Ext("types.CodeType"))
    out.slots["source"] = args.pos[0] if args.pos else UNKNOWN
    return out


@constant("sys.maxsize")
def maxsize(machine: Machine) -> AnyValue:
    """`sys.maxsize`."""
    del machine
    return Known((1 << 63) - 1)


@function("weakref.ref", "weakref.ReferenceType")
def weak_reference(machine: Machine, args: Arguments) -> AnyValue:
    """A weak reference gives its object when it is called."""
    del machine
    value = args.pos[0] if args.pos else UNKNOWN
    return Native("weakref.ref", lambda _, __: value)


@function("weakref.proxy", "typing.cast", "typing.assert_type", "sys.intern", "builtins.memoryview")
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


@function("enum.auto")
def enum_auto(machine: Machine, args: Arguments) -> AnyValue:
    """`auto()`: the class statement makes the value."""
    del machine, args
    return Instance(Ext("enum.auto"))


def _exception(kind: type[BaseException]) -> Callable[[Machine, Arguments], AnyValue]:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        del machine
        out = Instance(Ext(f"builtins.{kind.__name__}"))
        out.slots["args"] = TupleV(args.pos, args.star)
        return out

    return model


for _name, _kind in vars(builtins).items():
    # Groups are told apart by what they hold, which is not followed.
    if isinstance(_kind, type) and issubclass(_kind, BaseException) and not issubclass(_kind, BaseExceptionGroup):
        registry.FUNCTIONS.setdefault(f"builtins.{_name}", _exception(_kind))


def _exception_shown(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`super().__str__()` of an exception."""
    del args
    text = exception_text(obj, lambda item: to_text(machine, item))
    return as_value(text) if text is not None else text_hole("data", slash=True)


for _name, _kind in vars(builtins).items():
    if isinstance(_kind, type) and issubclass(_kind, BaseException):
        registry.METHODS[f"builtins.{_name}.__str__"] = _exception_shown


def _library_exception(name: str) -> registry.FunctionModel:
    return lambda _, args: make_exception(name, args)


for _name in library_exceptions():
    registry.FUNCTIONS.setdefault(_name, _library_exception(_name))
