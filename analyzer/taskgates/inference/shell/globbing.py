"""File name expansion against the tree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.shell.patterns import is_costly, is_magic, pattern_regex, unescape_pattern
from taskgates.inference.shell.texts import join_path, normalise_path, relative_to_root
from taskgates.inference.text import Hole, Text, TextLike, make_text, parts_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from taskgates.inference.shell.host import ShellState
    from taskgates.inference.shell.interpreter import ShellInterpreter
    from taskgates.inference.shell.machine import Frame
    from taskgates.inference.shell.places import Place

_ENTRIES = 20_000
_PLAUSIBLE = re.compile(r"(?<!\\)(?:[*?]|\[(?:[!^]|.-.))|[@+!]\(")
_TOKEN = re.compile(r"\\(.)|\*\*|[*?]|\[[^\[\]]+\]|[@+*?!]\([^()]*\)", re.DOTALL)


def glob_text(pattern: TextLike, *, globstar: bool = False) -> TextLike:
    """The file names that a pattern stands for, as a text with a hole for each wildcard."""
    out: list[str | Hole] = []
    for part in parts_of(pattern):
        if isinstance(part, Hole):
            out.append(part)
            continue
        position = 0
        for found in _TOKEN.finditer(part):
            out.append(part[position : found.start()])
            position = found.end()
            if found.group(1) is not None:
                out.append(found.group(1))
            else:
                out.append(Hole("glob", globstar and found.group() == "**"))
        out.append(part[position:])
    return make_text(out)


def expand_glob(
    machine: ShellInterpreter, frame: Frame, state: ShellState, pattern: TextLike, place: Place
) -> list[TextLike]:
    """The existing names where they can be told, else one text with holes; the listing is told at `place`."""
    shape = glob_text(pattern, globstar="globstar" in state.settings)
    if isinstance(shape, str):
        return [shape]
    head = pattern if isinstance(pattern, str) else pattern.prefix
    if head.startswith("-") or "://" in head:
        # An option or an address: no such file, so the shell leaves the word alone.
        return [unescape_pattern(pattern)]
    plausible = isinstance(pattern, Text) or _PLAUSIBLE.search(pattern) is not None
    if plausible:
        machine.access(Operation.LIST, shape, "glob", frame, state, place)
    if isinstance(pattern, Text) or not isinstance(state.cwd, str) or state.cwd.startswith(("/", "~", "..")):
        return [shape]
    full = relative_to_root(normalise_path(join_path(state.cwd, shape)), machine.root)
    if machine.unsure(full):
        return [shape]
    names = set(_existing(machine, state, pattern, shape))
    names.update(_written(machine, state, pattern))
    if len(names) > machine.options.words:
        return [shape]
    if names:
        return [*sorted(names)]
    # `[done]` in a message is no pattern for files that may come.
    return [shape] if plausible else [str(unescape_pattern(pattern))]


def _written(machine: ShellInterpreter, state: ShellState, pattern: str) -> list[str]:
    """Names of files that the program has made, and of the folders above them, spelled as the pattern is."""
    segments = pattern.split("/")
    plain = next((number for number, segment in enumerate(segments) if is_magic(segment)), len(segments))
    base = "/".join(str(unescape_pattern(segment)) for segment in segments[:plain])
    typed = base + "/" if plain else ""
    folder = machine.full_path(typed or ".", state)
    if not isinstance(folder, str):
        return []
    rest = "/".join(segments[plain:])
    expression = re.compile(pattern_regex(rest, path=True))
    out: list[str] = []
    elsewhere = machine.options.written_paths() if machine.options.written_paths is not None else ()
    for written in (*machine.changes.written(), *elsewhere):
        if isinstance(written, Text) or not machine.exists(written):
            continue
        name = written if folder == "." else written[len(folder) + 1 :] if written.startswith(f"{folder}/") else ""
        while name:
            if not is_costly(rest, name) and expression.fullmatch(name):
                out.append(typed + name)
            name = name.rpartition("/")[0]
    return out


def _existing(machine: ShellInterpreter, state: ShellState, pattern: str, shape: Text) -> list[str]:
    """Names in the tree that match, spelled as the pattern is."""
    segments = pattern.split("/")
    base = str(state.cwd)
    current = [""]
    if pattern.startswith("/"):
        relative = relative_to_root(shape, machine.root)
        if relative == shape:
            return []
        # Above the root nothing is looked at.
        root = str(machine.root).rstrip("/")
        inside = pattern.startswith(root + "/")
        current = [root if inside else "/"]
        segments = pattern[len(root) + 1 :].split("/") if inside else segments[1:]
    globstar = "globstar" in state.settings
    budget = _ENTRIES
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        reached: list[str] = []
        if segment == "":
            continue
        if globstar and segment == "**":
            pending = list(current)
            while pending and budget > 0:
                folder = pending.pop(0)
                reached.append(folder)
                for name in _names(machine, base, folder):
                    budget -= 1
                    path = _append(folder, name)
                    kind = _kind(machine, base, path)
                    if name.startswith("."):
                        continue
                    if kind == "folder":
                        pending.append(path)
                    elif last:
                        reached.append(path)
            current = [one for one in reached if one not in ("", "/")] if last else reached
            continue
        if not is_magic(segment):
            literal = str(unescape_pattern(segment))
            current = [
                path
                for folder in current
                if _kind(machine, base, path := _append(folder, literal)) is not None or literal in (".", "..")
            ]
            continue
        expression = re.compile(pattern_regex(segment, path=True))
        dotted = segment.startswith(".") or "dotglob" in state.settings
        for folder in current:
            for name in _names(machine, base, folder):
                budget -= 1
                if budget <= 0:
                    return []
                if is_costly(segment, name):
                    return []
                if (dotted or not name.startswith(".")) and expression.fullmatch(name):
                    path = _append(folder, name)
                    if last or _kind(machine, base, path) == "folder":
                        reached.append(path)
        current = reached
    if pattern.endswith("/"):
        return [path + "/" for path in current if _kind(machine, base, path) == "folder"]
    return current


def _append(folder: str, name: str) -> str:
    if folder in ("", "/"):
        return folder + name
    return f"{folder}/{name}"


def _names(machine: ShellInterpreter, base: str, folder: str) -> tuple[str, ...]:
    path = _physical(machine, base, folder or ".")
    return (machine.tree.list(path) or ()) if path is not None else ()


def _kind(machine: ShellInterpreter, base: str, path: str) -> str | None:
    physical = _physical(machine, base, path)
    return machine.tree.kind(physical) if physical is not None else None


def _physical(machine: ShellInterpreter, base: str, path: str) -> str | None:
    full = relative_to_root(normalise_path(join_path(base, path)), machine.root)
    return full if isinstance(full, str) and not full.startswith(("/", "~", "..")) else None
