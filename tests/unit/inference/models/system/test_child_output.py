"""What short commands print is known to the program that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.models.pipelines.runs import infer, written

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"src/a.c": '#include "a.h"\n', "src/a.h": "", "names.txt": "x\ny\n"}


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("subprocess.check_output(['gcc', '-MM', 'src/a.c']).decode()", "a.o: src/a.c src/a.h\n"),
        ("subprocess.check_output('cat names.txt | head -n 1', shell=True, text=True)", "x\n"),
        ("subprocess.run(['cat', 'names.txt'], capture_output=True, text=True).stdout", "x\ny\n"),
        ("subprocess.run(['cat', 'names.txt'], stdout=subprocess.PIPE).stdout.decode()", "x\ny\n"),
        ("subprocess.getoutput('cat names.txt')", "x\ny"),
        ("os.popen('cc -MM src/a.c').read()", "a.o: src/a.c src/a.h\n"),
        ("subprocess.check_output(['tool', 'names.txt'], text=True)", None),
        ("subprocess.check_output('cat names.txt; rm names.txt', shell=True, text=True)", None),
    ],
)
def test_what_a_child_prints_is_known(tmp_path: Path, call: str, expected: str | None) -> None:
    name = expected.encode().hex() if expected is not None else None
    program = f"import os, subprocess\nsaid = {call}\nopen(said.encode().hex(), 'w')\n"
    found = infer(tmp_path, {**FILES, "run.py": program}, "python run.py")
    assert bool({"*", "?"} & written(found)) is (name is None)
    assert name is None or name in written(found)
