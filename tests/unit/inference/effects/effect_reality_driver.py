"""Carries out calls in scratch folders and tells which files each of them really read and wrote.

Runs in a process of its own, because an audit hook cannot be taken back: reads cases as JSON from standard input and
prints one record for each. A case is a list of steps, `[callable, args, kwargs]`, where a later step's callable begins
with a dot and is a method of what the step before returned.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Watch:
    """Notes which files below the current root are opened, removed and renamed."""

    def __init__(self) -> None:
        self.root = ""
        self.reads: set[str] = set()
        self.writes: set[str] = set()
        self.either: set[str] = set()

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        """An audit hook."""
        if not self.root:
            return
        if event == "open":
            self._opened(args[0], args[2])
        elif event == "sqlite3.connect":
            # SQLite opens the file itself, unseen; what it wrote shows in the content.
            self._note(self.either, str(args[0]).removeprefix("file:").partition("?")[0])
        elif event == "os.truncate" or (event == "os.remove" and args[1] == -1):
            # Removals relative to an open folder show in what is left.
            self._note(self.writes, args[0])
        elif event == "os.rename":
            self._note(self.writes, args[1])
            self._note(self.writes, args[0])
        elif event in ("os.symlink", "os.link"):
            self._note(self.writes, args[1])

    def _opened(self, path: object, flags: object) -> None:
        if not isinstance(flags, int):
            return
        access = flags & os.O_ACCMODE
        fresh = flags & (os.O_TRUNC | os.O_EXCL)
        if access != os.O_RDONLY:
            # Opened to be read and updated: whether it was shows in the content.
            self._note(self.writes if fresh or access == os.O_WRONLY or flags & os.O_CREAT else self.either, path)
        if access != os.O_WRONLY and not fresh and isinstance(path, (str, bytes, os.PathLike)) and os.path.isfile(path):
            self._note(self.reads, path)

    def _note(self, found: set[str], path: object) -> None:
        if isinstance(path, int):
            return
        text = os.path.abspath(os.fsdecode(path))  # type: ignore[arg-type]
        if text.startswith(self.root + "/") and not os.path.isdir(text):
            found.add(text[len(self.root) + 1 :])


def snapshot(root: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def resolve(name: str) -> Any:
    """The object of a qualified name."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        with contextlib.suppress(ImportError):
            value = importlib.import_module(".".join(parts[:end]))
            for part in parts[end:]:
                value = getattr(value, part)
            return value
    raise ImportError(name)


def real(argument: Any) -> Any:
    """An argument as the call gets it: `{root}` is the scratch folder, `path:` begins a path object."""
    if isinstance(argument, str):
        text = argument.replace("{root}", os.getcwd())
        return Path(text[5:]) if text.startswith("path:") else text
    return argument


def carry_out(steps: list[list[Any]]) -> None:
    """Run the steps of a case and drop what they return, so that files are closed."""
    value: Any = None
    for name, args, kwargs in steps:
        function = getattr(value, name[1:]) if name.startswith(".") else resolve(name)
        value = function(*map(real, args), **{key: real(arg) for key, arg in kwargs.items()})
        if hasattr(value, "__next__") and not isinstance(value, io.IOBase):
            with contextlib.suppress(OSError):
                list(value)
    for closing in ("close", "cleanup"):
        if hasattr(value, closing):
            getattr(value, closing)()


def run(template: Path, steps: list[list[Any]], watch: Watch) -> Record:
    """Run one case in a copy of the template."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve() / "root"
        shutil.copytree(template, root, symlinks=True)
        before = snapshot(root)
        os.chdir(root)
        watch.reads, watch.writes, watch.either, watch.root = set(), set(), set(), str(root)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                carry_out(steps)
        except Exception as error:  # noqa: BLE001 - whatever a library raises belongs into the record
            return {"error": f"{type(error).__name__}: {error}"}
        finally:
            watch.root = ""
            os.chdir("/")
        after = snapshot(root)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    code = {path for path in watch.reads | watch.writes | changed if "__pycache__" in path or path.endswith(".pyc")}
    writes = (watch.writes | changed) - code
    return {"reads": sorted(watch.reads - code), "writes": sorted(writes), "either": sorted(watch.either)}


def main() -> None:
    """Read the cases, run each, print the records."""
    warnings.simplefilter("ignore")
    request = json.load(sys.stdin)
    # Modules are loaded first, so that a case does not count what an import opens.
    for steps in request["cases"]:
        for name, _, _ in steps:
            if not name.startswith("."):
                with contextlib.suppress(ImportError, AttributeError):
                    resolve(name)
    watch = Watch()
    sys.addaudithook(watch.hook)
    records = [run(Path(request["template"]), steps, watch) for steps in request["cases"]]
    sys.stdout.write(json.dumps(records))


if __name__ == "__main__":
    main()
