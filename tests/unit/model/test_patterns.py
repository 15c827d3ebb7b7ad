"""Path patterns against an independent matcher, over every short path of a small alphabet."""

from __future__ import annotations

import itertools
import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.model.patterns import PathPattern, escape, normalise_path

NAMES = ["".join(letters) for length in (1, 2, 3) for letters in itertools.product("ab.", repeat=length)]
NAMES = [name for name in NAMES if name not in {".", ".."}]
SHORT = [name for name in NAMES if len(name) <= 2]
PATHS = [
    ".",
    *NAMES,
    *("/".join(names) for names in itertools.product(SHORT, repeat=2)),
    *("/".join(names) for names in itertools.product("ab", repeat=3)),
    *("/".join(names) for names in itertools.product("ab", repeat=4)),
]


def reference_match(pattern: str, path: str) -> bool:
    """Match by plain recursion over segments and characters: slow, and shares nothing with the implementation."""
    folder = pattern.endswith("/")
    names = [] if path == "." else path.split("/")
    parts = [part for part in pattern.split("/") if part not in {"", "."}]
    if folder:
        parts.append("**")
    return _segments("/".join(parts), names)


def _segments(pattern: str, names: list[str]) -> bool:
    if not pattern:
        return not names
    head, _, rest = pattern.partition("/")
    if head == "**":
        return any(_segments(rest, names[index:]) for index in range(len(names) + 1))
    if not names:
        return False
    if "**" not in head:
        return _characters(head, names[0]) and _segments(rest, names[1:])
    return any(
        _characters(head, "/".join(names[:taken])) and _segments(rest, names[taken:])
        for taken in range(1, len(names) + 1)
    )


def _characters(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern.startswith("**"):
        rest = pattern.lstrip("*")
        return any(_characters(rest, text[index:]) for index in range(len(text) + 1))
    if pattern[0] == "*":
        for index in range(len(text) + 1):
            if _characters(pattern[1:], text[index:]):
                return True
            if text[index : index + 1] == "/":
                return False
        return False
    if not text:
        return False
    if pattern[0] == "?":
        return text[0] != "/" and _characters(pattern[1:], text[1:])
    if pattern[0] == "[":
        end = pattern.index("]", 2)
        return (
            text[0] != "/"
            and bool(re.fullmatch(pattern[: end + 1].replace("!", "^"), text[0]))
            and _characters(pattern[end + 1 :], text[1:])
        )
    return pattern[0] == text[0] and _characters(pattern[1:], text[1:])


atoms = st.sampled_from(["a", "b", ".", "*", "?", "[ab]", "[!a]", "[a-b]", "**", "[!a-b]"])
segments = st.lists(atoms, min_size=1, max_size=3).map("".join).filter(lambda text: text not in {".", ".."})
patterns = st.builds(
    lambda parts, slash: "/".join(parts) + slash, st.lists(segments, min_size=1, max_size=3), st.sampled_from(["", "/"])
)


@given(patterns)
@settings(max_examples=150, deadline=None)
def test_matches_agrees_with_plain_recursion(text: str) -> None:
    pattern = PathPattern(text)
    reference = pattern.text
    wrong = [path for path in PATHS if pattern.matches(path) != reference_match(reference, path)]
    assert not wrong, (text, wrong[:5])


@given(patterns, patterns)
@settings(max_examples=300, deadline=None)
def test_overlap_is_exact(one: str, two: str) -> None:
    first, second = PathPattern(one), PathPattern(two)
    proof = first.common_path(second)
    assert first.overlaps(second) == second.overlaps(first) == (proof is not None)
    if proof is None:
        both = [path for path in PATHS if reference_match(first.text, path) and reference_match(second.text, path)]
        assert not both, (one, two, both[:5])
    else:
        assert reference_match(first.text, proof), proof
        assert reference_match(second.text, proof), proof


@given(patterns, patterns)
@settings(max_examples=300, deadline=None)
def test_cover_is_inclusion(one: str, two: str) -> None:
    wide, narrow = PathPattern(one), PathPattern(two)
    escaped = [path for path in PATHS if narrow.matches(path) and not wide.matches(path)]
    if wide.covers(narrow):
        assert not escaped, (one, two, escaped[:5])
    assert wide.covers(wide)
    if wide.covers(narrow) and narrow.common_path(narrow) is not None:
        assert wide.overlaps(narrow)


@given(patterns)
@settings(max_examples=150, deadline=None)
def test_every_match_begins_with_the_literal_prefix(text: str) -> None:
    pattern = PathPattern(text)
    for path in PATHS:
        if path != "." and pattern.matches(path):
            assert path.startswith(pattern.literal_prefix)
            assert path.split("/")[: len(pattern.literal_segments)] == list(pattern.literal_segments)


@given(st.text(alphabet="ab*?[]!-. /", min_size=1, max_size=8).filter(lambda text: text.strip("/") != ""))
@settings(max_examples=200, deadline=None)
def test_escape_makes_a_literal(text: str) -> None:
    pattern = PathPattern(escape(text.rstrip("/")))
    assert pattern.is_literal
    assert pattern.literal == normalise_path(text.rstrip("/"))
    assert pattern.matches(text)
    assert PathPattern(pattern.text) == pattern


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("src//app.py", "src/app.py"),
        ("./src/./app.py", "src/app.py"),
        ("src\\app.py", "src/app.py"),
        ("src/../app.py", "app.py"),
        ("src/../../app.py", "../app.py"),
        ("../../x/../y", "../../y"),
        ("..", ".."),
        ("../", "../"),
        ("/tmp/../../etc/", "/etc/"),
        ("/", "/"),
        (".", "."),
        ("./", "./"),
        ("src/..", "."),
        ("~/data/./x", "~/data/x"),
        ("~/../x", "~/../x"),
        ("~", "~"),
        ("data/**/**/x", "data/**/x"),
        ("data/**/", "data/**"),
        ("data/**/../x", "data/**/x"),
        ("data/*/../x", "data/x"),
        ("out****.json", "out**.json"),
        ("s3://bucket//key", "s3://bucket/key"),
        ("C:\\data\\x", "C:/data/x"),
    ],
)
def test_normal_form(text: str, normal: str) -> None:
    assert PathPattern(text).text == normal
    assert PathPattern(normal).text == normal
    if "*" not in text:
        assert normalise_path(text) == (normal.rstrip("/") or "/" if normal != "./" else ".")


@pytest.mark.parametrize(
    ("one", "two", "meet"),
    [
        ("data/*.csv", "data/x.csv", True),
        ("data/*.csv", "data/sub/x.csv", False),
        ("data/**/*.csv", "data/x.csv", True),
        ("data/", "data/sub/x.csv", True),
        ("data/", "data", True),
        ("data/", "database", False),
        ("data/a*", "data/*b", True),
        ("data/a*.csv", "data/*b.json", False),
        ("data/[ab]*", "data/[!ab]*", False),
        ("data/[a-f]1", "data/[f-z]?", True),
        ("out**.json", "out/deep/x.json", True),
        ("out**.json", "*/x.csv", False),
        ("**", "/tmp/x", False),
        ("**", "../x", False),
        ("**", "~/x", False),
        ("/tmp/*", "/tmp/x", True),
        ("/tmp/**", "/var/**", False),
        ("../*", "../x", True),
        ("~/x*", "~/xy", True),
        ("~/x*", "~ann/xy", False),
        ("[z-a]x", "[z-a]x", False),
        ("a[", "a?", True),
        ("app/[[]id[]]/page.tsx", "app/*/page.tsx", True),
        (".", "./", True),
        (".", "**", True),
        ("**/.git/", ".git/hooks/x", True),
    ],
)
def test_overlap_cases(one: str, two: str, meet: bool) -> None:
    first, second = PathPattern(one), PathPattern(two)
    assert first.overlaps(second) is meet
    assert second.overlaps(first) is meet


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        ("src/", "src/app/main.py", True),
        ("src/", "src/*.py", True),
        ("src/", "src", True),
        ("src", "src/app.py", False),
        ("src/*", "src/app/main.py", False),
        ("src/**", "src/**/*.py", True),
        ("**/*.py", "src/*.py", True),
        ("src/*.py", "src/[a-z]*.py", True),
        ("src/[a-z]*.py", "src/*.py", False),
        ("data/*.csv", "data/2024-*.csv", True),
        ("**", "**/", True),
        ("./", "*", True),
        ("[!a]", "[b-z]", True),
        ("[ab]", "[a-c]", False),
        ("data/", "data**.json", False),
        ("/tmp/", "/tmp/x*", True),
        ("/", "/tmp/x*", True),
    ],
)
def test_cover_cases(wide: str, narrow: str, covers: bool) -> None:
    assert PathPattern(wide).covers(PathPattern(narrow)) is covers


def test_cover_by_a_union_of_alternatives() -> None:
    """No single branch of the wide pattern covers the narrow one; its subsets together do."""
    assert PathPattern("**/a/**").covers(PathPattern("a/**"))
    assert PathPattern("*a*").covers(PathPattern("*a*a*"))
    assert not PathPattern("*a*a*").covers(PathPattern("*a*"))


def test_patterns_survive_pickling_and_sort() -> None:
    patterns = [PathPattern("b/*"), PathPattern("a/")]
    assert pickle.loads(pickle.dumps(patterns)) == patterns
    assert [pattern.text for pattern in sorted(patterns)] == ["a/", "b/*"]


def test_many_wildcards_stay_cheap() -> None:
    stars = PathPattern("*a" * 40)
    other = PathPattern("*b" * 40)
    assert not stars.overlaps(other)
    assert stars.overlaps(PathPattern("*" + "ab" * 40 + "*"))
    assert PathPattern("**/a" * 12).overlaps(PathPattern("**/b/**/a"))


@pytest.mark.parametrize(("text", "path"), [("[a]b", "ab"), ("a[", "a["), ("app/[[]i[]]/x", "app/[i]/x"), ("x]", "x]")])
def test_one_path_has_one_spelling(text: str, path: str) -> None:
    pattern = PathPattern(text)
    assert pattern.literal == path
    assert pattern == PathPattern(escape(path))


@given(patterns)
@settings(max_examples=150, deadline=None)
def test_every_match_ends_with_the_literal_suffix(text: str) -> None:
    pattern = PathPattern(text)
    for path in PATHS:
        if path != "." and pattern.matches(path):
            assert f"/{path}".endswith(pattern.literal_suffix)


def test_a_folder_is_what_lies_below() -> None:
    assert PathPattern("data").below == PathPattern("data/")
    assert PathPattern("data/").below == PathPattern("data/")


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 200 + "b", "a" * 4000),
        ("**/a/" * 100 + "b", "a/" * 1500 + "c"),
        ("**/" + "*a" * 50 + "/**/b", ("a" * 100 + "/") * 30 + "c"),
        ("x**a" * 50 + "b", "xa" * 1500),
        ("[ab]*" * 300 + "c/", "ab" * 2000),
    ],
)
def test_many_wildcards_are_no_trap(pattern: str, path: str) -> None:
    assert not PathPattern(pattern).matches(path)
