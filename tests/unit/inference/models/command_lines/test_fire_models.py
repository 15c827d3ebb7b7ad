"""Programs that use Python Fire; the expected files are those that real runs with Fire 0.7 created."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest
from taskgates.inference.models.command_lines.fire_cli import parse_value
from unit.inference.models.command_lines import command_line_programs as programs

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
    import fire
    from pathlib import Path

    def copy(src, dst="out.txt", n=1, *, fast=False, **extra):
        for i in range(n):
            Path(f"{dst}{i}{fast}").write_text(src)
        for key, value in extra.items():
            open(f"{key}-{value}", "w")

    def many(*names, tag=None):
        for name in names:
            open(f"{name}{tag}", "w")

    class Job:
        def __init__(self, root="r", level=0):
            self.root = root
            self.level = level

        def run(self, name, items=[1]):
            for item in items:
                open(f"{self.root}-{name}-{item}-{self.level}", "w")
            return self

        def stop_all(self):
            open("stop", "w")

    class Need:
        def __init__(self, x):
            self.job = Job(root=x)

    fire.Fire({"copy": copy, "many": many, "job": Job, "need": Need, "obj": Job("inst"), "group": {"a-b": many}})
    open("after", "w")
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("copy in.txt", "out.txt0False after"),
        ("copy in.txt --dst=q --n 2 --fast", "q0True q1True after"),
        ("copy --src in.txt -d z --k=5", "out.txt0False d-z k-5 after"),
        ("many a b c --tag=x", "ax bx cx after"),
        ("many 1.50 2", "1.5None 2None after"),
        ("job run nm", "r-nm-1-0 after"),
        ("job --root=q --level 2 run nm --items=[1,a,2]", "q-nm-1-2 q-nm-a-2 q-nm-2-2 after"),
        ("job run nm - stop-all", "r-nm-1-0 stop after"),
        ("need --x=p job run z", "p-z-1-0 after"),
        ("obj run z [3]", "inst-z-3-0 after"),
        ("group a-b 1 2", "1None 2None after"),
        ("--help", ""),
    ],
)
def test_program(tmp_path: Path, line: str, expected: str) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(PROGRAM))
    found = programs.analyse(tmp_path, "app.py", *line.split())
    assert not found.opaque
    assert programs.written(found) == set(expected.split())


def test_left_over_words_end_the_program_after_the_call(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(PROGRAM))
    found = programs.analyse(tmp_path, "app.py", "copy", "s", "d", "1", "left")
    assert [reason.reason for reason in found.opaque] == ["the command line does not fit: could not consume left"]
    assert programs.written(found) == {"d0False"}


def test_unknown_command_line_reaches_every_member(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(PROGRAM) + '\nif __name__ == "__main__":\n    pass\n')
    found = programs.analyse_source(tmp_path, "app.py")
    assert {"stop", "after"} <= programs.written(found)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1", 1),
        ("-2.5", -2.5),
        ("name", "name"),
        ("data/x.csv", "data/x.csv"),
        ("[a,b,1]", ["a", "b", 1]),
        ("{k: v}", {"k": "v"}),
        ("(1,x)", (1, "x")),
        ("'quoted'", "quoted"),
        ("True", True),
        ("a b", "a b"),
        ("2020-01-01", "2020-01-01"),
        ("", ""),
    ],
)
def test_words_become_values(word: str, value: object) -> None:
    assert parse_value(word) == value
