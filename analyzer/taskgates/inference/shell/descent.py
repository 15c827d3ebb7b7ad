"""A recursive descent parser for shell texts that tree-sitter's bash grammar does not accept.

The grammar trips over common things (`for name do`, several lines in quotes in front of a loop, extended patterns in
arguments, `<>`). This parser follows the POSIX shell grammar (IEEE 1003.1, Shell Command Language, section 2.10) with
bash's compound commands. A line that it cannot place becomes `Broken`, and parsing goes on behind it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from taskgates.inference.shell.lexing import element_end
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

if TYPE_CHECKING:
    from taskgates.inference.shell.sources import Placeholders

_DEPTH = 80
_METACHARACTERS = " \t\n;&|()<>"
_OPENING = frozenset({"{", "if", "for", "select", "while", "until", "case", "function", "[[", "!"})
CLOSING = frozenset({"}", "fi", "done", "esac", "then", "else", "elif", "do"})
_DECLARATIONS = frozenset({"export", "local", "declare", "readonly", "typeset"})
_REDIRECT = re.compile(r"(\d{1,3}|\{\w+\})?(&>>|&>|>>|>&|>\||<<<|<<|<&|<>|<|>)(?!\()")
_ASSIGNED_ARRAY = re.compile(r"[A-Za-z_]\w*(?:\[[^\]\n]*\])?\+?=$")
_FUNCTION = re.compile(r"([^\s;&|()<>$'\"`=]+)[ \t]*\([ \t]*\)")
_TIME = re.compile(r"time(?:[ \t]+-p)?[ \t]+(?=[({]|(?:if|for|while|until|case)\b)")
_PARENTHESES = re.compile(r"\([ \t]*\)")
_END = re.compile(r";;&|;;|;&")


class _SyntaxProblem(Exception):  # noqa: N818 - the text's, not the program's
    """The text is no shell here."""


def parse_descending(text: str, placeholders: Placeholders) -> Sequence:
    """Parse a text in which here-documents are hidden; never fails."""
    return _Parser(text, placeholders).parse()


class _Parser:
    def __init__(self, text: str, placeholders: Placeholders) -> None:
        self._text = text
        self._placeholders = placeholders
        self._at = 0
        self._depth = 0

    def parse(self) -> Sequence:
        items: list[Node] = []
        while True:
            self._newlines()
            if self._at >= len(self._text):
                return Sequence(tuple(items))
            start = self._at
            try:
                items += self._list(frozenset()).items
                if self._at >= len(self._text):
                    return Sequence(tuple(items))
                self._fail()
            except _SyntaxProblem:
                self._depth = 0
                end = self._text.find("\n", max(self._at, start))
                end = len(self._text) if end == -1 else end
                items.append(Broken(self._text[start:end], start))
                self._at = max(end, start + 1)

    def _fail(self) -> NoReturn:
        raise _SyntaxProblem

    # ---- characters and words ----------------------------------------------------------------------------------

    def _blanks(self) -> None:
        text = self._text
        while self._at < len(text):
            char = text[self._at]
            if char in " \t\r":
                self._at += 1
            elif text.startswith("\\\n", self._at):
                self._at += 2
            elif char == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end == -1 else end
            else:
                return

    def _newlines(self) -> None:
        self._blanks()
        while self._text.startswith("\n", self._at):
            self._at += 1
            self._blanks()

    def _accept(self, operator: str) -> bool:
        self._blanks()
        if self._text.startswith(operator, self._at):
            self._at += len(operator)
            return True
        return False

    def _peek_word(self) -> str:
        """The word ahead as it is written, without moving."""
        self._blanks()
        return self._word_at(self._at)

    def _word_at(self, index: int) -> str:
        text = self._text
        start = index
        while index < len(text):
            char = text[index]
            if char in "@+*?!" and text[index + 1 : index + 2] == "(":
                index = self._group_end(index + 1)
            elif char in "<>" and index == start and text[index + 1 : index + 2] == "(":
                index = element_end(text, index)
            elif char == "(" and _ASSIGNED_ARRAY.fullmatch(text, start, index):
                index = self._group_end(index)
            elif char in _METACHARACTERS:
                break
            else:
                index = element_end(text, index)
        return text[start : min(index, len(text))]

    def _group_end(self, index: int) -> int:
        """The position behind the parenthesis that closes the one at `index`."""
        text = self._text
        depth = 0
        while index < len(text):
            char = text[index]
            if char == "(":
                depth += 1
                index += 1
            elif char == ")":
                depth -= 1
                index += 1
                if depth == 0:
                    return index
            elif char == "#" and text[index - 1] in " \t\n":
                end = text.find("\n", index)
                index = len(text) if end == -1 else end
            else:
                index = element_end(text, index)
        return len(text)

    def _word(self) -> Word:
        raw = self._peek_word()
        if not raw:
            self._fail()
        word = Word(raw, self._at)
        self._at += len(raw)
        return word

    def _keyword(self, *names: str) -> str:
        """Take one of the reserved words, or fail."""
        self._newlines()
        raw = self._peek_word()
        if raw not in names:
            self._fail()
        self._at += len(raw)
        return raw

    def _at_separator(self) -> bool:
        self._blanks()
        return self._at >= len(self._text) or self._text[self._at] in "\n;&|)"

    # ---- lists -------------------------------------------------------------------------------------------------

    def _list(self, closing: frozenset[str]) -> Sequence:
        """Commands up to a reserved word of `closing`, a closing parenthesis, `;;`, or the end."""
        self._depth += 1
        if self._depth > _DEPTH:
            self._fail()
        start = self._at
        items: list[Node] = []
        while True:
            self._newlines()
            if self._at >= len(self._text) or self._text[self._at] == ")" or _END.match(self._text, self._at):
                break
            if self._peek_word() in closing:
                break
            items.append(self._and_or())
            self._blanks()
            if _END.match(self._text, self._at):
                break
            if self._accept("&"):
                items[-1] = Background(items[-1], self._at)
            elif not self._accept(";") and not self._at_separator() and self._peek_word() not in closing:
                self._fail()
        self._depth -= 1
        return Sequence(tuple(items), start)

    def _and_or(self) -> Node:
        start = self._at
        first = self._pipeline()
        rest: list[tuple[str, Node]] = []
        while True:
            operator = "&&" if self._accept("&&") else "||" if self._accept("||") else ""
            if not operator:
                break
            self._newlines()
            rest.append((operator, self._pipeline()))
        return AndOr(first, tuple(rest), start) if rest else first

    def _pipeline(self) -> Node:
        self._blanks()
        start = self._at
        if self._peek_word() == "!":
            self._at += 1
            self._depth += 1
            if self._depth > _DEPTH:
                self._fail()
            body = self._pipeline()
            self._depth -= 1
            return Negated(body, start)
        if self._peek_word() == "time":
            following = _TIME.match(self._text, self._at)
            if following is not None:
                self._at = following.end()
        stages = [self._command()]
        while not self._text.startswith("||", self._skip()) and (self._accept("|&") or self._accept("|")):
            self._newlines()
            stages.append(self._command())
        return stages[0] if len(stages) == 1 else Pipeline(tuple(stages), start)

    def _skip(self) -> int:
        self._blanks()
        return self._at

    # ---- commands ----------------------------------------------------------------------------------------------

    def _command(self) -> Node:
        self._blanks()
        start = self._at
        if self._text.startswith("((", start):
            end = self._group_end(start)
            if self._text.startswith("))", end - 2):
                self._at = end
                return self._with_redirects(Arithmetic(self._text[start + 2 : end - 2], start + 2), start)
        if self._accept("("):
            body = self._list(frozenset())
            self._newlines()
            if not self._accept(")"):
                self._fail()
            return self._with_redirects(Subshell(body, start), start)
        function = _FUNCTION.match(self._text, start)
        if function is not None:
            self._at = function.end()
            return self._function(function.group(1), start)
        word = self._peek_word()
        if word in CLOSING:
            self._fail()
        if word in _OPENING and word != "!":
            self._at += len(word)
            return self._with_redirects(self._compound(word, start), start)
        return self._simple()

    def _function(self, name: str, start: int) -> Node:
        self._newlines()
        return Function(name, self._command(), start)

    def _with_redirects(self, body: Node, start: int) -> Node:
        redirects: list[Redirect] = []
        while (redirect := self._redirect()) is not None:
            redirects.append(redirect)
        return Redirected(body, tuple(redirects), start) if redirects else body

    def _compound(self, word: str, start: int) -> Node:
        match word:
            case "{":
                body: Node = self._list(frozenset({"}"}))
                self._keyword("}")
                return body
            case "if":
                return self._if(start)
            case "while" | "until":
                condition = self._list(frozenset({"do"}))
                return While(condition, self._do_group(), word == "until", start)
            case "for" | "select":
                return self._for(start, select=word == "select")
            case "case":
                return self._case(start)
            case "function":
                name = self._word().raw
                self._blanks()
                found = _PARENTHESES.match(self._text, self._at)
                self._at = found.end() if found is not None else self._at
                return self._function(name, start)
            case _:
                return self._test(start)

    def _if(self, start: int) -> Node:
        branches: list[tuple[Node, Node]] = []
        otherwise: Node | None = None
        word = "if"
        while word in ("if", "elif"):
            condition = self._list(frozenset({"then"}))
            self._keyword("then")
            branches.append((condition, self._list(frozenset({"elif", "else", "fi"}))))
            word = self._keyword("elif", "else", "fi")
        if word == "else":
            otherwise = self._list(frozenset({"fi"}))
            self._keyword("fi")
        return If(tuple(branches), otherwise, start)

    def _do_group(self) -> Node:
        word = self._keyword("do", "{")
        body = self._list(frozenset({"done" if word == "do" else "}"}))
        self._keyword("done" if word == "do" else "}")
        return body

    def _for(self, start: int, *, select: bool) -> Node:
        self._blanks()
        if self._text.startswith("((", self._at):
            end = self._group_end(self._at)
            header = self._text[self._at + 2 : end - 2]
            self._at = end
            initial, _, rest = header.partition(";")
            condition, _, update = rest.partition(";")
            self._newlines()
            self._accept(";")
            return CountingFor(initial.strip(), condition.strip(), update.strip(), self._do_group(), start)
        name = self._word().raw
        self._newlines()
        words: list[Word] | None = None
        if self._peek_word() == "in":
            self._at += 2
            words = []
            while not self._at_separator():
                words.append(self._word())
        self._accept(";")
        return For(name, tuple(words) if words is not None else None, self._do_group(), start, select)

    def _case(self, start: int) -> Node:
        subject = self._word()
        self._keyword("in")
        items: list[CaseItem] = []
        while True:
            self._newlines()
            if self._peek_word() == "esac":
                self._at += 4
                return Case(subject, tuple(items), start)
            self._accept("(")
            patterns = [self._word()]
            while self._accept("|"):
                patterns.append(self._word())
            if not self._accept(")"):
                self._fail()
            body = self._list(frozenset({"esac"}))
            self._newlines()
            ending = _END.match(self._text, self._at)
            if ending is not None:
                self._at = ending.end()
            elif self._peek_word() != "esac":
                self._fail()
            items.append(CaseItem(tuple(patterns), body, ending.group() if ending is not None else ";;"))

    def _test(self, start: int) -> Node:
        text = self._text
        index = self._at
        while index < len(text):
            if text.startswith("]]", index) and text[index - 1] in " \t\n":
                self._at = index + 2
                return Test(text[start + 2 : index], start + 2)
            index = element_end(text, index)
        raise _SyntaxProblem

    # ---- simple commands ---------------------------------------------------------------------------------------

    def _redirect(self) -> Redirect | None:
        self._blanks()
        found = _REDIRECT.match(self._text, self._at)
        if found is None:
            return None
        start = self._at
        self._at = found.end()
        self._blanks()
        descriptor = found.group(1) or ""
        number = int(descriptor) if descriptor.isdigit() else -1 if not descriptor else 9
        target = self._word()
        document = self._placeholders.document(target.raw)
        return Redirect(number, "<<" if document else found.group(2), target, start, document)

    def _simple(self) -> Node:
        start = self._at
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while not self._at_separator():
            redirect = self._redirect()
            if redirect is not None:
                redirects.append(redirect)
                continue
            word = self._word()
            assignment = parse_assignment(word.raw, word.offset) if not words else None
            if assignment is not None:
                assignments.append(assignment)
            else:
                words.append(word)
        if not (assignments or words or redirects):
            self._fail()
        if words and words[0].raw in _DECLARATIONS and not assignments:
            items = tuple(parse_assignment(word.raw, word.offset) or word for word in words[1:])
            declaration = Declaration(words[0].raw, items, start)
            return Redirected(declaration, tuple(redirects), start) if redirects else declaration
        return Simple(tuple(assignments), tuple(words), tuple(redirects), start)
