"""Identity of processes: told apart from later ones with the same number."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import msgspec
import psutil


class ProcessIdentity(msgspec.Struct, frozen=True):
    """One process on one machine, for good.

    Attributes:
        pid: process number.
        host: name of the machine, and of the process-number namespace where there are several.
        started: when the process started, in a form that only serves comparison; "" when it could not be told.
    """

    pid: int
    host: str
    started: str

    @classmethod
    def current(cls) -> ProcessIdentity:
        """The identity of the calling process."""
        return cls(os.getpid(), host_name(), start_token(os.getpid()))

    def is_alive(self) -> bool | None:
        """Whether the process still runs; None when it lives on another machine and cannot be asked.

        A living process that started at another time is a later one with a reused number, so the answer is False.
        """
        if self.host != host_name():
            return None
        token = start_token(self.pid)
        return bool(token) and (token == self.started or "" in (self.started, token.strip("?")))


def host_name() -> str:
    """Name of this machine; in a container, its process-number namespace is part of it."""
    try:
        namespace = f"/{Path('/proc/self/ns/pid').stat().st_ino:x}"
    except OSError:
        namespace = ""
    return socket.gethostname() + namespace


def start_token(pid: int) -> str:
    """When a process started, comparable for equality; "" when there is no such process, "?" when it is not told.

    On Linux it is the boot's identity with the start in clock ticks since boot, which no change of the clock moves
    (proc(5), field 22 of /proc/PID/stat); elsewhere psutil's creation time. A zombie counts as gone, since it holds
    nothing any more.
    """
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_bytes()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return ""
        # The command's name may hold spaces and parentheses; the fields begin behind the last one.
        fields = stat[stat.rindex(b")") + 2 :].split()
        if fields[0] in (b"Z", b"X"):
            return ""
        return f"{boot}:{fields[19].decode()}"
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.3f}"
    except psutil.AccessDenied:
        return "?"
    except psutil.Error:
        return ""
