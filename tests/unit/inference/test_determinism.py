"""The same bytes whatever the hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from unit.inference.reality import write_tree

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path
import msgspec
from taskgates.inference.engine import Analyser
from taskgates.model.task import Command
from taskgates.tree.tree import Tree
analyser = Analyser(Tree(Path(sys.argv[1])))
for argv in (("python", "main.py"), ("python", "main.py", "one", "two")):
    sys.stdout.buffer.write(msgspec.json.encode(analyser.command(Command(argv=argv))) + b"\\n")
    sys.stdout.buffer.write(msgspec.json.encode(analyser.calls(Command(argv=argv))) + b"\\n")
"""

PROGRAMS = {
    "sets and unions": """
import random, sys
names = {"one", "two", "three", "four", "five"}
chosen = random.choice(sorted(names))
for name in names:
    open(f"set_{name}", "w").close()
open(f"pick_{chosen}", "w").close()
table = {name: name.upper() for name in names}
while random.random() < 0.5:
    key = random.choice(list(table))
    open(table[key], "a").close()
    table[key + "x"] = key
for argument in set(sys.argv[1:]):
    open(argument, "w").close()
""",
    "shared state and threads": """
import threading
import store
LOCKS = [threading.Lock(), threading.Lock()]
def work(kind):
    with LOCKS[0]:
        store.CACHE[kind] = kind
    store.SEEN.add(kind)
    for name in store.SEEN:
        open(name, "w").close()
for kind in {"a", "b", "c"}:
    threading.Thread(target=work, args=(kind,)).start()
--- store.py
CACHE, SEEN = {}, set()
""",
    "dispatch by unknown names": """
import importlib, json, os
class Steps:
    def step_a(self): open("a_out", "w").close()
    def step_b(self): open("b_out", "w").close()
    def step_c(self): exec(input())
for name in dir(Steps):
    if name.startswith("step_"):
        getattr(Steps(), name)()
getattr(Steps(), "step_" + input())()
for module in ("plug_x", "plug_y"):
    importlib.import_module(module).run(json.loads(input()))
--- plug_x.py
def run(data): open(data["x"] + ".x", "w").close()
--- plug_y.py
def run(data): print({**data}, file=open("y", "a"))
""",
}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_the_hash_seed_changes_nothing(name: str, tmp_path: Path) -> None:
    write_tree(tmp_path, PROGRAMS[name])
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "42")
    }
    assert len(outputs) == 1
    assert b'"path"' in outputs.pop()
