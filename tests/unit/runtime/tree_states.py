"""Random trees, random changes to them, and their exact comparison, for the tests of checkpoints."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

NAMES = ("a", "b.csv", "c.csv", "dir", "sub", ".hidden", "weird name\n")


def snapshot(root: Path, *, folder_times: bool = True) -> dict[str, tuple[Any, ...]]:
    """Kind, permissions, time, content and link target of everything below a folder but the state folder."""
    found: dict[str, tuple[Any, ...]] = {}
    for parent, folders, files in os.walk(root):
        if parent == str(root):
            folders[:] = [name for name in folders if name != ".taskgates"]
        for name in folders + files:
            path = Path(parent, name)
            status = path.lstat()
            mode, time = stat.S_IMODE(status.st_mode), status.st_mtime_ns
            key = path.relative_to(root).as_posix()
            if path.is_symlink():
                found[key] = ("link", time, os.readlink(path))
            elif path.is_dir():
                found[key] = ("folder", mode, time if folder_times else 0)
            elif path.is_file():
                found[key] = ("file", mode, time, path.read_bytes())
            else:
                found[key] = ("other", stat.S_IFMT(status.st_mode))
    return found


def random_path(source: random.Random, depth: int = 3) -> str:
    return "/".join(source.choice(NAMES) for _ in range(source.randint(1, depth)))


def change(root: Path, relative: str, source: random.Random) -> None:
    """One random change at a path; parents are made where they are missing; what links make impossible is left out."""
    with contextlib.suppress(OSError):
        _change(root, relative, source)


def _change(root: Path, relative: str, source: random.Random) -> None:
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    exists = path.is_symlink() or path.exists()
    is_folder = path.is_dir() and not path.is_symlink()
    action = source.choice(
        ("write", "write", "append", "delete", "chmod", "touch", "link", "mkdir", "same size", "fifo")
    )
    if action == "delete":
        if is_folder:
            shutil.rmtree(path)
        elif exists:
            path.unlink()
    elif action == "chmod" and exists and not path.is_symlink():
        path.chmod(source.choice((0o500, 0o755, 0o700) if is_folder else (0o400, 0o600, 0o644, 0o755)))
    elif action == "touch" and exists:
        os.utime(path, ns=(source.randrange(10**18), source.randrange(10**18)), follow_symlinks=False)
    elif action == "same size" and path.is_file() and not path.is_symlink():
        # The worst case for change detection: as long as before, and the old time put back.
        status, data = path.stat(), path.read_bytes()
        path.write_bytes(bytes(byte ^ 1 for byte in data))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif action in ("write", "append") and not is_folder:
        if path.is_symlink():
            path.unlink()
        if path.exists() and not path.is_file():
            return
        with path.open("ab" if action == "append" else "wb") as stream:
            stream.write(source.randbytes(source.randint(0, 40)))
    elif action in ("link", "fifo", "mkdir"):
        if is_folder and source.random() < 0.7:
            return
        if is_folder:
            shutil.rmtree(path)
        elif exists:
            path.unlink()
        if action == "link":
            path.symlink_to(source.choice(("a", "../b.csv", "nowhere", ".")))
        elif action == "fifo":
            os.mkfifo(path)
        else:
            path.mkdir()
