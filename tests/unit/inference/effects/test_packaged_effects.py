"""The tables that taskgates ships: all rows parse, refer to each other correctly, and cover what they promise."""

from __future__ import annotations

import tomllib
from collections import Counter
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from taskgates.inference.effects import EffectTable, Kind, ReturnForm, Returns, Row, load_effects

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = {"bool", "bytes", "complex", "dict", "float", "int", "iter", "list", "set", "str", "tuple"}

# The libraries whose file access the project promises to know, by the name that code imports.
PROMISED = {
    "standard library": """
        os shutil pathlib io codecs tempfile glob fileinput linecache csv json pickle shelve dbm sqlite3 zipfile tarfile
        gzip bz2 lzma configparser plistlib tomllib xml logging mmap zipapp py_compile compileall cProfile trace mailbox
        netrc wave urllib multiprocessing concurrent importlib subprocess threading asyncio
    """,
    "others": """
        numpy pandas polars pyarrow scipy sklearn joblib matplotlib seaborn plotly PIL imageio cv2 torch tensorflow
        keras xgboost lightgbm transformers datasets h5py zarr netCDF4 xarray geopandas rasterio fiona openpyxl
        xlsxwriter yaml ruamel toml tomlkit orjson msgpack requests fsspec smart_open aiofiles anyio sqlalchemy duckdb
        jinja2 loguru dvclive mlflow hydra omegaconf
    """,
}

# Parsers and clients that only ever see open files, buffers and memory.
WITHOUT_FILES = {"csv", "json", "marshal", "mmap", "msgpack", "orjson", "pickle", "tomllib", "yaml"}


@pytest.fixture(scope="module")
def effects() -> EffectTable:
    return load_effects()


@pytest.fixture(scope="module")
def rows(effects: EffectTable) -> list[Row]:
    return list(effects.rows())


def named_types(returns: Returns | None) -> Iterator[str]:
    if returns is not None:
        if returns.form is ReturnForm.TYPE:
            yield returns.name
        for arg in returns.args:
            yield from named_types(arg)


def values_of(row: Row) -> Iterator[Returns | None]:
    yield from (row.returns, row.item, row.iter, row.call, row.context)
    yield from row.attributes.values()
    yield row.unlisted.returns if row.unlisted else None
    for call in row.calls:
        yield from (arg.type for arg in call.args)


def test_at_least_600_callables_have_an_effect(rows: list[Row]) -> None:
    counted = [row for row in rows if not row.alias and row.kind in (Kind.CALLABLE, Kind.TYPE) and row.has_effect]
    assert len(counted) >= 600


def test_at_least_600_callables_touch_files(rows: list[Row]) -> None:
    assert sum(bool(row.effects or row.open or row.launch) for row in rows) >= 600


def test_no_row_stands_in_two_tables() -> None:
    names: Counter[str] = Counter()
    for table in (files("taskgates_rules") / "effects").iterdir():
        if table.name.endswith(".toml") and table.name != "commands.toml":
            names.update(tomllib.loads(table.read_text(encoding="utf-8")).keys())
    assert names
    assert [name for name, count in names.items() if count > 1] == []


def test_index_finds_the_same_rows_as_a_toml_parser(effects: EffectTable) -> None:
    names: set[str] = set()
    for table in (files("taskgates_rules") / "effects").iterdir():
        if table.name.endswith(".toml") and table.name != "commands.toml":
            names.update(tomllib.loads(table.read_text(encoding="utf-8")).keys())
    assert set(effects) == names


def test_types_that_rows_speak_of_are_listed(effects: EffectTable, rows: list[Row]) -> None:
    missing = [
        f"{row.file}:{row.line}: {name}"
        for row in rows
        for value in values_of(row)
        for name in named_types(value)
        if name not in PLAIN and effects.type(name) is None
    ]
    missing += [f"{row.file}:{row.line}: {base}" for row in rows for base in row.bases if effects.type(base) is None]
    assert not missing, "\n".join(missing)


def test_aliases_lead_to_something_known(effects: EffectTable, rows: list[Row]) -> None:
    lost = [row.name for row in rows if row.alias and not effects.knows_module(effects.canonical(row.alias))]
    assert lost == []


def test_kept_arguments_that_methods_use_are_kept(effects: EffectTable, rows: list[Row]) -> None:
    faults = []
    for row in rows:
        owner = effects.type(row.name.rpartition(".")[0])
        if owner is None or row.alias:
            continue
        known = {name for each in effects.linearisation(owner.name) for name in each.keep}
        known |= {name for each in effects.linearisation(owner.name) for name in each.attributes}
        paths = [effect.path for effect in row.effects] + ([row.open.path] if row.open else [])
        for part in (part for path in paths for part in path.parts if not isinstance(part, str)):
            if part.name == "self" and part.steps and not effects.is_subtype(owner.name, "pathlib.PurePath"):
                first = part.steps[0].name
                if first not in known:
                    faults.append(f"{row.file}:{row.line}: {row.name}: self.{first}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("group", PROMISED)
def test_promised_libraries_are_covered(rows: list[Row], group: str) -> None:
    touching = {row.name.split(".")[0] for row in rows if row.effects or row.open or row.launch or row.calls}
    listed = {row.name.split(".")[0] for row in rows}
    names = set(PROMISED[group].split())
    assert names - listed == set()
    assert names - WITHOUT_FILES - touching == set()


def follow(effects: EffectTable, *steps: str) -> Row:
    """The row of the last call in `library.function(...).method(...)...`, by the types that the rows return."""
    row = effects.lookup(steps[0])
    assert row is not None, steps[0]
    kind = row.name.rpartition(".")[0]
    for step in steps[1:]:
        if row is not None:
            kind = row.name if row.kind is Kind.TYPE else type_after(row.returns, kind)
        row = effects.method(kind, step)
        if row is None:
            kind = type_after(effects.unlisted(f"{kind}.{step}").returns, kind)
    assert row is not None, steps
    return row


def type_after(returns: Returns | None, kind: str) -> str:
    assert returns is not None
    if returns.form is ReturnForm.UNION:
        return type_after(returns.args[-1], kind)
    if returns.form is ReturnForm.SELF:
        return kind
    assert returns.form is ReturnForm.TYPE, (kind, returns)
    return returns.name


@pytest.mark.parametrize(
    ("steps", "operation"),
    [
        ("pandas.read_csv merge to_parquet", "overwrite"),
        ("pandas.read_excel groupby sum reset_index to_csv", "open"),
        ("pandas.DataFrame query sort_values to_excel", "overwrite"),
        ("PIL.Image.open resize convert save", "overwrite"),
        ("matplotlib.pyplot.figure savefig", "overwrite"),
        ("xarray.open_dataset sel mean to_netcdf", "open"),
        ("polars.scan_csv filter collect write_parquet", "overwrite"),
        ("plotly.graph_objects.Figure update_layout write_html", "overwrite"),
        ("geopandas.read_file to_crs to_file", "open"),
        ("duckdb.sql write_parquet", "overwrite"),
        ("openpyxl.load_workbook save", "overwrite"),
        ("pyarrow.parquet.read_table to_pandas to_feather", "overwrite"),
        ("dask.dataframe.read_csv dropna compute to_csv", "open"),
        ("docx.Document save", "overwrite"),
        ("fitz.open load_page get_pixmap save", "overwrite"),
        ("omegaconf.OmegaConf.load", "read"),
        ("transformers.RobertaForMaskedLM.from_pretrained", "read"),
        ("astropy.table.Table.read write", "overwrite"),
    ],
)
def test_returned_types_flow(effects: EffectTable, steps: str, operation: str) -> None:
    row = follow(effects, *steps.split())
    operations = [str(effect.operation) for effect in row.effects] + ["open"] * (row.open is not None)
    assert operation in operations
