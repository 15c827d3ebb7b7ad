"""pandas: what is computed from known values of frames and columns: texts, orders, groups, the program's calls."""

from __future__ import annotations

import math
from typing import Any

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.models.files.data_frames import FRAME, SERIES, Table, forget, made, row_of, table_of
from taskgates.inference.models.registry import METHODS, Machine, method
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.values import NONE, AnyValue, Ext, Known, TupleV

TEXTS, PLACES, GROUPS = "pandas.core.strings.texts", "pandas.core.indexing.places", "pandas.core.groupby.groups"
_WHOLE = ("whole",)


def _series(table: Table, values: list[Any]) -> Instance:
    return made(Table(table.columns, table.index, tuple((value,) for value in values)), SERIES)


def _missing(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _view(name: str, kind: str, owners: tuple[str, ...]) -> None:
    """An attribute through which an object is asked for something in another way."""
    for owner in owners:

        def model(machine: Machine, obj: Instance, args: Arguments, owner: str = owner) -> AnyValue:
            del machine, args
            if table_of(obj) is None:
                return Instance(Ext(owner))
            out = Instance(Ext(kind))
            out.slots[_WHOLE] = obj
            return out

        METHODS[f"{owner}.@{name}"] = model


_view("str", TEXTS, (SERIES,))
_view("iloc", PLACES, (FRAME, SERIES))


def _text_method(name: str) -> None:
    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        del machine
        table = table_of(obj.slots.get(_WHOLE))
        try:
            given = [to_python(value) for value in args.pos]
        except NotKnown:
            return Instance(Ext(SERIES))
        plain = not args.kw or args.kw == {"regex": Known(False)}
        if table is None or not plain or not all(isinstance(value, str) for value in table.values):
            return Instance(Ext(SERIES))
        try:
            return _series(table, [getattr(value, name)(*given) for value in table.values])
        except (TypeError, ValueError):
            return Instance(Ext(SERIES))

    METHODS[f"{TEXTS}.{name}"] = model


for _name in ("lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "startswith", "endswith", "replace",
              "removesuffix", "removeprefix", "zfill", "split"):  # fmt: skip
    _text_method(_name)


@method(f"{PLACES}.__getitem__")
def place(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`frame.iloc[n]`, `series.iloc[n]`, slices of both."""
    del machine
    whole = obj.slots[_WHOLE]
    table, key = table_of(whole), args.pos[0]
    if table is None or not isinstance(key, Known):
        return Instance(whole.cls)
    if isinstance(key.value, slice):
        return made(table.chosen(list(range(len(table.rows)))[key.value]), whole.cls.name)
    if not isinstance(key.value, int) or not -len(table.rows) <= key.value < len(table.rows):
        return Instance(whole.cls)
    return from_python(table.values[key.value]) if whole.cls == Ext(SERIES) else row_of(table, key.value)


@method(f"{PLACES}.__setitem__")
def put_place(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`frame.iloc[...] = value`: the values are no longer known."""
    del args
    forget(machine, obj.slots[_WHOLE])
    return NONE


@method(f"{FRAME}.rename")
def rename(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`frame.rename(columns=...)`."""
    table = table_of(obj)
    given = _named(args, {"columns"}, table)
    names = given.get("columns") if given is not None else None
    if table is None or args.pos or not isinstance(names, dict):
        forget(machine, obj, args)
        return None
    columns = tuple(names.get(name, name) for name in table.columns)
    return made(Table(columns, table.index, table.rows)) if len(set(columns)) == len(columns) else None


@method(f"{FRAME}.head", f"{SERIES}.head")
def head(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`head(n)`: the first rows."""
    del machine
    table, count = table_of(obj), args.get(0, "n") or Known(5)
    if table is None or not isinstance(count, Known) or not isinstance(count.value, int):
        return None
    return made(table.chosen(list(range(len(table.rows)))[: count.value]), obj.cls.name)


def _named(args: Arguments, allowed: set[str], table: Table | None) -> dict[str, Any] | None:
    """The keywords of a call that keeps rows; None where they are not known or say more."""
    if table is None or set(args.kw) - allowed or args.star is not None or args.kwstar is not None:
        return None
    try:
        return {name: to_python(value) for name, value in args.kw.items()}
    except NotKnown:
        return None


@method(f"{FRAME}.dropna", f"{SERIES}.dropna")
def dropna(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`dropna(subset=...)`: rows without missing values."""
    table = table_of(obj)
    given = _named(args, {"subset"}, table)
    if table is None or given is None or args.pos:
        forget(machine, obj, args)
        return None
    wanted = given.get("subset") or list(table.columns)
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    if not set(names) <= set(table.columns):
        return None
    columns = [table.columns.index(name) for name in names]
    kept = [i for i, row in enumerate(table.rows) if not any(_missing(row[column]) for column in columns)]
    return made(table.chosen(kept), obj.cls.name)


@method(f"{FRAME}.sort_values", f"{SERIES}.sort_values")
def sort_values(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`sort_values(by, ascending=...)`."""
    table = table_of(obj)
    given = _named(args, {"by", "ascending"}, table)
    try:
        by = to_python(args.pos[0]) if args.pos else (given or {}).get("by")
    except NotKnown:
        by = None
    if table is None or given is None or (obj.cls == Ext(FRAME) and by is None) or len(args.pos) > 1:
        forget(machine, obj, args)
        return None
    names = list(table.columns) if by is None else [by] if isinstance(by, str) else list(by)
    upward = given.get("ascending", True)
    if not set(names) <= set(table.columns) or not isinstance(upward, bool):
        return None
    columns = [table.columns.index(name) for name in names]
    if any(_missing(row[column]) for row in table.rows for column in columns):
        return None
    try:
        order = sorted(
            range(len(table.rows)), key=lambda i: [table.rows[i][column] for column in columns], reverse=not upward
        )
    except TypeError:
        return None
    return made(table.chosen(order), obj.cls.name)


@method(f"{SERIES}.astype")
def astype(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`series.astype(str)`."""
    del machine
    table = table_of(obj)
    if table is None or args.get(0, "dtype") not in (Ext("builtins.str"), Known("str")):
        return None
    return _series(table, [str(value) for value in table.values])


@method(f"{SERIES}.apply", f"{SERIES}.map", f"{FRAME}.apply")
def apply(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`series.apply(func)`, `frame.apply(func, axis=1)`: the program's function on each value or row."""
    table, func = table_of(obj), args.get(0, "func") or args.kw.get("arg")
    rows = obj.cls == Ext(FRAME)
    if table is None or func is None or (rows and args.get(1, "axis") not in (Known(1), Known("columns"))):
        return None
    if len(args.pos) > 1 + rows or set(args.kw) - {"axis", "func", "arg"} or isinstance(func, Known):
        return None
    given = [row_of(table, i) for i in range(len(table.rows))] if rows else list(map(from_python, table.values))
    try:
        found = [to_python(machine.call(func, Arguments([value]))) for value in given]
    except NotKnown:
        return Instance(Ext(SERIES))
    if any(not isinstance(value, str | int | float | bool) for value in found):
        return Instance(Ext(SERIES))
    return made(Table((None,), table.index, tuple((value,) for value in found)), SERIES)


@method(f"{FRAME}.groupby")
def groupby(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`frame.groupby(name)`: iteration gives each value with its rows."""
    del machine
    table, by = table_of(obj), args.get(0, "by")
    if table is None or not isinstance(by, Known) or by.value not in table.columns or len(args.pos) > 1:
        return None
    if set(args.kw) - {"by"}:
        return None
    values = table.column(by.value).values
    try:
        keys = sorted({value for value in values if not _missing(value)})
    except TypeError:
        return None
    out = Instance(Ext(GROUPS))
    pairs = []
    for key in keys:
        rows = [i for i, value in enumerate(values) if value == key]
        pairs.append(TupleV((from_python(key), made(table.chosen(rows)))))
    out.slots[_WHOLE] = ListObj("list", pairs)
    return out


@method(f"{GROUPS}.__iter__")
def groups(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The groups in order."""
    del machine, args
    found: AnyValue = obj.slots[_WHOLE]
    return found


@method(f"{GROUPS}.__getattr__", f"{GROUPS}.__getitem__")
def other_group(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Whatever else is asked of groups gives tables of unknown values."""
    del machine, obj, args
    return Instance(Ext(FRAME))
