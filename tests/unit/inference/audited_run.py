"""Runs one program in this process under Python's audit hook and writes what it did to files, one JSON row a line.

Usage: python audited_run.py LOG (FILE | -m MODULE) [ARG]...

Left out: what fails because the path is not there (or is there already), module files that the import system reads,
and everything outside the working directory at the start.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import threading
from typing import Any

_LOADERS = ("<frozen importlib", "<frozen runpy", "<frozen zipimport")


def operations_of(flags: int) -> tuple[str, ...]:
    """The words of `taskgates.model.access.Operation` for how a file is opened."""
    if flags & os.O_EXCL:
        return ("create",)
    if flags & os.O_APPEND:
        return ("append", "read") if flags & os.O_RDWR else ("append",)
    if flags & os.O_TRUNC:
        return ("overwrite",)
    if flags & os.O_RDWR:
        return ("update", "read")
    return ("update",) if flags & os.O_WRONLY else ("read",)


class Recorder:
    """The audit hook: rows of `[operation, path]` below `root`."""

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)
        self.rows: list[tuple[str, str]] = []
        self.ended = False
        # Of each thread by itself: one thread's hook must not hide what another does meanwhile.
        self.busy = threading.local()

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.ended or not event.startswith(("open", "os.")) or getattr(self.busy, "here", False):
            return
        self.busy.here = True
        try:
            self.take(event, args)
        finally:
            self.busy.here = False

    def take(self, event: str, args: tuple[Any, ...]) -> None:
        """Note one event."""
        if _is_loading():
            return
        if event == "open":
            path, _, flags = args
            if isinstance(path, int) or not isinstance(flags, int):
                return
            operations = operations_of(flags)
            if operations == ("read",) and not os.path.isfile(path):
                return
            if operations == ("create",) and os.path.exists(path):
                return
            for operation in operations:
                self.add(operation, path)
        elif event in ("os.listdir", "os.scandir"):
            self.add("list", args[0] if args[0] is not None else ".")
        elif event in ("os.remove", "os.rmdir"):
            if os.path.isfile(args[0]):
                self.add("delete", args[0])
        elif event == "os.rename":
            self.add("rename", args[0])
            self.add("overwrite", args[1])
        elif event in ("os.link", "os.symlink"):
            self.add("create", args[1])
        elif event == "os.truncate":
            self.add("update", args[0])
        elif event == "os.mkdir":
            parent = os.path.dirname(os.path.abspath(args[0]))
            if os.path.isdir(parent) and not os.path.exists(args[0]):
                self.add("mkdir", args[0])

    def add(self, operation: str, path: Any) -> None:
        """Note one access, if it lies below the root."""
        if isinstance(path, int):
            return
        full = os.path.join(os.path.realpath(os.getcwd()), os.fsdecode(path))
        full = os.path.normpath(full)
        if full == self.root:
            self.rows.append((operation, "."))
        elif full.startswith(self.root + "/"):
            self.rows.append((operation, full[len(self.root) + 1 :]))


def _is_loading() -> bool:
    return sys._getframe(3).f_code.co_filename.startswith(_LOADERS)


def main() -> None:
    """Run the program; the log is written when it ends, by whatever way."""
    log, *words = sys.argv[1:]
    recorder = Recorder(".")
    import atexit

    def save() -> None:
        recorder.ended = True
        with open(log, "w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(row) + "\n" for row in recorder.rows)

    atexit.register(save)
    if words[0] == "-m":
        sys.argv = words[1:]
        sys.path[0] = os.path.abspath(".")
        sys.addaudithook(recorder)
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        sys.path[0] = os.path.abspath(os.path.dirname(words[0]))
        sys.addaudithook(recorder)
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main()
