"""What Snakemake offers to rules for choosing files and parameters: `lookup`, `branch`, `evaluate`, `subpath`.

Where such a call depends on wildcards it gives a function, which is called for each job.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import from_python
from taskgates.inference.models.files.data_frames import Table, table_of
from taskgates.inference.models.pipelines.snakemake_objects import filled_command, is_callable
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance, ListObj
from taskgates.inference.paths import split_last
from taskgates.inference.values import (
    FALSE,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Known,
    NamedTupleV,
    Native,
    TupleV,
    as_value,
    options,
    path_text,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from taskgates.inference.models.registry import Machine

ITEM = "snakemake.item"
"""The name of functions that want what is known of a job: `input`, `output`, `params`, `resources`, `threads`."""

_FIELD = re.compile(r"\{([^{}]+)\}")
_TERM = re.compile(r"\s*\(?\s*`?(\w+)`?\s*(==|!=)\s*(?:'([^']*)'|\"([^\"]*)\"|(-?\d+))\s*\)?\s*")
_AND = re.compile(r"&|\band\b")
_OWN = ("query", "dpath", "cols", "is_nrows", "within", "default")


def _called(machine: Machine, value: AnyValue, args: Arguments) -> AnyValue:
    return machine.call(value, Arguments(args.pos[:1])) if is_callable(value) else value


# lookup


def lookup(machine: Machine, args: Arguments) -> AnyValue:
    """`lookup(query, within=table)` and `lookup(dpath, within=mapping)`."""
    within = args.kw.get("within", UNKNOWN)
    wanted = args.get(0, "query") or args.kw.get("dpath") or UNKNOWN
    names = {name: value for name, value in args.kw.items() if name not in _OWN}
    text = text_of(wanted)
    fields = _FIELD.findall(text) if isinstance(text, str) else []
    columns = args.kw.get("cols", NONE)
    if isinstance(text_of(columns), str):
        fields = [*fields, *_FIELD.findall(str(text_of(columns)))]
    own = all(re.split(r"[.\[]", field)[0] in names for field in fields)
    if not is_callable(wanted) and own and not any(map(is_callable, names.values())):
        return _found(machine, args, within, wanted, names)

    def run(machine: Machine, given: Arguments) -> AnyValue:
        wildcards = given.pos[0] if given.pos else None
        known = wildcards.slots.items() if isinstance(wildcards, Instance) else ()
        filled = {name: value for name, value in known if isinstance(name, str)}
        filled |= {name: _called(machine, value, given) for name, value in names.items()}
        return _found(machine, args, within, _called(machine, wanted, given), filled)

    return Native("snakemake.lookup", run)


def _found(
    machine: Machine, args: Arguments, within: AnyValue, wanted: AnyValue, names: Mapping[str, AnyValue]
) -> AnyValue:
    text = text_of(filled_command(machine, wanted, dict(names)) if names else wanted)
    if not isinstance(text, str):
        return UNKNOWN
    if isinstance(within, DictObj):
        return _at(within, text, args.kw.get("default"))
    table = table_of(within)
    places = _matching(table, text) if table is not None else None
    if table is None or places is None:
        return UNKNOWN
    return _rows(machine, table.chosen(places), args, names)


def _at(within: DictObj, path: str, default: AnyValue | None) -> AnyValue:
    """A value of nested mappings and lists, its keys joined with slashes."""
    found: AnyValue | None = within
    for part in path.strip("/").split("/"):
        if "*" in part or "?" in part:
            return UNKNOWN
        if isinstance(found, DictObj):
            known = {str(key.value): value for key, value in found.known() if isinstance(key, Known)}
            missing = UNKNOWN if found.rest is not None else None
            found = known.get(part, missing)
        elif isinstance(found, ListObj | TupleV) and part.isdigit() and int(part) < len(found.items):
            found = found.items[int(part)]
        else:
            found = None if isinstance(found, Known | ListObj | TupleV) else UNKNOWN
        if found is None or found == UNKNOWN:
            break
    if found is None:
        return default if default is not None else UNKNOWN
    return found


def _matching(table: Table, query: str) -> list[int] | None:
    """The rows that a query of comparisons joined with `and` leaves; None where it says more than that."""
    places = list(range(len(table.rows)))
    for part in _AND.split(query):
        match = _TERM.fullmatch(part)
        if match is None or match[1] not in (*map(str, table.columns), "index"):
            return None
        wanted: Any = int(match[5]) if match[5] is not None else match[3] if match[3] is not None else match[4]
        values = table.index if match[1] == "index" else table.column(match[1]).values
        places = [place for place in places if (values[place] == wanted) is (match[2] == "==")]
    return places


def _rows(machine: Machine, table: Table, args: Arguments, names: Mapping[str, AnyValue]) -> AnyValue:
    count = args.kw.get("is_nrows")
    if isinstance(count, Known):
        return TRUE if count.value == len(table.rows) else FALSE
    if not table.rows and "default" in args.kw:
        return args.kw["default"]
    columns = args.kw.get("cols", NONE)
    if columns != NONE:
        name = text_of(filled_command(machine, columns, dict(names)) if names else columns)
        if isinstance(name, str):
            known = name in table.columns
            return ListObj("list", [from_python(value) for value in table.column(name).values]) if known else UNKNOWN
    labels = (*(("Index",) if columns == NONE else ()), *map(str, table.columns))
    if columns != NONE or not all(label.isidentifier() for label in labels):
        return UNKNOWN
    rows: list[AnyValue] = [
        NamedTupleV(dict(zip(labels, map(from_python, (label, *row)), strict=True)))
        for label, row in zip(table.index, table.rows, strict=True)
    ]
    return rows[0] if len(rows) == 1 else ListObj("list", rows)


# The others


def branch(machine: Machine, args: Arguments) -> AnyValue:
    """`branch(condition, then=..., otherwise=...)` and `branch(key, cases={...})`."""
    named = [args.get(0, "condition"), args.get(1, "then"), args.get(2, "otherwise")]
    if any(map(is_callable, named)):
        return Native("snakemake.branch", lambda machine, given: _chosen(machine, args, given))
    return _chosen(machine, args, Arguments())


def _chosen(machine: Machine, args: Arguments, given: Arguments) -> AnyValue:
    test, cases = args.get(0, "condition") or UNKNOWN, args.get(3, "cases")
    then, otherwise = args.get(1, "then") or NONE, args.get(2, "otherwise") or NONE
    value = _called(machine, test, given)
    if isinstance(cases, DictObj):
        found = cases.slots.get(value) if isinstance(value, Known) else None
        if found is None and otherwise == NONE:
            machine.opaque("a branch of a workflow is not decided")
            return UNKNOWN
        chosen = found if found is not None else otherwise
    else:
        decided = machine.truth(value)
        if decided is None:
            machine.opaque("a branch of a workflow is not decided")
            return UNKNOWN
        chosen = then if decided else otherwise
    result = _called(machine, chosen, given)
    return TupleV(()) if result == NONE else result


def subpath(machine: Machine, args: Arguments) -> AnyValue:
    """`subpath(path, strip_suffix=..., with_suffix=..., basename=True, parent=True, ancestor=2)`."""
    del machine
    value = args.get(0, "path_or_func") or UNKNOWN
    if is_callable(value):
        return Native(ITEM, lambda machine, given: _part(machine.call(value, given), args))
    return _part(value, args)


def _part(value: AnyValue, args: Arguments) -> AnyValue:
    choices = [text for option in options(value) if (text := path_text(option)) is not None]
    if len(choices) != 1:
        return UNKNOWN
    text = choices[0]
    strip, added = text_of(args.kw.get("strip_suffix", NONE)), text_of(args.kw.get("with_suffix", NONE))
    if isinstance(text, str):
        text = text.removesuffix(strip) if isinstance(strip, str) else text
        text += added if isinstance(added, str) else ""
    elif strip is not None or added is not None:
        return UNKNOWN
    if args.kw.get("basename") == TRUE:
        return as_value(split_last(text)[1])
    count = args.kw.get("ancestor", NONE)
    steps = count.value if isinstance(count, Known) and isinstance(count.value, int) else 0
    for _ in range(1 if args.kw.get("parent") == TRUE else steps):
        text = split_last(text)[0] or "."
    return as_value(text)


# Items of a job


def items_of(name: str) -> Instance:
    """What `input`, `output`, `params` and `resources` are in a rule outside its body: a function for each item."""
    made = ClassV("RuleItemProxy", "snakemake.ioutils.RuleItemProxy", None, ())
    made.slots["__getattr__"] = Native("method:getattr", _deferred(name, attribute=True))
    made.slots["__getitem__"] = Native("method:getitem", _deferred(name, attribute=False))
    return Instance(made)


def _deferred(kind: str, *, attribute: bool) -> Callable[[Machine, Arguments], AnyValue]:
    def make(_: Machine, args: Arguments) -> AnyValue:
        key = args.pos[1] if len(args.pos) > 1 else UNKNOWN

        def get(machine: Machine, given: Arguments) -> AnyValue:
            owner = given.kw.get(kind, UNKNOWN)
            name = text_of(key)
            if attribute and isinstance(name, str):
                return machine.get_attr(owner, name)  # type: ignore[no-any-return]
            return machine.get_item(owner, key)  # type: ignore[no-any-return]

        return Native(ITEM, get)

    return make


__all__ = ["ITEM", "branch", "items_of", "lookup", "subpath"]
