"""Capacity: decisions over given numbers, and measurements of this machine and of made-up control groups."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (pytest resolves annotations at run time)

import pytest
from taskgates.gates.capacity import CapacityLimits, Resource, decide_capacity
from taskgates.gates.host import HostMeasurement, measure_host, read_control_group

GIB = 1 << 30


def host(cpu: float = 10, memory: float = 30, limit: int | None = 1024, used: int = 24) -> HostMeasurement:
    return HostMeasurement(4, cpu, 16 * GIB, int(16 * GIB * memory / 100), limit, used, 0.1)


def test_an_idle_machine_takes_as_many_tasks_as_there_are_slots() -> None:
    decision = decide_capacity(5, host())
    assert (decision.allowed, decision.available, decision.shortages) == (True, 5, ())


def test_a_group_larger_than_the_slots_is_refused() -> None:
    decision = decide_capacity(6, host())
    assert not decision.allowed
    assert [shortage.message for shortage in decision.shortages] == ["6 tasks requested, 5 of 5 slots free"]


def test_running_tasks_take_slots() -> None:
    decision = decide_capacity(3, host(), running=3)
    assert (decision.allowed, decision.available, decision.requested) == (False, 2, 3)
    assert "2 of 5 slots free (3 running)" in decision.shortages[0].message


@pytest.mark.parametrize(
    ("measurement", "limits", "resource", "available", "words"),
    [
        (host(cpu=93), CapacityLimits(), Resource.CPU, 0, "CPU at 93 % of 4 CPUs over 0.1 s, limit 80 %"),
        (host(cpu=30), CapacityLimits(cpus_per_task=1), Resource.CPU, 2, "2.0 CPUs for 3 tasks of 1"),
        (host(memory=75), CapacityLimits(), Resource.MEMORY, 0, "memory at 75 % (12288 of 16384 MiB), limit 70 %"),
        (host(memory=60), CapacityLimits(memory_per_task=GIB), Resource.MEMORY, 1, "MiB for 3 tasks of 1024 MiB"),
        (
            host(limit=64),
            CapacityLimits(),
            Resource.FILE_HANDLES,
            2,
            "40 of 64 file handles left, 3 tasks of 16 need 48",
        ),
    ],
)
def test_each_resource_can_refuse(
    measurement: HostMeasurement, limits: CapacityLimits, resource: Resource, available: int, words: str
) -> None:
    decision = decide_capacity(3, measurement, limits)
    (shortage,) = decision.shortages
    assert not decision.allowed
    assert (decision.available, shortage.resource) == (available, resource)
    assert words in shortage.message


def test_overload_may_be_only_said() -> None:
    decision = decide_capacity(2, host(cpu=99), CapacityLimits(refuse_overload=False))
    assert decision.allowed
    assert decision.available == 5
    assert [shortage.resource for shortage in decision.shortages] == [Resource.CPU]


def test_without_a_measurement_the_slots_decide() -> None:
    assert decide_capacity(5, None).allowed
    assert not decide_capacity(6, None).allowed


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)


def test_version_2_takes_the_tightest_limit_on_the_way_up(tmp_path: Path) -> None:
    write(tmp_path, cgroup__controllers="cpu memory\n")
    write(
        tmp_path / "pod", cpu__max="150000 100000\n", cpu__stat="usage_usec 2500000\nuser_usec 1\n", memory__max="max\n"
    )
    write(
        tmp_path / "pod/box",
        cpu__max="max 100000\n",
        memory__max=f"{2 * GIB}\n",
        memory__current=f"{GIB}\n",
        memory__stat=f"anon 5\ninactive_file {GIB // 4}\n",
    )
    group = read_control_group("0::/pod/box\n", tmp_path)
    assert (group.cpus, group.memory_limit, group.memory_used) == (1.5, 2 * GIB, GIB - GIB // 4)
    assert group.cpu_seconds() == pytest.approx(2.5)


def test_version_2_inside_a_namespace(tmp_path: Path) -> None:
    write(tmp_path, cgroup__controllers="", cpu__max="50000 100000", memory__max="1000")
    group = read_control_group("0::/../elsewhere\n", tmp_path)
    assert (group.cpus, group.memory_limit, group.memory_used) == (0.5, 1000, None)


def test_version_1(tmp_path: Path) -> None:
    write(tmp_path / "cpu/box", cpu__cfs_quota_us="200000", cpu__cfs_period_us="100000")
    write(tmp_path / "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    write(tmp_path / "cpuacct/box", cpuacct__usage="3000000000\n")
    write(
        tmp_path / "memory/box",
        memory__limit_in_bytes="4096",
        memory__usage_in_bytes="2048",
        memory__stat="total_inactive_file 48\n",
    )
    write(tmp_path / "memory", memory__limit_in_bytes="9223372036854771712")
    group = read_control_group("4:cpu,cpuacct:/box\n3:memory:/box\n0::/box\n", tmp_path)
    assert (group.cpus, group.memory_limit, group.memory_used) == (2, 4096, 2000)
    assert group.cpu_seconds() == pytest.approx(3)


def test_no_control_group_no_limits(tmp_path: Path) -> None:
    group = read_control_group("", tmp_path)
    assert (group.cpus, group.memory_limit, group.cpu_seconds()) == (None, None, None)


def test_this_machine() -> None:
    measurement = measure_host(0.01)
    assert measurement.cpu_count > 0
    assert 0 <= measurement.cpu_percent <= 100
    assert 0 < measurement.memory_used <= measurement.memory_total
    assert 0 <= measurement.memory_percent <= 100
    assert measurement.open_files > 0
