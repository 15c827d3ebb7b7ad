"""pandas: the small tables of the repository as frames and columns of known values.

A frame or column that is known carries its values; whatever is not modelled here is left to the effect tables, whose
results carry none. What a program puts into a frame makes its values unknown.
"""

from __future__ import annotations

import csv
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.models.reading import file_text
from taskgates.inference.models.registry import METHODS, Machine, function, method
from taskgates.inference.objects import VALUES, Arguments, Instance, ListObj
from taskgates.inference.values import INT, NONE, UNKNOWN, AnyValue, Ext, Known, NamedTupleV, TupleV
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME, SERIES, ROWS = "pandas.DataFrame", "pandas.Series", "pandas.core.indexing.rows"
_WHOLE = ("whole",)
_OPTIONS = frozenset(["sep", "delimiter", "dtype", "index_col", "comment", "engine", "encoding", "header"])
_MISSING = frozenset(["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "n/a", "<NA>"])
_LIMIT = 4096
"""Cells of a table that are kept."""


@dataclass(frozen=True, eq=False)
class Table:
    """Known values.

    Attributes:
        columns: the names of the columns; one, or None, for a series.
        index: the labels of the rows.
        rows: the values of each row.
    """

    columns: tuple[Any, ...]
    index: tuple[Any, ...]
    rows: tuple[tuple[Any, ...], ...]

    def column(self, name: Any) -> Table:
        """One column."""
        place = self.columns.index(name)
        return Table((name,), self.index, tuple((row[place],) for row in self.rows))

    def chosen(self, places: list[int]) -> Table:
        """Some rows, by their places."""
        return Table(self.columns, tuple(self.index[i] for i in places), tuple(self.rows[i] for i in places))

    @property
    def values(self) -> list[Any]:
        """The values of a series."""
        return [row[0] for row in self.rows]


def made(table: Table, kind: str = FRAME) -> Instance:
    """A frame or series that carries its values."""
    out = Instance(Ext(kind))
    out.slots[VALUES] = Known(table)
    return out


def table_of(value: AnyValue | None, kind: str | None = None) -> Table | None:
    """The values that a frame or series carries; None where they are not known."""
    if not isinstance(value, Instance) or not isinstance(value.cls, Ext) or kind not in (None, value.cls.name):
        return None
    held = value.slots.get(VALUES)
    table = held.value if isinstance(held, Known) else None
    given = {name for name in value.slots if isinstance(name, str)}
    if not given or not isinstance(table, Table):
        return table if isinstance(table, Table) else None
    # Other attributes were set: a new index, or what is not followed, such as new names of the columns.
    index = table_of(value.slots["index"], SERIES) if given == {"index"} else None
    if index is None or len(index.rows) != len(table.rows):
        return None
    return Table(table.columns, tuple(index.values), table.rows)


def _listing(values: list[Any]) -> ListObj:
    return ListObj("list", [from_python(value) for value in values])


def _converted(cells: list[str]) -> list[Any]:
    """The cells of a column in the type that all of them have."""
    for kind in (int, float):
        try:
            if kind is int and any(cell in _MISSING for cell in cells):
                continue
            return [float("nan") if cell in _MISSING else kind(cell) for cell in cells]
        except ValueError:
            continue
    if set(cells) <= {"True", "False"}:
        return [cell == "True" for cell in cells]
    return [float("nan") if cell in _MISSING else cell for cell in cells]


def _read(machine: Machine, args: Arguments, separator: str) -> AnyValue | None:
    source = args.get(0, "filepath_or_buffer")
    if source is None or not machine.closed or len(args.pos) > 1 or set(args.kw) - _OPTIONS - {"filepath_or_buffer"}:
        return None
    try:
        given = {
            name: to_python(value) for name, value in args.kw.items() if name not in ("dtype", "filepath_or_buffer")
        }
    except NotKnown:
        return None
    text = file_text(machine, source)
    kind = args.kw.get("dtype")
    plain = kind in (Ext("builtins.str"), Known("str"), Ext("builtins.object"))
    if text is None or (kind is not None and not plain) or given.get("header", 0) not in (0, "infer"):
        return None
    comment = given.get("comment")
    lines = [line.split(comment)[0] if comment else line for line in text.splitlines()]
    sep = given.get("sep", given.get("delimiter")) or separator
    kept = [line for line in lines if line.strip()]
    if len(sep) == 1:
        cells = list(csv.reader(kept, delimiter=sep))
    elif sep == r"\s+":
        cells = [re.split(sep, line.strip()) for line in kept]
    else:
        return None
    if not cells or len({len(row) for row in cells}) != 1 or len(set(cells[0])) != len(cells[0]):
        return None
    if sum(map(len, cells)) > _LIMIT or len(cells) > machine.limits.unroll:
        return None
    columns = [
        [float("nan") if cell in _MISSING else cell for cell in column] if plain else _converted(list(column))
        for column in zip(*cells[1:], strict=True)
    ] or [[] for _ in cells[0]]
    table = Table(tuple(cells[0]), tuple(range(len(cells) - 1)), tuple(zip(*columns, strict=True)))
    label = given.get("index_col")
    if label is not None:
        name = table.columns[label] if isinstance(label, int) and label < len(table.columns) else label
        if name not in table.columns:
            return None
        table = _indexed(table, name, drop=True)
    machine.access(Operation.READ, source, "pandas.read_csv")
    return made(table)


def row_of(table: Table, place: int) -> Instance:
    """One row as a series, labelled with the names of the columns."""
    return made(Table((table.index[place],), table.columns, tuple((v,) for v in table.rows[place])), SERIES)


def _indexed(table: Table, name: Any, *, drop: bool) -> Table:
    index = tuple(table.column(name).values)
    if not drop:
        return Table(table.columns, index, table.rows)
    place = table.columns.index(name)
    rows = tuple(row[:place] + row[place + 1 :] for row in table.rows)
    return Table(table.columns[:place] + table.columns[place + 1 :], index, rows)


@function("pandas.read_csv")
def read_csv(machine: Machine, args: Arguments) -> AnyValue | None:
    """`read_csv(path)`: the values of a small table, as the tree holds it."""
    return _read(machine, args, ",")


@function("pandas.read_table")
def read_table(machine: Machine, args: Arguments) -> AnyValue | None:
    """`read_table(path)`: the same, divided by tabs."""
    return _read(machine, args, "\t")


def _true_places(table: Table) -> list[int] | None:
    values = table.values
    return [i for i, value in enumerate(values) if value] if all(isinstance(v, bool) for v in values) else None


@method(f"{FRAME}.__getitem__", f"{SERIES}.__getitem__")
def item(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`frame[name]`, `frame[names]`, `frame[mask]`, `series[label]`."""
    found = _item(obj, args.pos[0])
    return found if found is not None else machine.external_item(obj, obj.cls.name)


def _item(obj: Instance, key: AnyValue) -> AnyValue | None:
    table = table_of(obj)
    if table is None:
        return None
    series = obj.cls == Ext(SERIES)
    mask = table_of(key, SERIES)
    if mask is not None:
        places = _true_places(mask)
        return made(table.chosen(places), obj.cls.name) if places is not None and mask.index == table.index else None
    try:
        wanted = to_python(key)
    except NotKnown:
        return None
    if series:
        return from_python(table.values[table.index.index(wanted)]) if table.index.count(wanted) == 1 else None
    if isinstance(wanted, list) and all(name in table.columns for name in wanted):
        places = [table.columns.index(name) for name in wanted]
        return made(Table(tuple(wanted), table.index, tuple(tuple(row[i] for i in places) for row in table.rows)))
    return made(table.column(wanted), SERIES) if isinstance(wanted, str) and wanted in table.columns else None


@method(f"{FRAME}.__setitem__", f"{SERIES}.__setitem__")
def put(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`frame[name] = value`: the values are no longer known, but for a column of known values."""
    table, added = table_of(obj, FRAME), table_of(args.pos[1], SERIES)
    name = args.pos[0].value if isinstance(args.pos[0], Known) else None
    new: Any = None
    if table is not None and added is not None and added.index == table.index and isinstance(name, str):
        kept = [place for place, old in enumerate(table.columns) if old != name]
        rows = tuple((*(row[i] for i in kept), *extra) for row, extra in zip(table.rows, added.rows, strict=True))
        new = Table((*(table.columns[i] for i in kept), name), table.index, rows)
    machine.state.write(obj.slots, VALUES, Known(new))
    return NONE


@method(f"{FRAME}.__getattr__")
def column(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`frame.name`, where no method has that name."""
    del machine
    return _item(obj, args.pos[0])


METHODS[f"{SERIES}.__getattr__"] = column


def _attribute(name: str, compute: Callable[[Table, str], AnyValue | None]) -> None:
    for kind in (FRAME, SERIES):

        def model(machine: Machine, obj: Instance, args: Arguments, kind: str = kind) -> AnyValue | None:
            del args
            table = table_of(obj)
            found = compute(table, kind) if table is not None else None
            if found is not None:
                return found
            listed = machine.effects.attribute(kind, name)
            return (
                machine.result(listed, machine.effects.type(kind), {}, Arguments(), obj, UNKNOWN) if listed else UNKNOWN
            )

        METHODS[f"{kind}.@{name}"] = model


def _plain_values(table: Table, kind: str) -> AnyValue:
    return _listing(table.values if kind == SERIES else [list(row) for row in table.rows])


_attribute("columns", lambda table, kind: _listing(list(table.columns)) if kind == FRAME else None)
_attribute("index", lambda table, _: made(Table((None,), table.index, tuple((v,) for v in table.index)), SERIES))
_attribute("values", _plain_values)
_attribute("empty", lambda table, _: Known(not table.rows))
_attribute("shape", lambda table, kind: from_python((len(table.rows), len(table.columns))) if kind == FRAME else None)


@method(f"{FRAME}.@loc", f"{FRAME}.@at")
def rows_view(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`frame.loc`: the frame, asked for rows."""
    del machine, args
    if table_of(obj) is None:
        return Instance(Ext(FRAME))
    out = Instance(Ext(ROWS))
    out.slots[_WHOLE] = obj
    return out


@method(f"{ROWS}.__getitem__")
def row(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`frame.loc[label]`, `frame.loc[label, name]`, `frame.loc[mask, name]`."""
    del machine
    table, key = table_of(obj.slots[_WHOLE]), args.pos[0]
    name: AnyValue | None = None
    if isinstance(key, TupleV) and len(key.items) == 2:
        key, name = key.items
    if table is None:
        return Instance(Ext(FRAME))
    mask = table_of(key, SERIES)
    places = _true_places(mask) if mask is not None and mask.index == table.index else None
    if mask is None and isinstance(key, Known):
        places = [i for i, label in enumerate(table.index) if label == key.value]
    if (not places and mask is None) or places is None:
        return Instance(Ext(FRAME)) if name is None else UNKNOWN
    some = table.chosen(places)
    if mask is None and len(places) == 1:
        single = row_of(some, 0)
        return single if name is None else _item(single, name) or UNKNOWN
    return made(some) if name is None else _item(made(some), name) or UNKNOWN


@method(f"{ROWS}.__setitem__")
def put_row(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`frame.loc[...] = value`: the values of the frame are no longer known."""
    del args
    machine.state.write(obj.slots[_WHOLE].slots, VALUES, Known(None))
    return NONE


@method(f"{FRAME}.iterrows")
def iterrows(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`frame.iterrows()`: the label and the values of each row."""
    del machine, args
    table = table_of(obj)
    if table is None:
        return None
    pairs = [TupleV((from_python(label), row_of(table, place))) for place, label in enumerate(table.index)]
    return ListObj("iterator", pairs)


@method(f"{FRAME}.itertuples")
def itertuples(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`frame.itertuples()`: each row as a named tuple."""
    del machine
    table = table_of(obj)
    if table is None or set(args.kw) - {"index"} or args.pos:
        return None
    labelled = args.kw.get("index") != Known(False)
    names = (*(("Index",) if labelled else ()), *map(str, table.columns))
    if not all(name.isidentifier() for name in names):
        return None
    rows = [((label, *row) if labelled else row) for label, row in zip(table.index, table.rows, strict=True)]
    return ListObj("iterator", [NamedTupleV(dict(zip(names, map(from_python, row), strict=True))) for row in rows])


@method(f"{FRAME}.to_dict", f"{SERIES}.to_dict")
def to_dict(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`to_dict(orient)`: columns or rows as mappings."""
    del machine
    table = table_of(obj)
    orient = args.get(0, "orient") or Known("dict")
    if table is None or not isinstance(orient, Known) or set(args.kw) - {"orient"}:
        return None
    columns = {name: table.column(name).values for name in table.columns} if obj.cls == Ext(FRAME) else {}
    if obj.cls == Ext(SERIES):
        return from_python(dict(zip(table.index, table.values, strict=True)))
    if orient.value == "records":
        return from_python([dict(zip(table.columns, row, strict=True)) for row in table.rows])
    if orient.value == "list":
        return from_python(columns)
    if orient.value == "index":
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        return from_python(dict(zip(table.index, rows, strict=True)))
    if orient.value == "dict":
        return from_python({name: dict(zip(table.index, held, strict=True)) for name, held in columns.items()})
    return None


def _series_result(name: str, compute: Callable[[list[Any]], Any]) -> None:
    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
        del machine
        table = table_of(obj, SERIES)
        return None if table is None or args.pos or args.kw else from_python(compute(table.values))

    METHODS[f"{SERIES}.{name}"] = model


_series_result("tolist", list)
_series_result("to_list", list)
_series_result("unique", lambda values: list(dict.fromkeys(values)))
_series_result("nunique", lambda values: len(set(values)))


@method(f"{SERIES}.__iter__")
def series_values(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Iteration over a series gives its values."""
    del args
    table = table_of(obj)
    return ListObj("iterator", (), _unknown_item(machine, obj)) if table is None else _listing(table.values)


@method(f"{FRAME}.__iter__")
def frame_names(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Iteration over a frame gives the names of its columns."""
    del args
    table = table_of(obj)
    return ListObj("iterator", (), _unknown_item(machine, obj)) if table is None else _listing(list(table.columns))


def _unknown_item(machine: Machine, obj: Instance) -> AnyValue:
    rest = machine.external_iter(obj, obj.library_type).rest
    return rest if rest is not None else UNKNOWN


@method(f"{FRAME}.__len__", f"{SERIES}.__len__")
def length(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`len(frame)`: the number of rows."""
    del machine, args
    table = table_of(obj)
    return INT if table is None else Known(len(table.rows))


@method(f"{FRAME}.set_index")
def set_index(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`frame.set_index(name, drop=...)`."""
    table, name = table_of(obj), args.get(0, "keys")
    drop = args.get(1, "drop") or Known(True)
    if "inplace" in args.kw or table is None or set(args.kw) - {"keys", "drop", "verify_integrity"}:
        return _forget(machine, obj, args)
    if isinstance(name, Known) and name.value in table.columns and isinstance(drop, Known):
        return made(_indexed(table, name.value, drop=bool(drop.value)))
    return Instance(Ext(FRAME))


@method(f"{FRAME}.drop_duplicates")
def drop_duplicates(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`frame.drop_duplicates(subset)`: the first of equal rows stays."""
    table, subset = table_of(obj), args.get(0, "subset") or NONE
    try:
        wanted = to_python(subset)
    except NotKnown:
        wanted = 0
    if table is None or set(args.kw) - {"subset"} or wanted == 0:
        return _forget(machine, obj, args)
    names = table.columns if wanted is None else (wanted,) if isinstance(wanted, str) else tuple(wanted)
    if not set(names) <= set(table.columns):
        return None
    places = [table.columns.index(name) for name in names]
    first: dict[Any, int] = {}
    for i, row in enumerate(table.rows):
        first.setdefault(tuple(row[place] for place in places), i)
    return made(table.chosen(list(first.values())))


@method(f"{SERIES}.isin")
def isin(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`series.isin(values)`."""
    del machine
    table = table_of(obj)
    try:
        wanted = to_python(args.pos[0]) if args.pos else None
    except NotKnown:
        return None
    if table is None or not isinstance(wanted, list | tuple | set):
        return None
    return made(Table(table.columns, table.index, tuple((value in wanted,) for value in table.values)), SERIES)


def forget(machine: Machine, obj: Instance, args: Arguments | None = None) -> None:
    """What changes a frame in its place leaves values that are not known; without arguments, it does change it."""
    changes = args is None or args.kw.get("inplace", Known(False)) != Known(False) or args.kwstar is not None
    if changes and VALUES in obj.slots:
        machine.state.write(obj.slots, VALUES, Known(None))


def _forget(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """A method that is left to the effect tables."""
    forget(machine, obj, args)
    return None


for _name in (
    "drop", "dropna", "fillna", "rename", "rename_axis", "reset_index", "sort_values", "sort_index", "replace", "query",
    "eval", "mask", "where", "clip", "interpolate", "ffill", "bfill",
):  # fmt: skip
    for _kind in (FRAME, SERIES):
        METHODS.setdefault(f"{_kind}.{_name}", _forget)


def _changes(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    del args
    if VALUES in obj.slots:
        machine.state.write(obj.slots, VALUES, Known(None))
    return None


for _name in ("insert", "update", "pop", "set_axis", "set_flags"):
    for _kind in (FRAME, SERIES):
        METHODS.setdefault(f"{_kind}.{_name}", _changes)


def _comparison(name: str, compute: Callable[[Any, Any], Any]) -> None:
    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
        del machine
        table, other = table_of(obj), args.pos[0]
        if table is None:
            return None
        second = table_of(other, SERIES)
        try:
            others = second.values if second is not None else [to_python(other)] * len(table.rows)
            if second is not None and second.index != table.index:
                return None
            found = [compute(one, two) for one, two in zip(table.values, others, strict=True)]
        except (NotKnown, TypeError, ValueError):
            return None
        return made(Table(table.columns, table.index, tuple((value,) for value in found)), SERIES)

    METHODS[f"{SERIES}.__{name}__"] = model


for _name in ("eq", "ne", "lt", "le", "gt", "ge", "and_", "or_", "add"):
    _comparison(_name.rstrip("_"), getattr(operator, _name))
