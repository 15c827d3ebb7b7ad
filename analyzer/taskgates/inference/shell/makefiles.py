"""`make`: simple Makefiles are read, and the recipes of the wanted targets run in order of their prerequisites.

Understood are variables (`=`, `:=`, `?=`, `+=`, `define`), explicit, pattern and double-colon rules, automatic
variables, `include`, `ifeq` and its relatives, `export`, and the common text functions. A recipe counts as run for
every target that is wanted: whether a file is up to date is not asked. What is beyond that is told as opaque.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from taskgates.inference.shell.call import Call
from taskgates.inference.shell.globbing import expand_glob
from taskgates.inference.shell.machine import Frame, Outcome, Sink, Status
from taskgates.inference.shell.makefile_functions import text_function
from taskgates.inference.shell.makefile_reader import ASSIGNMENT, MakefileReader
from taskgates.inference.shell.makefile_text import (
    closing_bracket,
    fill_stem,
    joined,
    outside_references,
    replaced_stem,
    split_arguments,
    split_at,
    split_words,
    stem_of,
    strip_marks,
    without_extension,
)
from taskgates.inference.shell.patterns import is_magic
from taskgates.inference.shell.places import Place
from taskgates.inference.shell.sources import Source
from taskgates.inference.shell.texts import basename, dirname, hole, split_text, strip_trailing
from taskgates.inference.text import Text, TextLike, concat, make_text, parts_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from taskgates.inference.shell.host import ShellState

_NAMES = ("GNUmakefile", "makefile", "Makefile")
_DEPTH = 30
_TARGETS = 400
_DEFAULTS = {
    "CC": "cc",
    "CXX": "g++",
    "AR": "ar",
    "RM": "rm -f",
    "MAKE": "make",
    "SHELL": "/bin/sh",
    "MAKEFLAGS": "",
    "CFLAGS": "",
    "CXXFLAGS": "",
    "LDFLAGS": "",
    "PYTHON": None,
}

_FUNCTIONS = {
    "wildcard": 1, "shell": 1, "patsubst": 3, "subst": 3, "dir": 1, "notdir": 1, "basename": 1, "suffix": 1,
    "addprefix": 2, "addsuffix": 2, "filter": 2, "filter-out": 2, "sort": 1, "strip": 1, "firstword": 1, "lastword": 1,
    "word": 2, "words": 1, "abspath": 1, "realpath": 1, "join": 2, "or": 64, "and": 64, "foreach": 3, "if": 3,
    "call": 64, "eval": 1, "error": 1, "warning": 1, "info": 1, "wordlist": 3, "findstring": 2, "origin": 1,
    "flavor": 1, "value": 1,
}  # fmt: skip


class Recipe(msgspec.Struct, frozen=True):
    """A recipe's lines with their line numbers in the Makefile."""

    lines: tuple[tuple[str, int], ...]
    file: str


class Rule(msgspec.Struct):
    """One rule after expansion of its head.

    Attributes:
        targets: names or patterns.
        prerequisites: normal ones.
        order_only: behind `|`.
        recipe: None when the rule only adds prerequisites.
    """

    targets: list[TextLike]
    prerequisites: list[TextLike]
    order_only: list[TextLike]
    recipe: Recipe | None


class Variable(msgspec.Struct):
    """A make variable: simply expanded ones hold a value, recursive ones text to expand."""

    text: str
    simple: bool
    value: TextLike = ""


def make(call: Call) -> Outcome:
    """`make [targets]`: reads the Makefile and runs recipes."""
    machine = call.machine
    state = call.state.copy()
    for folder in call.arguments.values("-C", "--directory"):
        state.cwd = machine.full_path(folder, state)
    if call.frame.depth >= machine.options.depth:
        call.opaque("make calls itself too deeply")
        return Outcome(Status.UNKNOWN)
    files = call.arguments.values("-f", "--file", "--makefile")
    inner = Call(machine, call.name, call.words, call.row, call.arguments, call.frame, state, call.place)
    if not files:
        files = list[TextLike](name for name in _NAMES if inner.kind(name) == "file")[:1]
    if not files:
        call.opaque("make without a Makefile in the repository")
        return Outcome(Status.UNKNOWN)
    targets: list[TextLike] = []
    makefile = Makefile(inner)
    for operand in call.arguments.operands:
        head, *rest = parts_of(operand) or ("",)
        found = ASSIGNMENT.match(head) if isinstance(head, str) else None
        if found is not None:
            makefile.override(found.group(2), make_text([found.group(4), *rest]))
        else:
            targets.append(operand)
    for file in files:
        makefile.include(file, required=True)
    dry = call.arguments.has("-n", "--just-print", "--dry-run", "-q", "-p", "-t")
    if not dry:
        makefile.build(targets)
    return Outcome(Status.LIKELY)


class Makefile:
    """The rules and variables of one `make` run.

    Args:
        call: the command, its state in the folder that `make` runs in.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._variables: dict[str, Variable] = {}
        self._fixed: set[str] = set()
        self._exported: set[str] = set()
        self._export_all = False
        self._rules: list[Rule] = []
        self._patterns: list[Rule] = []
        self._phony: set[str] = set()
        self._default: TextLike | None = None
        self._depth = 0
        self._done: set[TextLike] = set()
        self._goals: list[TextLike] = []
        self._search: list[tuple[str, list[TextLike]]] = []
        self._file = ""

    def override(self, name: str, text: TextLike) -> None:
        """A variable given on the command line, which the Makefile does not change."""
        self._variables[name] = Variable(text if isinstance(text, str) else "", simple=True, value=text)
        self._fixed.add(name)

    # ---- reading -----------------------------------------------------------------------------------------------

    def include(self, path: TextLike, *, required: bool) -> None:
        """Read a Makefile, as named from the folder of the run."""
        full = self._call.full(path)
        content = self._call.machine.content(path, self._call.state)
        if not isinstance(content, str):
            if required:
                self._call.opaque(f"the Makefile {self._call.machine.describe(path)} is not in the repository")
            return
        self._call.read(path)
        if self._depth >= _DEPTH:
            self._call.opaque("Makefiles include each other too deeply")
            return
        if self._call.machine.options.on_script is not None and isinstance(full, str):
            self._call.machine.options.on_script(full)
        outer, self._file = self._file, str(full)
        self._depth += 1
        MakefileReader(self, content).read()
        self._depth -= 1
        self._file = outer

    def assign(self, name: str, operator: str, text: str) -> None:
        """Carry out an assignment."""
        if name in self._fixed:
            return
        old = self._variables.get(name)
        if operator == "?=":
            if old is None and self._environment(name) is None:
                self._variables[name] = Variable(text, simple=False)
        elif operator in (":=", "::="):
            self._variables[name] = Variable(text, simple=True, value=self.expand(text))
        elif operator == "!=":
            self._variables[name] = Variable(text, simple=True, value=self._shell(text))
        elif operator == "+=":
            if old is not None and old.simple:
                value = concat(old.value, " ", self.expand(text)) if old.value != "" else self.expand(text)
                self._variables[name] = Variable("", simple=True, value=value)
            else:
                joined = f"{old.text} {text}" if old is not None and old.text else text
                self._variables[name] = Variable(joined, simple=False)
        else:
            self._variables[name] = Variable(text, simple=False)

    def export(self, names: list[str]) -> None:
        """Hand variables on to recipes; all of them when none is named."""
        self._exported.update(names)
        self._export_all = self._export_all or not names

    def add_rule(self, head: str, inline: str | None, lines: list[tuple[str, int]], line: int) -> None:
        """Add a rule whose head has not been expanded yet."""
        targets_text, rest = split_at(head, ":")
        rest = rest.lstrip(":")
        targets = self.words(self.expand(targets_text))
        pattern_text: TextLike | None = None
        # A static pattern rule has a second colon.
        if ":" in outside_references(rest) and not re.match(r"\s*[A-Za-z]:[\\/]", rest):
            middle, rest = split_at(rest, ":")
            pattern_text = self.expand(middle.strip())
        normal, order = split_at(rest, "|")
        prerequisites = self.words(self.expand(normal))
        order_only = self.words(self.expand(order))
        all_lines = ([(inline, line)] if inline else []) + lines
        recipe = Recipe(tuple(all_lines), self._file) if all_lines else None
        if targets == [".PHONY"]:
            self._phony.update(str(target) for target in prerequisites)
            return
        if pattern_text is not None and isinstance(pattern_text, str):
            for target in targets:
                stem = stem_of(target, pattern_text)
                if stem is not None:
                    inputs = [fill_stem(one, stem) for one in prerequisites]
                    self._rules.append(Rule([target], inputs, order_only, recipe))
            self._first(targets)
            return
        if any(isinstance(target, str) and "%" in target for target in targets):
            self._patterns.append(Rule(targets, prerequisites, order_only, recipe))
            return
        self._rules.append(Rule(targets, prerequisites, order_only, recipe))
        self._first(targets)

    def _first(self, targets: list[TextLike]) -> None:
        if self._default is None and targets and not str(targets[0]).startswith("."):
            self._default = targets[0]

    # ---- expansion ---------------------------------------------------------------------------------------------

    def words(self, text: TextLike) -> list[TextLike]:
        """The words of expanded text, file name patterns in them resolved."""
        out: list[TextLike] = []
        for word in split_words(text):
            if is_magic(word) and isinstance(word, str) and "%" not in word:
                out += expand_glob(self._call.machine, self._call.frame, self._call.state, word, self._call.place)
            else:
                out.append(word)
        return out

    def _environment(self, name: str) -> TextLike | None:
        value = self._call.state.variables.get(name)
        return value if value is not None else self._call.machine.options.environment.get(name)

    def value(self, name: str, local: dict[str, TextLike] | None = None) -> TextLike:
        """The value of a variable."""
        if local is not None and name in local:
            return local[name]
        variable = self._variables.get(name)
        if variable is None:
            found = self._environment(name)
            if found is not None:
                return found
            if name == "CURDIR":
                return self._call.machine.absolute(self._call.state.cwd)
            if name == "MAKEFILE_LIST":
                return concat(self._call.machine.absolute(self._file))
            if name == "MAKECMDGOALS":
                return joined(self._goals)
            if name == "HOME":
                return "~"
            return _DEFAULTS.get(name) or ""
        if variable.simple:
            return variable.value
        if self._depth >= _DEPTH:
            return hole("data", name)
        self._depth += 1
        try:
            return self.expand(variable.text, local)
        finally:
            self._depth -= 1

    def expand(self, text: str, local: dict[str, TextLike] | None = None) -> TextLike:
        """Replace `$(...)`, `${...}` and `$x` in text."""
        pieces: list[TextLike] = []
        index = 0
        while index < len(text):
            position = text.find("$", index)
            if position == -1 or position + 1 >= len(text):
                pieces.append(text[index:])
                break
            pieces.append(text[index:position])
            following = text[position + 1]
            if following == "$":
                pieces.append("$")
                index = position + 2
            elif following in "({":
                end = closing_bracket(text, position + 1)
                pieces.append(self._reference(text[position + 2 : end], local))
                index = end + 1
            else:
                pieces.append(self.value(following, local))
                index = position + 2
        return concat(*pieces)

    def _reference(self, body: str, local: dict[str, TextLike] | None) -> TextLike:
        if self._depth >= _DEPTH:
            return hole("data")
        self._depth += 1
        try:
            found = re.match(r"([a-z-]+)[ \t]+(.*)$", body, re.DOTALL)
            if found is not None and found.group(1) in _FUNCTIONS:
                return self._function(found.group(1), found.group(2), local)
            name, colon, change = body.partition(":")
            if colon and "=" in change:
                old, _, new = change.partition("=")
                return self._suffix_change(self.value(name.strip(), local), old, new, local)
            resolved = self.expand(body, local) if "$" in body else body
            return self.value(resolved.strip(), local) if isinstance(resolved, str) else hole("data")
        finally:
            self._depth -= 1

    def _suffix_change(self, text: TextLike, old: str, new: str, local: dict[str, TextLike] | None) -> TextLike:
        before, after = self.expand(old, local), self.expand(new, local)
        if not isinstance(before, str):
            return hole("data")
        pattern = before if "%" in before else "%" + before
        replacement = after if "%" in str(after) else concat("%", after)
        return joined([replaced_stem(word, pattern, replacement) for word in split_words(text)])

    def _function(self, name: str, body: str, local: dict[str, TextLike] | None) -> TextLike:
        match name:
            case "foreach":
                return self._for_each(body, local)
            case "if":
                condition, yes, no = [*split_arguments(body, 3), "", "", ""][:3]
                decided = self.expand(condition.strip(), local)
                return self.expand(yes if decided != "" else no, local)
            case "call":
                return self._user_function(body, local)
            case "eval":
                text = self.expand(body, local)
                if isinstance(text, str):
                    MakefileReader(self, text).read()
                else:
                    self._call.opaque("make: eval of text that is not known")
                return ""
            case "error" | "warning" | "info":
                return ""
        given = [self.expand(one, local) for one in split_arguments(body, _FUNCTIONS[name])]
        first = given[0] if given else ""
        if name == "wildcard":
            return joined([one for word in split_words(first) for one in self._wildcard(word)])
        if name == "shell":
            return self._shell_text(first)
        if name in ("abspath", "realpath"):
            machine = self._call.machine
            return joined([machine.absolute(self._call.full(word)) for word in split_words(first)])
        found = text_function(name, given)
        return found if found is not None else hole("data", name)

    def _for_each(self, body: str, local: dict[str, TextLike] | None) -> TextLike:
        name, items, inner = [*split_arguments(body, 3), "", "", ""][:3]
        words = split_words(self.expand(items, local))[: self._call.machine.options.words]
        return joined([self.expand(inner, {**(local or {}), name.strip(): word}) for word in words])

    def _user_function(self, body: str, local: dict[str, TextLike] | None) -> TextLike:
        given = [self.expand(one, local) for one in split_arguments(body, 64)]
        name = given[0].strip() if given and isinstance(given[0], str) else ""
        inner = {**(local or {}), **{str(number): one for number, one in enumerate(given)}}
        variable = self._variables.get(name)
        return self.expand(variable.text, inner) if variable is not None else ""

    def _wildcard(self, word: TextLike) -> list[TextLike]:
        if is_magic(word):
            return expand_glob(self._call.machine, self._call.frame, self._call.state, word, self._call.place)
        return [word] if self._call.kind(word) is not None or isinstance(word, Text) else []

    def _shell(self, text: str) -> TextLike:
        return self._shell_text(self.expand(text))

    def _shell_text(self, text: TextLike) -> TextLike:
        machine = self._call.machine
        if self._call.frame.depth >= machine.options.depth:
            return hole("data", "shell")
        sink = Sink()
        frame = self._call.frame.with_streams(None, sink)
        machine.evaluate(text, frame, self._call.state.copy(), self._call.place)
        pieces = list(split_words(strip_trailing(sink.text, "\n")))
        return joined(pieces)

    # ---- building ----------------------------------------------------------------------------------------------

    def build(self, targets: list[TextLike]) -> None:
        """Run what the targets need, the default target when there is none."""
        self._goals = targets
        if not targets and self._default is not None:
            goal = self.value(".DEFAULT_GOAL")
            targets = [goal if goal != "" else self._default]
        for target in targets:
            self._build(target, (), named=True)

    def _build(self, target: TextLike, active: tuple[TextLike, ...], *, named: bool) -> None:
        if target in self._done or target in active:
            return
        if len(active) > _DEPTH or len(self._done) > _TARGETS:
            self._call.opaque("make: too many targets")
            return
        self._done.add(target)
        rules = [rule for rule in self._rules if target in rule.targets]
        stem: TextLike = ""
        prerequisites = [one for rule in rules for one in rule.prerequisites]
        order_only = [one for rule in rules for one in rule.order_only]
        recipes = [(rule, rule.recipe) for rule in rules if rule.recipe is not None]
        recipe = recipes[-1][1] if recipes else None
        if recipe is None and not (isinstance(target, str) and target in self._phony):
            found = self._pattern_rule(target)
            if found is not None and not (found[0].prerequisites or prerequisites) and self._is_source(target):
                self._call.access(Operation.STAT, target)
                return
            if found is not None:
                rule, stem = found
                recipe = rule.recipe
                prerequisites = [fill_stem(one, stem) for one in rule.prerequisites] + prerequisites
                order_only += [fill_stem(one, stem) for one in rule.order_only]
        prerequisites = [self._found(one) for one in prerequisites]
        for prerequisite in [*prerequisites, *order_only]:
            self._build(prerequisite, (*active, target), named=False)
        if recipe is not None:
            self._run(recipe, target, prerequisites, stem)
        elif not rules:
            if self._call.kind(target) is not None:
                self._call.access(Operation.STAT, target)
            elif named:
                self._call.opaque(f"make: no rule for {self._call.machine.describe(target)}")

    def _is_source(self, target: TextLike) -> bool:
        """Whether a file was there before: without prerequisites, nothing makes it out of date."""
        machine = self._call.machine
        full = machine.full_path(target, self._call.state)
        return isinstance(full, str) and machine.tree.kind(full) == "file" and not machine.changes.touches(full)

    def _pattern_rule(self, target: TextLike) -> tuple[Rule, TextLike] | None:
        best: tuple[Rule, TextLike] | None = None
        for rule in self._patterns:
            for pattern in rule.targets:
                stem = stem_of(target, pattern) if isinstance(pattern, str) else None
                if stem is None or rule.recipe is None:
                    continue
                inputs = [fill_stem(one, stem) for one in rule.prerequisites]
                if all(self._can_exist(one) for one in inputs):
                    return rule, stem
                best = best or (rule, stem)
        return best

    def search(self, pattern: str, folders: list[TextLike]) -> None:
        """`vpath`: where prerequisites that match a pattern are looked for too."""
        self._search.append((pattern, folders))

    def _found(self, path: TextLike) -> TextLike:
        """A prerequisite where `VPATH` and `vpath` find it, unless it is there or a rule makes it."""
        if not isinstance(path, str) or self._call.kind(path) is not None:
            return path
        if any(path in rule.targets for rule in self._rules):
            return path
        every = self.value("VPATH")
        folders = split_words(every.replace(":", " ")) if isinstance(every, str) else []
        for pattern, places in self._search:
            if stem_of(path, pattern) is not None:
                folders += places
        return next((one for folder in folders if self._call.kind(one := concat(folder, "/", path)) is not None), path)

    def _can_exist(self, path: TextLike) -> bool:
        if self._call.kind(self._found(path)) is not None or any(path in rule.targets for rule in self._rules):
            return True
        return any(
            isinstance(pattern, str) and pattern != "%" and stem_of(path, pattern) is not None
            for rule in self._patterns
            for pattern in rule.targets
        )

    def _run(self, recipe: Recipe, target: TextLike, prerequisites: list[TextLike], stem: TextLike) -> None:
        machine = self._call.machine
        unique = list(dict.fromkeys(prerequisites))
        local: dict[str, TextLike] = {
            "@": target,
            "<": prerequisites[0] if prerequisites else "",
            "^": joined(unique),
            "+": joined(prerequisites),
            "?": joined(unique),
            "*": stem if stem != "" else without_extension(target),
            "@D": dirname(target),
            "@F": basename(target),
            "<D": dirname(prerequisites[0]) if prerequisites else "",
            "<F": basename(prerequisites[0]) if prerequisites else "",
            "^D": joined([dirname(one) for one in unique]),
            "^F": joined([basename(one) for one in unique]),
            "*F": basename(stem),
            "*D": dirname(stem),
        }
        state = self._recipe_state()
        one_shell = any(rule.targets == [".ONESHELL"] for rule in self._rules)
        lines = [("\n".join(line for line, _ in recipe.lines), recipe.lines[0][1])] if one_shell else recipe.lines
        for line, number in lines:
            place = Place(number, 1, recipe.file)
            outer = self._call.frame
            for text in self._recipe_lines(line, self.expand(line, local)):
                source = Source(machine.placeholders.encode(strip_marks(text)), place, columns=False)
                frame = Frame(source, outer.conditional, None, outer.sink, outer.depth + 1)
                machine.program(frame, state.copy())

    @staticmethod
    def _recipe_lines(line: str, text: TextLike) -> list[TextLike]:
        """The lines of a recipe that one line of it becomes: a variable of several lines makes several."""
        if "\n" in line:
            return [text]
        pieces = split_text(text, "\n")
        continued = any(isinstance(piece, str) and piece.endswith("\\") for piece in pieces)
        return [text] if continued else pieces

    def _recipe_state(self) -> ShellState:
        state = self._call.machine.child_state(self._call.state, "sh", [])
        names = set(self._variables) if self._export_all else self._exported | self._fixed
        for name in sorted(names):
            if name in self._variables:
                state.variables[name] = self.value(name)
                state.exported.add(name)
        state.cwd = self._call.state.cwd
        return state
