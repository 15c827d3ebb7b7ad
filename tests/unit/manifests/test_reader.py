import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.manifests.reader import parse_path, parse_status
from taskgates.model.natural_order import natural_key
from taskgates.model.patterns import PathPattern
from taskgates.model.spans import SourceSpan
from taskgates.model.task import DeclaredPath, Status

SPAN = SourceSpan("m.json", 3, 4, 3, 9)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Pending", Status.PENDING),
        ("IN PROGRESS", Status.IN_PROGRESS),
        ("in_progress", Status.IN_PROGRESS),
        ("In-Progress", Status.IN_PROGRESS),
        ("Broken Down", Status.BROKEN_DOWN),
        ("absorbed", Status.ABSORBED),
        ("done", Status.FINISHED),
        ("Won't do", Status.FINISHED),
        ("Blocked", Status.BLOCKED),
        ("", Status.PENDING),
        ("Awaiting Moonrise", Status.PENDING),
    ],
)
def test_states_in_any_spelling(word: str, status: Status) -> None:
    assert parse_status(word) is status


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("src/a.py", "src/a.py"),
        ("./src//a.py", "src/a.py"),
        ("src/sub/../a.py", "src/a.py"),
        ("src/pkg/", "src/pkg/"),
        ("docs/*.md", "docs/*.md"),
        ("src\\a.py", "src/a.py"),
        (".github/x.yml", ".github/x.yml"),
        ("a b/c d.txt", "a b/c d.txt"),
        ("ünï/ç.txt", "ünï/ç.txt"),
    ],
)
def test_paths_are_normalised(text: str, expected: str) -> None:
    assert parse_path(text, SPAN) == DeclaredPath(expected, SPAN)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("/etc/passwd", "is not relative"),
        ("~/x", "is not relative"),
        ("C:\\x", "is not relative"),
        ("s3://bucket/x", "is not relative"),
        ("x" * 5000, "is longer than a path can be (4,096 characters)"),
        ("a/" * 3000 + "*", "is longer than a path can be (4,096 characters)"),
        ("*a" * 65, "has more than 64 wildcards"),
        ("../x", "leads out of the repository"),
        ("a/../../x", "leads out of the repository"),
        ("a\0b", "holds a character"),
        ("a\nb", "holds a character"),
        ("\ud800", "holds a character"),
    ],
)
def test_paths_out_of_the_repository_are_named(text: str, complaint: str) -> None:
    found = parse_path(text, SPAN)
    assert isinstance(found, str)
    assert complaint in found


def test_a_complaint_about_a_long_path_is_short() -> None:
    found = parse_path("/" + "x" * 1_000_000, SPAN)
    assert isinstance(found, str)
    assert len(found) < 250


def test_paths_relative_to_a_folder_may_climb_as_far_as_the_root() -> None:
    assert parse_path("../data/x", SPAN, "sub") == DeclaredPath("data/x", SPAN)
    assert parse_path("x/", SPAN, "a/b") == DeclaredPath("a/b/x/", SPAN)
    assert isinstance(parse_path("../../x", SPAN, "sub"), str)


@given(st.text(alphabet="aZ0_- ./\\*[]~:é", min_size=1, max_size=12))
def test_a_path_is_kept_exactly_as_its_pattern_reads(text: str) -> None:
    found = parse_path(text, SPAN)
    if isinstance(found, DeclaredPath):
        assert found.path == PathPattern(text).text


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300))))
def test_numbers_in_ids_sort_by_value(pairs: list[tuple[int, int]]) -> None:
    ids = [f"{first}_{second}" for first, second in pairs]
    assert [tuple(map(int, item.split("_"))) for item in sorted(ids, key=natural_key)] == sorted(pairs)


def test_natural_order_of_mixed_ids() -> None:
    ordered = ["1", "1.2", "1.10", "2", "10", "110", "110_2", "110_10", "110_10_1", "a2", "a10", "9" * 5000]
    assert sorted(ordered, key=natural_key) == [*ordered[:9], "9" * 5000, "a2", "a10"]
