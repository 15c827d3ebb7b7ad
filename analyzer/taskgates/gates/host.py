"""What the machine has and how much of it is in use, measured over a short window.

In a container the limits that count are those of its control group, not the host's: a quota of CPU time, a limit of
memory. Both versions of the interface are read (Linux kernel documentation, admin-guide/cgroup-v2 and cgroup-v1); where
a group is nested, the tightest limit on the way up holds. This is the only module of the gates that looks at the
outside.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import msgspec
import psutil

_CGROUP_MOUNT = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")
_UNLIMITED = 1 << 60
"""Version 1 says "no limit" with a number near 2**63."""


class HostMeasurement(msgspec.Struct, frozen=True):
    """The state of the machine, or of the container.

    Attributes:
        cpu_count: CPUs that may be used; a fraction under a quota.
        cpu_percent: use of these CPUs during the window, 0 to 100.
        memory_total: bytes that may be used.
        memory_used: bytes that are, caches that can be dropped left out.
        open_files_limit: file handles that a process may have open; None where there is no such limit.
        open_files: file handles that this process has open.
        window_seconds: how long the CPUs were watched.
        cpu_limited_by: `host` or `cgroup`.
        memory_limited_by: `host` or `cgroup`.
    """

    cpu_count: float
    cpu_percent: float
    memory_total: int
    memory_used: int
    open_files_limit: int | None
    open_files: int
    window_seconds: float = 0.0
    cpu_limited_by: str = "host"
    memory_limited_by: str = "host"

    @property
    def memory_percent(self) -> float:
        """Use of the memory, 0 to 100."""
        return 100 * self.memory_used / self.memory_total if self.memory_total else 0.0


class ControlGroup(msgspec.Struct, frozen=True):
    """The limits of the control group that this process belongs to; None where there is none.

    Attributes:
        cpus: CPUs' worth of time.
        memory_limit: bytes.
        memory_used: bytes, inactive file cache left out; None when it cannot be read.
        cpu_usage_file: where the CPU time used by the limited group is counted.
    """

    cpus: float | None = None
    memory_limit: int | None = None
    memory_used: int | None = None
    cpu_usage_file: Path | None = None

    def cpu_seconds(self) -> float | None:
        """CPU time that the group has used so far; None when it cannot be read."""
        if self.cpu_usage_file is None:
            return None
        if self.cpu_usage_file.name == "cpu.stat":
            usage = _stat_value(self.cpu_usage_file, "usage_usec")
            return usage / 1e6 if usage is not None else None
        nanoseconds = _number(self.cpu_usage_file)
        return nanoseconds / 1e9 if nanoseconds is not None else None


def read_control_group(membership: str, mount: Path = _CGROUP_MOUNT) -> ControlGroup:
    """The limits that hold for a process.

    Args:
        membership: content of `/proc/self/cgroup`.
        mount: where the control group file system is mounted.
    """
    unified: str | None = None
    controllers: dict[str, str] = {}
    for line in membership.splitlines():
        hierarchy, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if hierarchy == "0" and not names:
            unified = path
        else:
            controllers.update(dict.fromkeys(names.split(","), path))
    if unified is not None and (mount / "cgroup.controllers").exists():
        return _version_2(mount, unified)
    return _version_1(mount, controllers)


def measure_host(window_seconds: float = 0.1) -> HostMeasurement:
    """Watch the machine for a moment.

    Args:
        window_seconds: how long to watch the CPUs; the call takes this long.
    """
    try:
        group = read_control_group(_OWN_CGROUP.read_text(encoding="utf-8"))
    except OSError:
        group = ControlGroup()
    cpus = float(_usable_cpus())
    quota = group.cpus if group.cpus is not None and group.cpus < cpus else None
    before, started = group.cpu_seconds() if quota is not None else None, time.monotonic()
    percent = psutil.cpu_percent(interval=window_seconds)
    elapsed = time.monotonic() - started
    if quota is not None:
        cpus = quota
        after = group.cpu_seconds()
        if before is not None and after is not None and elapsed > 0:
            percent = min(100.0, 100 * (after - before) / (elapsed * quota))
    memory = psutil.virtual_memory()
    total, used, limited_by = memory.total, memory.total - memory.available, "host"
    if group.memory_limit is not None and group.memory_limit < total:
        total, limited_by = group.memory_limit, "cgroup"
        used = group.memory_used if group.memory_used is not None else used
    return HostMeasurement(
        cpu_count=cpus,
        cpu_percent=percent,
        memory_total=total,
        memory_used=min(used, total),
        open_files_limit=_open_files_limit(),
        open_files=_open_files(),
        window_seconds=elapsed,
        cpu_limited_by="host" if quota is None else "cgroup",
        memory_limited_by=limited_by,
    )


def _version_2(mount: Path, path: str) -> ControlGroup:
    cpus: float | None = None
    cpu_usage: Path | None = None
    memory: int | None = None
    used: int | None = None
    for folder in _upwards(mount, path):
        fields = _text(folder / "cpu.max").split()
        if len(fields) == 2 and fields[0].isdecimal() and fields[1].isdecimal() and int(fields[1]):
            share = int(fields[0]) / int(fields[1])
            if cpus is None or share < cpus:
                cpus, cpu_usage = share, folder / "cpu.stat"
        limit = _number(folder / "memory.max")
        if limit is not None and (memory is None or limit < memory):
            memory = limit
            used = _in_use(folder / "memory.current", folder / "memory.stat", "inactive_file")
    return ControlGroup(cpus, memory, used, cpu_usage)


def _version_1(mount: Path, controllers: dict[str, str]) -> ControlGroup:
    cpus: float | None = None
    cpu_usage: Path | None = None
    memory: int | None = None
    used: int | None = None
    for folder in _upwards(mount / "cpu", controllers.get("cpu", "/")):
        quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
        if quota is not None and quota > 0 and period and (cpus is None or quota / period < cpus):
            cpus = quota / period
            accounting = mount / "cpuacct" / folder.relative_to(mount / "cpu") / "cpuacct.usage"
            cpu_usage = accounting if accounting.exists() else None
    for folder in _upwards(mount / "memory", controllers.get("memory", "/")):
        limit = _number(folder / "memory.limit_in_bytes")
        if limit is not None and limit < _UNLIMITED and (memory is None or limit < memory):
            memory = limit
            used = _in_use(folder / "memory.usage_in_bytes", folder / "memory.stat", "total_inactive_file")
    return ControlGroup(cpus, memory, used, cpu_usage)


def _upwards(mount: Path, path: str) -> list[Path]:
    """The group's folder and those above it, up to the mount.

    In a container the path may be the host's, of which nothing is mounted inside; then the mount itself is the group.
    """
    names = [name for name in path.split("/") if name not in ("", ".", "..")]
    folders = [mount.joinpath(*names[:length]) for length in range(len(names), -1, -1)]
    return [folder for folder in folders if folder.is_dir()]


def _in_use(total: Path, statistics: Path, cache: str) -> int | None:
    amount = _number(total)
    if amount is None:
        return None
    return max(0, amount - (_stat_value(statistics, cache) or 0))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.removeprefix("-").isdecimal() else None


def _stat_value(path: Path, key: str) -> int | None:
    for line in _text(path).splitlines():
        name, _, value = line.partition(" ")
        if name == key and value.strip().isdecimal():
            return int(value)
    return None


def _usable_cpus() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _open_files_limit() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def _open_files() -> int:
    process = psutil.Process()
    try:
        if sys.platform == "win32":
            return process.num_handles()
        return process.num_fds()
    except psutil.Error:
        return 0
