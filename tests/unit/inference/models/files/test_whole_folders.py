"""Calls on whole folders, checked against a real run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.reality import analyse, rows, run_for_real, write_tree

if TYPE_CHECKING:
    from pathlib import Path

TREE = """
--- left/__main__.py
print(1)
--- left/sub/deep/d.txt
d
--- left/sub/s.txt
s
--- left/.hidden
h
--- left/same.txt
same
--- left/size.txt
short
--- left/__pycache__/c.pyc
c
--- right/__main__.py
print(2)
--- right/sub/deep/d.txt
e
--- right/only.txt
o
--- right/same.txt
same
--- right/size.txt
much longer
"""
PROGRAMS = {
    "zipapp": "import zipapp\nzipapp.create_archive('left')\n",
    "zipapp with a filter": (
        "import zipapp, pathlib\n"
        "zipapp.create_archive(pathlib.Path('left'), 'out.pyz', filter=lambda path: path.suffix != '.txt')\n"
    ),
    "names": "import filecmp\nd = filecmp.dircmp('left', 'right')\nfor n in d.right_only: open(n + '.new', 'w')\n",
    "unused": "import filecmp\nd = filecmp.dircmp('left', 'right')\n",
    "contents": (
        "import filecmp, os\nfor d in (filecmp.dircmp('left', 'right'),):\n"
        "    for n in d.diff_files: open(n + '.diff', 'w')\n    for n in d.same_files: open(n + '.same', 'w')\n"
    ),
    "report": "import filecmp\nfilecmp.dircmp('left', 'right').report()\n",
    "closure": "import filecmp\nfilecmp.dircmp('left', 'right', ignore=['sub']).report_full_closure()\n",
    "recursion": (
        "import filecmp\ndef walk(d):\n    for n in d.common_files: open(n + '.seen', 'a')\n"
        "    for inner in d.subdirs.values(): walk(inner)\nwalk(filecmp.dircmp('left', 'right'))\n"
    ),
}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_the_members_that_are_touched_are_known_by_name(name: str, tmp_path: Path) -> None:
    root = tmp_path / "tree"
    write_tree(root, PROGRAMS[name] + TREE, data=False)
    found = analyse(root)
    assert not found.opaque
    said = rows(found)
    real = run_for_real(root, ("python", "main.py"), tmp_path / "log")
    # Files of one size and one time of change are not read for a comparison; that they have one time is chance.
    chance = {"read left/same.txt", "read right/same.txt", "read left/__main__.py", "read right/__main__.py"}
    chance |= {"read left/sub/deep/d.txt", "read right/sub/deep/d.txt"}
    assert said - real <= (set() if name.startswith("zipapp") else chance)
    assert real - said == set()
