"""TG602, TG603 and TG604 for two tasks that run the same small program, against what is true of it."""
# ruff: noqa: E501 - program texts stay as they are written

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from taskgates.scan.pipeline import scan

if TYPE_CHECKING:
    from pathlib import Path

COUNTER = "n = int(open('n.txt').read())\n"
JSON = "import json\nd = json.load(open('s.json'))\nd['a'] = 1\n"
FILELOCK = "import filelock\nwith filelock.FileLock('x.lock'):\n    "

PROGRAMS = {
    "counter": (COUNTER + "open('n.txt', 'w').write(str(n + 1))\n", "TG603"),
    "counter, replaced": (COUNTER + "import os\nopen('n.tmp', 'w').write(str(n + 1))\nos.replace('n.tmp', 'n.txt')\n", "TG603"),
    "counter under a file lock": (FILELOCK + COUNTER + "    open('n.txt', 'w').write(str(n + 1))\n", ""),
    "function under a file lock": ("import filelock\ndef bump(p):\n    n = int(open(p).read())\n    open(p, 'w').write(str(n + 1))\nwith filelock.FileLock('x.lock'):\n    bump('n.txt')\n", ""),
    "file that is locked itself": ("import fcntl\ndef bump():\n    with open('n.txt', 'r+') as f:\n        fcntl.flock(f, fcntl.LOCK_EX)\n        t = f.read(); f.seek(0); f.write(t + 'x')\nbump()\n", ""),
    "file opened under its lock": ("import portalocker\ndef bump():\n    with portalocker.Lock('n.txt', 'r+') as f:\n        t = f.read(); f.seek(0); f.write(t + 'x')\nbump()\n", ""),
    "written before it is read": ("open('n.txt', 'w').write('1')\nn = open('n.txt').read()\nopen('n.txt', 'w').write(n)\n", ""),
    "made where it is missing": ("import os\nif not os.path.exists('n.txt'):\n    open('n.txt', 'w').write('1')\n" + COUNTER + "open('n.txt', 'w').write(str(n + 1))\n", "TG603"),
    "replaced, then read": ("import os\nopen('n.tmp', 'w').write('1')\nos.replace('n.tmp', 'n.txt')\nprint(open('n.txt').read())\n", ""),
    "lock around the writing only": (COUNTER + FILELOCK + "open('n.txt', 'w').write(str(n + 1))\n", "TG603"),
    "read again under the lock": (COUNTER + FILELOCK + COUNTER + "    open('n.txt', 'w').write(str(n + 1))\n", ""),
    "connection of several threads": ("import sqlite3, threading\nC = sqlite3.connect(':memory:', check_same_thread=False)\ndef add(n): C.execute('insert', (n,))\nts = [threading.Thread(target=add, args=(n,)) for n in range(2)]\nfor t in ts: t.start()\nfor t in ts: t.join()\n", "TG604"),
    "json": (JSON + "json.dump(d, open('s.json', 'w'))\n", "TG603"),
    "pathlib": ("from pathlib import Path\np = Path('n.txt')\np.write_text(p.read_text() + 'x')\n", "TG603"),
    "opened for update": ("with open('n.txt', 'r+') as f:\n    t = f.read(); f.seek(0); f.write(t + 'x')\n", "TG603"),
    "append only": ("open('log.txt', 'a').write('x')\n", ""),
    "write only": ("open('o.txt', 'w').write('x')\n", ""),
    "database": ("import sqlite3\nc = sqlite3.connect('d.db')\nc.execute('insert into t values (1)')\nc.commit()\n", "TG604"),
    "database in memory": ("import sqlite3\nsqlite3.connect(':memory:').execute('x')\n", ""),
    "database under a file lock": (FILELOCK + "import sqlite3\n    c = sqlite3.connect('d.db')\n    c.execute('insert into t values (1)')\n", ""),
    "shelf": ("import shelve\ns = shelve.open('s')\ns['a'] = 1\ns.close()\n", "TG604"),
    "folder": ("import os\nos.chdir('/tmp')\n", "TG602"),
    "folder for a while": ("import contextlib\nwith contextlib.chdir('/tmp'): pass\n", "TG602"),
    "environment": ("import os\nos.environ['A'] = '1'\n", "TG602"),
    "environment by a method": ("import os\nos.environ.update(A='1')\n", "TG602"),
    "environment read": ("import os\nprint(os.environ.get('A'))\n", ""),
    "seed": ("import random\nrandom.seed(1)\n", "TG602"),
    "own generator": ("import random\nprint(random.Random(1).random())\n", ""),
    "signal": ("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n", "TG602"),
    "search path": ("import sys\nsys.path.insert(0, 'lib')\n", "TG602"),
    "search path replaced": ("import sys\nsys.path = ['lib']\n", "TG602"),
    "locale": ("import locale\nlocale.setlocale(locale.LC_ALL, '')\n", "TG602"),
    "logging": ("import logging\nlogging.basicConfig(level=10)\n", "TG602"),
    "own logger": ("import logging\nlogging.getLogger(__name__).info('x')\n", ""),
    "warnings": ("import warnings\nwarnings.filterwarnings('ignore')\n", "TG602"),
    "mask": ("import os\nos.umask(0o22)\n", "TG602"),
    "standard output": ("import sys\nsys.stdout = open('/dev/null', 'w')\n", "TG602"),
    "except hook": ("import sys\nsys.excepthook = print\n", "TG602"),
    "recursion limit": ("import sys\nsys.setrecursionlimit(5000)\n", "TG602"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_the_hazards_of_a_program(name: str, tmp_path: Path) -> None:
    code, rule = PROGRAMS[name]
    (tmp_path / "main.py").write_text(code)
    (tmp_path / "n.txt").write_text("1")
    (tmp_path / "s.json").write_text("{}")
    (tmp_path / ".claude" / "tasks").mkdir(parents=True)
    for number in ("1", "2"):
        task: dict[str, object] = {"id": number, "title": "t", "status": "Pending", "difficulty": 2, "dependencies": []}
        text = json.dumps({**task, "files_affected": [], "command": "python main.py"})
        (tmp_path / ".claude" / "tasks" / f"task-{number}.json").write_text(text)
    found = {finding.rule for finding in scan(tmp_path, use_cache=False).findings if finding.rule.startswith("TG6")}
    assert found == ({rule} if rule else set())
