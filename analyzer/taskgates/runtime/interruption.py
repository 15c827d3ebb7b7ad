"""Ctrl-C and SIGTERM as a request to end in order, instead of wherever the program happens to be."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@contextlib.contextmanager
def stopping_on_signals(stop: Callable[[str], None]) -> Iterator[None]:
    """Pass SIGINT and SIGTERM on while the block runs; only in the main thread, since no other can be told.

    Args:
        stop: called with the reason, between two instructions of the main thread.

    Yields:
        Nothing; the handlers of before are back afterwards.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, _: FrameType | None) -> None:
        stop(f"signal {signal.Signals(number).name}")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
