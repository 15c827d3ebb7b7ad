"""Tells code from data: loaded at start-up by every Python process of a traced program.

The system-call trace shows that `pkg/mod.py` was opened, not whether the import system or the program opened it. An
audit hook sees the Python frame behind each `open`. Where that frame belongs to the machinery that loads code, the
hook looks up a marker path; the look-up appears in the trace just before the `open` of the same thread.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

MARKER = "/.next-open-loads-code"

_RUNNERS = {"cProfile.py", "profile.py", "trace.py", "pdb.py"}
_SOURCE_PRINTERS = {"traceback.py", "warnings.py"}


def _loads_code(frame: FrameType | None) -> bool:
    if frame is None:
        return True  # the interpreter itself opens the script named on its command line
    name = frame.f_code.co_filename
    function = frame.f_code.co_name
    if name == "<frozen zipimport>":
        return True
    if name == "<frozen importlib._bootstrap_external>":
        caller = frame.f_back
        return function == "get_data" and caller is not None and caller.f_code.co_name == "get_code"
    if name == "<frozen runpy>":
        return function == "_get_code_from_file"
    base = os.path.basename(name)
    if base in _RUNNERS and os.path.dirname(name) == os.path.dirname(os.__file__):
        return function in {"main", "run", "_run", "_runscript", "code"}
    if base in {"linecache.py", "tokenize.py"}:
        while frame is not None:
            if os.path.basename(frame.f_code.co_filename) in _SOURCE_PRINTERS:
                return True
            frame = frame.f_back
    return False


def _hook(event: str, _arguments: object) -> None:
    if event != "open":
        return
    try:
        frame = sys._getframe(1)
    except ValueError:
        frame = None
    if _loads_code(frame):
        os.access(MARKER, os.F_OK)


sys.addaudithook(_hook)
