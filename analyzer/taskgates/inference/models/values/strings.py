"""Strings: formatting and the methods of str, with holes kept as narrow as they are."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.values.formatting import format_value, to_text
from taskgates.inference.objects import Arguments, ClassV, Instance, ListObj
from taskgates.inference.paths import segments
from taskgates.inference.renderings import render, text_hole
from taskgates.inference.text import LITERAL_LIMIT, Hole, Text, TextLike, concat, make_text, parts_of
from taskgates.inference.values import (
    BOOL,
    EMPTY,
    INT,
    UNKNOWN,
    AnyValue,
    Known,
    Scalar,
    TupleV,
    Unknown,
    as_value,
    join,
    options,
    text_of,
    widen_texts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT_LIMIT = 1 << 22

STR_METHODS = frozenset(name for name in dir(str) if not name.startswith("_"))
BYTES_METHODS = frozenset(name for name in dir(bytes) if not name.startswith("_"))


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
            # An object's own attributes are lost on the way to a plain value.
            fields = name == "format_map" or (name == "format" and any(isinstance(v, Instance) for v in args.every()))
            known = None if fields else pure_call(machine, getattr(obj.value, name), args)
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
        tail = make_text([hole])
        if isinstance(text, str) and text.isspace() and isinstance(rest, Text):
            # Words of a command: each of them fits the one that begins as they begin and ends as they end.
            tail = concat(text if content.items else "", rest.prefix, tail, rest.suffix)
        found = [concat(head, tail) for head in found]
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
            head, rest = split_field(field)
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


def split_field(field: str) -> tuple[str, list[tuple[str, str]]]:
    """The name of a replacement field, and the attributes (`.`) and items (`[`) that are taken of its value."""
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
                if isinstance(part, Hole) and (part.slash or sep != "/"):
                    return TupleV([hole, join([Known(sep), EMPTY]), hole])
            return TupleV([as_value(text), EMPTY, EMPTY] if name == "partition" else [EMPTY, EMPTY, as_value(text)])
        return TupleV([hole, text_hole("data", slash=True), hole])

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


@function("textwrap.dedent", "textwrap.indent", "textwrap.fill", "textwrap.shorten")
def wrapped(machine: Machine, args: Arguments) -> AnyValue:
    """Text laid out anew; known text is a matter of `computed`."""
    del machine, args
    return text_hole("data", slash=True)
