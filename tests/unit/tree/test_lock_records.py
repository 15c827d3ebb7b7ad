"""The record of locks, read beside the processes that hold them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest
from taskgates.runtime.lock_table import write_table
from taskgates.runtime.locks import LockManager
from taskgates.tree.lock_records import Lease, LockMode, LockRecordError, LockTable, lock_holders
from taskgates.tree.processes import ProcessIdentity

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys
from taskgates.runtime.locks import LockManager
lease = LockManager(sys.argv[1]).acquire("7", exclusive=["out/*.csv"], shared=["in.txt"])
print("held", flush=True)
sys.stdin.readline()
"""


def listed(root: Path) -> list[tuple[str, str, LockMode, bool]]:
    return [(each.task, each.path, each.mode, each.stale) for each in lock_holders(root)]


def test_nothing_is_held_and_nothing_made_where_nothing_ever_ran(tmp_path: Path) -> None:
    assert lock_holders(tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


def test_locks_of_living_and_of_killed_processes(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        expected = [("7", "in.txt", LockMode.SHARED), ("7", "out/*.csv", LockMode.EXCLUSIVE)]
        assert listed(tmp_path) == [(*each, False) for each in expected]
        assert {each.pid for each in lock_holders(tmp_path)} == {holder.pid}
        holder.kill()
    assert listed(tmp_path) == [(*each, True) for each in expected]
    assert lock_holders(tmp_path) == LockManager(tmp_path).status()
    LockManager(tmp_path).clean()
    assert listed(tmp_path) == []


def test_a_number_used_again_and_another_machine(tmp_path: Path) -> None:
    """Without a session's lock the start of the process tells; in doubt it lives."""
    folder = tmp_path / ".taskgates" / "locks"
    folder.mkdir(parents=True)
    me = ProcessIdentity.current()
    processes = {
        "alive": me,
        "reused": msgspec.structs.replace(me, started="another boot:1"),
        "elsewhere": msgspec.structs.replace(me, host="another machine"),
    }
    leases = [
        Lease(number, name, f"session {name}", process, 0.0, (f"{name}.txt",), ())
        for number, (name, process) in enumerate(processes.items(), start=1)
    ]
    write_table(folder, LockTable(len(leases) + 1, leases))
    assert {each.task: each.stale for each in lock_holders(tmp_path)} == {
        "alive": False,
        "reused": True,
        "elsewhere": False,
    }


@pytest.mark.parametrize("text", ["", "{", '{"version": 1, "granted": 3}', '{"version": 2}'])
def test_a_damaged_record_is_told_with_its_place(text: str, tmp_path: Path) -> None:
    folder = tmp_path / ".taskgates" / "locks"
    folder.mkdir(parents=True)
    path = folder / "table.0000000000000001.json"
    path.write_text(text)
    with pytest.raises(LockRecordError, match=path.name):
        lock_holders(tmp_path)
