"""What library objects do by way of syntax, wildcards, folders and callbacks, in the smallest forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.test_programs import infer, told

if TYPE_CHECKING:
    from pathlib import Path

DATASET = """
from torch.utils.data import DataLoader, Dataset
class D(Dataset):
    def __init__(self): self.names = ["a", "b"]
    def __len__(self): return len(self.names)
    def __getitem__(self, index): return open(self.names[index] + ".txt").read()
for batch in DataLoader(D(), batch_size=1, collate_fn=lambda rows: open("rows.log", "w")): pass
"""


@pytest.mark.parametrize(
    ("code", "reads", "writes"),
    [
        (DATASET, {"a.txt", "b.txt"}, {"rows.log"}),
        ("import dask.dataframe as dd\ndd.read_csv('in-*.csv').to_csv('out-*.csv')", {"in-*.csv"}, {"out-*.csv"}),
        ("import dask.dataframe as dd\ndd.DataFrame().to_csv('out')", set(), {"out/*.part"}),
        ("import fsspec\nfsspec.get_mapper('m')['k'] = b''", set(), {"m/k"}),
        ("import fsspec\nfsspec.get_mapper('m')['k']", {"m/k"}, set()),
        ("import numpy as np\nnp.vectorize(lambda n: open(f'{n}.txt', 'w'))([1, 2])", set(), {"1.txt", "2.txt"}),
        ("import tqdm\nwith tqdm.tqdm(total=2) as bar: bar.update(1)\nopen('z.txt', 'w')", set(), {"z.txt"}),
        ("import tqdm\nfor n in (bar := tqdm.tqdm(['a'])):\n    bar.write(n)\n    open(n, 'w')", set(), {"a"}),
        ("import duckdb\nduckdb.sql(\"COPY (FROM 'a.csv') TO 'b.parquet'\")", {"a.csv"}, {"b.parquet"}),
        ("import duckdb\nduckdb.sql(\"select * from read_csv(['a.csv', 'b.csv'])\")", {"a.csv", "b.csv"}, set()),
        ("import duckdb\nduckdb.sql(open('q.sql').read())", {"q.sql", "a.csv"}, set()),
        ("import duckdb\nduckdb.connect('new.duckdb')", set(), {"new.duckdb"}),
        ("import fsspec\nfor f in fsspec.open_files('in-*.csv'): pass", {"in-*.csv"}, set()),
        ("import joblib\njoblib.Memory('c').cache(print)", {"c/joblib/**"}, {"c/.gitignore", "c/joblib/**"}),
        ("import joblib\njoblib.Memory('c')", set(), {"c/.gitignore"}),
        ("import tinydb\nd = tinydb.TinyDB('t')\nd.insert({})\nd.all()", {"t"}, {"t"}),
        ("import tinydb\nd = tinydb.TinyDB('t')", set(), {"t"}),
        ("import zarr\ng = zarr.open_group('z', mode='w')\ng.create_array('a', shape=1)", {"z/**/zarr.json"}, {"z/**"}),
        ("import zarr\nzarr.create_group(store=zarr.storage.LocalStore('z'))['a']", {"z/**"}, {"z/**"}),
        ("from lxml import etree as e\ne.XSLT(e.parse('a.csv'))(0).write_output('o')", {"a.csv"}, {"o"}),
        ("import numpy as np\nnp.loadtxt([x for x in open('a.csv')])", {"a.csv"}, set()),
        ("import matplotlib.pyplot as p\np.savefig('f', format='svg')\np.savefig('g')", set(), {"f", "g.png"}),
        ("import polars as p\nfor k, d in p.read_csv('a.csv').partition_by('x', as_dict=1).items(): d.write_csv('o')",
         {"a.csv"}, {"o"}),
        ("import plotly.io as p\np.write_html(0, 'd/f.html', include_plotlyjs='directory')", set(),
         {"d/f.html", "d/plotly.min.js"}),
        ("import inspect\ndef f(): pass\ninspect.getsource(f)", {"main.py"}, set()),
        ("import shutil, tempfile\nshutil.move(tempfile.mkdtemp() + '/made', 'n')", set(), {"n", "n/**"}),
        ("import sqlite3\nsqlite3.connect('new.db')", {"new.db"}, {"new.db"}),
        ("import pypdf\nwith pypdf.PdfWriter('e.pdf') as w: pass", set(), {"e.pdf"}),
        ("import pyarrow as p\np.CompressedOutputStream('c.gz', 'gzip')", set(), {"c.gz"}),
        ("from pyarrow import fs\nfs.SubTreeFileSystem('n', None).open_output_stream('z')", set(), {"n/z"}),
        ("from fsspec.implementations.dirfs import DirFileSystem as D\nD('sub').cat('x')", {"sub/x"}, set()),
        ("import fsspec\nf, p = fsspec.core.url_to_fs('a.csv')\nf.cat(p)", {"a.csv"}, set()),
        ("import sklearn.datasets as d, xgboost as g\nx, y = d.load_iris(return_X_y=1)\ng.DMatrix(x).save_binary('b')",
         set(), {"b"}),
        ("import sqlite3\nsqlite3.connect(':memory:').execute(\"vacuum into 'v.db'\")", {"v.db"}, {"v.db"}),
        ("import sqlite3\nsqlite3.connect(':memory:').execute('vacuum into ?', ('v.db',))", {"v.db"}, {"v.db"}),
        ("from loguru import logger as l\nl.add('e', level='ERROR', delay=1)\nl.add('i', delay=1)\nl.info('')", set(),
         {"i"}),
        ("import msgspec as m\nclass C(m.Struct): p: str\nopen(m.toml.decode('p=\"a\"', type=C).p)", {"a"}, set()),
        ("import coverage\ncoverage.Coverage(data_file=None).save()\ncoverage.Coverage().load()", {".coverage"}, set()),
        ("import toolz as t\nt.pipe('a', t.curry(lambda m, p: open(p, m))('r'), t.identity)", {"a"}, set()),
        ("from toolz.curried import map, compose\nlist(map(compose(open, str.lower))(['A', 'B']))", {"a", "b"}, set()),
        ("from lxml import etree\nopen(etree.fromstring('<a><b f=\"x\"/></a>').find('b').get('f'))", {"x"}, set()),
        ("import peewee\ndb = peewee.SqliteDatabase(None)\ndb.init('p.db')", {"p.db"}, {"p.db"}),
        ("import structlog\nfrom pathlib import Path\nstructlog.get_logger().bind(a=1).info('x', path=Path('y'))",
         set(), set()),
        ("import polars\npolars.DataFrame({'a': [1]})[:1].write_csv('s.csv')", set(), {"s.csv"}),
        ("from matplotlib import animation as a\na.FuncAnimation(0, print, frames=2).save('a.gif')", set(), {"a.gif"}),
        ("import timeit\ntimeit.timeit(lambda: open('t', 'w'), number=1)", set(), {"t"}),
        ("import os\nd = os.open('sub', os.O_RDONLY)\nos.unlink('x', dir_fd=d)\nos.rename('y', 'z', dst_dir_fd=d)",
         set(), {"sub/x", "y", "sub/z"}),
        ("import os\nopen('x', 'w', opener=lambda p, f: os.open('sub/' + p, f))", set(), {"sub/x"}),
        ("import multiprocessing as m\nm.get_context().Process(target=open, args=('p', 'w')).start()", set(), {"p"}),
        ("import contextlib\nwith contextlib.ExitStack() as s: s.push(lambda *e: open('p', 'w'))", set(), {"p"}),
        ("import contextlib\nclass C:\n    def close(self): open('p', 'w')\nwith contextlib.closing(C()): pass",
         set(), {"p"}),
        ("import cmd\nclass C(cmd.Cmd):\n    def do_go(self, line): open(line, 'w')\nC().onecmd('go p')", set(), {"p"}),
        ("import json\nclass E(json.JSONEncoder):\n    def default(self, o): open('p', 'w')\njson.dumps(E, cls=E)",
         set(), {"p"}),
    ],
)  # fmt: skip
def test_what_objects_of_libraries_do(tmp_path: Path, code: str, reads: set[str], writes: set[str]) -> None:
    tree = {"main.py": code + "\n", "sub/x": "", "y": "", "q.sql": "select * from 'a.csv'"}
    tree |= dict.fromkeys(("a.txt", "b.txt", "a.csv", "b.csv", "in-1.csv", "m/k"), "x,y\n")
    found = infer(tmp_path, tree, "python main.py")
    assert {access.path for access in found.reads if access.operation == "read"} == reads
    assert {access.path for access in found.writes if access.operation != "mkdir"} == writes
    assert not found.opaque


def test_the_methods_of_what_a_pipeline_is_made_of_are_called(tmp_path: Path) -> None:
    code = (
        "from sklearn.pipeline import make_pipeline\nclass T:\n    def fit(self, X, y=None): return self\n"
        "    def transform(self, X): open('t.log', 'a'); return X\nmake_pipeline(T()).fit([1])\n"
    )
    assert told(infer(tmp_path, {"main.py": code}, "python main.py")) == (set(), {"append t.log"})


@pytest.mark.parametrize(
    "move", ["os.rename('src', 'dst')", "shutil.move('src', 'dst')", "pathlib.Path('src').rename('dst')"]
)
def test_a_folder_moves_with_its_files(tmp_path: Path, move: str) -> None:
    tree = {"main.py": f"import os, pathlib, shutil\n{move}\nprint(open('dst/a.txt').read())\n", "src/a.txt": ""}
    reads, writes = told(infer(tmp_path, tree, "python main.py"))
    assert reads == {"read dst/a.txt"}
    assert writes == {"rename src", "rename src/a.txt", "overwrite dst/a.txt"}


def test_a_copied_folder_leaves_out_what_is_ignored(tmp_path: Path) -> None:
    code = "import shutil\nshutil.copytree('src', 'dst', ignore=shutil.ignore_patterns('*.md'))\n"
    tree = {"main.py": code, "src/a.txt": "", "src/deep/b.md": "", "src/deep/c.txt": ""}
    found = infer(tmp_path, tree, "python main.py")
    assert {access.path for access in found.reads if access.operation == "read"} == {"src/a.txt", "src/deep/c.txt"}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import foolib\nfoolib.merge(['a.csv', 'b.csv'])", "foolib.merge is not modelled and is handed a path"),
        ("import foolib\nfoolib.run({'out': 'x.csv'})", "foolib.run is not modelled and is handed a path"),
        ("import numpy\nnumpy.save_specially('x.npy')", "numpy.save_specially is not modelled and is handed a path"),
        ("x = None\nx.update(1)", "the program is seen to end with AttributeError"),
    ],
)
def test_what_is_not_seen_is_said(tmp_path: Path, code: str, reason: str) -> None:
    found = infer(tmp_path, {"main.py": code + "\n"}, "python main.py")
    assert [opaque.reason[: len(reason)] for opaque in found.opaque] == [reason]
    assert not found.complete
