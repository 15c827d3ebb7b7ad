"""Shared state of small programs against what is true of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from taskgates.model.access import SharedKind
from unit.inference.reality import analyse, write_tree
from unit.inference.shared_programs import PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_what_is_changed_under_which_locks(name: str, tmp_path: Path) -> None:
    code, truth = PROGRAMS[name]
    write_tree(tmp_path, code, data=False)
    found = analyse(tmp_path)
    assert not found.opaque
    changed = [
        (shared.name, shared.guards, shared.concurrent)
        for shared in found.shared_state
        if shared.kind is not SharedKind.PROCESS and shared.access == "write"
    ]
    assert changed == ([truth] if truth else [])


def test_objects_of_a_call_are_local_to_it(tmp_path: Path) -> None:
    write_tree(tmp_path, PROGRAMS["closure list in threads"][0], data=False)
    assert {shared.local for shared in analyse(tmp_path).shared_state} == {True}


def test_one_worker_alone_shares_with_nobody(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        "import threading\ndef work(rows): rows.append(1)\ndef main():\n    rows = []\n"
        "    worker = threading.Thread(target=work, args=(rows,))\n    worker.start()\n    worker.join()\n"
        "    print(rows)\nmain()\n",
        data=False,
    )
    assert analyse(tmp_path).shared_state == ()
