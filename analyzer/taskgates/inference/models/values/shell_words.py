"""shlex.shlex: the tokens of a text that is known."""

from __future__ import annotations

import shlex

from taskgates.inference.models.reading import handle_content
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import FALSE, NONE, AnyValue, Ext, Known, text_of

LEXER = "shlex.shlex"
SOURCE = ("source",)
"""The slot for what the lexer reads."""
TAKEN = ("taken",)
"""The slot for how many tokens were taken one by one."""
_DECLARED = ("posix", "punctuation_chars")
_SETTINGS = ("commenters", "wordchars", "whitespace", "escape", "quotes", "escapedquotes", "whitespace_split")


@function(LEXER)
def make_lexer(machine: Machine, args: Arguments) -> AnyValue:
    """`shlex.shlex(instream, infile, posix, punctuation_chars)`."""
    out = Instance(Ext(LEXER))
    source = args.get(0, "instream")
    if source is None or source == NONE:
        source = machine.stdin if machine.stdin is not None else text_hole("argument", slash=True)
    out.slots[SOURCE] = source
    out.slots["infile"] = args.get(1, "infile") or NONE
    for place, name in enumerate(_DECLARED, 2):
        out.slots[name] = args.get(place, name) or FALSE
    out.slots[TAKEN] = Known(0)
    return out


@method(f"{LEXER}.__iter__")
def every_token(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The tokens that nobody took yet."""
    del args
    taken, found = obj.slots[TAKEN], _tokens(machine, obj)
    if found is None or not isinstance(taken, Known):
        return ListObj("iterator", (), text_hole("data", slash=True))
    return ListObj("iterator", [Known(token) for token in found[taken.value :]])


@method(f"{LEXER}.get_token", f"{LEXER}.read_token")
def next_token(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The next token; at the end None, or the empty text where the rules are not those of POSIX."""
    del args
    taken, found = obj.slots[TAKEN], _tokens(machine, obj)
    if found is None or not isinstance(taken, Known):
        return text_hole("data", slash=True)
    machine.state.write(obj.slots, TAKEN, Known(taken.value + 1))
    if taken.value < len(found):
        return Known(found[taken.value])
    return Known("") if obj.slots["posix"] == FALSE else NONE


def _tokens(machine: Machine, obj: Instance) -> list[str] | None:
    """The tokens of the whole text by the lexer's settings; None where either is not known."""
    source = obj.slots[SOURCE]
    text = text_of(handle_content(machine, source) if isinstance(source, Instance) else source)
    settings = {name: obj.slots[name] for name in (*_DECLARED, *_SETTINGS) if name in obj.slots}
    known = {name: value.value for name, value in settings.items() if isinstance(value, Known)}
    if not isinstance(text, str) or len(known) < len(settings):
        return None
    try:
        lexer = shlex.shlex(text, **{name: known.pop(name) for name in _DECLARED})
        for name, value in known.items():
            setattr(lexer, name, value)
        return list(lexer)
    except (ValueError, TypeError):
        return None
