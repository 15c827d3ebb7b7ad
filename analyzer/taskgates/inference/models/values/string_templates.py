"""`string.Template`."""

from __future__ import annotations

import re
import string

from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.models.values.formatting import to_text
from taskgates.inference.objects import Arguments, ClassV, Instance
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Hole, make_text, parts_of
from taskgates.inference.values import (
    AnyValue,
    Ext,
    Known,
    as_value,
    text_of,
)


@function("string.Template")
def template(machine: Machine, args: Arguments) -> AnyValue:
    """`string.Template(text)`."""
    del machine
    out = Instance(Ext("string.Template"))
    out.slots["template"] = args.pos[0] if args.pos else text_hole()
    return out


@method("string.Template.substitute", "string.Template.safe_substitute")
def substitute(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`template.substitute(...)`."""
    source = text_of(obj.slots.get("template", text_hole()))
    if source is None:
        return text_hole("data", slash=True)
    inner = Arguments()
    if args.pos:
        machine.spread(args.pos[0], inner)
    inner.kw.update(args.kw)
    inner.kwstar = args.kwstar if args.kwstar is not None else inner.kwstar
    out: list[str | Hole] = []
    pattern = _template_pattern(obj)
    for part in parts_of(source):
        if isinstance(part, Hole):
            out.append(part)
            continue
        position = 0
        for match in pattern.finditer(part):
            out.append(part[position : match.start()])
            position = match.end()
            if match["escaped"] is not None:
                out.append(match["escaped"])
                continue
            name = match["named"] or match["braced"]
            value = inner.kw.get(name) if name else None
            if value is not None:
                out.extend(parts_of(to_text(machine, value)))
            elif inner.kwstar is not None:
                out.append(Hole("data", True))
            else:
                # `safe_substitute` leaves it as it is; `substitute` would have failed.
                out.append(match[0])
        out.append(part[position:])
    return as_value(make_text(out))


def _template_pattern(obj: Instance) -> re.Pattern[str]:
    """The expression that finds placeholders, which a subclass may describe by other delimiters and names."""
    given: dict[str, str] = {}
    if isinstance(obj.cls, ClassV):
        for name in ("delimiter", "idpattern", "braceidpattern"):
            found = next(
                (cls.slots[name] for cls in obj.cls.mro if isinstance(cls, ClassV) and name in cls.slots), None
            )
            if isinstance(found, Known) and isinstance(found.value, str) and len(found.value) < 100:
                given[name] = found.value
    if not given:
        return string.Template.pattern
    try:
        return type("Own", (string.Template,), given).pattern  # type: ignore[attr-defined,no-any-return]
    except re.error:
        return string.Template.pattern
