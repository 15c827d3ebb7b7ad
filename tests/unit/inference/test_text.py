"""Partly known strings: normal form, and what a pattern of one covers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from taskgates.inference.recording import matches_text
from taskgates.inference.text import PARTS_LIMIT, Hole, Text, TextLike, concat, make_text, parts_of, to_pattern
from taskgates.inference.values import widen_texts
from taskgates.model.patterns import PathPattern
from unit.inference.partly_known import filled, filled_many, holes, texts

PARTS = st.lists(st.one_of(st.text("ab/.", max_size=3), holes), max_size=24)


@given(PARTS)
def test_make_text_is_in_normal_form(parts: list[str | Hole]) -> None:
    text = make_text(parts)
    if isinstance(text, str):
        assert text == "".join(part for part in parts if isinstance(part, str))
        assert not any(isinstance(part, Hole) for part in parts)
        return
    assert any(isinstance(part, Hole) for part in text.parts)
    assert all(part != "" for part in text.parts)
    assert len(text.parts) <= PARTS_LIMIT
    for left, right in zip(text.parts, text.parts[1:], strict=False):
        assert not (isinstance(left, str) and isinstance(right, str))
        assert not (isinstance(left, Hole) and isinstance(right, Hole))


@given(st.data(), PARTS)
def test_make_text_still_covers_what_the_pieces_can_be(data: st.DataObject, parts: list[str | Hole]) -> None:
    known = data.draw(filled_many(parts))
    assert matches_text(make_text(parts), known)


@given(texts, texts, texts)
def test_concat_is_associative(one: TextLike, two: TextLike, three: TextLike) -> None:
    if sum(len(parts_of(text)) for text in (one, two, three)) <= PARTS_LIMIT:
        assert concat(concat(one, two), three) == concat(one, concat(two, three)) == concat(one, two, three)
    assert concat("", one) == concat(one, "") == one


@given(st.data(), texts, texts)
def test_concat_covers_the_concatenation(data: st.DataObject, one: TextLike, two: TextLike) -> None:
    assert matches_text(concat(one, two), data.draw(filled(one)) + data.draw(filled(two)))


@given(st.data(), st.lists(texts, min_size=1, max_size=5))
def test_widening_covers_every_alternative(data: st.DataObject, alternatives: list[TextLike]) -> None:
    wide = widen_texts(alternatives)
    for alternative in alternatives:
        assert matches_text(wide, data.draw(filled(alternative)))


@given(st.lists(st.text("abc/", max_size=6), min_size=2, max_size=5, unique=True))
def test_widening_keeps_the_common_ends(alternatives: list[str]) -> None:
    import os

    wide = widen_texts(["pre" + text + "post" for text in alternatives])
    assert isinstance(wide, Text)
    assert wide.prefix == "pre" + os.path.commonprefix(alternatives)  # noqa: RUF071 - character by character is meant
    assert wide.suffix.endswith("post")


@given(st.data(), texts)
def test_the_pattern_in_reports_matches_every_instance(data: st.DataObject, text: TextLike) -> None:
    known = data.draw(filled(concat("r", text)))
    if "//" in known or known.endswith("/") or "/." in known:
        return
    assert PathPattern(to_pattern(concat("r", text))).matches(known)
