"""printf-style formatting of partly known texts."""

from __future__ import annotations

import re

from taskgates.inference.objects import DictObj
from taskgates.inference.renderings import render
from taskgates.inference.text import Hole, TextLike, make_text, parts_of
from taskgates.inference.values import (
    AnyValue,
    Known,
    TupleV,
    Unknown,
    as_value,
)


def percent_format(template: TextLike, argument: AnyValue) -> AnyValue:
    """printf-style formatting with partly known arguments."""
    values: list[AnyValue] = list(argument.items) if isinstance(argument, TupleV) else [argument]
    exact = not (isinstance(argument, TupleV) and argument.rest is not None)
    out: list[str | Hole] = []
    index = 0
    for piece in parts_of(template):
        if isinstance(piece, Hole):
            out.append(piece)
            continue
        position = 0
        for match in _PERCENT.finditer(piece):
            out.append(piece[position : match.start()])
            position = match.end()
            kind = match["kind"]
            if kind == "%":
                out.append("%")
                continue
            if match["key"] is not None:
                value: AnyValue = Unknown("formatted value", "data")
                if isinstance(argument, DictObj):
                    found = dict(argument.known()).get(Known(match["key"]))
                    value = found if found is not None else Unknown("formatted value", "data")
            else:
                value = values[index] if index < len(values) else Unknown("formatted value", "data")
                index += 1
            out.extend(_percent_piece(match, value, exact))
        out.append(piece[position:])
    return as_value(make_text(out))


_PERCENT = re.compile(
    r"%(?:\((?P<key>[^)]*)\))?(?P<flags>[-+ #0]*)(?P<width>\d+)?(?:\.(?P<precision>\d+))?[hlL]?(?P<kind>[a-zA-Z%])"
)


def _percent_piece(match: re.Match[str], value: AnyValue, exact: bool) -> tuple[str | Hole, ...]:
    del exact
    spec = "%" + match["flags"] + (match["width"] or "")
    spec += ("." + match["precision"] if match["precision"] is not None else "") + match["kind"]
    if isinstance(value, Known) and len(spec) < 12:
        try:
            return (spec % (value.value,),)
        except (TypeError, ValueError):
            return (Hole("data", False),)
    if match["kind"] in "sr" and not match["width"] and not match["precision"]:
        return parts_of(render(value))
    return (Hole("data", isinstance(value, Unknown) and value.origin not in ("data", "clock", "random")),)
