"""Methods of objects whose type is not known, and what a complete tree says of patterns."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from unit.inference.test_programs import infer, told

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("code", "reads", "writes"),
    [
        ("make().frame.to_csv('out/a.csv', index=False)", set(), {"overwrite out/a.csv"}),
        ("make()[0].groupby('x').mean().to_parquet(path='a.parquet')", set(), {"overwrite a.parquet"}),
        ("make().figure_.savefig('plot')", set(), {"overwrite plot.png"}),
        ("make().save_pretrained('model')", set(), {"overwrite model/**"}),
        ("print(make().to_csv())", set(), set()),
        ("make().path.write_text('x')", set(), {"overwrite None"}),
        ("make().path.read_bytes()", {"read None"}, set()),
    ],
)
def test_a_telling_name_is_understood_without_the_type(
    tmp_path: Path, code: str, reads: set[str], writes: set[str]
) -> None:
    found = infer(tmp_path, {"main.py": f"from somewhere import make\n{code}\n"}, "python main.py")
    assert told(found) == (reads, writes)
    assert not found.opaque


@pytest.mark.parametrize(
    "code",
    [
        "make().store('a.txt')",
        "make().write_text('a.txt', 'x', 'y', 'z', 'more than a path takes')",
        "make().export(target='a.txt')",
    ],
)
def test_any_other_call_that_is_handed_a_path_stays_opaque(tmp_path: Path, code: str) -> None:
    found = infer(tmp_path, {"main.py": f"from somewhere import make\n{code}\n"}, "python main.py")
    assert told(found) == (set(), set())
    assert not found.complete
    assert found.opaque


def test_a_pattern_below_a_folder_that_is_not_there_is_not_read(tmp_path: Path) -> None:
    code = "import subprocess\nsubprocess.check_output(['git', 'rev-parse', 'HEAD'])\n"
    assert told(infer(tmp_path, {"main.py": code}, "python main.py")) == (set(), set())


GLOB = """
from pathlib import Path
for pattern in ("*.csv", "*.json"):
    for path in sorted(Path("raw").glob(pattern)):
        print(path.read_text())
"""


@pytest.mark.parametrize(
    ("files", "reads"),
    [
        ({"raw/a.csv": ""}, {"read raw/a.csv"}),
        ({"other/a.csv": ""}, set()),
        ({"raw/a.csv": "", "raw/b.json": ""}, {"read raw/a.csv", "read raw/b.json"}),
    ],
)
def test_a_pattern_that_nothing_fits_is_left_out_where_there_is_data(
    tmp_path: Path, files: dict[str, str], reads: set[str]
) -> None:
    assert told(infer(tmp_path, {"main.py": GLOB, **files}, "python main.py"))[0] == reads


@pytest.mark.parametrize(
    ("pick", "reads"),
    [
        ("next(Path('raw').glob('*.csv'))", {"read raw/a.csv", "read raw/b.csv"}),
        ("glob.glob('raw/*.csv')[0]", {"read raw/a.csv", "read raw/b.csv"}),
        ("list(Path('raw').rglob('*.csv'))[-1]", {"read raw/a.csv", "read raw/b.csv", "read raw/sub/c.csv"}),
        ("sorted(Path('raw').glob('*.csv'))[-1]", {"read raw/b.csv"}),
        ("glob.glob('raw/**/*.csv')[0]", {"read raw/sub/c.csv"}),
    ],
)
def test_what_is_picked_from_a_listing_is_any_of_its_members(tmp_path: Path, pick: str, reads: set[str]) -> None:
    files = {"main.py": f"import glob\nfrom pathlib import Path\nopen({pick})\n"}
    files |= {"raw/a.csv": "", "raw/b.csv": "", "raw/sub/c.csv": "", "raw/d.txt": ""}
    assert told(infer(tmp_path, files, "python main.py"))[0] == reads


def test_a_folder_that_the_program_made_keeps_what_is_in_it_under_a_new_name(tmp_path: Path) -> None:
    code = """
    import os
    from pathlib import Path
    for name in ("empty", "full"): os.makedirs(f"work/{name}")
    Path("work/full/a.txt").write_text("a")
    os.rename("work/empty", "work/none")
    Path("work/full").rename("work/one")
    Path("work/note.md").write_text("n")
    for folder in Path("work").iterdir():
        if folder.is_dir():
            (folder / "seen").write_text(",".join(os.listdir(folder)))
            for file in folder.glob("*.txt"): file.with_suffix(".out").write_text("o")
    """
    written = told(infer(tmp_path, {"main.py": dedent(code)}, "python main.py"))[1]
    assert {each for each in written if not each.startswith(("mkdir", "rename"))} == {
        "overwrite work/full/a.txt",
        "overwrite work/one/a.txt",
        "overwrite work/one/a.out",
        "overwrite work/note.md",
        "overwrite work/none/seen",
        "overwrite work/one/seen",
    }


def test_one_broken_document_of_several_leaves_the_others(tmp_path: Path) -> None:
    code = """
    import json
    from pathlib import Path
    def load(name):
        try:
            return json.loads(Path(name).read_text())
        except json.JSONDecodeError:
            return {}
    import sys
    for key in load(sys.argv[1] if len(sys.stdin.read()) else sys.argv[2]):
        open(key, "w")
    """
    files = {"main.py": dedent(code), "a.json": '{"out": 1}', "b.json": "{"}
    assert told(infer(tmp_path, files, "python main.py a.json b.json"))[1] == {"overwrite out?"}


HANDLER = """
import logging.handlers
from datetime import datetime
logging.handlers.RotatingFileHandler({arguments})
"""


@pytest.mark.parametrize(
    ("arguments", "rotates"),
    [
        ("'app.log', maxBytes=1 << 20, backupCount=2", False),
        ("'old.log', maxBytes=1 << 20, backupCount=2", True),
        ("'app.log', maxBytes=2000, backupCount=2", True),
        ("'old.log', backupCount=2", False),
        ("f'{datetime.now():%H_%M}.log', 'a', 5_000_000, 3", False),
    ],
)
def test_a_new_log_with_a_large_bound_is_not_rotated(tmp_path: Path, arguments: str, rotates: bool) -> None:
    found = infer(tmp_path, {"main.py": HANDLER.format(arguments=arguments), "old.log": ""}, "python main.py")
    assert any(path.endswith(".log.*") for path in told(found)[1]) == rotates


def test_the_fields_of_a_template_are_known(tmp_path: Path) -> None:
    code = """
import string
names = [field for _, field, _, _ in string.Formatter().parse("{folder}/{name}.txt") if field]
open(string.Formatter().format("{0}-{1}.txt", *names), "w")
"""
    assert told(infer(tmp_path, {"main.py": code}, "python main.py"))[1] == {"overwrite folder-name.txt"}


IMPLICIT = """
class Box:
    def __truediv__(self, other):
        open("over", "w")
        return self
    def __eq__(self, other):
        open("equal", "w")
        return True
    def __getitem__(self, key):
        open("item", "w")
    @property
    def size(self):
        open("size", "w")
box = Box()
def use():
    print("before")
    over = box / "a"
    item = box["b"]
    size = box.size
    return box == over
use()
"""


def test_what_an_operator_or_attribute_causes_has_its_own_place(tmp_path: Path) -> None:
    found = infer(tmp_path, {"main.py": IMPLICIT}, "python main.py")
    lines = {access.path: access.sites[0].via[-1].line for access in found.writes}
    assert lines == {"over": 17, "item": 18, "size": 19, "equal": 20}
