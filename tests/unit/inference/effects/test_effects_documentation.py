"""The examples and tables of docs/effects.md agree with what the loader takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from taskgates.inference.effects import load_effects
from taskgates.inference.effects.grammar import TRANSFORMS
from taskgates.inference.effects.rows import KEYS
from taskgates.model.access import Operation

DOCUMENT = Path(__file__).parents[4] / "docs" / "effects.md"


@pytest.fixture(scope="module")
def text() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def examples() -> list[str]:
    blocks = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return [block for block in blocks if block.startswith('["')]


@pytest.mark.parametrize("number", range(len(examples())))
def test_examples_load(number: int, tmp_path: Path) -> None:
    table = tmp_path / "example.toml"
    table.write_text(examples()[number], encoding="utf-8")
    assert len(load_effects([table], packaged=False)) > 0


def test_every_key_is_explained(text: str) -> None:
    words = set(re.findall(r"\w+", text))
    assert {key for keys in KEYS.values() for key in keys} - words == set()


def test_every_step_and_operation_is_explained(text: str) -> None:
    assert [name for name in TRANSFORMS if f"`.{name}" not in text] == []
    assert [str(operation) for operation in Operation if f"`{operation}`" not in text] == []
