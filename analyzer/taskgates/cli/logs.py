"""Log lines on standard error."""

from __future__ import annotations

import logging

from taskgates.cli.streams import write_err
from taskgates.reporting.printable import printable


class _StandardError(logging.Handler):
    """Writes to whatever standard error is at the moment, come what may."""

    def emit(self, record: logging.LogRecord) -> None:
        write_err(printable(self.format(record), lines=record.exc_info is not None) + "\n")


def log_to_stderr(level: str) -> None:
    """Let taskgates' own log lines of a level and above go to standard error, and nowhere else.

    Args:
        level: name of a level of the `logging` module (`GATE_LOG_LEVEL` sets it).
    """
    logger = logging.getLogger("taskgates")
    for handler in [each for each in logger.handlers if isinstance(each, _StandardError)]:
        logger.removeHandler(handler)
    handler = _StandardError()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
