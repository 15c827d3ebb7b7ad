"""Modes, flags, conditions and the small languages of rows."""

from __future__ import annotations

import contextlib
import os
import string
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.inference.effects import Condition, ConditionTest, OpenRule, PathExpr, Piece, ReturnForm, Returns, Step
from taskgates.inference.effects.errors import GrammarError
from taskgates.inference.effects.grammar import (
    parse_arg,
    parse_params,
    parse_path,
    parse_piece,
    parse_returns,
    parse_template,
)
from taskgates.inference.effects.model import operations_of_flags, operations_of_mode
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Callable

MODES = [mode + binary + plus for mode in "rwax" for binary in ("", "b", "t") for plus in ("", "+")]


@pytest.mark.parametrize("mode", MODES)
def test_operations_of_a_mode_agree_with_what_open_does(tmp_path: Path, mode: str) -> None:
    """Writing after opening an existing file shows whether the content is kept, lost, extended or refused."""
    file = tmp_path / "file"
    file.write_bytes(b"before")
    data = b"new" if "b" in mode else "new"
    operations = operations_of_mode(mode)
    try:
        with file.open(mode) as handle:
            readable, writable = handle.readable(), handle.writable()
            if writable:
                handle.write(data)
    except FileExistsError:
        assert operations == (Operation.CREATE,)
        return
    after = file.read_bytes()
    assert (Operation.READ in operations) == (readable and after != b"new")
    assert (Operation.APPEND in operations) == (after == b"beforenew")
    assert (Operation.OVERWRITE in operations) == (after == b"new")
    assert (Operation.UPDATE in operations) == (after == b"newore")


@pytest.mark.parametrize(
    ("mode", "operations"),
    [
        ("r:gz", (Operation.READ,)),
        ("w|xz", (Operation.OVERWRITE,)),
        ("x:bz2", (Operation.CREATE,)),
        ("rU", (Operation.READ,)),
        ("w-", (Operation.CREATE,)),
        ("+rb", (Operation.READ, Operation.UPDATE)),
        ("", (Operation.READ,)),
        ("q", ()),
        ("+", ()),
    ],
)
def test_modes_of_archives_and_unheard_of_ones(mode: str, operations: tuple[Operation, ...]) -> None:
    assert operations_of_mode(mode) == operations


@pytest.mark.skipif(sys.platform != "linux", reason="the numbers are Linux's")
@pytest.mark.parametrize(
    ("flags", "operations"),
    [
        (os.O_RDONLY, ["read"]),
        (os.O_RDONLY | os.O_CLOEXEC, ["read"]),
        (os.O_WRONLY | os.O_CREAT | os.O_TRUNC, ["overwrite"]),
        (os.O_WRONLY | os.O_CREAT | os.O_EXCL, ["create"]),
        (os.O_WRONLY | os.O_CREAT | os.O_APPEND, ["append"]),
        (os.O_WRONLY, ["update"]),
        (os.O_RDWR | os.O_CREAT, ["read", "update"]),
        (os.O_RDWR | os.O_CREAT | os.O_TRUNC, ["overwrite"]),
        (os.O_RDONLY | getattr(os, "O_DIRECTORY", 0), ["list"]),
        (getattr(os, "O_PATH", 0), ["stat"]),
    ],
)
def test_operations_of_flags(flags: int, operations: list[str]) -> None:
    assert [str(operation) for operation in operations_of_flags(flags)] == operations


def test_modes_of_their_own_come_first() -> None:
    rule = OpenRule(PathExpr((Piece("name"),), bare=True), "mode", modes={"a": (Operation.READ, Operation.UPDATE)})
    assert rule.operations("a") == (Operation.READ, Operation.UPDATE)
    assert rule.operations("w") == (Operation.OVERWRITE,)
    assert rule.operations(None) == (Operation.READ,)


@pytest.mark.parametrize(
    ("test", "values", "value", "passed", "holds"),
    [
        (ConditionTest.EQUAL, (True,), True, True, True),
        (ConditionTest.EQUAL, (True,), ".bak", True, True),
        (ConditionTest.EQUAL, (True,), None, False, False),
        (ConditionTest.EQUAL, (False,), None, False, True),
        (ConditionTest.EQUAL, (False,), "", True, True),
        (ConditionTest.EQUAL, (1,), True, True, False),
        (ConditionTest.EQUAL, ("zip", "tar"), "tar", True, True),
        (ConditionTest.EQUAL, ("zip", "tar"), "gztar", True, False),
        (ConditionTest.GIVEN, (), "x", True, True),
        (ConditionTest.GIVEN, (), None, True, False),
        (ConditionTest.GIVEN, (), "default", False, False),
        (ConditionTest.ABSENT, (), None, True, True),
        (ConditionTest.ABSENT, (), 0, True, False),
        (ConditionTest.MATCHES, (r"(?i)^\s*insert",), " INSERT INTO t", True, True),
        (ConditionTest.MATCHES, (r"(?i)^\s*insert",), "select 1", True, False),
        (ConditionTest.MATCHES, (r"\.db$",), Path("x.db"), True, True),
        (ConditionTest.MATCHES, (".",), None, False, False),
        (ConditionTest.MATCHES, (".",), 3, True, False),
        (ConditionTest.PATH, (), "a: b", True, False),
        (ConditionTest.PATH, (), Path("a/b"), True, True),
        (ConditionTest.STRING, (), "a/b", True, True),
        (ConditionTest.STRING, (), Path("a/b"), True, True),
        (ConditionTest.STRING, (), ("localhost", 80), True, False),
    ],
)
def test_conditions(
    test: ConditionTest, values: tuple[str | bool | int, ...], value: object, passed: bool, holds: bool
) -> None:
    assert Condition("p", test, values).holds(value, given=passed) is holds


def test_a_parameter_list_is_split_as_python_splits_it() -> None:
    params = parse_params(["a", "/", "b", "*rest", "c", "**more"])
    assert (params.positional, params.keyword_only, params.star, params.double_star) == (
        ("a", "b"),
        ("c",),
        "rest",
        "more",
    )
    assert parse_params(["a", "*", "b"]).keyword_only == ("b",)


def test_path_expressions() -> None:
    assert parse_path("src") == PathExpr((Piece("src"),), bare=True)
    assert parse_path("{src}") == PathExpr((Piece("src"),))
    assert parse_path("{d}/**/{s.stem}*.gz") == PathExpr((Piece("d"), "/**/", Piece("s", (Step("stem"),)), "*.gz"))
    assert parse_path("{self.loader.kept(path)}/x").names == ("self",)
    assert str(parse_path("{a.with_suffix(.bak)}~")) == "{a.with_suffix(.bak)}~"
    assert parse_template("mlruns").parts == ("mlruns",)


@pytest.mark.parametrize("text", ["{a}}", "{}", "{a b}", "{a.}", "{a.nope}", "{a.stem(x)}", "{{a}}", "{self.a.b}"])
def test_path_expressions_that_do_not_parse(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_path(text)


def test_return_types() -> None:
    text = Returns(ReturnForm.TYPE, "str")
    assert parse_returns("dict[str, list[str]]") == Returns(
        ReturnForm.TYPE, "dict", (text, Returns(ReturnForm.TYPE, "list", (text,)))
    )
    assert parse_returns("optional[str]") == parse_returns("str | none")
    assert parse_returns("list[=x[]]").args[0] == Returns(ReturnForm.ELEMENT, piece=Piece("x"))
    assert parse_returns("=x.stem").piece == Piece("x", (Step("stem"),))
    handle = parse_returns("handle({d}/a,b.txt, wb)")
    assert (str(handle.path), handle.mode) == ("{d}/a,b.txt", "wb")
    assert parse_returns("lib.Future[call]") == Returns(ReturnForm.TYPE, "lib.Future", (Returns(ReturnForm.CALL),))
    assert parse_returns("decorator(later)").mode == "later"


def test_callback_arguments() -> None:
    assert str(parse_arg("x").piece) == "x"
    assert [parse_arg(text).form for text in ("x", "x[]", "*x", "*x[]", "?", ":str")] == [
        "value",
        "element",
        "star",
        "star-element",
        "unknown",
        "instance",
    ]
    assert parse_piece("handler.startElement", attributes=True).steps == (Step("startElement"),)


@given(st.text(alphabet=string.ascii_letters + "{}[]()=.*|,? _", max_size=30))
def test_no_text_breaks_the_parsers(text: str) -> None:
    parsers: list[Callable[[str], object]] = [
        parse_path,
        parse_returns,
        parse_arg,
        parse_piece,
        lambda each: parse_params(each.split()),
    ]
    for parse in parsers:
        with contextlib.suppress(GrammarError):
            parse(text)
