"""docopt's language: usage patterns from a help text, and command lines matched against them.

Follows the published description of docopt 0.6: options are taken out of a command line wherever they stand, the other
words are matched in order, an alternative that leaves the fewest words wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

CASES = 4096
"""How many expansions of a usage pattern are looked at to find repeated elements."""

Value = bool | int | str | None | list[str]


class UsageMismatch(Exception):  # noqa: N818 - a signal, not an error of the analysis
    """The help text cannot be read, or the command line does not match it."""


@dataclass(eq=False)
class Option:
    """One option: its spellings, whether it takes an argument, and its default."""

    short: str | None
    long: str | None
    takes: bool
    default: str | None = None

    @property
    def name(self) -> str:
        """The key in the result."""
        return self.long or self.short or ""


@dataclass(frozen=True)
class Leaf:
    """`kind` is `argument`, `command` or `option`."""

    kind: str
    name: str


@dataclass(frozen=True)
class Branch:
    """`kind` is `all`, `optional`, `either`, `more` or `shortcut`."""

    kind: str
    children: tuple[Leaf | Branch, ...] = ()


@dataclass
class Word:
    """One element of a parsed command line; an argument has no option."""

    value: str | bool
    option: Option | None = None


@dataclass
class Grammar:
    """A help text, read.

    Attributes:
        pattern: the usage.
        options: all options.
        repeated: names that may occur more than once: their values add up.
    """

    pattern: Leaf | Branch
    options: list[Option]
    repeated: set[str] = field(default_factory=set)

    def leaves(self) -> list[Leaf]:
        """All elements of the usage, the options of `[options]` included."""
        found = list(_leaves(self.pattern))
        if _has_shortcut(self.pattern):
            found.extend(Leaf("option", option.name) for option in self.options)
        return list(dict.fromkeys(found))

    def default(self, leaf: Leaf) -> Value:
        """The value of an element that a command line does not have."""
        many = leaf.name in self.repeated
        if leaf.kind == "command":
            return 0 if many else False
        if leaf.kind == "argument":
            return [] if many else None
        option = next(option for option in self.options if option.name == leaf.name)
        if not option.takes:
            return 0 if many else False
        if many:
            return option.default.split() if option.default is not None else []
        return option.default


# Reading the help text ------------------------------------------------------------------------------------------------


def read(doc: str) -> Grammar:
    """Read a help text.

    Raises:
        UsageMismatch: when it has no usage section, or one that cannot be read.
    """
    section = re.search(r"^([^\n]*usage:[^\n]*\n?(?:[ \t].*?(?:\n|$))*)", doc, re.IGNORECASE | re.MULTILINE)
    if section is None:
        raise UsageMismatch("the help text has no usage section")
    options = _described(doc)
    words = section.group(1).partition(":")[2].split()
    if not words:
        raise UsageMismatch("the usage section is empty")
    program = words[0]
    source = "( " + " ".join(") | (" if word == program else word for word in words[1:]) + " )"
    tokens = [token for token in re.split(r"\s+|(\S*<.*?>)", re.sub(r"([\[\]()|]|\.\.\.)", r" \1 ", source)) if token]
    described = {id(option) for option in options}
    reader = _Reader(tokens, options)
    pattern = reader.expression()
    if reader.tokens:
        raise UsageMismatch("the usage section has unbalanced brackets")
    used = {leaf.name for leaf in _leaves(pattern) if leaf.kind == "option"}
    full = _with_options(
        pattern, tuple(Leaf("option", o.name) for o in options if o.name not in used and id(o) in described)
    )
    grammar = Grammar(full, options)
    for case in _cases(full)[:CASES]:
        grammar.repeated.update(leaf.name for leaf in case if case.count(leaf) > 1)
    return grammar


def _described(doc: str) -> list[Option]:
    """The options of the description: lines that begin with a dash."""
    out: list[Option] = []
    for block in re.split(r"\n[ \t]*(?=-)", "\n" + doc)[1:]:
        names, _, text = block.strip().partition("  ")
        option = Option(None, None, takes=False)
        for word in names.replace(",", " ").replace("=", " ").split():
            if word.startswith("--"):
                option.long = word
            elif word.startswith("-"):
                option.short = word
            else:
                option.takes = True
        if option.takes and (default := re.search(r"\[default: (.*)\]", text, re.IGNORECASE)):
            option.default = default.group(1)
        out.append(option)
    return out


class _Reader:
    """Recursive descent over the tokens of a usage section."""

    def __init__(self, tokens: list[str], options: list[Option]) -> None:
        self.tokens = tokens
        self.options = options

    def expression(self) -> Branch:
        alternatives = [self.sequence()]
        while self.tokens and self.tokens[0] == "|":
            self.tokens.pop(0)
            alternatives.append(self.sequence())
        return alternatives[0] if len(alternatives) == 1 else Branch("either", tuple(alternatives))

    def sequence(self) -> Branch:
        out: list[Leaf | Branch] = []
        while self.tokens and self.tokens[0] not in ("]", ")", "|"):
            atoms = self.atom()
            if self.tokens and self.tokens[0] == "...":
                self.tokens.pop(0)
                atoms = [Branch("more", tuple(atoms))]
            out.extend(atoms)
        return Branch("all", tuple(out))

    def atom(self) -> list[Leaf | Branch]:
        word = self.tokens.pop(0)
        if word in ("(", "["):
            inner = self.expression()
            if not self.tokens or self.tokens.pop(0) != {"(": ")", "[": "]"}[word]:
                raise UsageMismatch(f"the usage section has an unmatched {word}")
            return [Branch("optional", (inner,)) if word == "[" else inner]
        if word == "options":
            return [Branch("shortcut")]
        if word.startswith("--") and word != "--":
            return [self.long(word)]
        if word.startswith("-") and word not in ("-", "--"):
            return self.shorts(word)
        if (word.startswith("<") and word.endswith(">")) or word.isupper():
            return [Leaf("argument", word)]
        return [Leaf("command", word)]

    def long(self, token: str) -> Leaf:
        name, equals, _ = token.partition("=")
        option = next((option for option in self.options if option.long == name), None)
        if option is None:
            option = Option(None, name, takes=bool(equals))
            self.options.append(option)
        elif option.takes and not equals and self.tokens:
            self.tokens.pop(0)
        return Leaf("option", option.name)

    def shorts(self, token: str) -> list[Leaf | Branch]:
        out: list[Leaf | Branch] = []
        left = token[1:]
        while left:
            name, left = f"-{left[0]}", left[1:]
            option = next((option for option in self.options if option.short == name), None)
            if option is None:
                option = Option(name, None, takes=False)
                self.options.append(option)
            elif option.takes:
                if not left and self.tokens:
                    self.tokens.pop(0)
                left = ""
            out.append(Leaf("option", option.name))
        return out


def _leaves(node: Leaf | Branch) -> list[Leaf]:
    if isinstance(node, Leaf):
        return [node]
    return [leaf for child in node.children for leaf in _leaves(child)]


def _has_shortcut(node: Leaf | Branch) -> bool:
    return isinstance(node, Branch) and (node.kind == "shortcut" or any(_has_shortcut(c) for c in node.children))


def _with_options(node: Leaf | Branch, leaves: tuple[Leaf, ...]) -> Leaf | Branch:
    """Put the options that the usage does not name in the place of `[options]`."""
    if isinstance(node, Leaf):
        return node
    if node.kind == "shortcut":
        return Branch("optional", leaves)
    return Branch(node.kind, tuple(_with_options(child, leaves) for child in node.children))


def _cases(node: Leaf | Branch) -> list[list[Leaf]]:
    """The sequences of elements that a pattern stands for, repetition as twice."""
    if isinstance(node, Leaf):
        return [[node]]
    if node.kind == "either":
        return [case for child in node.children for case in _cases(child)]
    out: list[list[Leaf]] = [[]]
    for child in node.children * (2 if node.kind == "more" else 1):
        out = [[*case, *more] for case in out for more in _cases(child)][:CASES]
    return out


# Matching a command line ----------------------------------------------------------------------------------------------


def split(words: list[str], grammar: Grammar, *, options_first: bool = False) -> list[Word]:
    """Take the options of a command line apart from its arguments.

    Raises:
        UsageMismatch: when an option lacks its argument, has one that it must not have, or is ambiguous.
    """
    out: list[Word] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            return [*out, *(Word(value) for value in ("--", *left))]
        if word.startswith("--"):
            out.append(_long_word(word, left, grammar))
        elif word.startswith("-") and word != "-":
            out.extend(_short_words(word, left, grammar))
        elif options_first:
            return [*out, *(Word(value) for value in (word, *left))]
        else:
            out.append(Word(word))
    return out


def _long_word(word: str, left: list[str], grammar: Grammar) -> Word:
    name, equals, text = word.partition("=")
    found = [option for option in grammar.options if option.long == name]
    if not found:
        found = [option for option in grammar.options if option.long and option.long.startswith(name)]
    if len(found) != 1:
        raise UsageMismatch(f"{name} is {'ambiguous' if found else 'not an option'}")
    option = found[0]
    if not option.takes:
        if equals:
            raise UsageMismatch(f"{name} takes no argument")
        return Word(True, option)
    if equals:
        return Word(text, option)
    if not left:
        raise UsageMismatch(f"{name} needs an argument")
    return Word(left.pop(0), option)


def _short_words(word: str, left: list[str], grammar: Grammar) -> list[Word]:
    out: list[Word] = []
    rest = word[1:]
    while rest:
        name, rest = f"-{rest[0]}", rest[1:]
        option = next((option for option in grammar.options if option.short == name), None)
        if option is None:
            raise UsageMismatch(f"{name} is not an option")
        if not option.takes:
            out.append(Word(True, option))
            continue
        if not rest and not left:
            raise UsageMismatch(f"{name} needs an argument")
        out.append(Word(rest or left.pop(0), option))
        rest = ""
    return out


Collected = dict[str, Value]


def match(grammar: Grammar, words: list[Word]) -> Collected:
    """The values of a command line by element name, defaults included.

    Raises:
        UsageMismatch: when the words do not match the usage.
    """
    matched, left, found = _match(grammar, grammar.pattern, words, {})
    if not matched or left:
        raise UsageMismatch("the words do not match the usage")
    return {leaf.name: found.get(leaf.name, grammar.default(leaf)) for leaf in grammar.leaves()}


def _match(
    grammar: Grammar, node: Leaf | Branch, left: list[Word], found: Collected
) -> tuple[bool, list[Word], Collected]:
    if isinstance(node, Leaf):
        return _match_leaf(grammar, node, left, found)
    if node.kind == "either":
        outcomes = [_match(grammar, child, left, found) for child in node.children]
        fitting = [outcome for outcome in outcomes if outcome[0]]
        return min(fitting, key=lambda outcome: len(outcome[1])) if fitting else (False, left, found)
    if node.kind == "optional":
        for child in node.children:
            # Each element of `[a b]` is optional by itself.
            loose = isinstance(child, Branch) and child.kind == "all"
            inner = Branch("optional", child.children) if isinstance(child, Branch) and loose else child
            _, left, found = _match(grammar, inner, left, found)
        return True, left, found
    if node.kind == "more":
        return _match_more(grammar, node, left, found)
    rest, collected = left, found
    for child in node.children:
        matched, rest, collected = _match(grammar, child, rest, collected)
        if not matched:
            return False, left, found
    return True, rest, collected


def _match_more(
    grammar: Grammar, node: Branch, left: list[Word], found: Collected
) -> tuple[bool, list[Word], Collected]:
    inner = Branch("all", node.children)
    rest, collected, times = left, found, 0
    while True:
        matched, after, collected = _match(grammar, inner, rest, collected)
        times += matched
        if not matched or len(after) == len(rest):
            break
        rest = after
    return (True, rest, collected) if times else (False, left, found)


def _match_leaf(grammar: Grammar, leaf: Leaf, left: list[Word], found: Collected) -> tuple[bool, list[Word], Collected]:
    for index, word in enumerate(left):
        if leaf.kind == "option":
            if word.option is None or word.option.name != leaf.name:
                continue
        elif word.option is not None:
            continue
        elif leaf.kind == "command" and word.value != leaf.name:
            break
        value: Value = True if leaf.kind == "command" else word.value
        if leaf.name in grammar.repeated:
            before = found.get(leaf.name)
            if isinstance(value, str):
                value = [*(before if isinstance(before, list) else []), value]
            else:
                value = (before if isinstance(before, int) else 0) + 1
        return True, [*left[:index], *left[index + 1 :]], {**found, leaf.name: value}
    return False, left, found


__all__ = ["Grammar", "Leaf", "Option", "UsageMismatch", "Word", "match", "read", "split"]
