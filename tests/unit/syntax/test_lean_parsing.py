"""The parse leaves out what no representation needs, and nothing else."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import libcst as cst
import pytest
from taskgates.syntax import ir
from taskgates.syntax.lower import lower_source

_WITH_LAYOUT = "\n# {value=}\n"
"""A comment that looks like a field whose source is shown, so that the layout of the whole text is kept."""


@pytest.mark.parametrize("module", [ast, textwrap, pytest, cst])
def test_the_layout_changes_no_representation(module: object) -> None:
    text = Path(str(module.__file__)).read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert lower_source(text) == lower_source(text + _WITH_LAYOUT)


def test_subscripts_with_a_trailing_comma_are_tuples_without_layout_too() -> None:
    text = "rows[1,]\nrows[1]\nrows[1:2, ...]\nfrom .. import up\n"
    assert lower_source(text) == lower_source(text + _WITH_LAYOUT)


@pytest.mark.parametrize("field", ["{a  +  b = }", "{a  +  b =!r}", "{a  +  b =:>{width}}"])
def test_a_field_that_shows_its_source_keeps_the_layout(field: str) -> None:
    lowered = lower_source(f'print(f"{field}")\n')
    assert isinstance(lowered, ir.Module)
    call = lowered.body[0]
    assert isinstance(call, ir.ExprStmt)
    assert isinstance(call.value, ir.Call)
    text = call.value.args[0].value
    assert isinstance(text, ir.Joined)
    shown = text.parts[0]
    assert isinstance(shown, ir.Const)
    assert str(shown.value).rstrip() == "a  +  b ="


def test_others_get_whole_trees_from_the_parser() -> None:
    text = "def f( a,b ):  # why\n    return (a , b)\n\n"
    lower_source(text)
    assert cst.parse_module(text).code == text
