"""string.Formatter: text from a template, whose steps a class of the program may take over one by one."""

from __future__ import annotations

import string

from taskgates.inference.models.registry import FUNCTIONS, Machine, method
from taskgates.inference.models.values.formatting import format_value, to_text
from taskgates.inference.models.values.strings import pure_call, split_field
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance
from taskgates.inference.renderings import render, text_hole
from taskgates.inference.text import Hole, make_text, parts_of
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    TupleV,
    as_value,
    join,
    options,
    text_of,
)

FORMATTER = "string.Formatter"
_CONVERSIONS = {"s": "builtins.str", "r": "builtins.repr", "a": "builtins.ascii"}

FUNCTIONS[FORMATTER] = lambda _, __: Instance(Ext(FORMATTER))


def _fields(template: str) -> list[tuple[str, str | None, str | None, str | None]]:
    """What `string.Formatter().parse(template)` yields."""
    return list(string.Formatter().parse(template))


@method(f"{FORMATTER}.parse")
def parse(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`Formatter().parse(template)`: literal texts and the names of fields."""
    del obj
    known = pure_call(machine, _fields, args)
    return known if known is not None else UNKNOWN


@method(f"{FORMATTER}.format")
def format_(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`Formatter().format(template, *values, **named)`."""
    template, rest = (args.pos[0], args.pos[1:]) if args.pos else (UNKNOWN, ())
    return _formatted(machine, obj, template, Arguments(rest, args.kw, args.star, args.kwstar))


@method(f"{FORMATTER}.vformat")
def vformat(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`Formatter().vformat(template, values, named)`."""
    content = machine.iterate(args.get(1, "args") or TupleV(()))
    named = args.get(2, "kwargs")
    keywords = (
        {str(key.value): value for key, value in named.known() if isinstance(key, Known)}
        if isinstance(named, DictObj)
        else {}
    )
    whole = named is None or (isinstance(named, DictObj) and named.rest is None)
    values = Arguments(content.items, keywords, content.rest, None if whole else UNKNOWN)
    return _formatted(machine, obj, args.get(0, "format_string") or UNKNOWN, values)


def _formatted(machine: Machine, obj: AnyValue, template: AnyValue, values: Arguments) -> AnyValue:
    if not isinstance(obj, Instance) or not isinstance(obj.cls, ClassV):
        return machine.call(machine.get_attr(template, "format"), values)  # type: ignore[no-any-return]
    text = text_of(template)
    if not isinstance(text, str):
        return text_hole("data", slash=True)
    positional, named = TupleV(values.pos, values.star), machine.dict_of(dict(values.kw))
    if values.kwstar is not None:
        machine.put(named, UNKNOWN, values.kwstar)
    return as_value(make_text(_parts(machine, obj, text, positional, named)))


def _parts(machine: Machine, obj: Instance, text: str, positional: AnyValue, named: AnyValue) -> list[str | Hole]:
    """The text piece by piece; each field goes through the methods that the library calls for it."""

    def step(name: str, *given: AnyValue) -> AnyValue:
        return machine.call(machine.get_attr(obj, name), Arguments(given))  # type: ignore[no-any-return]

    out: list[str | Hole] = []
    automatic = 0
    for literal, field, spec, conversion in _fields(text):
        out.append(literal)
        if field is None:
            continue
        name = field
        if split_field(field)[0] == "":
            name = f"{automatic}{field}"
            automatic += 1
        value = machine.get_item(step("get_field", Known(name), positional, named), Known(0))
        if conversion:
            value = step("convert_field", value, Known(conversion))
        form = as_value(make_text(_parts(machine, obj, spec, positional, named))) if spec else Known("")
        out.extend(parts_of(to_text(machine, step("format_field", value, form))))
    return out


@method(f"{FORMATTER}.get_field")
def get_field(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`formatter.get_field(name, values, named)`: the value of `0.name[key]`, and the key it is under."""
    text = text_of(args.pos[0]) if args.pos else None
    if not isinstance(text, str):
        return TupleV([UNKNOWN, UNKNOWN])
    head, steps = split_field(text)
    key = Known(int(head) if head.isdigit() else head)
    value = machine.call(machine.get_attr(obj, "get_value"), Arguments([key, *args.pos[1:3]]))
    for kind, name in steps:
        index = Known(int(name) if name.isdigit() else name)
        value = machine.get_attr(value, name) if kind == "." else machine.get_item(value, index)
    return TupleV([value, key])


@method(f"{FORMATTER}.get_value")
def get_value(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`formatter.get_value(key, values, named)`."""
    del obj
    key = args.get(0, "key") or UNKNOWN
    positional = isinstance(key, Known) and isinstance(key.value, int)
    source = args.get(1, "args") if positional else args.get(2, "kwargs")
    return machine.get_item(source if source is not None else UNKNOWN, key)  # type: ignore[no-any-return]


@method(f"{FORMATTER}.format_field")
def format_field(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`formatter.format_field(value, format_spec)`."""
    del obj
    value, form = args.get(0, "value") or UNKNOWN, args.get(1, "format_spec") or Known("")
    return as_value(render(join([format_value(machine, option, None, form) for option in options(value)])))


@method(f"{FORMATTER}.convert_field")
def convert_field(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`formatter.convert_field(value, conversion)`."""
    del obj
    value, conversion = args.get(0, "value") or UNKNOWN, text_of(args.get(1, "conversion") or NONE)
    name = _CONVERSIONS.get(conversion) if isinstance(conversion, str) else None
    return value if name is None else machine.call(Ext(name), Arguments([value]))


@method(f"{FORMATTER}.check_unused_args")
def check_unused(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`formatter.check_unused_args(...)`: nothing, unless a class says otherwise."""
    del machine, obj, args
    return NONE
