"""Stage files of DVC: a `.dvc` file, or a `Dvcfile`, with a command of its own.

The form of DVC before `dvc.yaml`, which DVC still runs: one stage a file, paths relative to its `wdir`, no templating.
Other `.dvc` files say where data is kept, and are no tasks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.manifests.reader import is_clean, unique_paths
from taskgates.model.patterns import escape, normalise_path
from taskgates.model.task import Command, DeclaredPath, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.manifests.yaml_source import YamlNode
    from taskgates.tree.tree import Tree

_SIZE = 1 << 20


def joined(folder: str, text: str) -> str:
    """A path relative to the root, or as it is where it leads elsewhere (another disk, a URL)."""
    absolute = normalise_path(text)
    anchored = absolute.startswith(("/", "~")) or "://" in absolute or absolute[1:3] == ":/"
    return absolute if anchored or not folder else normalise_path(f"{folder}/{text}")


def is_stage_file(tree: Tree, file: str) -> bool:
    """Whether a file is such a stage, as far as can be told without parsing it."""
    name = file.rpartition("/")[2]
    if name != "Dvcfile" and (not name.endswith(".dvc") or name == ".dvc"):
        return False
    data = tree.read_bytes(file, _SIZE)
    return data is not None and (data.startswith(b"cmd:") or b"\ncmd:" in data)


def stage_of(file: str, root: YamlNode, form: str) -> Task | None:
    """The task of a stage file; None where it has no command.

    Args:
        file: its path, which is the stage's name in DVC as well.
        root: its content.
        form: the name of the format that the task gets.
    """
    command = root.get("cmd") if root.kind == "mapping" else None
    lines = [part.text for part in (command.items if command.kind == "sequence" else [command])] if command else []
    if not lines or not all(line.strip() and "\0" not in line and is_clean(line) for line in lines):
        return None
    wdir = root.get("wdir")
    folder = joined(file.rpartition("/")[0], wdir.text if wdir is not None and wdir.text else ".")
    folder = "" if folder == "." else folder
    return Task(
        id=file,
        format=form,
        span=root.members["cmd"][0].span,
        title=file,
        command=Command(shell="\n".join(["set -e", *lines]) if len(lines) > 1 else lines[0], cwd=folder or "."),
        reads=unique_paths(list(_paths(root, "deps", folder))),
        writes=unique_paths(list(_paths(root, "outs", folder))),
        declares_reads=True,
        runner_files=(".dvc/**",),
    )


def _paths(root: YamlNode, field: str, folder: str) -> Iterator[DeclaredPath]:
    found = root.get(field)
    for item in found.items if found is not None and found.kind == "sequence" else ():
        path = item.get("path") if item.kind == "mapping" else None
        if path is not None and path.text.strip() and "\0" not in path.text and is_clean(path.text):
            yield DeclaredPath(escape(joined(folder, path.text)), path.span)
