"""Command lines of which only some options are listed."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.inference.models.system.program_lines import CommandLine, LooseLine, UsageError
from taskgates.inference.text import Hole, Text, concat
from taskgates.inference.values import AnyValue, Known, as_value, text_of


def words(text: str) -> list[AnyValue]:
    return [Known(word) for word in text.split()]


def texts(values: list[AnyValue] | None) -> list[object]:
    return [text_of(value) for value in values or []]


def test_values_stand_behind_a_sign_a_letter_or_as_the_next_word() -> None:
    line = LooseLine(words("in --to=html -o out.html -qj4 - --from x"), ["--to", "--from", "-o", "-j"])
    assert line.text("--to") == "html"
    assert line.texts("-o", "-j") == ["out.html", "4"]
    assert line.flags == {"-q"}
    assert texts(line.operands) == ["in", "-"]
    assert line.behind is None


def test_what_stands_behind_two_dashes_is_an_operand_and_kept() -> None:
    line = LooseLine(words("run -v -- -x --to y"), ["--to"])
    assert texts(line.operands) == ["run", "-x", "--to", "y"]
    assert texts(line.behind) == ["-x", "--to", "y"]
    assert line.flags == {"-v"}


def test_the_first_operand_can_end_the_options() -> None:
    line = LooseLine(words("-c conf task --loud -c x"), ["-c"], mixed=False)
    assert line.texts("-c") == ["conf"]
    assert texts(line.operands) == ["task", "--loud", "-c", "x"]


def test_options_that_take_several_words_or_perhaps_one() -> None:
    line = LooseLine(
        words("-s lint test -db none --cov --cov src -p"), ["-db", "-p"], open_ended=["-s"], optional=["--cov"]
    )
    assert line.texts("-s") == ["lint", "test"]
    assert line.text("-db") == "none"
    assert line.texts("--cov") == ["src"]
    assert line.flags == {"-s", "--cov", "-p"}
    assert line.last("-p") is None


def test_options_of_several_letters_behind_one_dash() -> None:
    assert LooseLine(words("-inplace -ab"), (), whole=["-inplace"]).flags == {"-inplace", "-a", "-b"}


def test_a_value_that_is_known_in_part_is_kept() -> None:
    hole = Hole("data", False)
    given_: list[AnyValue] = [as_value(concat("--out=", hole, ".csv")), as_value(Text((hole,)))]
    line = LooseLine(given_, ["--out"])
    assert texts(line.every("--out")) == [concat(hole, ".csv")]
    assert texts(line.operands) == [Text((hole,))]
    assert line.text("--out") is None


def test_getopt_names_what_the_program_does_not_have() -> None:
    line = CommandLine(words("-o a --output b in"), "o:", ["output="], names={"o": "output"})
    assert line.texts("output") == ["a", "b"]
    assert line.has("output")
    with pytest.raises(UsageError):
        CommandLine(words("--what"), "", [])


@given(st.lists(st.sampled_from(["-q", "-v", "-qv", "-oX", "-o", "--out", "--out=Y", "in", "-", "--loud"]), max_size=6))
def test_it_agrees_with_argparse(line: list[str]) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    for name in ("-q", "-v", "--loud"):
        parser.add_argument(name, action="append_const", const=1)
    parser.add_argument("-o", "--out", action="append", default=[])
    parser.add_argument("operands", nargs="*")
    try:
        expected = parser.parse_intermixed_args(line)
    except (argparse.ArgumentError, SystemExit):
        return
    ours = LooseLine([Known(word) for word in line], ["-o", "--out"])
    assert ours.texts("-o", "--out") == expected.out
    assert texts(ours.operands) == expected.operands
    assert ours.flags == {
        flag for flag, on in (("-q", expected.q), ("-v", expected.v), ("--loud", expected.loud)) if on
    }
