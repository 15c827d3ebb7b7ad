"""What the tests of programs that start programs share: a tree laid out, and what a shell command touches in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.engine import Analyser, InferenceOptions
from taskgates.model.task import Command
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def touched(root: Path, files: Mapping[str, str | bytes], command: str) -> tuple[set[str], set[str]]:
    """The paths that a shell command reads and writes in a tree."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = Analyser(Tree(root), InferenceOptions(environ={})).command(Command(argv=("sh", "-c", command)))
    reads = {str(access.path) for access in found.reads if access.operation.value == "read"}
    writes = {str(access.path) for access in found.writes if access.operation.value != "mkdir"}
    return reads, writes
