"""pathspec: which files the patterns of an ignore file match."""

from __future__ import annotations

from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.values import BOOL, UNKNOWN, AnyValue, Ext, Known, TupleV, options, path_text, text_of

SPECIFICATION = "pathspec.PathSpec"
LINES = ("lines",)
"""The slot of a specification for its patterns; absent where they are not known."""


def _specification(machine: Machine, lines: AnyValue) -> AnyValue:
    out = Instance(Ext(SPECIFICATION))
    content = machine.iterate(lines)
    if content.rest is None and all(isinstance(text_of(item), str) for item in content.items):
        out.slots[LINES] = TupleV(content.items)
    return out


@function("pathspec.PathSpec.from_lines", "pathspec.pathspec.PathSpec.from_lines")
def from_lines(machine: Machine, args: Arguments) -> AnyValue:
    """`PathSpec.from_lines(style, lines)`."""
    return _specification(machine, args.get(1, "lines") or UNKNOWN)


@function("pathspec.GitIgnoreSpec.from_lines", "pathspec.gitignore.GitIgnoreSpec.from_lines")
def from_git_lines(machine: Machine, args: Arguments) -> AnyValue:
    """`GitIgnoreSpec.from_lines(lines)`; the lines may stand behind the name of their style, as in `PathSpec`."""
    return _specification(machine, args.kw.get("lines") or (args.pos[-1] if args.pos else UNKNOWN))


def _matches(obj: Instance, path: AnyValue) -> bool | None:
    """Whether a specification matches a path; None where one of the two is not known."""
    lines, text = obj.slots.get(LINES), path_text(path)
    if not isinstance(lines, TupleV) or not isinstance(text, str):
        return None
    import pathspec

    try:
        patterns = pathspec.GitIgnoreSpec.from_lines([str(text_of(line)) for line in lines.items])
        return patterns.match_file(text)
    except ValueError:
        return None


@method(f"{SPECIFICATION}.match_file")
def match_file(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`spec.match_file(path)`."""
    del machine
    answers = {_matches(obj, option) for option in options(args.get(0, "file") or UNKNOWN)}
    found = answers.pop() if len(answers) == 1 else None
    return BOOL if found is None else Known(found)


@method(f"{SPECIFICATION}.match_files")
def match_files(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`spec.match_files(paths)`: those that match, and those of which it is not known."""
    content = machine.iterate(args.get(0, "files") or UNKNOWN)
    kept = [item for item in content.items if _matches(obj, item) is not False]
    return ListObj("iterator", kept, content.rest)
