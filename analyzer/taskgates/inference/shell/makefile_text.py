"""Words, references and `%` patterns in the text of Makefiles."""

from __future__ import annotations

import re

from taskgates.inference.shell.patterns import remove_suffix
from taskgates.inference.shell.texts import basename, dirname, flatten, split_text
from taskgates.inference.text import Hole, TextLike, concat, make_text, parts_of


def strip_marks(text: TextLike) -> TextLike:
    """A recipe line without the marks `@`, `-` and `+` in front."""
    parts = list(parts_of(text))
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip("@-+ \t")
    return make_text(parts)


def split_words(text: TextLike) -> list[TextLike]:
    """Words between blanks in the known pieces."""
    return [piece for piece in split_text(text, " \t\n") if piece != ""]


def joined(words: list[TextLike]) -> TextLike:
    """Words with single blanks between them."""
    pieces: list[TextLike] = []
    for word in words:
        pieces += [" ", word] if pieces else [word]
    return concat(*pieces)


def closing_bracket(text: str, index: int) -> int:
    """The position of the bracket that closes the one at `index`; the end of the text when there is none."""
    opening = text[index]
    closing = ")" if opening == "(" else "}"
    depth = 0
    for position in range(index, len(text)):
        if text[position] == opening:
            depth += 1
        elif text[position] == closing:
            depth -= 1
            if depth == 0:
                return position
    return len(text)


def split_arguments(body: str, count: int) -> list[str]:
    """Split at commas outside brackets into at most `count` arguments."""
    out: list[str] = []
    depth = 0
    start = 0
    for index, char in enumerate(body):
        if char in "({":
            depth += 1
        elif char in ")}":
            depth -= 1
        elif char == "," and depth == 0 and len(out) < count - 1:
            out.append(body[start:index])
            start = index + 1
    return [*out, body[start:]]


def outside_references(line: str) -> str:
    """The line with references replaced by letters, so that colons in them do not count."""
    out: list[str] = []
    index = 0
    while index < len(line):
        if line[index] == "$" and line[index + 1 : index + 2] in ("(", "{"):
            end = min(closing_bracket(line, index + 1), len(line) - 1)
            out.append("x" * (end + 1 - index))
            index = end + 1
        else:
            out.append(line[index])
            index += 1
    return "".join(out)


def split_at(line: str, mark: str) -> tuple[str, str]:
    """The line in front of and behind the first mark outside references; all in front where there is none."""
    position = outside_references(line).find(mark)
    return (line, "") if position == -1 else (line[:position], line[position + len(mark) :])


def split_inline(line: str) -> tuple[str, str | None]:
    """The head of a rule, and the recipe behind a semicolon on the same line."""
    position = outside_references(line).find(";")
    return (line, None) if position == -1 else (line[:position], line[position + 1 :].strip())


def without_comment(line: str) -> str:
    """A line without its comment."""
    found = re.search(r"(?<!\\)#", line)
    return line if found is None else line[: found.start()].rstrip()


def stem_of(word: TextLike, pattern: str) -> TextLike | None:
    """What `%` stands for when the word matches a pattern; the empty text for an equal name without `%`."""
    if "%" not in pattern:
        return "" if word == pattern else None
    head, _, tail = pattern.partition("%")
    if isinstance(word, str):
        if word.startswith(head) and word.endswith(tail) and len(word) > len(head) + len(tail):
            return word[len(head) : len(word) - len(tail)]
        return None
    if not (word.prefix.startswith(head) and word.suffix.endswith(tail)):
        return None
    parts = list(word.parts)
    if head:
        parts[0] = word.prefix[len(head) :]
    if tail:
        parts[-1] = word.suffix[: -len(tail)]
    return make_text(parts)


def fill_stem(pattern: TextLike, stem: TextLike) -> TextLike:
    """A pattern with the stem in place of its first `%`."""
    pieces: list[TextLike | Hole] = []
    done = False
    for part in parts_of(pattern):
        if isinstance(part, str) and "%" in part and not done:
            head, _, tail = part.partition("%")
            pieces += [head, stem, tail]
            done = True
        else:
            pieces.append(part)
    return concat(*pieces)


def replaced_stem(word: TextLike, pattern: str, replacement: TextLike) -> TextLike:
    """A word that matches a pattern in the form of the replacement; other words as they are."""
    stem = stem_of(word, pattern)
    return word if stem is None else fill_stem(replacement, stem)


def substituted(text: TextLike, old: str, new: TextLike) -> TextLike:
    """Text with each occurrence of a known string replaced."""
    pieces: list[TextLike | Hole] = []
    for part in parts_of(text):
        if not isinstance(part, str):
            pieces.append(part)
            continue
        for number, chunk in enumerate(part.split(old)):
            pieces += [new, chunk] if number else [chunk]
    return concat(*pieces)


def folder_of(word: TextLike) -> TextLike:
    """`$(dir word)`: the folder with a slash behind it."""
    folder = dirname(word)
    return "./" if folder == "." else concat(folder, "/")


def without_extension(word: TextLike) -> TextLike:
    """`$(basename word)`: the path without its extension."""
    name = basename(word)
    return remove_suffix(word, ".*", longest=False) if "." in str(flatten(name)) else word


def extension_of(word: TextLike) -> TextLike:
    """`$(suffix word)`: the extension with its dot, or nothing."""
    name = word if isinstance(word, str) else word.suffix
    tail = name.rpartition("/")[2]
    return "." + tail.rpartition(".")[2] if "." in tail else ""
