"""pandas: values of small tables of the tree decide names of files, as a data frame of the library would give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.models.pipelines.runs import infer, read, written

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "sample\tunit\tfq\tn\nA\tl1\ta1\t1\nA\tl2\ta2\t2\nB\tl1\tb1\t3\n"
START = """
import pandas as pd

def w(*names):
    for name in names:
        open(str(name), "w").close()

df = pd.read_csv("units.tsv", sep="\\t")
"""


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("for i, row in df.iterrows(): w(row['sample'] + row.unit + str(i))", {"Al10", "Al21", "Bl12"}),
        ("for row in df.itertuples(): w(f'{row.fq}-{row.Index}')", {"a1-0", "a2-1", "b1-2"}),
        ("w(*df[df['sample'] == 'A']['fq'])", {"a1", "a2"}),
        ("w(*df[(df.n != 1) & (df['unit'] == 'l1')].fq)", {"b1"}),
        ("w(*df[df['sample'].isin(['B'])].fq.tolist())", {"b1"}),
        ("w(df.set_index('fq').loc['a2', 'unit'], df.set_index('fq').loc['b1']['sample'])", {"l2", "B"}),
        (
            "df.index = df['fq']; w(df.loc['a2']['unit'], df.at['b1', 'sample'], *df.index)",
            {"l2", "B", "a1", "a2", "b1"},
        ),
        ("w(*df.loc[df.n > 2, 'fq'])", {"b1"}),
        ("w(*df['sample'].unique()); w(len(df), df.shape[1])", {"A", "B", "3", "4"}),
        ("for rec in df.to_dict('records'): w(rec['fq'])", {"a1", "a2", "b1"}),
        ("df['path'] = df['sample'] + '.' + df['unit']; w(*df.path)", {"A.l1", "A.l2", "B.l1"}),
        ("for key, part in df.groupby('sample'): w(f'{key}{len(part)}')", {"A2", "B1"}),
        ("w(*df['fq'].str.upper()); w(df.iloc[-1].unit)", {"A1", "A2", "B1", "l1"}),
        ("w(*df.sort_values('n', ascending=False).head(1)['fq'])", {"b1"}),
        ("w(*df.drop_duplicates('sample').rename(columns={'fq': 'x'})['x'])", {"a1", "b1"}),
        ("w(*df['unit'].apply(lambda unit: unit + 'x'))", {"l1x", "l2x"}),
    ],
)
def test_known_values(tmp_path: Path, program: str, expected: set[str]) -> None:
    found = infer(tmp_path, {"units.tsv": TABLE, "s.py": START + program + "\n"}, "python s.py")
    assert read(found) == {"units.tsv"}
    assert written(found) == expected


@pytest.mark.parametrize(
    "change",
    [
        "df.drop(0, inplace=True)",
        "df.loc[0, 'fq'] = 'z'",
        "df.iloc[0, 2] = 'z'",
        "df['fq'] = len(df)",
        "df.columns = ['fq', 'b', 'c', 'd']",
        "df = df.sample(frac=1)",
        "df = df.query('n > 1')",
        "df.insert(0, 'x', 1)",
    ],
)
def test_what_a_program_changes_is_not_known(tmp_path: Path, change: str) -> None:
    found = infer(tmp_path, {"units.tsv": TABLE, "s.py": f"{START}{change}\nw(*df['fq'])\n"}, "python s.py")
    assert "?" in written(found) or not written(found) >= {"a1", "a2", "b1"}


def test_a_column_by_attribute_is_written(tmp_path: Path) -> None:
    program = "import pandas as pd\ndf = pd.read_csv('a.csv')\ndf['x'] = 1\n"
    program += "df.price.to_csv('b.csv')\ndf.dropna().x.to_json('c')\n"
    found = infer(tmp_path, {"a.csv": "", "s.py": program}, "python s.py")
    assert (written(found), found.complete) == ({"b.csv", "c"}, True)
