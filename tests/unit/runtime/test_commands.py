from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Command, DeclaredPath, Task
from taskgates.runtime.commands import command_line, fill_template
from taskgates.runtime.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path

SPAN = SourceSpan("tasks/1.json")


def task(**fields: object) -> Task:
    return Task(**{"id": "110_1", "format": "claude-tasks", "span": SPAN, **fields})  # type: ignore[arg-type]


def words(template: str, given_task: Task, folder: Path) -> str:
    line = fill_template(template, given_task, str(folder))
    return subprocess.run(line.argv, cwd=line.cwd, capture_output=True, text=True, check=True).stdout


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.sampled_from(["printf '[%s]' {title}", 'printf "[%s]" "{title}"', "printf '[%s]' '{title}'"]))
def test_a_value_is_one_word_whatever_it_holds(title: str, template: str) -> None:
    line = fill_template(template, task(title=title), "/")
    result = subprocess.run(line.argv, cwd="/", capture_output=True, check=True)
    assert result.stdout.decode() == f"[{title}]"


@pytest.mark.parametrize("title", ["$(touch pwned)", "`touch pwned`", "'; touch pwned; '", '"; touch pwned; "', "a\nb"])
def test_nothing_in_a_title_is_executed(tmp_path: Path, title: str) -> None:
    for template in (
        "echo {title}",
        'echo "x {title} y"',
        "echo 'x {title} y'",
        "echo \"a\"{title}'b'",
        'echo x\\"{title}',
    ):
        try:
            words(template, task(title=title), tmp_path)
        except subprocess.CalledProcessError:
            pytest.fail(f"{template} broke the shell's syntax")
    assert list(tmp_path.iterdir()) == []


def test_fields(tmp_path: Path) -> None:
    files = (DeclaredPath("a b.py", SPAN), DeclaredPath("c.py", SPAN))
    given_task = task(title="T", difficulty=3.0, edits=files, writes=files)
    assert words("echo task-{id}.{difficulty} {{x}} && echo {manifest}", given_task, tmp_path) == (
        "task-110_1.3 {x}\ntasks/1.json\n"
    )
    assert words("printf '[%s]' {files}", given_task, tmp_path) == "[a b.py][c.py]"
    assert words("pwd; echo {root}", given_task, tmp_path) == f"{tmp_path}\n{tmp_path}\n"
    assert fill_template("make task-{id}", given_task, "/").shown == "make task-110_1"


@pytest.mark.parametrize("template", ["", "make {nothing}", "make {id", "make {}", "make {id!r}", "make {id:>5}"])
def test_wrong_templates_are_explained(template: str) -> None:
    with pytest.raises(CommandError, match="--exec"):
        fill_template(template, task(), "/")


def test_own_commands(tmp_path: Path) -> None:
    shell = command_line(task(command=Command(shell="echo $HOME", cwd="sub")), tmp_path)
    assert shell.argv == ("/bin/sh", "-c", "echo $HOME")
    assert shell.cwd == str(tmp_path / "sub")
    vector = command_line(task(command=Command(argv=(sys.executable, "a b.py"))), tmp_path)
    assert vector.argv == (sys.executable, "a b.py")
    with pytest.raises(CommandError, match=r"task 110_1 \(tasks/1.json:1:1\) has no command"):
        command_line(task(), tmp_path)
