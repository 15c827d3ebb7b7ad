"""Word expansion: braces, tildes, parameters, substitutions, arithmetic, field splitting and file name patterns."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from taskgates.inference.shell.arithmetic import evaluate, to_integer
from taskgates.inference.shell.fields import Field
from taskgates.inference.shell.globbing import expand_glob
from taskgates.inference.shell.lexing import element_end, find_unquoted
from taskgates.inference.shell.parameters import expand_parameter, variable_value
from taskgates.inference.shell.patterns import is_magic
from taskgates.inference.shell.texts import hole, split_text, strip_trailing
from taskgates.inference.text import Hole, Text, TextLike, concat

if TYPE_CHECKING:
    from taskgates.inference.shell.host import ShellState
    from taskgates.inference.shell.interpreter import ShellInterpreter
    from taskgates.inference.shell.machine import Frame
    from taskgates.inference.shell.syntax_tree import Word

_DEFAULT_IFS = " \t\n"
_NAME = re.compile(r"[A-Za-z_]\w*|\d|[@*#?$!-]")
_BRACE_DEPTH = 12
_PLAIN_BRACES = re.compile(r"[\w{},.+=-]*", re.ASCII)
"""What makes no path separator, whatever it expands to."""
_BRACE_RANGE = re.compile(r"(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?")


class Expander:
    """Expands words of one command.

    Args:
        machine: runs substitutions and knows the bounds.
        frame: the surroundings of the command.
        state: variables; assignments inside expansions change it.
    """

    def __init__(self, machine: ShellInterpreter, frame: Frame, state: ShellState) -> None:
        self.machine = machine
        self.frame = frame
        self.state = state

    # ---- entries -----------------------------------------------------------------------------------------------

    def fields(self, word: Word) -> list[TextLike]:
        """All steps, as for the words of a command."""
        out: list[TextLike] = []
        for raw in self._brace_variants(word) if "{" in word.raw else (word.raw,):
            for field in self._build(raw, word.offset, ""):
                for part in self._split(field):
                    out += self._glob(part, word.offset)
        return out

    def _brace_variants(self, word: Word) -> list[str]:
        """The words that braces make of one; where they are too many, one that is known by its beginning only."""
        bound = self.machine.options.words
        variants = expand_braces(word.raw, bound)
        if variants is not None:
            return variants
        reason = f"braces that make more than {bound} words, or follow each other too often, are not expanded"
        self.machine.opaque(reason, self.frame, self.frame.source.place(word.offset))
        start = find_unquoted(word.raw, "{", 0)
        plain = _PLAIN_BRACES.fullmatch(word.raw, start) is not None
        return [word.raw[:start] + self.machine.placeholders.encode(hole("data", "braces", slash=not plain))]

    def string(self, raw: str, offset: int = 0) -> TextLike:
        """Without splitting and patterns, as for assignments, redirections and the subject of `case`."""
        return concat(*self._join_fields(self._build(raw, offset, "")))

    def pattern(self, raw: str, offset: int = 0) -> TextLike:
        """As `string`, with quoted special characters protected by backslashes."""
        fields = self._build(raw, offset, "")
        return concat(*(field.pattern for field in fields))

    def document(self, raw: str) -> TextLike:
        """A here-document or arithmetic text: expansions, but no quotes."""
        return concat(*self._join_fields(self._build(raw, 0, "<<")))

    def arithmetic(self, raw: str) -> int | None:
        """The value of an arithmetic expression."""
        text = self.document(raw) if "$" in raw or "`" in raw else self.machine.placeholders.decode(raw)
        if isinstance(text, Text):
            return None
        return evaluate(text.replace('"', ""), self.integer, self.assign_integer)

    def integer(self, name: str) -> int | None:
        """The integer value of a variable."""
        value = variable_value(self, name)
        if value is None:
            return 0
        if isinstance(value, str):
            number = to_integer(value)
            if number is None and re.fullmatch(r"[A-Za-z_]\w*", value) and value != name:
                return self.integer(value) if self.frame.depth < self.machine.options.depth else None
            return number
        only = value.parts
        return 0 if len(only) == 1 and isinstance(only[0], Hole) and only[0].origin == "environment" else None

    def assign_integer(self, name: str, value: int | None) -> None:
        """Assign the result of arithmetic."""
        self.state.variables[name] = hole("data", name, slash=False) if value is None else str(value)

    # ---- scanning ----------------------------------------------------------------------------------------------

    def _join_fields(self, fields: list[Field]) -> list[TextLike]:
        out: list[TextLike] = []
        for index, field in enumerate(fields):
            if index:
                out.append(" ")
            out.append(field.text)
        return out

    def _build(self, raw: str, offset: int, quote: str) -> list[Field]:
        fields = [Field()]
        index = self._tilde(raw, fields[-1]) if quote == "" else 0
        self.scan(raw, index, offset, quote, fields)
        return fields

    def _tilde(self, raw: str, field: Field) -> int:
        if not raw.startswith("~") or (len(raw) > 1 and raw[1] not in "/:"):
            return 0
        home = self.state.variables.get("HOME")
        field.add(home if home is not None else "~", quoted=True)
        return 1

    def scan(self, raw: str, index: int, offset: int, quote: str, fields: list[Field]) -> None:
        """Scan text into fields.

        Args:
            raw: the text.
            index: where to begin.
            offset: position of the text's beginning in the source.
            quote: `` outside quotes, `"` inside double quotes, `<<` in a here-document.
            fields: the last one is continued.
        """
        decode = self.machine.placeholders.decode
        literal = index
        while index < len(raw):
            char = raw[index]
            if char not in "\\'\"$`<>":
                index += 1
                continue
            end, handled = self._element(raw, index, offset, quote, fields, literal)
            if handled:
                literal = end
            index = end
        if literal < len(raw):
            fields[-1].add(decode(raw[literal:]), quoted=quote != "")

    def _element(  # noqa: PLR0917 - all of them belong to one command
        self, raw: str, index: int, offset: int, quote: str, fields: list[Field], literal: int
    ) -> tuple[int, bool]:
        """Handle one special character; returns where to go on and whether it was more than a plain character."""
        char = raw[index]
        following = raw[index + 1 : index + 2]
        if char in "<>" and (following != "(" or quote):
            return index + 1, False
        if char == "'" and quote:
            return index + 1, False
        if char == '"' and quote == "<<":
            return index + 1, False
        if char == "$" and not (following and (following in "({'\"" or _NAME.match(following))):
            return index + 1, False
        if char == "$" and following in ("'", '"') and quote:
            return index + 1, False
        if char == "\\" and quote and following not in ("$", "`", "\\", "\n", '"' if quote == '"' else "$"):
            return index + 1, False
        if literal < index:
            fields[-1].add(self.machine.placeholders.decode(raw[literal:index]), quoted=quote != "")
        if char == "\\":
            if following != "\n":
                fields[-1].add(self.machine.placeholders.decode(following), quoted=True)
                fields[-1].present = True
            return index + 2, True
        if char == "'":
            return self._single(raw, index, fields), True
        if char == '"':
            return self._double(raw, index, offset, fields), True
        return self._expansion(raw, index, offset, quote, fields), True

    def _single(self, raw: str, index: int, fields: list[Field]) -> int:
        end = raw.find("'", index + 1)
        end = len(raw) if end == -1 else end
        fields[-1].add(self.machine.placeholders.decode(raw[index + 1 : end]), quoted=True)
        fields[-1].present = True
        return end + 1

    def _double(self, raw: str, index: int, offset: int, fields: list[Field]) -> int:
        end = element_end(raw, index)
        closed = end - index >= 2 and raw[end - 1] == '"'
        body = raw[index + 1 : end - 1] if closed else raw[index + 1 : end]
        count = len(fields)
        empty_list = body in ("$@", "${@}") and not self.state.arguments
        empty_list = empty_list or re.fullmatch(r"\$\{\w+\[@\]\}", body) is not None
        self.scan(body, 0, offset + index + 1, '"', fields)
        if not empty_list or len(fields) > count or fields[-1].pieces:
            fields[-1].present = True
        return end

    def _expansion(self, raw: str, index: int, offset: int, quote: str, fields: list[Field]) -> int:
        quoted = quote != ""
        end = element_end(raw, index)
        body = raw[index:end]
        if body.startswith("$'"):
            fields[-1].add(self.machine.placeholders.decode(unescape_ansi(body[2:].removesuffix("'"))), quoted=True)
            fields[-1].present = True
            return end
        if body.startswith('$"'):
            return self._double(raw, index + 1, offset, fields)
        if body.startswith("$((") and body.endswith("))"):
            value = self.arithmetic(body[3:-2])
            fields[-1].add(
                str(value) if value is not None else hole("data", slash=False), quoted=quoted, split=not quoted
            )
            return end
        if body.startswith(("$(", "`", "<(", ">(")):
            self._substitution(body, offset + index, quoted=quoted, fields=fields)
            return end
        if body.startswith("${"):
            expand_parameter(self, body[2:].removesuffix("}"), offset + index + 2, quoted=quoted, fields=fields)
            return end
        found = _NAME.match(raw, index + 1)
        name = found.group() if found else ""
        expand_parameter(self, name, offset + index + 1, quoted=quoted, fields=fields)
        return index + 1 + len(name)

    def _substitution(self, body: str, offset: int, *, quoted: bool, fields: list[Field]) -> None:
        if body.startswith("`"):
            inner = re.sub(r"\\([$`\\])", r"\1", body[1:].removesuffix("`"))
            skip = 1
        else:
            inner = body[2:].removesuffix(")")
            skip = 2
        if body.startswith((">(", "<(")):
            reads = body.startswith("<(")
            fields[-1].add(self.machine.pipe(inner, offset + skip, self.frame, self.state, reads=reads), quoted=True)
            return
        text = strip_trailing(self.machine.capture(inner, offset + skip, self.frame, self.state), "\n")
        fields[-1].add(text, quoted=quoted, split=not quoted)

    # ---- splitting and patterns --------------------------------------------------------------------------------

    def _split(self, field: Field) -> list[Field]:
        if not any(piece.split for piece in field.pieces):
            return [field] if field.pieces or field.present else []
        separators = self.state.variables.get("IFS", _DEFAULT_IFS)
        if not isinstance(separators, str):
            separators = _DEFAULT_IFS
        out = [Field()]
        for piece in field.pieces:
            if not piece.split or not separators:
                out[-1].pieces.append(piece)
                continue
            for number, part in enumerate(split_text(piece.text, separators)):
                if number:
                    out.append(Field())
                out[-1].add(part, quoted=piece.quoted)
        if field.present and not any(one.pieces for one in out):
            out[0].present = True
            return out[:1]
        return [one for one in out if one.pieces]

    def _glob(self, field: Field, offset: int) -> list[TextLike]:
        unquoted = [piece.text for piece in field.pieces if not piece.quoted]
        if "noglob" in self.state.settings or not unquoted:
            return [field.text]
        pattern = field.pattern
        if not is_magic(pattern):
            return [field.text]
        return expand_glob(self.machine, self.frame, self.state, pattern, self.frame.source.place(offset))


def expand_braces(raw: str, bound: int) -> list[str] | None:
    """`a{b,c}d` and `{1..3}`, outside quotes; the word itself when there is nothing to expand.

    Returns:
        The words, or None where they are more than the bound or nest too deeply.
    """
    try:
        out = _braces(raw, bound, 0)
    except _TooManyWordsError:
        return None
    return out if len(out) <= bound else None


class _TooManyWordsError(Exception):
    """The words of a brace expansion are more than the bound."""


def _braces(raw: str, bound: int, depth: int) -> list[str]:
    start = 0
    while (start := find_unquoted(raw, "{", start)) != -1:
        if start and raw[start - 1] == "$":
            start = element_end(raw, start - 1)
            continue
        end, commas = _brace_extent(raw, start)
        if end == -1:
            start += 1
            continue
        if depth >= _BRACE_DEPTH:
            raise _TooManyWordsError
        body = raw[start + 1 : end]
        options: list[str] = []
        if commas:
            edges = [start, *commas, end]
            for left, right in itertools.pairwise(edges):
                options += _braces(raw[left + 1 : right], bound, depth + 1)
        else:
            options = _brace_range(body, bound)
            if not options:
                start += 1
                continue
        rests = _braces(raw[end + 1 :], bound, depth + 1)
        if len(options) * len(rests) > bound:
            raise _TooManyWordsError
        return [raw[:start] + option + rest for option in options for rest in rests]
    return [raw]


def _brace_extent(raw: str, start: int) -> tuple[int, list[int]]:
    """The closing brace and the commas that belong to the opening one; -1 when this is no brace expansion."""
    depth = 0
    commas: list[int] = []
    index = start
    while index < len(raw):
        char = raw[index]
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                plain = not commas and _BRACE_RANGE.fullmatch(raw, start + 1, index) is None
                return (-1, []) if plain else (index, commas)
        elif char == "," and depth == 1:
            commas.append(index)
        elif char in "\\'\"`$":
            index = element_end(raw, index)
            continue
        index += 1
    return -1, []


def _brace_range(body: str, bound: int) -> list[str]:
    found = _BRACE_RANGE.fullmatch(body)
    if found is None:
        return []
    first, last, step = found.groups()
    if first.lstrip("-").isdigit() != last.lstrip("-").isdigit() or len(first) > 12 or len(last) > 12:
        return []
    numbers = first.lstrip("-").isdigit()
    low, high = (int(first), int(last)) if numbers else (ord(first), ord(last))
    stride = max(1, abs(int(step[:12]))) if step else 1
    values = range(low, high + 1, stride) if low <= high else range(low, high - 1, -stride)
    if len(values) > bound:
        raise _TooManyWordsError
    if not numbers:
        return [chr(value) for value in values]
    width = max(len(first), len(last)) if re.match(r"-?0\d", first) or re.match(r"-?0\d", last) else 0
    return [f"{value:0{width}d}" if width else str(value) for value in values]


_ANSI = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}


def unescape_ansi(body: str) -> str:
    r"""The characters of `$'...'`, as `printf` and `echo -e` understand them too."""

    def replace(found: re.Match[str]) -> str:
        code = found.group(1)
        if code[0] == "x" and len(code) > 1:
            return chr(int(code[1:], 16))
        if code[0] in "uU" and len(code) > 1:
            value = int(code[1:], 16)
            return chr(value) if value < 0xD800 else ""
        if code[0].isdigit():
            return chr(int(code, 8) & 0xFF)
        return _ANSI.get(code, code)

    return re.sub(r"\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|[0-7]{1,3}|.)", replace, body, flags=re.DOTALL)
