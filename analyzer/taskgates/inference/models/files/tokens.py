"""tokenize: the tokens of source text that is known."""

from __future__ import annotations

import tokenize
from typing import TYPE_CHECKING, Any

from taskgates.inference.exceptions import catches
from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.objects import Arguments, ListObj
from taskgates.inference.values import AnyValue, Ext, Known, NamedTupleV, TupleV

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _lines(machine: Machine, readline: AnyValue) -> list[Any] | None:
    """What calls of `readline` give up to the end; None where a line is not known."""
    out: list[Any] = []
    while len(out) <= machine.limits.unroll:
        try:
            line = machine.call(readline, Arguments())
        except AbstractRaise as error:
            if catches(Ext("builtins.StopIteration"), error.value):
                return out
            raise
        if not isinstance(line, Known) or not isinstance(line.value, str | bytes):
            return None
        if not line.value:
            return out
        out.append(line.value)
    return None


def _model(split: Callable[[Callable[[], Any]], Iterator[tokenize.TokenInfo]]) -> Callable[..., AnyValue | None]:
    def model(machine: Machine, args: Arguments) -> AnyValue | None:
        readline = args.get(0, "readline")
        lines = _lines(machine, readline) if readline is not None else None
        if lines is None:
            return None
        try:
            tokens = list(split(iter(lines).__next__))
        except (tokenize.TokenError, SyntaxError, TypeError, ValueError):
            return None
        return ListObj("iterator", [_token(token) for token in tokens])

    return model


def _token(token: tokenize.TokenInfo) -> NamedTupleV:
    fields: dict[str, AnyValue] = {"type": Known(token.type), "string": Known(token.string)}
    fields |= {name: TupleV([Known(number) for number in getattr(token, name)]) for name in ("start", "end")}
    return NamedTupleV({**fields, "line": Known(token.line)})


function("tokenize.generate_tokens")(_model(tokenize.generate_tokens))
function("tokenize.tokenize")(_model(tokenize.tokenize))
