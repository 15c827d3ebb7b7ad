"""Looking names up: aliases, bases, what is assumed of unlisted names, tables of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from taskgates.inference.effects import (
    EffectTable,
    EffectTableError,
    Kind,
    ReturnForm,
    Returns,
    Row,
    load_effects,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from pathlib import Path

MINE = """
["acme"]
kind = "module"
unlisted = "pure"

["acme.Store"]
kind = "type"
params = ["path", "mode"]
open = { path = "path", mode = "mode", default = "r" }
keep = ["path"]
bases = ["acme.Base"]
attributes = { path = "text({self.path})" }

["acme.Store.put"]
params = ["key"]
update = ["{self.path}"]

["acme.Base"]
kind = "type"
unlisted = "self"
attributes = { size = "int" }

["acme.Base.put"]
params = ["key"]

["acme.Base.get"]
params = ["key"]
returns = "self"

["acme.io"]
alias = "acme"

["acme.io.special"]
returns = "int"

["acme.models.*"]
alias = "acme.Store"

["acme.models.load"]
params = ["path"]
read = ["path"]

["acme.default"]
kind = "value"
returns = "acme.Store"

["old.Warehouse"]
alias = "acme.io.Store"
"""


@pytest.fixture
def mine(tmp_path: Path) -> EffectTable:
    table = tmp_path / "acme.toml"
    table.write_text(MINE, encoding="utf-8")
    return load_effects([table], packaged=False)


def name_of(row: Row | None) -> str | None:
    return None if row is None else row.name


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("acme.Store", "acme.Store"),
        ("acme.io.Store", "acme.Store"),
        ("acme.io.Store.put", "acme.Store.put"),
        ("acme.Store.get", "acme.Base.get"),
        ("old.Warehouse.get", "acme.Base.get"),
        ("acme.io.special", "acme.io.special"),
        ("acme.models.Anything", "acme.Store"),
        ("acme.models.Anything.put", "acme.Store.put"),
        ("acme.models.load", "acme.models.load"),
        ("acme.default.put", "acme.Store.put"),
        ("acme.io.default.get", "acme.Base.get"),
        ("acme.other", None),
        ("acme.Store.other", None),
        ("elsewhere.f", None),
    ],
)
def test_lookup_follows_aliases_and_bases(mine: EffectTable, asked: str, found: str | None) -> None:
    assert name_of(mine.lookup(asked)) == found


def test_types_methods_and_attributes_go_through_the_bases(mine: EffectTable) -> None:
    assert mine.type("acme") is None
    assert [row.name for row in mine.linearisation("old.Warehouse")] == ["acme.Store", "acme.Base"]
    assert name_of(mine.method("acme.Store", "put")) == "acme.Store.put"
    assert mine.attribute("acme.Store", "size") == Returns(ReturnForm.TYPE, "int")
    assert mine.attribute("acme.Store", "nothing") is None
    assert mine.is_subtype("old.Warehouse", "acme.Base")
    assert not mine.is_subtype("acme.Base", "acme.Store")


def test_unlisted_names_are_judged_by_their_nearest_owner(mine: EffectTable) -> None:
    method = mine.unlisted("acme.Store.unheard_of")
    assert (method.opaque, method.returns.form, method.row) == (False, ReturnForm.SELF, "acme.Base")
    function = mine.unlisted("acme.io.sub.unheard_of")
    assert (function.opaque, function.returns.form, function.row) == (False, ReturnForm.UNKNOWN, "acme")
    assert mine.unlisted("acme.default.unheard_of") == method
    assert mine.unlisted("elsewhere.f").opaque


@pytest.mark.parametrize(
    ("module", "known"),
    [("acme", True), ("acme.models", True), ("acme.sub.module", True), ("old", True), ("ac", False), ("x.acme", False)],
)
def test_modules_that_are_known(mine: EffectTable, module: str, known: bool) -> None:
    assert mine.knows_module(module) is known


def test_aliases_in_a_circle_are_an_error(tmp_path: Path) -> None:
    table = tmp_path / "loop.toml"
    table.write_text('["a"]\nalias = "b"\n\n["b"]\nalias = "a"\n', encoding="utf-8")
    effects = load_effects([table], packaged=False)
    with pytest.raises(EffectTableError, match=r"loop\.toml:1: .*circle"):
        effects.lookup("a")
    with pytest.raises(EffectTableError, match="circle"):
        effects.lookup("a.f")


def test_user_rows_add_to_and_replace_packaged_ones(tmp_path: Path) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text(
        '["os.remove"]\nparams = ["path"]\nupdate = ["path"]\n\n["mine.f"]\nreturns = "int"\n', encoding="utf-8"
    )
    second.write_text('["mine.f"]\nreturns = "str"\n', encoding="utf-8")
    effects = load_effects([first, second])
    remove = effects.lookup("posix.remove")
    assert remove is not None
    assert [effect.operation for effect in remove.effects] == [Operation.UPDATE]
    replaced = effects.lookup("mine.f")
    assert replaced is not None
    assert replaced.returns == Returns(ReturnForm.TYPE, "str")
    unlink = effects.lookup("os.unlink")
    assert unlink is not None
    assert [effect.operation for effect in unlink.effects] == [Operation.DELETE]


def test_rows_know_where_they_stand(mine: EffectTable) -> None:
    row = mine.lookup("acme.Store.put")
    assert row is not None
    assert row.file.endswith("acme.toml")
    assert MINE.splitlines()[row.line - 1] == '["acme.Store.put"]'


def test_kinds_and_constants() -> None:
    effects = load_effects()
    flags = effects.lookup("os.O_CREAT")
    assert flags is not None
    assert (flags.kind, flags.constant) == (Kind.VALUE, 64)


@pytest.mark.parametrize("text", ["", "\n", "# Nothing yet.\n"])
def test_a_table_without_rows_changes_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    assert load_effects([tmp_path]).lookup("builtins.open") == load_effects().lookup("builtins.open")
