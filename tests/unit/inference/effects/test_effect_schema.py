"""Faults in effect tables are reported with file and line, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from taskgates.inference.effects import EffectTable, EffectTableError, load_effects


def load(tmp_path: Path, text: str) -> EffectTable:
    table = tmp_path / "mine.toml"
    table.write_text(text, encoding="utf-8")
    return load_effects([table], packaged=False)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('["a.f"]\nparams = ["x"]\nreads = ["x"]\n', 3, "unknown key `reads`"),
        ('["a.f"]\nparams = ["x"]\n\nread = ["y"]\n', 4, "speaks of `y`, which is not among `params`"),
        ('# head\n\n["a.f"]\nread = ["x"]\n', 4, "speaks of `x`"),
        ('["a.f"]\nparams = ["x", "x"]\n', 2, "it comes twice"),
        ('["a.f"]\nparams = ["self", "x"]\n', 2, "leave `self` out"),
        ('["a.f"]\nparams = ["**k", "x"]\n', 2, "nothing may follow"),
        ('["a.f"]\nparams = ["x y"]\n', 2, "is not a parameter"),
        ('["a.f"]\nparams = 3\n', 2, "must be a string or a list of strings"),
        ('["a.f"]\nparams = ["x"]\nread = ["{x"]\n', 3, "braces"),
        ('["a.f"]\nparams = ["x"]\nread = [""]\n', 3, "empty"),
        ('["a.f"]\nparams = ["x"]\nread = ["{x.stemm}"]\n', 3, "no transformation"),
        ('["a.f"]\nparams = ["x"]\nread = ["{x.with_suffix}"]\n', 3, "takes an argument"),
        ('["a.f"]\nparams = ["x"]\nread = ["{x.into(y)}"]\n', 3, "speaks of `y`"),
        ('["a.f"]\nparams = ["x"]\nread = [{ path = "x", if = {} }]\n', 3, "unknown key `if`"),
        ('["a.f"]\nparams = ["x"]\nread = [{ path = "x", when = { y = true } }]\n', 3, "speaks of `y`"),
        ('["a.f"]\nparams = ["x"]\nopen = { path = "x", default = "q" }\n', 3, "not a mode"),
        ('["a.f"]\nparams = ["x"]\nopen = { path = "x", modes = { a = "grow" } }\n', 3, "`grow` is no operation"),
        ('["a.f"]\nparams = ["x"]\nopen = { path = "x", how = "r" }\n', 3, "unknown key `how`"),
        ('["a.f"]\nparams = ["x"]\nreturns = "list[str"\n', 3, "brackets must match"),
        ('["a.f"]\nreturns = "file(x)"\n', 2, "take parentheses"),
        ('["a.f"]\nreturns = "=x"\n', 2, "speaks of `x`"),
        ('["a.f"]\nreturns = "a b"\n', 2, "is not a type"),
        ('["a.f"]\nparams = ["x"]\nreturns = [{ value = "int", when = { x = 1 } }]\n', 3, "last entry of `returns`"),
        ('["a.f"]\nreturns = [{ type = "int" }, "str"]\n', 2, "unknown key `type`"),
        (
            '["a.f"]\nparams = ["x"]\nread = [{ path = "x", when = { x = { matches = "(" } } }]\n',
            3,
            "regular expression",
        ),
        ('["a.f"]\nparams = ["x"]\nread = [{ path = "x", when = { x = { like = "y" } } }]\n', 3, "unknown test `like`"),
        ('["a.f"]\nkind = "function"\n', 2, "must be one of callable, type, module, value"),
        ('["a.f"]\nkeep = ["x"]\n', 2, "unknown key `keep` in the row of a callable"),
        ('["a"]\nkind = "module"\nunlisted = "self"\n', 3, "`unlisted` must be"),
        ('["a.C"]\nkind = "type"\nlock = "acquire"\n', 3, "`lock` must be true on a type"),
        ('["a.v"]\nkind = "value"\n', 1, "needs `returns` or `constant`"),
        ('["a.g"]\nalias = "a.f"\nparams = []\n', 3, "an alias has no other keys"),
        ('["a.g"]\nalias = "a.g"\n', 2, "something else"),
        ('["a-b"]\nkind = "module"\n', 1, "is not a qualified name"),
        ('["a.f"]\nparams = ["f"]\ncalls = [{ function = "g" }]\n', 3, "speaks of `g`"),
        ('["a.f"]\nparams = ["f"]\ncalls = [{ function = "f", args = "x" }]\n', 3, "`args` must be a list"),
        ('["a.f"]\nparams = ["f"]\ncalls = [{ function = "f", async = true }]\n', 3, "unknown key `async`"),
        ('["a.f"]\nparams = ["f"]\nlaunch = { argv = "g" }\n', 3, "speaks of `g`"),
        ('["a.f"]\nparams = ["f"]\nexecutes = { text = "f" }\n', 3, "unknown key `text`"),
        ('["a.f"]\nparams = ["f"]\nsuffix = { f = "npz" }\n', 3, "endings such as"),
        ('["a.f"]\nends = "yes"\n', 2, "must be true or false"),
        ('["a.f"]\norigin = "moon"\n', 2, "must be one of"),
        ('["a.f"]\nparams = [\n', 2, "not valid TOML"),
        ('x = 1\n["a.f"]\n', 1, "every row begins with its qualified name"),
        ("[a.f]\nparams = []\n", 1, 'write ["a.f"]'),
        ('["a.f"]\n\n["a.f"]\n', 3, "comes twice in this file, first on line 1"),
    ],
)
def test_fault_is_reported_at_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(EffectTableError) as caught:
        load(tmp_path, text)
    assert next(problem.line for problem in caught.value.problems) == line
    assert any(message in problem.message for problem in caught.value.problems if problem.line == line)
    assert str(caught.value).startswith(f"{tmp_path / 'mine.toml'}:{line}: ")


def test_every_fault_of_every_table_is_reported(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('["a.f"]\nreads = []\nwrites = []\n', encoding="utf-8")
    (tmp_path / "two.toml").write_bytes(b'["a.g"]\nreturns = "\xff"\n')
    (tmp_path / "three.toml").write_text('["a.h"]\nreturns = "=x"\n', encoding="utf-8")
    with pytest.raises(EffectTableError) as caught:
        load_effects([tmp_path, tmp_path / "four.toml"], packaged=False)
    places = [(Path(problem.file).name, problem.line) for problem in caught.value.problems]
    assert places == [("four.toml", 1), ("one.toml", 2), ("one.toml", 3), ("three.toml", 2), ("two.toml", 1)]


def test_faulty_parameter_list_hides_no_other_fault_and_adds_none(tmp_path: Path) -> None:
    with pytest.raises(EffectTableError) as caught:
        load(tmp_path, '["a.f"]\nparams = ["x", "x"]\nread = ["x"]\nends = 1\n')
    assert [problem.line for problem in caught.value.problems] == [2, 4]


def test_commands_table_in_a_folder_is_left_to_its_own_reader(tmp_path: Path) -> None:
    (tmp_path / "commands.toml").write_text("[cp]\nsource = 1\n", encoding="utf-8")
    (tmp_path / "mine.toml").write_text('["a.f"]\nreturns = "str"\n', encoding="utf-8")
    assert list(load_effects([tmp_path], packaged=False)) == ["a.f"]
