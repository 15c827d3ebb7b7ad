"""The end of processes, with all their descendants."""

from __future__ import annotations

import contextlib
import signal
import time

import psutil

from taskgates.tree.processes import ProcessIdentity, host_name, start_token

__all__ = ["ProcessIdentity", "end_process_tree", "host_name", "start_token"]


def end_process_tree(identity: ProcessIdentity, *, grace: float = 2.0) -> bool:
    """Terminate a process, its group and all descendants: politely, then for good.

    Args:
        identity: the process; nothing happens when it is gone or lives elsewhere.
        grace: seconds between SIGTERM and SIGKILL.

    Returns:
        Whether nothing of the tree is left.
    """
    if identity.is_alive() is not True:
        return True
    try:
        top = psutil.Process(identity.pid)
        members = [top, *top.children(recursive=True)]
    except psutil.Error:
        return True
    _signal_all(members, signal.SIGTERM)
    deadline = time.monotonic() + grace
    _, alive = psutil.wait_procs(members, timeout=max(0.0, deadline - time.monotonic()))
    with contextlib.suppress(psutil.Error):
        # Children started meanwhile are found through those that are left.
        for process in list(alive):
            alive.extend(process.children(recursive=True))
    _signal_all(alive, signal.SIGKILL)
    _, alive = psutil.wait_procs(alive, timeout=grace)
    return not alive


def _signal_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
