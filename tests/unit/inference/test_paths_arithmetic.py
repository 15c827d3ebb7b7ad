"""Path arithmetic: the library's own on known strings, and covering every instance of partly known ones."""

from __future__ import annotations

import os.path
import posixpath
from pathlib import PurePosixPath

from hypothesis import assume, given
from hypothesis import strategies as st
from taskgates.inference.paths import (
    from_segments,
    join_paths,
    normalise,
    pure_path,
    relative_to_root,
    report_form,
    segments,
    split_extension,
    split_last,
)
from taskgates.inference.recording import matches_text
from taskgates.inference.text import Hole, Text, TextLike, parts_of
from unit.inference.partly_known import filled, filled_plainly, open_texts, texts

KNOWN = st.text("ab/.", max_size=12)


@given(KNOWN)
def test_known_paths_are_what_the_library_says(path: str) -> None:
    assert normalise(path) == os.path.normpath(path)
    assert split_last(path) == os.path.split(path)
    assert split_extension(path) == os.path.splitext(path)


@given(KNOWN.filter(lambda path: not path.startswith("//")))
def test_pathlib_form_of_known_paths(path: str) -> None:
    assert pure_path(path) == str(PurePosixPath(path))


@given(KNOWN, KNOWN, KNOWN)
def test_known_joins(one: str, two: str, three: str) -> None:
    assert join_paths(one, two, three) == posixpath.join(one, two, three)


@given(texts)
def test_segments_have_an_inverse(text: TextLike) -> None:
    assert from_segments(segments(text)) == text


@given(st.data(), open_texts)
def test_normalised_covers_every_instance(data: st.DataObject, text: TextLike) -> None:
    known = data.draw(filled(text))
    # What a hole holds is taken as a name or a path below: it does not start at the root nor climb.
    assume(_tame(text, known))
    assert matches_text(normalise(text), posixpath.normpath(known))


@given(st.data(), open_texts)
def test_pathlib_form_covers_every_instance(data: st.DataObject, text: TextLike) -> None:
    known = data.draw(filled(text))
    assume(_tame(text, known))
    assert matches_text(pure_path(text), str(PurePosixPath(known)))


@given(st.data(), texts, texts)
def test_joined_covers_every_instance(data: st.DataObject, one: TextLike, two: TextLike) -> None:
    left, right = data.draw(filled(one)), data.draw(filled(two))
    assume(left and not left.endswith("/") and not right.startswith("/"))
    assume(isinstance(one, str) or _tame(one, left))
    assert matches_text(join_paths(one, two), posixpath.join(left, right))


@given(st.data(), open_texts)
def test_split_covers_every_instance(data: st.DataObject, text: TextLike) -> None:
    known = data.draw(filled(text))
    assume("//" not in known and not known.startswith("/"))
    _, tail = split_last(text)
    assert matches_text(tail, posixpath.split(known)[1])


@given(st.data(), open_texts)
def test_extension_covers_every_instance(data: st.DataObject, text: TextLike) -> None:
    # An extension is taken to begin in a known piece or in the last hole; behind a dot, a hole has no further dot.
    several = sum(isinstance(part, Hole) for part in parts_of(text)) > 1
    known = data.draw(filled_plainly(text) if several or "." in str(text) else filled(text))
    name = known.rpartition("/")[2]
    assume(name and not name.startswith("."))
    if several and isinstance(text, Text):
        assume("." not in "".join(part for part in text.parts[:-2] if isinstance(part, str)))
    stem, extension = split_extension(text)
    real_stem, real_extension = posixpath.splitext(known)
    assert matches_text(extension, real_extension)
    assert matches_text(stem, real_stem)


def _tame(text: TextLike, known: str) -> bool:
    """Whether every hole was filled with plain segments: no empty, `.` or `..` segment arises."""
    del text
    return bool(known) and "//" not in known and not {"", ".", ".."} & set(known.removeprefix("/").split("/"))


@given(st.text("ab", min_size=1), texts)
def test_what_is_below_the_root_is_relative(root: str, text: TextLike) -> None:
    base = "/" + root
    inside = join_paths(base, "x", text) if text != "" else base + "/x"
    assert isinstance(relative_to_root(inside, base), str) == isinstance(inside, str)
    assert not str(relative_to_root(inside, base)).startswith(base + "/x")


def test_reports_name_the_certainty() -> None:
    glob = Hole("glob", False)
    assert report_form("/r/a/../b", "/r") == ("b", "exact")
    assert report_form("/elsewhere/b", "/r") == ("/elsewhere/b", "exact")
    assert report_form(join_paths("/r/d", normalise("x.csv")), "/r") == ("d/x.csv", "exact")
    from taskgates.inference.text import make_text

    assert report_form(make_text(["/r/d/", glob, ".csv"]), "/r") == ("d/*.csv", "pattern")
    assert report_form(make_text(["/r/", Hole("argument", True)]), "/r") == (None, "unknown")
