"""Code scanning's line hash against the values that the upload action publishes for the same texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.reporting.fingerprints import line_hashes

GREETING_WITH_FINAL_LINE_ENDING = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (
            " a\nb\n  \t\tc\n d",
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
        ),
        (
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End",
            [
                "8b7cf3e952e7aeb2:1",
                "b1ae1287ec4718d9:1",
                "bff680108adb0fcc:1",
                "c6805c5e1288b612:1",
                "b86d3392aea1be30:1",
                "e6ceba753e1a442:1",
            ],
        ),
        (" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", GREETING_WITH_FINAL_LINE_ENDING),
        (" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", GREETING_WITH_FINAL_LINE_ENDING),
        (" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", GREETING_WITH_FINAL_LINE_ENDING),
        (" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", GREETING_WITH_FINAL_LINE_ENDING),
        (
            "Lorem ipsum dolor sit amet.\n" * 10,
            [
                "a7f2ff13bc495cf2:1",
                "a7f2ff13bc495cf2:2",
                "a7f2ff13bc495cf2:3",
                "a7f2ff13bc495cf2:4",
                "a7f2ff13bc495cf2:5",
                "a7f2ff13bc495cf2:6",
                "a7f2ff1481e87703:1",
                "a9cf91f7bbf1862b:1",
                "55ec222b86bcae53:1",
                "cc97dc7b1d7d8f7b:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
    ],
)
def test_published_values(text: str, expected: list[str]) -> None:
    assert line_hashes(text) == expected


def test_characters_beyond_the_basic_plane_count_as_two_units() -> None:
    assert line_hashes("\U0001f40d") == line_hashes("\ud83d\udc0d")


@given(st.text(alphabet="ab \t\n\r\u00e9\U0001f40d", max_size=300), st.integers(0, 3))
def test_indentation_and_lines_above_change_nothing(text: str, above: int) -> None:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    shifted = "unlike anything below\n" * above + "\n".join(" \t" + line for line in plain.split("\n"))
    values = [value.split(":")[0] for value in line_hashes(plain)]
    assert [value.split(":")[0] for value in line_hashes(shifted)][above:] == values
