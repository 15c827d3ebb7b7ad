"""re: matches on known texts, and what is known of them on texts with holes."""

from __future__ import annotations

import re
from typing import Any

from taskgates.inference.backtracking import affordable
from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.models.values.formatting import to_text
from taskgates.inference.models.values.strings import pure_call
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Hole, Text, make_text, parts_of
from taskgates.inference.values import (
    INT,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Native,
    TupleV,
    Unknown,
    as_value,
    join,
    options,
)


def compiled(pattern: AnyValue, flags_value: AnyValue | None) -> Instance:
    """A compiled regular expression."""
    out = Instance(Ext("re.Pattern"))
    out.slots["pattern"] = pattern
    out.slots["flags"] = flags_value if flags_value is not None else Known(0)
    return out


@function("re.compile")
def re_compile(machine: Machine, args: Arguments) -> AnyValue:
    """`re.compile(pattern, flags)`."""
    del machine
    return compiled(args.get(0, "pattern") or UNKNOWN, args.get(1, "flags"))


for _flag in (
    "I",
    "IGNORECASE",
    "M",
    "MULTILINE",
    "S",
    "DOTALL",
    "X",
    "VERBOSE",
    "A",
    "ASCII",
    "U",
    "UNICODE",
    "L",
    "LOCALE",
):
    registry.CONSTANTS[f"re.{_flag}"] = registry.fixed(Known(int(getattr(re, _flag))))

_LONGEST_PATTERN = 20_000
_LONGEST_TEXT = 20_000


def _re_known(machine: Machine, name: str, pattern: AnyValue, flags_value: AnyValue, values: list[AnyValue]) -> Any:
    """Let Python match a known pattern against known text; patterns that could run for long are left alone."""
    del machine
    try:
        source, flag = to_python(pattern), to_python(flags_value)
        plain = [to_python(value) for value in values]
    except NotKnown:
        return None
    if (
        not isinstance(source, str | bytes)
        or len(source) > _LONGEST_PATTERN
        or (length := sum(len(p) for p in plain if isinstance(p, str | bytes))) > _LONGEST_TEXT
    ):
        return None
    try:
        return (getattr(re.compile(source, flag), name)(*plain),) if affordable(source, length, flag) else None
    except (re.error, TypeError, ValueError, RecursionError, IndexError, OverflowError):
        return None


def _match_value(found: Any, origin: AnyValue) -> AnyValue:
    if found is None:
        return NONE
    out = Instance(Ext("re.Match"))
    out.slots["match"] = Native("match", lambda _, __: NONE)
    out.slots[("found",)] = found
    del origin
    return out


def _text_origin(values: list[AnyValue]) -> tuple[str, bool]:
    for value in values:
        if isinstance(value, Text):
            return value.origin, any(part.slash if isinstance(part, Hole) else "/" in part for part in value.parts)
        if isinstance(value, Unknown):
            return value.origin, value.origin not in ("data", "glob")
    return "data", False


def _replace_by_calls(
    machine: Machine, pattern: AnyValue, flags_value: AnyValue, repl: AnyValue, subject: AnyValue
) -> AnyValue | None:
    """`re.sub` with a function, on known text: the function is called for every match."""
    results: list[AnyValue] = []
    for option in options(subject):
        known = _re_known(machine, "finditer", pattern, flags_value, [option])
        if known is None or not isinstance(option, Known):
            return None
        matches = list(known[0])
        if len(matches) > 200:
            return None
        parts: list[str | Hole] = []
        position = 0
        for match in matches:
            parts.append(option.value[position : match.start()])
            parts.extend(parts_of(to_text(machine, machine.call(repl, Arguments([_match_value(match, NONE)])))))
            position = match.end()
        parts.append(option.value[position:])
        results.append(as_value(make_text(parts)))
    return join(results)


def _regex(name: str) -> None:
    def on_pattern(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        return run(machine, obj.slots.get("pattern", UNKNOWN), obj.slots.get("flags", Known(0)), args)

    def on_module(machine: Machine, args: Arguments) -> AnyValue:
        pattern = args.get(0, "pattern") or UNKNOWN
        rest = Arguments(args.pos[1:], {k: v for k, v in args.kw.items() if k not in ("pattern", "flags")}, args.star)
        limit = {"sub": 3, "subn": 3, "split": 2}.get(name, 1)
        flags_value = args.kw.get("flags") or (args.pos[limit + 1] if len(args.pos) > limit + 1 else Known(0))
        rest.pos = rest.pos[:limit]
        if isinstance(pattern, Instance) and "pattern" in pattern.slots:
            return on_pattern(machine, pattern, rest)
        return run(machine, pattern, flags_value, rest)

    def run(machine: Machine, pattern: AnyValue, flags_value: AnyValue, args: Arguments) -> AnyValue:
        values = [*args.pos, *args.kw.values()]
        if name in ("match", "search", "fullmatch"):
            results = []
            for option in options(values[0]) if values else (UNKNOWN,):
                known = _re_known(machine, name, pattern, flags_value, [option, *values[1:]])
                if known is not None:
                    results.append(_match_value(known[0], option))
                else:
                    out = Instance(Ext("re.Match"))
                    origin, slash = _text_origin([option])
                    out.slots["subject"] = text_hole(origin, slash)
                    results.append(join([NONE, out]))
            return join(results)
        if name in ("sub", "subn"):
            repl = args.get(0, "repl") or UNKNOWN
            subject = args.get(1, "string") or UNKNOWN
            if isinstance(repl, Known):
                found = []
                for option in options(subject):
                    known = _re_known(machine, name, pattern, flags_value, [repl, option, *values[2:]])
                    found.append(from_python(known[0]) if known is not None else None)
                if all(value is not None for value in found):
                    return join(found)
            elif (
                not isinstance(repl, Unknown)
                and (replaced := _replace_by_calls(machine, pattern, flags_value, repl, subject)) is not None
            ):
                return TupleV([replaced, INT]) if name == "subn" else replaced
            elif not isinstance(repl, Unknown):
                match_value = Instance(Ext("re.Match"))
                match_value.slots["subject"] = text_hole()
                machine.undecided += 1
                try:
                    machine.call(repl, Arguments([match_value]))
                finally:
                    machine.undecided -= 1
            origin, slash = _text_origin([subject])
            if isinstance(subject, Known) and isinstance(subject.value, str):
                slash = slash or "/" in subject.value
            if isinstance(repl, Known) and isinstance(repl.value, str):
                slash = slash or "/" in repl.value
                if (
                    isinstance(pattern, Known)
                    and isinstance(pattern.value, str)
                    and pattern.value.startswith("[^")
                    and "/" not in pattern.value
                ):
                    slash = "/" in repl.value
            hole = text_hole(origin, slash)
            return TupleV([hole, INT]) if name == "subn" else hole
        known = _re_known(machine, name, pattern, flags_value, values)
        if known is not None and name in ("findall", "split"):
            return from_python(known[0])
        origin, slash = _text_origin(values)
        if name == "finditer":
            if known is not None:
                return ListObj("iterator", [_match_value(match, NONE) for match in list(known[0])[:512]])
            out = Instance(Ext("re.Match"))
            out.slots["subject"] = text_hole(origin, slash)
            return ListObj("iterator", (), out)
        return ListObj("list", (), text_hole(origin, slash))

    registry.METHODS[f"re.Pattern.{name}"] = on_pattern
    registry.FUNCTIONS[f"re.{name}"] = on_module


for _name in ("match", "search", "fullmatch", "sub", "subn", "findall", "finditer", "split"):
    _regex(_name)


@function("re.escape")
def re_escape(machine: Machine, args: Arguments) -> AnyValue:
    """`re.escape(text)`."""
    known = pure_call(machine, re.escape, args)
    return known if known is not None else text_hole("data", slash=True)


def _group(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    found = obj.slots.get(("found",))
    if found is not None:
        try:
            return from_python(found.group(*(to_python(value) for value in args.pos)))
        except (NotKnown, IndexError, TypeError):
            return text_hole()
    subject: AnyValue = obj.slots.get("subject", text_hole())
    if len(args.pos) > 1:
        return TupleV([subject for _ in args.pos])
    del machine
    return subject


registry.METHODS["re.Match.group"] = _group

registry.METHODS["re.Match.__getitem__"] = _group


@method("re.Match.groups")
def groups(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`match.groups(default)`."""
    del machine
    found = obj.slots.get(("found",))
    if found is None:
        return TupleV((), obj.slots.get("subject", text_hole()))
    default = args.get(0, "default", NONE) or NONE
    return TupleV([default if each is None else Known(each) for each in found.groups()])


@method("re.Match.groupdict")
def groupdict(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`match.groupdict(default)`."""
    del machine
    found = obj.slots.get(("found",))
    if found is None:
        return DictObj("dict", None, obj.slots.get("subject", text_hole()))
    default = args.get(0, "default", NONE) or NONE
    named = found.groupdict().items()
    return DictObj("dict", {Known(name): default if each is None else Known(each) for name, each in named})


def _of_match(name: str, otherwise: AnyValue) -> None:
    """A method of a match that Python computes where the match is known."""

    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        found = obj.slots.get(("found",))
        if found is None:
            return otherwise
        known = pure_call(machine, getattr(found, name), args)
        return known if known is not None else otherwise

    registry.METHODS[f"re.Match.{name}"] = model


_of_match("start", INT)
_of_match("end", INT)
_of_match("span", TupleV([INT, INT]))
_of_match("expand", text_hole("data", slash=True))


def _match_attribute(name: str, otherwise: AnyValue) -> None:
    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        del machine, args
        found = obj.slots.get(("found",))
        return otherwise if found is None else from_python(getattr(found, name))

    registry.METHODS[f"re.Match.@{name}"] = model


_match_attribute("string", text_hole("data", slash=True))
_match_attribute("lastgroup", UNKNOWN)
_match_attribute("lastindex", INT)
_match_attribute("pos", INT)
_match_attribute("endpos", INT)
