"""Strategies for partly known strings, and for the strings that they may stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from taskgates.inference.text import Hole, TextLike, make_text, parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

holes = st.builds(Hole, st.sampled_from(["data", "argument", "glob"]), st.booleans())
texts: st.SearchStrategy[TextLike] = st.lists(
    st.one_of(st.text("ab/.", min_size=1, max_size=4), holes), max_size=5
).map(make_text)
open_texts = texts.filter(lambda text: not isinstance(text, str))


def filled_many(parts: Sequence[str | Hole]) -> st.SearchStrategy[str]:
    """Every string that pieces may stand for."""
    return st.tuples(
        *(
            st.just(part) if isinstance(part, str) else st.text("ab./" if part.slash else "ab.", max_size=4)
            for part in parts
        )
    ).map("".join)


def filled_plainly(text: TextLike) -> st.SearchStrategy[str]:
    """The same with holes that begin and end in a letter which no literal piece has."""
    return st.tuples(
        *(
            st.just(part)
            if isinstance(part, str)
            else st.text("q/" if part.slash else "q", max_size=3).map(lambda inner: f"q{inner}q")
            for part in parts_of(text)
        )
    ).map("".join)


def filled(text: TextLike) -> st.SearchStrategy[str]:
    """Every string that a partly known one may stand for."""
    return filled_many(parts_of(text))
