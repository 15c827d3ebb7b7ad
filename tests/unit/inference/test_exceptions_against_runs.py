"""Which handler takes what is raised, checked against a real run."""
# ruff: noqa: E501 - program texts stay as they are written

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.reality import analyse, every, rows, run_for_real, write_tree

if TYPE_CHECKING:
    from pathlib import Path

HANDLERS = {
    "not for another library's": """
import subprocess, json, configparser
try:
    raise ValueError("x")
except subprocess.CalledProcessError: open("process", "w")
except configparser.Error: open("settings", "w")
except json.JSONDecodeError: open("json", "w")
except ValueError: open("value", "w")
""",
    "the base of a library's": """
import subprocess
try:
    raise subprocess.CalledProcessError(1, "x")
except subprocess.TimeoutExpired: open("timeout", "w")
except subprocess.SubprocessError: open("process", "w")
except Exception: open("any", "w")
""",
    "raised on purpose": """
import queue, shutil, urllib.error, socket
for error in (queue.Empty(), shutil.SameFileError("same"), urllib.error.URLError("u"), socket.timeout("t"), IOError("i")):
    try:
        raise error
    except queue.Full: open("full", "w")
    except queue.Empty: open("empty", "w")
    except shutil.Error: open("shutil", "w")
    except urllib.error.HTTPError: open("http", "w")
    except TimeoutError: open("timeout", "w")
    except OSError as caught: open("os_" + type(caught).__name__, "w")
""",
    "known text": """
import json
try:
    json.loads("{")
except json.JSONDecodeError: open("broken", "w")
""",
    "raised again": """
import subprocess
def work():
    try:
        raise KeyError("k")
    except KeyError:
        open("first", "w")
        raise
try:
    work()
except subprocess.CalledProcessError: open("process", "w")
except LookupError as error: open("second_" + error.args[0], "w")
""",
    "of one's own": """
import subprocess
class Failed(subprocess.SubprocessError): pass
class Other(Exception): pass
try:
    raise Failed("f")
except Other: open("other", "w")
except subprocess.CalledProcessError: open("called", "w")
except subprocess.SubprocessError as error: open(f"sub_{error}", "w")
""",
}


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_the_handler_that_runs_is_the_one_python_takes(name: str, tmp_path: Path) -> None:
    root = tmp_path / "tree"
    write_tree(root, HANDLERS[name], data=False)
    found = analyse(root)
    assert rows(found) == run_for_real(root, ("python", "main.py"), tmp_path / "log")


def test_a_call_of_the_library_may_raise_its_exceptions(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        "import subprocess\ntry:\n    subprocess.run(['true'], check=True)\nexcept subprocess.CalledProcessError:\n"
        "    open('failed', 'w')\n",
    )
    found = analyse(tmp_path)
    assert [(access.path, access.conditional) for access in every(found)] == [("failed", True)]


def test_a_call_of_another_library_does_not(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        "import subprocess\ntry:\n    print(open('a.txt').read())\nexcept subprocess.CalledProcessError:\n"
        "    open('failed', 'w')\n",
    )
    assert rows(analyse(tmp_path)) == {"read a.txt"}
