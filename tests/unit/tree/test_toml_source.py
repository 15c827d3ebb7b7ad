import tomllib

import pytest
from taskgates.tree.toml_source import load_toml


@pytest.mark.parametrize(
    "text",
    [
        "",
        'a.b."c.d".\'e\' = 1\n[x.y]\nz = [1, 2.5, {q.r = "a.b"}]\n',
        "s = '" + ".".join("a" * 500) + "'\n# " + ".".join("b" * 500) + "\n",
        'm = """\n' + "word " * 1000 + '"""\n',
        ".".join("k" * 32) + " = 1\n",
    ],
)
def test_documents_are_decoded_as_the_standard_library_does(text: str) -> None:
    assert load_toml(text) == tomllib.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n" + ".".join("a" * 50_000) + " = 1\n",
        "[" + " . ".join("a" * 50_000) + "]\n",
        "x = {" + ".".join(["'a'"] * 50_000) + " = 1}\n",
        "x = " + "[" * 50_000,
        "x = " + "{a=" * 50_000,
        "x = ",
        "x = " + "9" * 5_000,
    ],
)
def test_whatever_is_wrong_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        load_toml(text)


def test_the_place_of_a_deep_key_is_told() -> None:
    with pytest.raises(ValueError, match=r"more than 32 parts \(at line 3, column 1\)"):
        load_toml("x = 1\n\n" + ".".join("a" * 40) + " = 1\n")


def test_no_text_makes_the_check_itself_slow() -> None:
    pieces = {"a": 2_000_000, "a.": 1_000_000, "a . ": 500_000, ",": 2_000_000, "' ": 1_000_000, '["': 700_000}
    for text in (piece * count for piece, count in pieces.items()):
        with pytest.raises(ValueError, match=r"\S"):
            load_toml(text)
