"""From shell text, known wholly or in part, to the compact syntax tree, through tree-sitter's bash grammar.

A text that the grammar does not accept goes to the parser in `descent`.

Holes and here-documents are replaced by single private-use characters before the grammar sees the text, so that unknown
pieces parse like letters and the grammar's trouble with several here-documents does not arise.
"""

from __future__ import annotations

import re

import tree_sitter
import tree_sitter_bash

from taskgates.inference.shell.descent import CLOSING, parse_descending
from taskgates.inference.shell.lexing import element_end, split_words
from taskgates.inference.shell.sources import Placeholders, hide_documents
from taskgates.inference.shell.syntax_tree import (
    AndOr,
    Arithmetic,
    Assignment,
    Background,
    Broken,
    Case,
    CaseItem,
    CountingFor,
    Declaration,
    For,
    Function,
    If,
    Negated,
    Node,
    Pipeline,
    Redirect,
    Redirected,
    Sequence,
    Simple,
    Subshell,
    Test,
    While,
    Word,
    parse_assignment,
)

_DEPTH = 120

# The grammar's scanner looks characters up in tables that end at 255, so it gets to see ASCII only, character for
# character. A colon is part of words, but not of names.
_NOT_ASCII = re.compile(r"[^\x01-\x7f]")
_STANDING_IN = ":"


class ShellParser:
    """Parses shell texts, each once."""

    def __init__(self, placeholders: Placeholders) -> None:
        self._parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
        self._placeholders = placeholders
        self._known: dict[str, Sequence] = {}

    def parse(self, text: str) -> Sequence:
        """The syntax tree of an encoded text. Never fails: what is no shell becomes `Broken` nodes."""
        tree = self._known.get(text)
        if tree is None:
            plain = hide_documents(text, self._placeholders)
            root = self._parser.parse(_NOT_ASCII.sub(_STANDING_IN, plain).encode("ascii")).root_node
            converter = _Converter(plain, self._placeholders)
            tree = converter.convert(root) if not root.has_error else None
            if tree is None or converter.misplaced:
                tree = parse_descending(plain, self._placeholders)
            self._known[text] = tree
        return tree


class _Converter:
    """One conversion from tree-sitter's tree to ours."""

    def __init__(self, text: str, placeholders: Placeholders) -> None:
        self._text = text
        self._placeholders = placeholders
        self._depth = 0
        # A reserved word taken for a command's name shows that the grammar has lost its way.
        self.misplaced = False

    def convert(self, root: tree_sitter.Node) -> Sequence:
        return self._sequence(root)

    def _start(self, node: tree_sitter.Node) -> int:
        return node.start_byte

    def _end(self, node: tree_sitter.Node) -> int:
        return node.end_byte

    def _raw(self, node: tree_sitter.Node) -> str:
        return self._text[self._start(node) : self._end(node)]

    def _word(self, node: tree_sitter.Node) -> Word:
        return Word(self._raw(node), self._start(node))

    def _sequence(self, node: tree_sitter.Node, skip: tuple[str, ...] = ()) -> Sequence:
        return Sequence(tuple(self._statements(node.children, skip)), self._start(node))

    def _statements(self, children: list[tree_sitter.Node], skip: tuple[str, ...] = ()) -> list[Node]:
        out: list[Node] = []
        for child in children:
            if child.type == "&" and out:
                out[-1] = Background(out[-1], self._start(child))
            elif child.is_named and child.type not in ("comment", *skip):
                out.append(self._statement(child))
        return out

    def _statement(self, node: tree_sitter.Node) -> Node:
        convert = _STATEMENTS.get(node.type)
        if convert is None or self._depth > _DEPTH:
            return Broken(self._raw(node), self._start(node))
        self._depth += 1
        try:
            return convert(self, node)
        finally:
            self._depth -= 1

    # ---- commands ----------------------------------------------------------------------------------------------

    def command(self, node: tree_sitter.Node) -> Node:
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        for child in node.children:
            assignment = self._assignment(child) if child.type == "variable_assignment" else None
            if assignment is not None:
                assignments.append(assignment)
            elif child.type.endswith("_redirect"):
                words += self._redirect(child, redirects)
            elif child.type == "comment":
                continue
            elif child.type == "ERROR":
                words += [Word(raw, self._start(child) + offset) for raw, offset in split_words(self._raw(child))]
            else:
                words.append(self._word(child))
        if words and words[0].raw in CLOSING:
            self.misplaced = True
        return Simple(tuple(assignments), tuple(_merge_adjacent(words)), tuple(redirects), self._start(node))

    def words_command(self, node: tree_sitter.Node) -> Node:
        offset = self._start(node)
        words = tuple(Word(raw, offset + start) for raw, start in split_words(self._raw(node)))
        return Simple((), words, (), offset)

    def assignments(self, node: tree_sitter.Node) -> Node:
        children = node.children if node.type == "variable_assignments" else [node]
        found = [self._assignment(child) for child in children if child.type == "variable_assignment"]
        if any(one is None for one in found):
            return self.words_command(node)
        return Simple(tuple(one for one in found if one is not None), (), (), self._start(node))

    def _assignment(self, node: tree_sitter.Node) -> Assignment | None:
        return parse_assignment(self._raw(node), self._start(node))

    def declaration(self, node: tree_sitter.Node) -> Node:
        items: list[Word | Assignment] = []
        for child in node.children[1:]:
            assignment = self._assignment(child) if child.type == "variable_assignment" else None
            if assignment is not None:
                items.append(assignment)
            elif child.is_named and child.type != "comment":
                items.append(self._word(child))
        return Declaration(node.children[0].type if node.children else "", tuple(items), self._start(node))

    def test_command(self, node: tree_sitter.Node) -> Node:
        raw = self._raw(node)
        offset = self._start(node)
        if raw.startswith("[["):
            return Test(raw[2:-2] if raw.endswith("]]") else raw[2:], offset + 2)
        if raw.startswith("(("):
            return Arithmetic(raw[2:-2] if raw.endswith("))") else raw[2:], offset + 2)
        return self.words_command(node)

    # ---- redirections ------------------------------------------------------------------------------------------

    def _redirect(self, node: tree_sitter.Node, out: list[Redirect]) -> list[Word]:
        """Convert one redirection; returns the words behind it that belong to the command."""
        descriptor = -1
        operator = ""
        targets: list[Word] = []
        for child in node.children:
            if child.type == "file_descriptor":
                digits = self._raw(child)
                descriptor = int(digits) if digits.isdigit() and len(digits) < 4 else -1
            elif child.type == "ERROR":
                operator += self._raw(child)
            elif child.is_named:
                targets.append(self._word(child))
            else:
                operator += child.type
        offset = self._start(node)
        if operator in ("<&-", ">&-"):
            return targets
        targets = _merge_adjacent(targets)
        target = targets[0] if targets else None
        document = self._placeholders.document(target.raw) if target is not None else None
        out.append(Redirect(descriptor, "<<" if document else operator, target, offset, document))
        return targets[1:]

    def redirected(self, node: tree_sitter.Node) -> Node:
        redirects: list[Redirect] = []
        words: list[Word] = []
        body: Node | None = None
        for child in node.children:
            if child.type.endswith("_redirect"):
                words += self._redirect(child, redirects)
            elif child.is_named and child.type not in ("comment", "ERROR"):
                body = self._statement(child)
            elif child.type == "ERROR":
                words += [Word(raw, self._start(child) + offset) for raw, offset in split_words(self._raw(child))]
        if body is None:
            return Simple((), tuple(words), tuple(redirects), self._start(node))
        return _attach(body, tuple(words), tuple(redirects))

    # ---- compound commands -------------------------------------------------------------------------------------

    def pipeline(self, node: tree_sitter.Node) -> Node:
        stages: list[Node] = []
        before: AndOr | None = None
        for child in node.children:
            if not child.is_named or child.type == "comment":
                continue
            stage = self._statement(child)
            if isinstance(stage, AndOr) and not stages and _is_bare_list(child):
                # The grammar takes `a && b < file | c` for `{ a && b < file; } | c`.
                before, stage = stage, stage.rest[-1][1]
            # The grammar nests pipelines behind redirections.
            stages += stage.stages if isinstance(stage, Pipeline) else (stage,)
        piped = Pipeline(tuple(stages), self._start(node)) if len(stages) != 1 else stages[0]
        if before is None:
            return piped
        return AndOr(before.first, (*before.rest[:-1], (before.rest[-1][0], piped)), before.offset)

    def and_or(self, node: tree_sitter.Node) -> Node:
        # Long lists are deeply left-nested.
        children: list[tree_sitter.Node] = []
        current: tree_sitter.Node | None = node
        while current is not None:
            children[:0] = current.children[1:] if current.children else []
            head = current.children[0] if current.children else None
            if head is not None and head.type != "list":
                children.insert(0, head)
                break
            current = head
        first: Node | None = None
        rest: list[tuple[str, Node]] = []
        operator = "&&"
        for child in children:
            if child.type in ("&&", "||"):
                operator = child.type
            elif child.is_named and child.type != "comment":
                statement = self._statement(child)
                if first is None:
                    first = statement
                else:
                    rest.append((operator, statement))
        if first is None:
            return Broken(self._raw(node), self._start(node))
        return AndOr(first, tuple(rest), self._start(node)) if rest else first

    def negated(self, node: tree_sitter.Node) -> Node:
        body = self._statements(node.children)
        offset = self._start(node)
        if len(body) != 1:
            return Broken(self._raw(node), offset)
        # `! a | b` negates the pipeline, `! a && b` only `a`.
        return Negated(body[0], offset)

    def compound(self, node: tree_sitter.Node) -> Node:
        raw = self._raw(node)
        if raw.startswith("(("):
            return Arithmetic(raw[2:-2] if raw.endswith("))") else raw[2:], self._start(node) + 2)
        return self._sequence(node)

    def subshell(self, node: tree_sitter.Node) -> Node:
        return Subshell(self._sequence(node), self._start(node))

    def if_statement(self, node: tree_sitter.Node) -> Node:
        branches: list[tuple[Node, Node]] = []
        otherwise: Node | None = None
        head: list[tree_sitter.Node] = []
        body: list[tree_sitter.Node] = []
        seen_then = False
        for child in node.children:
            if child.type in ("elif_clause", "else_clause"):
                if child.type == "elif_clause":
                    branches += self._clause(child.children)
                else:
                    otherwise = self._sequence(child)
            elif child.type in ("if", "fi"):
                continue
            elif child.type == "then":
                seen_then = True
            else:
                (body if seen_then else head).append(child)
        first = (
            Sequence(tuple(self._statements(head)), self._start(node)),
            Sequence(tuple(self._statements(body)), self._start(node)),
        )
        return If((first, *branches), otherwise, self._start(node))

    def _clause(self, children: list[tree_sitter.Node]) -> list[tuple[Node, Node]]:
        head: list[tree_sitter.Node] = []
        body: list[tree_sitter.Node] = []
        seen_then = False
        for child in children:
            if child.type == "then":
                seen_then = True
            elif child.type != "elif":
                (body if seen_then else head).append(child)
        return [(Sequence(tuple(self._statements(head))), Sequence(tuple(self._statements(body))))]

    def for_statement(self, node: tree_sitter.Node) -> Node:
        variable = node.child_by_field_name("variable")
        body = node.child_by_field_name("body")
        words: list[Word] | None = None
        select = False
        for child in node.children:
            if child.type == "in":
                words = []
            elif child.type == "select":
                select = True
            elif words is not None and child.is_named and child.type not in ("do_group", "comment"):
                words.append(self._word(child))
        return For(
            self._raw(variable) if variable is not None else "",
            tuple(_merge_adjacent(words)) if words is not None else None,
            self._body(body),
            self._start(node),
            select,
        )

    def counting_for(self, node: tree_sitter.Node) -> Node:
        raw = self._raw(node)
        opening = raw.find("((")
        end = element_end("$" + raw[opening:], 0) + opening - 1 if opening >= 0 else -1
        header = raw[opening + 2 : end - 2] if opening >= 0 else ""
        initial, _, rest = header.partition(";")
        condition, _, update = rest.partition(";")
        body = node.child_by_field_name("body")
        return CountingFor(initial.strip(), condition.strip(), update.strip(), self._body(body), self._start(node))

    def _body(self, node: tree_sitter.Node | None) -> Node:
        return self._sequence(node) if node is not None else Sequence(())

    def while_statement(self, node: tree_sitter.Node) -> Node:
        body = node.child_by_field_name("body")
        head = [child for child in node.children if child.type not in ("while", "until", "do_group")]
        return While(
            Sequence(tuple(self._statements(head)), self._start(node)),
            self._body(body),
            bool(node.children) and node.children[0].type == "until",
            self._start(node),
        )

    def case_statement(self, node: tree_sitter.Node) -> Node:
        subject = node.child_by_field_name("value")
        items = [self._case_item(child) for child in node.children if child.type == "case_item"]
        word = self._word(subject) if subject is not None else Word("", self._start(node))
        return Case(word, tuple(items), self._start(node))

    def _case_item(self, node: tree_sitter.Node) -> CaseItem:
        patterns: list[Word] = []
        body: list[tree_sitter.Node] = []
        terminator = ";;"
        behind = False
        start = end = -1
        for child in node.children:
            if not behind:
                if child.type == ")":
                    behind = True
                    if start >= 0:
                        patterns.append(Word(self._text[start:end], start))
                elif child.type == "|":
                    patterns.append(Word(self._text[start:end], start))
                    start = -1
                elif child.is_named:
                    start = self._start(child) if start < 0 else start
                    end = self._end(child)
            elif child.type in (";;", ";&", ";;&"):
                terminator = child.type
            else:
                body.append(child)
        return CaseItem(tuple(patterns), Sequence(tuple(self._statements(body)), self._start(node)), terminator)

    def function(self, node: tree_sitter.Node) -> Node:
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        converted: Node = self._statement(body) if body is not None else Sequence(())
        redirects: list[Redirect] = []
        for child in node.children:
            if child.type.endswith("_redirect"):
                self._redirect(child, redirects)
        if redirects:
            converted = Redirected(converted, tuple(redirects), self._start(node))
        return Function(self._raw(name) if name is not None else "", converted, self._start(node))

    def error(self, node: tree_sitter.Node) -> Node:
        """What the grammar could not place; the statements that it recognised inside are kept."""
        inner: list[Node] = [Broken(self._raw(node), self._start(node))]
        inner += [
            self._statement(child) for child in node.children if child.type in _STATEMENTS and child.type != "ERROR"
        ]
        return Sequence(tuple(inner), self._start(node))


_STATEMENTS = {
    "command": _Converter.command,
    "variable_assignment": _Converter.assignments,
    "variable_assignments": _Converter.assignments,
    "declaration_command": _Converter.declaration,
    "unset_command": _Converter.words_command,
    "test_command": _Converter.test_command,
    "redirected_statement": _Converter.redirected,
    "pipeline": _Converter.pipeline,
    "list": _Converter.and_or,
    "negated_command": _Converter.negated,
    "compound_statement": _Converter.compound,
    "subshell": _Converter.subshell,
    "if_statement": _Converter.if_statement,
    "for_statement": _Converter.for_statement,
    "c_style_for_statement": _Converter.counting_for,
    "while_statement": _Converter.while_statement,
    "case_statement": _Converter.case_statement,
    "function_definition": _Converter.function,
    "ERROR": _Converter.error,
}


def _merge_adjacent(words: list[Word]) -> list[Word]:
    """Join words that stand side by side without a blank: the grammar splits some that belong together."""
    out: list[Word] = []
    for word in words:
        if out and out[-1].offset + len(out[-1].raw) == word.offset and word.raw:
            out[-1] = Word(out[-1].raw + word.raw, out[-1].offset)
        else:
            out.append(word)
    return out


def _is_bare_list(node: tree_sitter.Node) -> bool:
    """Whether a node is a list of commands without braces around it, with redirections behind it."""
    body = node.child_by_field_name("body") if node.type == "redirected_statement" else None
    return body is not None and body.type == "list"


def _attach(body: Node, words: tuple[Word, ...], redirects: tuple[Redirect, ...]) -> Node:
    """Give redirections to the command they belong to: the last one of a list or pipeline."""
    if isinstance(body, Simple):
        return Simple(body.assignments, body.words + words, body.redirects + redirects, body.offset)
    if isinstance(body, Pipeline) and body.stages:
        return Pipeline((*body.stages[:-1], _attach(body.stages[-1], words, redirects)), body.offset)
    if isinstance(body, AndOr):
        operator, last = body.rest[-1]
        return AndOr(body.first, (*body.rest[:-1], (operator, _attach(last, words, redirects))), body.offset)
    if isinstance(body, Negated):
        return Negated(_attach(body.body, words, redirects), body.offset)
    return Redirected(body, redirects, body.offset)
