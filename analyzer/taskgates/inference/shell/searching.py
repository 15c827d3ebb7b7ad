"""`find`: which files its conditions leave, and what its actions do with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from taskgates.inference.shell.call import Call, below
from taskgates.inference.shell.globbing import glob_text
from taskgates.inference.shell.machine import Outcome, Stream
from taskgates.inference.shell.patterns import is_costly, pattern_regex
from taskgates.inference.shell.running import substitute
from taskgates.inference.shell.texts import as_member, hole, join_path
from taskgates.inference.text import Hole, Text, TextLike, concat
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

_MATCHES = 128
_ENTRIES = 5000
_CONJUNCTIONS = 16

_WITH_VALUE = frozenset(
    [
        "-name",
        "-iname",
        "-path",
        "-ipath",
        "-wholename",
        "-iwholename",
        "-regex",
        "-iregex",
        "-type",
        "-xtype",
        "-maxdepth",
        "-mindepth",
        "-newer",
        "-anewer",
        "-cnewer",
        "-mtime",
        "-atime",
        "-ctime",
        "-mmin",
        "-amin",
        "-cmin",
        "-size",
        "-user",
        "-group",
        "-uid",
        "-gid",
        "-perm",
        "-links",
        "-inum",
        "-samefile",
        "-lname",
        "-ilname",
        "-fstype",
        "-used",
        "-context",
        "-newermt",
        "-newerct",
        "-newerat",
        "-regextype",
        "-D",
        "-printf",
    ]
)
_ALWAYS = frozenset(
    [
        "-depth",
        "-d",
        "-follow",
        "-mount",
        "-xdev",
        "-noleaf",
        "-daystart",
        "-warn",
        "-nowarn",
        "-true",
        "-ignore_readdir_race",
        "-H",
        "-L",
        "-P",
    ]
)
_PRINTING = frozenset({"-print", "-print0", "-ls", "-printf"})


class Condition(msgspec.Struct, frozen=True):
    """One test of `find`."""

    name: str
    value: TextLike
    negated: bool


class Action(msgspec.Struct, frozen=True):
    """One action of `find` with its words."""

    name: str
    words: tuple[TextLike, ...]
    together: bool = False


Conjunction = tuple["Condition | Action", ...]


class _ExpressionParser:
    """Turns the expression into alternatives, each a list of conditions and actions in order."""

    def __init__(self, words: list[TextLike]) -> None:
        self._words = words
        self._index = 0
        self._depth = 0
        self.maximum: int | None = None

    def parse(self) -> list[Conjunction]:
        alternatives = self._or()
        while self._index < len(self._words):
            self._index += 1
            alternatives += self._or()
        return alternatives[:_CONJUNCTIONS]

    def _peek(self) -> TextLike | None:
        return self._words[self._index] if self._index < len(self._words) else None

    def _or(self) -> list[Conjunction]:
        out = self._and()
        while self._peek() in ("-o", "-or", ","):
            self._index += 1
            out += self._and()
        return out[:_CONJUNCTIONS]

    def _and(self) -> list[Conjunction]:
        out: list[Conjunction] = [()]
        while (word := self._peek()) is not None and word not in ("-o", "-or", ",", ")"):
            if word in ("-a", "-and"):
                self._index += 1
                continue
            right = self._primary(negated=False)
            out = [left + one for left in out for one in right][:_CONJUNCTIONS]
        return out

    def _primary(self, *, negated: bool) -> list[Conjunction]:
        word = self._words[self._index]
        self._index += 1
        if word in ("!", "-not"):
            if self._peek() is None:
                return [()]
            return self._primary(negated=not negated)
        if word == "(":
            self._depth += 1
            inner: list[Conjunction] = self._or() if self._depth < 20 else [()]
            self._depth -= 1
            if self._peek() == ")":
                self._index += 1
            return _negate(inner) if negated else inner
        name = word if isinstance(word, str) else "?"
        if name in ("-exec", "-execdir", "-ok", "-okdir"):
            return [(self._execution(name),)]
        if name in ("-fprint", "-fprint0", "-fls"):
            return [(Action(name, (self._take(),)),)]
        if name == "-fprintf":
            target = self._take()
            self._take()
            return [(Action("-fprint", (target,)),)]
        if name in ("-print", "-print0", "-ls", "-delete", "-prune", "-quit"):
            return [(Action(name, ()),)]
        if name == "-printf":
            return [(Action(name, (self._take(),)),)]
        if name == "-maxdepth":
            value = self._take()
            self.maximum = int(value) if isinstance(value, str) and value.isdigit() and len(value) < 6 else None
            return [()]
        if name in _ALWAYS:
            return [()]
        value = self._take() if name in _WITH_VALUE else ""
        return [(Condition(name, value, negated),)]

    def _take(self) -> TextLike:
        word = self._peek()
        self._index += 1
        return word if word is not None else ""

    def _execution(self, name: str) -> Action:
        words: list[TextLike] = []
        while (word := self._peek()) is not None:
            self._index += 1
            if word == ";":
                return Action(name, tuple(words))
            if word == "+" and words and words[-1] == "{}":
                return Action(name, tuple(words), together=True)
            words.append(word)
        return Action(name, tuple(words))


def _negate(alternatives: list[Conjunction]) -> list[Conjunction]:
    """Not (a or b): all negated, where each alternative has one condition; otherwise nothing is concluded."""
    conditions: list[Condition] = []
    for alternative in alternatives:
        if len(alternative) != 1 or not isinstance(alternative[0], Condition):
            return [(Condition("?", "", negated=False),)]
        first = alternative[0]
        conditions.append(Condition(first.name, first.value, not first.negated))
    return [tuple(conditions)]


def find(call: Call) -> Outcome:
    """`find`: lists folders and does with the matches what the actions say."""
    words = list(call.words[1:])
    paths: list[TextLike] = []
    while words and words[0] in ("-H", "-L", "-P"):
        words.pop(0)
    while words and not _is_expression(words[0]):
        paths.append(words.pop(0))
    parser = _ExpressionParser(words)
    alternatives = parser.parse()
    acts = any(isinstance(item, Action) and item.name != "-prune" for one in alternatives for item in one)
    pruned = _pruned(alternatives)
    for path in paths or ["."]:
        call.access(Operation.LIST, path)
        if parser.maximum not in {1, 0}:
            call.access(Operation.LIST, below(path))
        for alternative in alternatives:
            _walk(call, path, alternative, parser.maximum, pruned, acts=acts)
    return Outcome(call.status)


def _is_expression(word: TextLike) -> bool:
    head = word if isinstance(word, str) else word.prefix
    return head.startswith("-") or word in ("(", ")", "!", ",")


def _pruned(alternatives: list[Conjunction]) -> list[Condition]:
    """Conditions of branches that are not entered."""
    out: list[Condition] = []
    for alternative in alternatives:
        conditions = [item for item in alternative if isinstance(item, Condition)]
        if any(isinstance(item, Action) and item.name == "-prune" for item in alternative) and len(conditions) == 1:
            out += conditions
    return out


def _walk(
    call: Call, path: TextLike, alternative: Conjunction, maximum: int | None, pruned: list[Condition], *, acts: bool
) -> None:
    conditions: list[Condition] = []
    for item in alternative:
        if isinstance(item, Condition):
            conditions.append(item)
            continue
        _act(call, item, *_matches(call, path, conditions, maximum, pruned))
    if not acts and not any(isinstance(item, Action) for item in alternative):
        _act(call, Action("-print", ()), *_matches(call, path, conditions, maximum, pruned))


def _act(call: Call, action: Action, found: list[TextLike], unsure: bool) -> None:
    if action.name in _PRINTING:
        if action.name in ("-ls", "-printf") and call.captured:
            call.out(concat(Hole("data", True, "find"), "\n"))
            return
        separator = "\0" if action.name == "-print0" else "\n"
        for match in found:
            call.out(concat(match, separator))
        if not found and not call.frame.sink:
            return
    elif action.name == "-delete":
        inner = _conditional(call, unsure=unsure)
        for match in found:
            inner.access(Operation.DELETE, match)
    elif action.name == "-fprint":
        call.overwrite(action.words[0])
    elif action.words:
        inner = _conditional(call, unsure=unsure)
        if action.together:
            if found:
                inner.run([word for item in action.words for word in (found if item == "{}" else [item])])
            return
        for match in found:
            inner.run(
                [substitute(word, "{}", as_member(match)) for word in action.words], conditional=isinstance(match, Text)
            )


def _conditional(call: Call, *, unsure: bool) -> Call:
    frame = call.frame.within(conditional=unsure).with_streams(Stream(""), call.frame.sink)
    return Call(call.machine, call.name, call.words, call.row, call.arguments, frame, call.state, call.place)


def _matches(
    call: Call, path: TextLike, conditions: list[Condition], maximum: int | None, pruned: list[Condition]
) -> tuple[list[TextLike], bool]:
    """The files that fulfil the conditions, and whether some condition could not be decided."""
    unsure = any(condition.name not in _DECIDED for condition in conditions)
    known = _from_tree(call, path, conditions, maximum, pruned)
    if known is not None:
        return list(known), unsure
    return [_shape(path, conditions, maximum)], unsure


_DECIDED = frozenset({"-name", "-iname", "-path", "-wholename", "-type", "-mindepth"})


def _shape(path: TextLike, conditions: list[Condition], maximum: int | None) -> TextLike:
    """The matches as one text: the folder, anything, and the narrowest name that a condition asks for."""
    if maximum == 0:
        return path
    name: TextLike | None = None
    for condition in conditions:
        if condition.name == "-name" and not condition.negated:
            name = glob_text(condition.value)
    base = "" if path == "" else path
    tail = base if isinstance(base, str) else base.suffix
    slash = "" if tail.endswith("/") else "/"
    whole = next((one.value for one in conditions if one.name in ("-path", "-wholename") and not one.negated), None)
    if maximum == 1:
        return concat(base, slash, name if name is not None else Hole("glob", False))
    if name is None:
        if isinstance(whole, str) and isinstance(base, str) and whole.startswith(base + slash) and "*" in whole:
            head, _, _ = re.sub(r"[*?\[].*", "\0", whole).partition("\0")
            ending = re.search(r"[^*?\]]*$", whole)
            return concat(head, Hole("glob", True), ending.group() if ending else "")
        return concat(base, slash, Hole("glob", True))
    # The folders between are a hole that may be empty, which `**` stands for.
    if isinstance(name, str):
        return concat(base, slash, Hole("glob", True), "/", name)
    if isinstance(name.parts[0], Hole):
        return concat(base, slash, Hole("glob", True), *name.parts[1:])
    return concat(base, slash, Hole("glob", True), name)


def _from_tree(
    call: Call, path: TextLike, conditions: list[Condition], maximum: int | None, pruned: list[Condition]
) -> list[str] | None:
    """Matches below a folder of the tree; None when they are not known or too many."""
    full = call.full(path)
    machine = call.machine
    if not isinstance(full, str) or not isinstance(path, str) or full.startswith(("/", "~", "..")):
        return None
    if any(isinstance(condition.value, Text) for condition in (*conditions, *pruned)):
        return None
    kind = machine.tree.kind(full)
    if kind is None or machine.unsure(below(full)) or machine.is_made_folder(full):
        return None
    if any(machine.changes.touches(full) for _ in (0,)):
        return None
    out: list[str] = []
    budget = _ENTRIES
    for shown, physical, entry_kind, depth in _entries(call, path, full, maximum, pruned):
        budget -= 1
        if budget < 0:
            return None
        if machine.changes.touches(physical):
            return None
        if _fulfils(shown, entry_kind, depth, conditions):
            out.append(shown)
            if len(out) > _MATCHES:
                return None
    return out or None


def _entries(
    call: Call, path: str, full: str, maximum: int | None, pruned: list[Condition]
) -> Iterator[tuple[str, str, str, int]]:
    tree = call.machine.tree
    pending: list[tuple[str, str, str, int]] = [(path, full, tree.kind(full) or "other", 0)]
    while pending:
        entry = pending.pop(0)
        shown, physical, entry_kind, depth = entry
        if pruned and any(_holds(shown, entry_kind, depth, one) for one in pruned):
            continue
        yield entry
        if entry_kind != "folder" or (maximum is not None and depth >= maximum):
            continue
        for name in tree.list(physical) or ():
            inner = name if physical == "." else f"{physical}/{name}"
            text = join_path(shown, name) if shown != "." else f"./{name}"
            pending.append((str(text), inner, tree.kind(inner) or "other", depth + 1))


def _fulfils(shown: str, kind: str, depth: int, conditions: list[Condition]) -> bool:
    return all(_holds(shown, kind, depth, condition) for condition in conditions)


def _holds(shown: str, kind: str, depth: int, condition: Condition) -> bool:
    value = str(condition.value)
    if is_costly(value, shown):
        return True
    match condition.name:
        case "-name" | "-iname":
            flags = re.IGNORECASE if condition.name == "-iname" else 0
            name = shown.rstrip("/").rpartition("/")[2] or shown
            answer = re.fullmatch(pattern_regex(value), name, flags) is not None
        case "-path" | "-wholename":
            answer = re.fullmatch(pattern_regex(value), shown) is not None
        case "-type":
            kinds = {"f": "file", "d": "folder"}
            answer = any(kinds.get(letter, "other") == kind for letter in value.split(","))
        case "-mindepth":
            return not value.isdigit() or depth >= int(value[:6])
        case _:
            return True
    return answer != condition.negated


def search(call: Call) -> Outcome:
    """`rg` and its like: a pattern, then files or folders that are searched to the bottom."""
    call.perform_row()
    operands = list(call.arguments.operands)
    if not call.arguments.has("-e", "--regexp", "-f", "--file", "--files"):
        operands = operands[1:]
    if not operands and call.frame.stdin is not None:
        return Outcome(call.status)
    for operand in operands or ["."]:
        call.read(operand if call.kind(operand) == "file" else below(operand))
    if call.captured:
        call.out(hole("data", call.name))
    return Outcome(call.status)


def list_folder(call: Call) -> Outcome:
    """`ls`: folders are listed, files looked at."""
    call.perform_row()
    recursive = call.arguments.has("-R", "--recursive")
    for operand in call.arguments.operands or ["."]:
        if call.arguments.has("-d", "--directory") or call.kind(operand) == "file":
            call.access(Operation.STAT, operand)
            continue
        call.access(Operation.LIST, operand)
        if recursive:
            call.access(Operation.LIST, below(operand))
    return Outcome(call.status)
