"""Locks that are taken on open files: `fcntl` and `os.lockf`.

Shared locks are left alone: they keep no other reader out, and guard nothing against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import function
from taskgates.inference.values import NONE, AnyValue, Known

if TYPE_CHECKING:
    from taskgates.inference.models.registry import Machine
    from taskgates.inference.objects import Arguments

_EXCLUSIVE, _AT_ONCE, _UNLOCK = 2, 4, 8
"""The bits of `LOCK_EX`, `LOCK_NB` and `LOCK_UN`."""
_ULOCK, _LOCK, _TLOCK = 0, 1, 2
"""The commands of `os.lockf`."""


@function("fcntl.flock", "fcntl.lockf")
def lock_file(machine: Machine, args: Arguments) -> AnyValue:
    """`flock(file, operation)`."""
    machine.may_raise("OSError")
    file, operation = args.get(0, "fd"), args.get(1, "operation") or args.get(1, "cmd")
    bits = operation.value if isinstance(operation, Known) and isinstance(operation.value, int) else 0
    if bits & _UNLOCK:
        machine.unlock_open_file(file)
    elif bits & _EXCLUSIVE:
        machine.lock_open_file(file, waits=not bits & _AT_ONCE)
    return NONE


@function("os.lockf")
def lock_section(machine: Machine, args: Arguments) -> AnyValue:
    """`os.lockf(fd, command, length)`."""
    machine.may_raise("OSError")
    file, command = args.get(0, "fd"), args.get(1, "command")
    what = command.value if isinstance(command, Known) else None
    if what == _ULOCK:
        machine.unlock_open_file(file)
    elif what in (_LOCK, _TLOCK):
        machine.lock_open_file(file, waits=what == _LOCK)
    return NONE


@function("os.close")
def close_file(machine: Machine, args: Arguments) -> AnyValue | None:
    """`os.close(fd)` gives its lock back; the rest is in the tables."""
    machine.unlock_open_file(args.get(0, "fd"))
    return None


__all__ = ["close_file", "lock_file", "lock_section"]
