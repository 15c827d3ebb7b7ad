"""What the tests of pipeline runners share: a tree laid out, a command inferred, and what came of it."""

from __future__ import annotations

import shlex
import textwrap
from typing import TYPE_CHECKING

from taskgates.inference.engine import Analyser, InferenceOptions
from taskgates.model.access import AccessSet, Operation
from taskgates.model.task import Command
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def infer(root: Path, files: Mapping[str, str], command: str) -> AccessSet:
    """Lay out a tree and infer what a command does in it."""
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(content), encoding="utf-8")
    return Analyser(Tree(root), InferenceOptions()).command(Command(argv=tuple(shlex.split(command))))


def read(found: AccessSet) -> set[str]:
    """The paths that are read, a question mark for an unknown one."""
    return {str(access.path or "?") for access in found.reads if access.operation is Operation.READ}


def written(found: AccessSet, *own: str) -> set[str]:
    """The paths that are written, without folders and what lies below the runner's own names."""
    paths = {str(access.path or "?") for access in found.writes if access.operation is not Operation.MKDIR}
    return {path for path in paths if not path.startswith(own)} if own else paths
