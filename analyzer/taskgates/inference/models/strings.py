"""Strings: formatting and the methods of str, with holes kept as narrow as they are."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any

from taskgates.inference.exceptions import exception_text, is_exception
from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.operators import NotKnown, as_plain, from_python, percent_format, to_python
from taskgates.inference.paths import segments
from taskgates.inference.text import LITERAL_LIMIT, Hole, Text, TextLike, concat, make_text, parts_of
from taskgates.inference.values import (
    BOOL,
    INT,
    UNKNOWN,
    AnyValue,
    Arguments,
    ClassV,
    DictObj,
    Ext,
    Instance,
    Known,
    ListObj,
    Maybe,
    PathV,
    Scalar,
    TupleV,
    Union,
    Unknown,
    as_value,
    hole_origin,
    join,
    options,
    render,
    text_hole,
    text_of,
    widen_texts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT_LIMIT = 1 << 22

STR_METHODS = frozenset(name for name in dir(str) if not name.startswith("_"))
BYTES_METHODS = frozenset(name for name in dir(bytes) if not name.startswith("_"))


def to_text(machine: Machine, value: AnyValue) -> TextLike:
    """`str(value)`, user-defined `__str__` included."""
    if isinstance(value, Instance):
        if isinstance(value.cls, ClassV):
            for method_name in ("__str__", "__repr__"):
                if machine.has_attr(value, method_name):
                    text = text_of(machine.call(machine.get_attr(value, method_name), Arguments()))
                    return text if text is not None else Text((Hole("data", True),))
            if "enum" in value.cls.traits:
                inner = value.slots.get("value")
                if isinstance(inner, Known) and _reads_as_value(value.cls):
                    return str(inner.value)
                name = value.slots.get("name")
                if isinstance(name, Known):
                    return f"{value.cls.name}.{name.value}"
            plain = value.slots.get(("value",))
            if plain is not None:
                return render(plain)
        elif value.slots.get("__text__") is not None:
            return render(value.slots["__text__"])
        shown = fields_text(machine, value)
        if shown is not None:
            return shown
        if "args" in value.slots and is_exception(value.cls):
            text_like = exception_text(value, lambda item: to_text(machine, item))
            if text_like is not None:
                return text_like
    if isinstance(value, ListObj | DictObj | TupleV):
        try:
            return str(to_python(value))
        except NotKnown:
            show_elements(machine, value)
            return Text((Hole("data", True),))
    return render(value)


def show_elements(machine: Machine, value: ListObj | DictObj | TupleV) -> None:
    """Call the `__repr__` of the program's own objects in a container that is turned into text."""
    items = value.slots.values() if isinstance(value, DictObj) else value.items
    for item in items:
        if isinstance(item, Instance) and isinstance(item.cls, ClassV):
            repr_text(machine, item)


def repr_text(machine: Machine, value: AnyValue) -> TextLike:
    """`repr(value)`, as far as is known."""
    try:
        if not isinstance(value, Instance):
            return repr(to_python(value))
    except NotKnown:
        pass
    if isinstance(value, Text):
        return concat("'", value, "'")
    if isinstance(value, PathV):
        return concat("PosixPath('", value.text, "')")
    if isinstance(value, Instance) and isinstance(value.cls, ClassV):
        if machine.has_attr(value, "__repr__"):
            text = text_of(machine.call(machine.get_attr(value, "__repr__"), Arguments()))
            return text if text is not None else Text((Hole("data", True),))
        name = value.slots.get("name")
        if "enum" in value.cls.traits and isinstance(name, Known):
            return concat(f"<{value.cls.name}.{name.value}: ", repr_text(machine, value.slots["value"]), ">")
        shown = fields_text(machine, value)
        if shown is not None:
            return shown
    return to_text(machine, value)


def fields_text(machine: Machine, value: Instance) -> TextLike | None:
    """What a dataclass or a named tuple reads as; None for any other object."""
    fields = value.cls.traits.get("fields") if isinstance(value.cls, ClassV) else None
    if fields is None or not isinstance(value.cls, ClassV) or any(name not in value.slots for name in fields):
        return None
    pieces: list[TextLike] = []
    for name in fields:
        field = value.slots[name]
        shown = repr_text(machine, field.value if isinstance(field, Maybe) else field)
        pieces.extend((", " if pieces else "", f"{name}=", shown))
    return concat(value.cls.name, "(", *pieces, ")")


def _reads_as_value(cls: ClassV) -> bool:
    """Whether the members of an enumeration read as their values."""
    return any(
        isinstance(base, Ext) and base.name in ("enum.StrEnum", "enum.IntEnum", "enum.IntFlag", "enum.ReprEnum")
        for base in cls.mro
    )


def format_value(machine: Machine, value: AnyValue, conversion: str | None, spec: AnyValue) -> AnyValue:
    """What a replacement field of an f-string gives for one value."""
    spec_text = text_of(spec)
    if isinstance(value, Known) and isinstance(spec_text, str):
        shown: Any = value.value
        if conversion == "r":
            shown = repr(shown)
        elif conversion == "s":
            shown = str(shown)
        elif conversion == "a":
            shown = ascii(shown)
        if not _modest(spec_text):
            return text_hole()
        try:
            return Known(format(shown, spec_text))
        except (ValueError, TypeError) as error:
            raise machine.throw(type(error).__name__, str(error)) from None
    if isinstance(value, Instance) and isinstance(value.cls, ClassV):
        if machine.has_attr(value, "__format__"):
            return machine.call(machine.get_attr(value, "__format__"), Arguments([spec]))  # type: ignore[no-any-return]
        if "enum" not in value.cls.traits or _reads_as_value(value.cls):
            plain = as_plain(value)
            if isinstance(plain, Known):
                return format_value(machine, plain, conversion, spec)
    if isinstance(value, Instance) and isinstance(value.cls, Ext) and value.cls.name.startswith("datetime."):
        if isinstance(spec_text, str) and spec_text:
            return as_value(strftime_text(spec_text))
        return text_hole("clock", slash=False)
    text = to_text(machine, value)
    if conversion == "r" and not isinstance(value, Scalar):
        text = concat("'", text, "'") if isinstance(value, Text) else text
    if isinstance(spec_text, str) and spec_text and not isinstance(value, Text):
        if isinstance(text, str) and _modest(spec_text):
            try:
                return Known(format(text, spec_text))
            except ValueError:
                pass
        return Text((Hole(_origin(value), False),))
    return as_value(text)


def _origin(value: AnyValue) -> str:
    if isinstance(value, Unknown):
        return value.origin
    if isinstance(value, Instance) and isinstance(value.cls, Ext):
        return hole_origin(value.cls.name)
    return "data"


def _modest(spec: str) -> bool:
    return all(int(number) < 4096 for number in re.findall(r"\d+", spec))


def strftime_text(template: TextLike) -> TextLike:
    """A strftime format with holes for its directives; some directives may produce slashes."""
    out: list[str | Hole] = []
    for part in parts_of(template):
        if isinstance(part, Hole):
            out.append(part)
            continue
        position = 0
        for match in re.finditer(r"%-?([a-zA-Z%])", part):
            out.append(part[position : match.start()])
            out.append("%" if match[1] == "%" else Hole("clock", match[1] in "Dx"))
            position = match.end()
        out.append(part[position:])
    return make_text(out)


def pure_call(machine: Machine, func: Callable[..., Any], args: Arguments) -> AnyValue | None:
    """Let Python compute a call on wholly known arguments; None when some are not known."""
    if args.star is not None or args.kwstar is not None:
        return None
    try:
        values = [to_python(value) for value in args.pos]
        keywords = {name: to_python(value) for name, value in args.kw.items()}
    except NotKnown:
        return None
    if sum(len(value) for value in values if isinstance(value, str | bytes)) > RESULT_LIMIT:
        return None
    try:
        result = func(*values, **keywords)
    except (RecursionError, NotKnown):
        return None
    except Exception as error:  # noqa: BLE001 - whatever Python raises, the analysed program would have raised
        name = type(error).__name__
        raise machine.throw(name if name in _BUILTIN_ERRORS else "ValueError", str(error)) from None
    if isinstance(result, str | bytes | list | tuple | dict | set) and len(result) > RESULT_LIMIT:
        return None
    return from_python(result)


_BUILTIN_ERRORS = frozenset(name for name in dir(__import__("builtins")) if name.endswith(("Error", "Exception")))


def string_method(machine: Machine, obj: AnyValue, name: str, args: Arguments) -> AnyValue | None:
    """A method of str or bytes."""
    if isinstance(obj, Known):
        width = args.get(0, "width")
        if (
            name in ("ljust", "rjust", "center", "zfill", "expandtabs")
            and isinstance(width, Known)
            and (not isinstance(width.value, int) or width.value > 4096)
        ):
            return text_hole()
        special = _SPECIAL.get(name) if isinstance(obj.value, str) else None
        try:
            known = pure_call(machine, getattr(obj.value, name), args) if name != "format_map" else None
        except AttributeError:
            return None
        if known is not None:
            return known
        if special is not None:
            return special(machine, obj.value, args)
        return _typed_result(name, bytes_=isinstance(obj.value, bytes))
    text = text_of(obj)
    if text is None:
        return _typed_result(name, bytes_=isinstance(obj, Scalar) and obj.kind == "bytes")
    special = _SPECIAL.get(name)
    if special is not None:
        return special(machine, text, args)
    return _typed_result(name, bytes_=False, text=text)


def _typed_result(name: str, *, bytes_: bool, text: TextLike = "") -> AnyValue | None:
    if name in ("startswith", "endswith") or name.startswith("is"):
        return BOOL
    if name in ("find", "index", "rfind", "rindex", "count"):
        return INT
    if name == "encode":
        return Scalar("bytes")
    if name == "hex":
        return text_hole("data", slash=False)
    slash = any(part.slash if isinstance(part, Hole) else "/" in part for part in parts_of(text))
    hole: AnyValue = Scalar("bytes") if bytes_ and name != "decode" else text_hole("data", slash)
    if name in ("split", "rsplit", "splitlines"):
        return ListObj("list", (), hole)
    if name in ("partition", "rpartition"):
        return TupleV([hole, hole, hole])
    return hole


def _join(machine: Machine, text: TextLike, args: Arguments) -> AnyValue:
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    found: list[TextLike] = [""]
    for index, item in enumerate(content.items):
        texts = [to_text(machine, option) for option in options(item)]
        if len(found) * len(texts) > 16:
            texts = [widen_texts(texts)]
        separator: TextLike = text if index else ""
        found = [concat(head, separator, tail) for head in found for tail in texts]
    if content.rest is not None:
        rest = render(content.rest)
        slash = "/" in str(text) or any(
            part.slash if isinstance(part, Hole) else "/" in part for part in parts_of(rest)
        )
        hole = Hole(content.rest.origin if isinstance(content.rest, Unknown | Text) else "data", slash)
        found = [concat(head, hole) for head in found]
    return join(as_value(text) for text in found)


def _format(machine: Machine, text: TextLike, args: Arguments) -> AnyValue:
    out: list[str | Hole] = []
    automatic = 0
    for part in parts_of(text):
        if isinstance(part, Hole):
            out.append(part)
            continue
        try:
            fields = list(string.Formatter().parse(part))
        except ValueError:
            return text_hole("data", slash=True)
        for literal, field, spec, conversion in fields:
            out.append(literal)
            if field is None:
                continue
            head, rest = _split_field(field)
            if head == "":
                value = args.pos[automatic] if automatic < len(args.pos) else args.star
                automatic += 1
            elif head.isdigit():
                value = args.pos[int(head)] if int(head) < len(args.pos) else args.star
            else:
                value = args.kw.get(head, args.kwstar)
            if value is None:
                value = Unknown("a missing format argument", "data")
            for kind, name in rest:
                value = (
                    machine.get_attr(value, name)
                    if kind == "."
                    else machine.get_item(value, Known(int(name) if name.isdigit() else name))
                )
            if spec and "{" in spec:
                spec_value: AnyValue = _format(machine, spec, args)
            else:
                spec_value = Known(spec or "")
            rendered = [format_value(machine, option, conversion, spec_value) for option in options(value)]
            out.extend(parts_of(render(join(rendered))))
    return as_value(make_text(out))


def _split_field(field: str) -> tuple[str, list[tuple[str, str]]]:
    match = re.match(r"[^.\[]*", field)
    head = match.group() if match else field
    steps = re.finditer(r"\.([^.\[]+)|\[([^\]]+)\]", field[len(head) :])
    return head, [(".", step[1]) if step[1] is not None else ("[", step[2]) for step in steps]


def _map_parts(text: TextLike, change: Callable[[str], str]) -> AnyValue:
    return as_value(make_text([change(part) if isinstance(part, str) else part for part in parts_of(text)]))


def _case(name: str) -> Callable[[Machine, TextLike, Arguments], AnyValue]:
    def run(machine: Machine, text: TextLike, args: Arguments) -> AnyValue:
        del machine, args
        return _map_parts(text, lambda part: str(getattr(part, name)()))

    return run


def _replace(machine: Machine, text: TextLike, args: Arguments) -> AnyValue:
    old, new = args.get(0, "old"), args.get(1, "new")
    if isinstance(old, Known) and isinstance(old.value, str) and old.value:
        texts = [to_text(machine, option) for option in options(new)] if new is not None else [""]
        results: list[TextLike] = []
        for replacement in texts:
            out: list[str | Hole] = []
            for part in parts_of(text):
                if isinstance(part, Hole):
                    slash = (part.slash and old.value != "/") or "/" in str(replacement)
                    out.append(Hole(part.origin, slash, part.name))
                    continue
                if isinstance(replacement, str):
                    length = len(part) + part.count(old.value) * len(replacement)
                    slash = "/" in part or "/" in replacement
                    fits = length <= LITERAL_LIMIT
                    out.append(part.replace(old.value, replacement) if fits else Hole("data", slash))
                    continue
                for index, piece in enumerate(part.split(old.value)):
                    if index:
                        out.extend(parts_of(replacement))
                    out.append(piece)
            results.append(make_text(out))
        return join(as_value(result) for result in results)
    return text_hole("data", slash=True)


def _strip(left: bool, right: bool) -> Callable[[Machine, TextLike, Arguments], AnyValue]:
    def run(machine: Machine, text: TextLike, args: Arguments) -> AnyValue:
        del machine
        chars = args.get(0, "chars")
        wanted = chars.value if isinstance(chars, Known) and isinstance(chars.value, str) else None
        if chars is not None and wanted is None and not (isinstance(chars, Known) and chars.value is None):
            return text_hole("data", slash=True)
        parts = list(parts_of(text))
        if left and parts and isinstance(parts[0], str):
            parts[0] = parts[0].lstrip(wanted)
        if right and parts and isinstance(parts[-1], str):
            parts[-1] = parts[-1].rstrip(wanted)
        return as_value(make_text(parts))

    return run


def _affix(name: str) -> Callable[[Machine, TextLike, Arguments], AnyValue]:
    def run(machine: Machine, text: TextLike, args: Arguments) -> AnyValue:
        del machine
        affix = args.get(0, "prefix")
        if isinstance(affix, Known) and isinstance(affix.value, str):
            parts = list(parts_of(text))
            if name == "removeprefix" and isinstance(parts[0], str) and parts[0].startswith(affix.value):
                parts[0] = parts[0][len(affix.value) :]
            elif (
                name == "removesuffix"
                and isinstance(parts[-1], str)
                and parts[-1].endswith(affix.value)
                and affix.value
            ):
                parts[-1] = parts[-1][: -len(affix.value)]
            return as_value(make_text(parts))
        return as_value(text)

    return run


def _test(name: str) -> Callable[[Machine, TextLike, Arguments], AnyValue]:
    def run(machine: Machine, text: TextLike, args: Arguments) -> AnyValue:
        del machine
        wanted = args.get(0, "prefix")
        choices = wanted.items if isinstance(wanted, TupleV) else (wanted,)
        answers: list[bool | None] = []
        if isinstance(text, str):
            known = text
            for choice in choices:
                if isinstance(choice, Known) and isinstance(choice.value, str):
                    answers.append(
                        known.startswith(choice.value) if name == "startswith" else known.endswith(choice.value)
                    )
                else:
                    answers.append(None)
        else:
            literal = text.prefix if name == "startswith" else text.suffix
            for choice in choices:
                if not isinstance(choice, Known) or not isinstance(choice.value, str):
                    answers.append(None)
                    continue
                affix = choice.value
                size = min(len(literal), len(affix))
                same = (
                    literal[:size] == affix[:size]
                    if name == "startswith"
                    else literal[len(literal) - size :] == affix[len(affix) - size :]
                )
                answers.append(False if not same else (True if size == len(affix) else None))
        if True in answers:
            return Known(True)
        return BOOL if None in answers else Known(False)

    return run


def _split(name: str) -> Callable[[Machine, TextLike, Arguments], AnyValue]:
    def run(machine: Machine, text: TextLike, args: Arguments) -> AnyValue:
        del machine
        separator = args.get(0, "sep")
        hole = text_hole(text.origin if isinstance(text, Text) else "data", _may_slash(text))
        if (
            isinstance(separator, Known)
            and isinstance(separator.value, str)
            and separator.value
            and isinstance(text, Text)
        ):
            limit = args.get(1, "maxsplit")
            if separator.value == "/" and limit is None:
                pieces = [as_value(piece) for piece in segments(text)]
                return ListObj("list", pieces)
            first = text.parts[0]
            last = text.parts[-1]
            if name == "split" and limit is None and isinstance(first, str) and separator.value in first:
                pieces_known = first.split(separator.value)
                return ListObj("list", [Known(piece) for piece in pieces_known[:-1]], hole)
            del last
        return ListObj("list", (), hole)

    return run


def _partition(name: str) -> Callable[[Machine, TextLike, Arguments], AnyValue]:
    def run(machine: Machine, text: TextLike, args: Arguments) -> AnyValue:
        del machine
        separator = args.get(0, "sep")
        hole = text_hole(text.origin if isinstance(text, Text) else "data", _may_slash(text))
        if isinstance(separator, Known) and isinstance(separator.value, str) and isinstance(text, Text):
            sep = separator.value
            order = range(len(text.parts)) if name == "partition" else range(len(text.parts) - 1, -1, -1)
            for index in order:
                part = text.parts[index]
                if isinstance(part, str) and sep in part:
                    head, _, tail = part.partition(sep) if name == "partition" else part.rpartition(sep)
                    return TupleV(
                        [
                            as_value(make_text([*text.parts[:index], head])),
                            Known(sep),
                            as_value(make_text([tail, *text.parts[index + 1 :]])),
                        ]
                    )
                if isinstance(part, Hole):
                    break
        return TupleV([hole, text_hole("data"), hole])

    return run


def _may_slash(text: TextLike) -> bool:
    return any(part.slash if isinstance(part, Hole) else "/" in part for part in parts_of(text))


def _format_map(machine: Machine, text: TextLike, args: Arguments) -> AnyValue:
    inner = Arguments()
    mapping = args.pos[0] if args.pos else UNKNOWN
    if isinstance(mapping, Instance) and isinstance(mapping.cls, ClassV):
        machine.spread(machine.inner(mapping, "builtins.dict"), inner)
        if isinstance(text, str) and machine.has_attr(mapping, "__missing__"):
            for name in _field_names(text):
                if name not in inner.kw:
                    inner.kw[name] = machine.call(machine.get_attr(mapping, "__missing__"), Arguments([Known(name)]))
    else:
        machine.spread(mapping, inner)
    return _format(machine, text, inner)


def _field_names(text: str) -> list[str]:
    """The names that the replacement fields of a format string begin with."""
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(text) if field]
    except ValueError:
        return []
    return [field.partition(".")[0].partition("[")[0] for field in fields]


def _translate(machine: Machine, text: TextLike, args: Arguments) -> AnyValue:
    """`text.translate(table)`: the known pieces are translated, what a hole holds may change to anything listed."""
    del machine
    try:
        table = to_python(args.pos[0])
        parts = [part.translate(table) if isinstance(part, str) else part for part in parts_of(text)]
        made = [chr(value) if isinstance(value, int) else str(value) for value in table.values()]
    except (NotKnown, TypeError, IndexError, AttributeError, ValueError):
        return text_hole("data", _may_slash(text))
    slash = any("/" in piece for piece in made)
    return as_value(
        make_text(
            Hole(part.origin, (part.slash and ord("/") not in table) or slash, part.name)
            if isinstance(part, Hole)
            else part
            for part in parts
        )
    )


_SPECIAL: dict[str, Callable[[Machine, TextLike, Arguments], AnyValue]] = {
    "join": _join,
    "format": _format,
    "format_map": _format_map,
    "replace": _replace,
    "strip": _strip(True, True),
    "lstrip": _strip(True, False),
    "rstrip": _strip(False, True),
    "removeprefix": _affix("removeprefix"),
    "removesuffix": _affix("removesuffix"),
    "startswith": _test("startswith"),
    "endswith": _test("endswith"),
    "split": _split("split"),
    "rsplit": _split("rsplit"),
    "partition": _partition("partition"),
    "rpartition": _partition("rpartition"),
    "translate": _translate,
    **{name: _case(name) for name in ("lower", "upper", "casefold", "swapcase")},
}


def _string_model(name: str) -> registry.MethodModel:
    return lambda machine, obj, args: string_method(machine, obj, name, args)


def _register() -> None:
    for name in sorted(STR_METHODS):
        registry.METHODS[f"builtins.str.{name}"] = _string_model(name)
    for name in sorted(BYTES_METHODS):
        registry.METHODS[f"builtins.bytes.{name}"] = _string_model(name)


def _static(name: str, func: Any) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        known = pure_call(machine, func, args)
        return known if known is not None else Unknown(f"the result of {name}", "data")

    registry.FUNCTIONS[f"builtins.{name}"] = model


_register()
for _name, _func in {
    # These belong to the class: what is passed first is no object.
    "str.maketrans": str.maketrans,
    "bytes.maketrans": bytes.maketrans,
    "bytearray.maketrans": bytes.maketrans,
    "bytes.fromhex": bytes.fromhex,
    "bytearray.fromhex": bytes.fromhex,
}.items():
    _static(_name, _func)


@method("datetime.datetime.strftime", "datetime.date.strftime", "datetime.time.strftime")
def datetime_strftime(machine: Machine, obj: Any, args: Arguments) -> AnyValue:
    """`moment.strftime(format)`."""
    del machine, obj
    template = text_of(args.pos[0]) if args.pos else None
    return as_value(strftime_text(template)) if template is not None else text_hole("clock")


@method("datetime.datetime.isoformat", "datetime.date.isoformat", "datetime.datetime.__str__")
def datetime_isoformat(machine: Machine, obj: Any, args: Arguments) -> AnyValue:
    """A moment as text."""
    del machine, obj, args
    return text_hole("clock")


@function("time.strftime")
def time_strftime(machine: Machine, args: Arguments) -> AnyValue:
    """`time.strftime(format)`."""
    del machine
    template = text_of(args.pos[0]) if args.pos else None
    return as_value(strftime_text(template)) if template is not None else text_hole("clock")


@function("string.Template")
def template(machine: Machine, args: Arguments) -> AnyValue:
    """`string.Template(text)`."""
    del machine
    out = Instance(Ext("string.Template"))
    out.slots["template"] = args.pos[0] if args.pos else text_hole()
    return out


@method("string.Template.substitute", "string.Template.safe_substitute")
def substitute(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`template.substitute(...)`."""
    source = text_of(obj.slots.get("template", text_hole()))
    if source is None:
        return text_hole("data", slash=True)
    inner = Arguments()
    if args.pos:
        machine.spread(args.pos[0], inner)
    inner.kw.update(args.kw)
    inner.kwstar = args.kwstar if args.kwstar is not None else inner.kwstar
    out: list[str | Hole] = []
    pattern = _template_pattern(obj)
    for part in parts_of(source):
        if isinstance(part, Hole):
            out.append(part)
            continue
        position = 0
        for match in pattern.finditer(part):
            out.append(part[position : match.start()])
            position = match.end()
            if match["escaped"] is not None:
                out.append(match["escaped"])
                continue
            name = match["named"] or match["braced"]
            value = inner.kw.get(name) if name else None
            if value is not None:
                out.extend(parts_of(to_text(machine, value)))
            elif inner.kwstar is not None:
                out.append(Hole("data", True))
            else:
                # `safe_substitute` leaves it as it is; `substitute` would have failed.
                out.append(match[0])
        out.append(part[position:])
    return as_value(make_text(out))


def _template_pattern(obj: Instance) -> re.Pattern[str]:
    """The expression that finds placeholders, which a subclass may describe by other delimiters and names."""
    given: dict[str, str] = {}
    if isinstance(obj.cls, ClassV):
        for name in ("delimiter", "idpattern", "braceidpattern"):
            found = next(
                (cls.slots[name] for cls in obj.cls.mro if isinstance(cls, ClassV) and name in cls.slots), None
            )
            if isinstance(found, Known) and isinstance(found.value, str) and len(found.value) < 100:
                given[name] = found.value
    if not given:
        return string.Template.pattern
    try:
        return type("Own", (string.Template,), given).pattern  # type: ignore[attr-defined,no-any-return]
    except re.error:
        return string.Template.pattern


@function("textwrap.dedent", "textwrap.indent", "textwrap.fill", "textwrap.shorten")
def wrapped(machine: Machine, args: Arguments) -> AnyValue:
    """Text laid out anew; known text is a matter of `computed`."""
    del machine, args
    return text_hole("data", slash=True)


__all__ = ["PathV", "Union", "format_value", "percent_format", "pure_call", "strftime_text", "string_method", "to_text"]
