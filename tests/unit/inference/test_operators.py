"""Operators and string methods: Python's own on known values, and covering every instance of partly known ones."""

from __future__ import annotations

import contextlib
import operator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from taskgates.inference.comparison import COMPARE, compare, contains, equal
from taskgates.inference.conversion import from_python, to_python
from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.values.formatting import format_value
from taskgates.inference.models.values.strings import string_method
from taskgates.inference.objects import Arguments, DictObj, ListObj
from taskgates.inference.operators import BINARY, arithmetic, unary
from taskgates.inference.recording import matches_text
from taskgates.inference.renderings import text_hole, truth
from taskgates.inference.text import Hole, Text, make_text, parts_of
from taskgates.inference.values import BOOL, AnyValue, Known, Scalar, TupleV, as_value, options, text_of
from unit.inference.partly_known import filled, filled_plainly, open_texts, texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.floats(-4, 4, width=16),
    st.text("ab%d", max_size=3),
    st.binary(max_size=2),
)
PLAIN = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
        st.sets(st.integers(0, 3), max_size=3),
    ),
    max_leaves=6,
)


@given(PLAIN)
def test_values_survive_the_way_in_and_out(value: Any) -> None:
    assert to_python(from_python(value)) == value
    assert truth(from_python(value)) is bool(value)


@given(st.sampled_from(sorted(BINARY)), PLAIN, PLAIN)
def test_known_arithmetic_is_pythons(op: str, left: Any, right: Any) -> None:
    if op == "%" and isinstance(left, str | bytes):
        assume(not isinstance(left, bytes))
    try:
        real = BINARY[op](left, right)
    except Exception as error:  # noqa: BLE001 - whatever Python raises
        # What raises in the program may also be left undecided, but no other error comes out.
        with contextlib.suppress(type(error)):
            arithmetic(op, from_python(left), from_python(right))
        return
    found = arithmetic(op, from_python(left), from_python(right))
    if found is not None and _is_known(found):
        assert to_python(found) == real
        assert isinstance(to_python(found), type(real))


def _is_known(value: AnyValue) -> bool:
    try:
        to_python(value)
    except Exception:  # noqa: BLE001 - a signal
        return False
    return True


@given(st.sampled_from(sorted(COMPARE)), PLAIN, PLAIN)
def test_known_comparison_is_pythons_or_undecided(op: str, left: Any, right: Any) -> None:
    found = compare(op, from_python(left), from_python(right))
    try:
        real = COMPARE[op](left, right)
    except TypeError:
        assert found == BOOL
        return
    assert found in (BOOL, Known(bool(real)))
    if isinstance(left, str | int) and isinstance(right, str | int):
        assert found == Known(bool(real))


@given(PLAIN, PLAIN)
def test_known_equality_is_pythons(left: Any, right: Any) -> None:
    assert equal(from_python(left), from_python(right)) in (None, left == right)
    assert equal(from_python(left), from_python(left)) is not False


@given(st.one_of(st.lists(ATOMS, max_size=4), st.dictionaries(ATOMS, ATOMS, max_size=3), st.text("ab")), ATOMS)
def test_known_membership_is_pythons(container: Any, item: Any) -> None:
    try:
        real = item in container
    except TypeError:
        return
    assert contains(from_python(container), from_python(item)) in (None, real)
    if isinstance(container, list) and isinstance(item, str):
        assert contains(from_python(container), from_python(item)) is real


@given(st.sampled_from("-+~"), st.one_of(st.integers(), st.booleans(), st.floats(allow_nan=False)))
def test_unary(op: str, value: Any) -> None:
    functions: dict[str, Callable[[Any], Any]] = {"-": operator.neg, "+": operator.pos, "~": operator.invert}
    try:
        real = functions[op](int(value) if isinstance(value, bool) else value)
    except TypeError:
        return
    assert unary(op, Known(value)) == Known(real)


@given(st.data(), texts, texts)
def test_equality_of_partly_known_strings_is_right_where_decided(
    data: st.DataObject, one: TextLike, two: TextLike
) -> None:
    answer = equal(as_value(one), as_value(two))
    if answer is not None:
        assert (data.draw(filled(one)) == data.draw(filled(two))) is answer


@given(st.data(), texts, st.text("ab/", max_size=2))
def test_membership_in_a_partly_known_string(data: st.DataObject, text: TextLike, piece: str) -> None:
    answer = contains(as_value(text), Known(piece))
    if answer is not None:
        assert (piece in data.draw(filled(text))) is answer


# Strings -------------------------------------------------------------------------------------------------------------


class Bare:
    """As much of the interpreter as the string models need for plain values."""

    def throw(self, name: str, message: str = "") -> AbstractRaise:
        return AbstractRaise(Known(f"{name}: {message}"))

    def iterate(self, value: AnyValue) -> TupleV:
        if isinstance(value, ListObj):
            return TupleV(value.items, value.rest)
        if isinstance(value, Known):
            return TupleV([Known(item) for item in value.value])
        assert isinstance(value, TupleV)
        return value

    def get_attr(self, value: AnyValue, name: str) -> AnyValue:
        raise self.throw("AttributeError", name)

    def get_item(self, value: AnyValue, index: AnyValue) -> AnyValue:
        if isinstance(value, DictObj):
            found: AnyValue = dict(value.known())[index]
            return found
        assert isinstance(value, TupleV | ListObj)
        assert isinstance(index, Known)
        item: AnyValue = value.items[index.value]
        return item

    def has_attr(self, value: AnyValue, name: str) -> bool:
        del value, name
        return False


def machine() -> Machine:
    found: Any = Bare()
    return found


SHORT = st.text("ab./ ", max_size=6)
CALLS = st.one_of(
    st.tuples(st.sampled_from(["lower", "upper", "strip", "lstrip", "rstrip", "swapcase", "casefold"]), st.just(())),
    st.tuples(st.sampled_from(["split", "rsplit", "splitlines", "title", "capitalize", "isdigit"]), st.just(())),
    st.tuples(
        st.sampled_from(
            ["strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "startswith", "endswith", "find", "count",
             "split", "rsplit", "partition", "rpartition", "join"]
        ),
        st.tuples(st.text("ab./", min_size=1, max_size=2)),
    ),
    st.tuples(st.just("replace"), st.tuples(st.text("ab./", min_size=1, max_size=2), st.text("xb/", max_size=2))),
    st.tuples(st.sampled_from(["ljust", "rjust", "center"]), st.tuples(st.integers(0, 9), st.sampled_from("-x"))),
    st.tuples(st.sampled_from(["split", "rsplit"]), st.tuples(st.sampled_from("ab./"), st.integers(0, 2))),
)  # fmt: skip


@given(SHORT, CALLS)
def test_methods_of_known_strings_are_pythons(text: str, call: tuple[str, tuple[Any, ...]]) -> None:
    name, args = call
    found = string_method(machine(), Known(text), name, Arguments([from_python(arg) for arg in args]))
    assert found is not None
    assert to_python(found) == getattr(text, name)(*args)


@given(st.data(), open_texts, CALLS)
def test_methods_of_partly_known_strings_cover_every_instance(
    data: st.DataObject, text: TextLike, call: tuple[str, tuple[Any, ...]]
) -> None:
    name, args = call
    # A hole is taken to hold nothing of what is stripped or cut at its ends.
    known = data.draw(filled_plainly(text))
    # Where a text is cut at slashes, what is not known counts as one segment.
    literal = "".join(part for part in parts_of(text) if isinstance(part, str))
    assume("/" not in args or name not in ("split", "rsplit") or known.count("/") == literal.count("/"))
    found = string_method(machine(), as_value(text), name, Arguments([from_python(arg) for arg in args]))
    assert found is not None
    assert covers(found, getattr(known, name)(*args)), (found, getattr(known, name)(*args))


def test_a_path_is_cut_at_the_slash_that_no_hole_can_hide() -> None:
    text = make_text(["out/", Hole("data", False), "/", Hole("data", False)])
    last = string_method(machine(), as_value(text), "rpartition", Arguments([Known("/")]))
    assert last == TupleV([as_value(make_text(["out/", Hole("data", False)])), Known("/"), text_hole()])
    whole = string_method(machine(), text_hole(), "rpartition", Arguments([Known("/")]))
    assert whole == TupleV([Known(""), Known(""), text_hole()])


def covers(value: AnyValue, real: Any) -> bool:
    """Whether an abstract value stands for a Python value, among others."""
    for option in options(value):
        text = text_of(option)
        if isinstance(real, str) and text is not None and matches_text(text, real):
            return True
        if isinstance(option, Known) and option.value == real:
            return True
        if isinstance(option, Scalar) and type(real).__name__ == option.kind:
            return True
        if isinstance(option, TupleV | ListObj) and isinstance(real, list | tuple):
            items = option.items
            if len(real) < len(items) or (len(real) > len(items) and option.rest is None):
                continue
            rest = option.rest
            if all(covers(left, right) for left, right in zip(items, real, strict=False)) and (
                rest is None or all(covers(rest, item) for item in real[len(items) :])
            ):
                return True
    return False


TEMPLATES = st.sampled_from(
    [
        "%s-%s",
        "a%s%s",
        "%5s|%-4s",
        "%r %s",
        "%%%s/%s",
        "{}-{}",
        "{1}{0}",
        "{0:>5}{1:<4}",
        "{{{}}}{}",
        "{!r}{}",
        "x{a}{b}",
    ]
)


@given(TEMPLATES, st.one_of(SHORT, st.integers(-99, 99)), SHORT)
def test_formatting_of_known_values_is_pythons(template: str, one: Any, two: str) -> None:
    assert to_python(formatted(template, Known(one), Known(two))) == really(template, one, two)


@given(st.data(), TEMPLATES.filter(lambda template: not any(c in template for c in "r5")), texts, texts)
def test_formatting_of_partly_known_values_covers_every_instance(
    data: st.DataObject, template: str, one: TextLike, two: TextLike
) -> None:
    found = formatted(template, as_value(one), as_value(two))
    assert covers(found, really(template, data.draw(filled(one)), data.draw(filled(two))))


def formatted(template: str, one: AnyValue, two: AnyValue) -> AnyValue:
    """What the engine says of either kind of formatting."""
    if "{" not in template:
        found = arithmetic("%", Known(template), TupleV([one, two]))
    elif "{a}" in template:
        found = string_method(machine(), Known(template), "format", Arguments((), {"a": one, "b": two}))
    else:
        found = string_method(machine(), Known(template), "format", Arguments([one, two]))
    assert found is not None
    return found


def really(template: str, one: Any, two: Any) -> str:
    """What Python says."""
    if "{" not in template:
        return template % (one, two)
    return template.format(a=one, b=two) if "{a}" in template else template.format(one, two)


@given(
    st.one_of(st.integers(-99, 99), st.floats(-9, 9), SHORT), st.sampled_from(["", "5", "<4", "03d", ".2f", "x", "s"])
)
def test_replacement_fields_of_known_values(value: Any, spec: str) -> None:
    try:
        real = format(value, spec)
    except ValueError:
        with pytest.raises(AbstractRaise):
            format_value(machine(), Known(value), None, Known(spec))
        return
    assert format_value(machine(), Known(value), None, Known(spec)) == Known(real)


def test_a_text_is_a_value() -> None:
    assert isinstance(arithmetic("+", Known("a"), Scalar("int")), Text | type(None))
