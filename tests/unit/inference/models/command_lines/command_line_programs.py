"""Runs small programs for real and through the analyser, so that tests can compare what files they write."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from taskgates.inference.engine import Analyser, InferenceOptions
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Command, Task
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.model.access import AccessSet


def analyse(folder: Path, *argv: str, environ: dict[str, str] | None = None) -> AccessSet:
    """The access set of `python ARGV` in a folder."""
    analyser = Analyser(Tree(folder), InferenceOptions(environ=environ or {}))
    return analyser.command(Command(argv=("python", *argv)))


def analyse_source(folder: Path, file: str) -> AccessSet:
    """The access set of a source file whose command line is not known."""
    task = Task(id="t", format="test", span=SourceSpan("tasks", 1, 1, 1, 1), title="t", sources=(file,))
    found = Analyser(Tree(folder)).task(task)
    assert found is not None
    return found


def written(found: AccessSet) -> set[str]:
    """The paths and patterns that a program writes, folders left out."""
    return {str(access.path) for access in found.writes if access.operation.value != "mkdir"}


def really_written(folder: Path, *argv: str, environ: dict[str, str] | None = None) -> set[str]:
    """The files that a real run creates in a folder."""
    before = files(folder)
    subprocess.run(
        [sys.executable, "-B", *argv],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8", **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return files(folder) - before


def files(folder: Path) -> set[str]:
    """All files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
