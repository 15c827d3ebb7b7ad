"""Whether a file below `.taskgates` may be trusted with what is to be written into it."""

from __future__ import annotations

import os
import stat


def is_ours(status: os.stat_result, kind: int) -> bool:
    """Whether a file is what it should be, under no second name, and nobody else's to write.

    A link would lead out of the repository, into a file that is none of taskgates' business; and whoever writes the
    records decides what a later command finds.

    Args:
        status: of the file itself, as `lstat` gives it.
        kind: `stat.S_IFDIR` or `stat.S_IFREG`.
    """
    if stat.S_IFMT(status.st_mode) != kind or (kind == stat.S_IFREG and status.st_nlink > 1):
        return False
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid in (os.geteuid(), 0) and not status.st_mode & stat.S_IWOTH
