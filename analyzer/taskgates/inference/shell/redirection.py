"""Redirections: which files they open, and what flows through them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.shell.expansion import Expander
from taskgates.inference.shell.machine import Frame, Sink, Stream
from taskgates.inference.shell.texts import hole
from taskgates.inference.text import TextLike, concat
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.shell import syntax_tree as syntax
    from taskgates.inference.shell.host import ShellState
    from taskgates.inference.shell.interpreter import ShellInterpreter


def redirect(machine: ShellInterpreter, redirects: Sequence[syntax.Redirect], frame: Frame, state: ShellState) -> Frame:
    """Open what redirections name; returns the surroundings with the streams changed."""
    for redirect in redirects:
        expander = Expander(machine, frame, state)
        if redirect.document is not None:
            text = redirect.document.text
            content = machine.placeholders.decode(text) if redirect.document.quoted else expander.document(text)
            frame = frame.with_streams(Stream(content), frame.sink)
            continue
        if redirect.target is None:
            continue
        if redirect.operator == "<<<":
            content = expander.string(redirect.target.raw, redirect.target.offset)
            frame = frame.with_streams(Stream(concat(content, "\n")), frame.sink)
            continue
        for target in expander.fields(redirect.target)[:1]:
            frame = _open(machine, redirect, target, frame, state)
    return frame


def _open(
    machine: ShellInterpreter, redirect: syntax.Redirect, target: TextLike, frame: Frame, state: ShellState
) -> Frame:
    place = frame.source.place(redirect.offset)
    operator = redirect.operator
    if operator.endswith("&") and isinstance(target, str) and (target.isdigit() or target == "-"):
        if operator == ">&" and redirect.descriptor in (-1, 1) and target != "1":
            return frame.with_streams(frame.stdin, Sink())
        return frame
    if operator in ("<", "<>", "<&"):
        content: TextLike | None = machine.content(target, state)
        if target == "/dev/null":
            content = ""
        if target == "-":
            return frame
        machine.access(Operation.READ, target, operator, frame, state, place)
        if operator == "<>":
            machine.access(Operation.UPDATE, target, operator, frame, state, place)
        if redirect.descriptor in (-1, 0) and target != "/dev/stdin":
            return frame.with_streams(Stream(content if content is not None else hole("data")), frame.sink)
        return frame
    operation = Operation.APPEND if operator in (">>", "&>>") else Operation.OVERWRITE
    machine.access(operation, target, operator, frame, state, place)
    if redirect.descriptor in (-1, 1) and target not in ("/dev/stdout", "/dev/fd/1"):
        return frame.with_streams(frame.stdin, Sink())
    return frame


def output_file(
    redirects: Sequence[syntax.Redirect], state: ShellState, expander: Expander
) -> tuple[TextLike, TextLike] | None:
    """The file that takes the output of a command, and what it holds before; None when that is not known."""
    outputs = [one for one in redirects if one.descriptor in (-1, 1) and one.operator in (">", ">|", ">>")]
    if len(outputs) != 1 or outputs[0].target is None or re.search(r"[(`=]", outputs[0].target.raw):
        return None
    machine = expander.machine
    full = machine.full_path(expander.string(outputs[0].target.raw, outputs[0].target.offset), state)
    if outputs[0].operator != ">>":
        return full, ""
    known = machine.changes.content(full)
    return (full, known) if known is not None else None


def remember_output(machine: ShellInterpreter, before: tuple[TextLike, TextLike] | None, frame: Frame) -> None:
    """Keep the output that a command has put into a file."""
    if before is not None and frame.sink is not None and not frame.conditional and not machine.muted:
        machine.changes.set_content(before[0], concat(before[1], frame.sink.text))
