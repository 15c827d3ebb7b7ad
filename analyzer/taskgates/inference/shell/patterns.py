"""Shell patterns (`*`, `?`, `[...]`, extended `@(a|b)`): matching, and removal or replacement in partly known strings.

A pattern is a text in which quoted characters that would be special are preceded by a backslash.
"""

from __future__ import annotations

import re

from taskgates.inference.shell.texts import basename, dirname, hole, map_text, may_hold_slash
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of

SPECIAL = "*?[]\\!@+()|"
_COST = 3_000_000
_MAGIC = re.compile(r"(?<!\\)(?:\\\\)*(?:[*?]|\[[^\[]+\]|[@+!]\()")


def escape_pattern(text: TextLike) -> TextLike:
    """Protect everything special, so that the pattern matches the text itself."""
    return make_text(
        "".join("\\" + char if char in SPECIAL else char for char in part) if isinstance(part, str) else part
        for part in parts_of(text)
    )


def unescape_pattern(pattern: TextLike) -> TextLike:
    """Remove the protecting backslashes."""
    return make_text(
        re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) if isinstance(part, str) else part for part in parts_of(pattern)
    )


def is_magic(pattern: TextLike) -> bool:
    """Whether something in the pattern's known pieces is special."""
    return any(isinstance(part, str) and _MAGIC.search(part) is not None for part in parts_of(pattern))


def pattern_regex(pattern: str, *, longest: bool = True, path: bool = False) -> str:
    """The regular expression of a known shell pattern.

    Args:
        pattern: backslash-protected.
        longest: whether wildcards take as much as they can.
        path: whether wildcards stop at slashes.
    """
    return _Translator(pattern, longest=longest, path=path).translate()


def is_costly(pattern: str, text: TextLike) -> bool:
    """Whether trying a pattern on a text, or on the longest known piece of one, could backtrack for very long."""
    if isinstance(text, Text):
        text = max((part for part in text.parts if isinstance(part, str)), key=len, default="")
    if re.search(r"(?<!\\)[*+!?@]\(", pattern) is not None and len(text) > 16:
        return re.search(r"(?<!\\)[*+!]\(", pattern) is not None or len(text) > 2000
    stars = len(re.findall(r"(?<!\\)\*+", pattern))
    return bool((len(text) + 1) ** (stars + 1) > _COST)


class _Translator:
    """Recursive translation of one pattern, because extended patterns nest."""

    def __init__(self, pattern: str, *, longest: bool, path: bool) -> None:
        self._pattern = pattern
        self._lazy = "" if longest else "?"
        self._any = "[^/]" if path else r"[\s\S]"

    def translate(self) -> str:
        out, index = self._sequence(0, nested=False)
        return out if index >= len(self._pattern) else out + re.escape(self._pattern[index:])

    def _sequence(self, index: int, *, nested: bool) -> tuple[str, int]:
        pattern = self._pattern
        out: list[str] = []
        while index < len(pattern):
            char = pattern[index]
            if nested and char in "|)":
                break
            if char == "\\" and index + 1 < len(pattern):
                out.append(re.escape(pattern[index + 1]))
                index += 2
            elif char in "@+*?!" and pattern[index + 1 : index + 2] == "(":
                group, after = self._group(index)
                if group is None:
                    out.append(re.escape(char))
                    index += 1
                else:
                    out.append(group)
                    index = after
            elif char == "*":
                out.append(f"{self._any}*{self._lazy}")
                index += 1
            elif char == "?":
                out.append(self._any)
                index += 1
            elif char == "[":
                found, index = self._bracket(index)
                out.append(found)
            else:
                out.append(re.escape(char))
                index += 1
        return "".join(out), index

    def _group(self, index: int) -> tuple[str | None, int]:
        kind = self._pattern[index]
        position = index + 2
        options: list[str] = []
        while True:
            option, position = self._sequence(position, nested=True)
            options.append(option)
            if position >= len(self._pattern):
                return None, index
            if self._pattern[position] == ")":
                break
            position += 1
        body = "|".join(options)
        form = {
            "@": f"(?:{body})",
            "+": f"(?:{body})+{self._lazy}",
            "*": f"(?:{body})*{self._lazy}",
            "?": f"(?:{body})?{self._lazy}",
            "!": f"(?:(?!(?:{body})$){self._any}*{self._lazy})",
        }
        return form[kind], position + 1

    def _bracket(self, index: int) -> tuple[str, int]:
        pattern = self._pattern
        position = index + 1
        negated = pattern[position : position + 1] in ("!", "^")
        if negated:
            position += 1
        start = position
        while position < len(pattern) and (pattern[position] != "]" or position == start):
            if pattern.startswith("[:", position):
                end = pattern.find(":]", position)
                position = end + 2 if end != -1 else position + 1
            elif pattern[position] == "\\":
                position += 2
            else:
                position += 1
        if position >= len(pattern):
            return re.escape("["), index + 1
        body = re.sub(r"\\(.)", r"\1", pattern[start:position])
        for name, members in _CLASSES.items():
            body = body.replace(f"[:{name}:]", f"\0{members}\0")
        pieces = body.split("\0")
        members = "".join(
            piece
            if number % 2
            else piece.replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]").replace("^", r"\^")
            for number, piece in enumerate(pieces)
        )
        members = members.replace("&&", r"&\&").replace("~~", r"~\~").replace("||", r"|\|")
        expression = f"[{'^' if negated else ''}{members}]"
        try:
            re.compile(expression)
        except re.error:
            return re.escape(pattern[index : position + 1]), position + 1
        return expression, position + 1


_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9a-fA-F",
}


def matches(text: TextLike, pattern: TextLike) -> bool | None:
    """Whether a text matches a pattern as a whole; None when it cannot be told."""
    if isinstance(pattern, Text):
        return None
    if isinstance(text, str):
        if is_costly(pattern, text):
            return None
        return re.fullmatch(pattern_regex(pattern), text) is not None
    if pattern.strip("*") == "" and pattern:
        return True
    head = re.match(r"(?:[^*?\[\\@+!(]|\\.)*", pattern)
    literal = re.sub(r"\\(.)", r"\1", head.group() if head else "")
    prefix = text.prefix
    if not (prefix.startswith(literal) or literal.startswith(prefix)):
        return False
    if head is not None and head.end() == len(pattern):
        return None if literal.startswith(prefix) and literal.endswith(text.suffix) else False
    tail = re.search(r"[^*?\[\]\\@+!()|]*$", pattern)
    ending = tail.group() if tail else ""
    if not (text.suffix.endswith(ending) or ending.endswith(text.suffix)):
        return False
    if (
        pattern == escape_literal(literal) + "*" + ending
        and prefix.startswith(literal)
        and text.suffix.endswith(ending)
    ):
        return True
    return None


def escape_literal(text: str) -> str:
    """`escape_pattern` for a known string."""
    escaped = escape_pattern(text)
    return escaped if isinstance(escaped, str) else text


def remove_suffix(text: TextLike, pattern: TextLike, *, longest: bool) -> TextLike:
    """`${text%pattern}`, or `%%` for the longest match."""
    return map_text(lambda one: _remove_suffix(one, pattern, longest=longest), text)


def remove_prefix(text: TextLike, pattern: TextLike, *, longest: bool) -> TextLike:
    """`${text#pattern}`, or `##` for the longest match."""
    return map_text(lambda one: _remove_prefix(one, pattern, longest=longest), text)


def _remove_suffix(text: TextLike, pattern: TextLike, *, longest: bool) -> TextLike:
    if isinstance(pattern, Text):
        return _remove_unknown_suffix(text, pattern)
    if is_costly(pattern, text):
        return hole("data", slash=may_hold_slash(text))
    if isinstance(text, str):
        return _cut_suffix(text, pattern, longest=longest)[0]
    if pattern == "/*" and not longest:
        folder = dirname(text)
        return text if folder == "." and not may_hold_slash(text) else folder
    tail = text.suffix
    if tail and not longest:
        cut, found = _cut_suffix(tail, pattern, longest=False)
        if found:
            return make_text([*text.parts[:-1], cut])
        if not _is_open(pattern, front=True):
            return text
    if longest:
        head = text.prefix
        cut, found = _cut_suffix(head, pattern, longest=True)
        if found and pattern.endswith("*"):
            return cut
    elif not tail and isinstance(text.parts[-1], Hole):
        # What goes away lies within the unknown piece, as far as anybody can tell.
        return text
    return make_text([text.prefix, Hole(text.origin, any_slash(text))])


def _remove_prefix(text: TextLike, pattern: TextLike, *, longest: bool) -> TextLike:
    if isinstance(pattern, Text):
        return _remove_unknown_prefix(text, pattern)
    if is_costly(pattern, text):
        return hole("data", slash=may_hold_slash(text))
    if isinstance(text, str):
        return _cut_prefix(text, pattern, longest=longest)[0]
    if pattern == "*/" and longest:
        return basename(text)
    head = text.prefix
    if head and not longest:
        cut, found = _cut_prefix(head, pattern, longest=False)
        if found:
            return make_text([cut, *text.parts[1:]])
        if not _is_open(pattern, front=False):
            return text
    if longest:
        tail = text.suffix
        cut, found = _cut_prefix(tail, pattern, longest=True)
        if found and pattern.startswith("*"):
            return cut
    elif not head and isinstance(text.parts[0], Hole):
        return text
    return make_text([Hole(text.origin, any_slash(text)), text.suffix])


def any_slash(text: TextLike) -> bool:
    """Whether some unknown piece may hold a slash, or a known one does."""
    return may_hold_slash(text)


def _is_open(pattern: str, *, front: bool) -> bool:
    """Whether a match of the pattern can reach beyond the known piece that it is tried on."""
    literal = unescape_pattern(pattern)
    if not is_magic(pattern):
        return not (isinstance(literal, str) and literal)
    return pattern.startswith("*") if front else pattern.endswith("*")


def _remove_unknown_suffix(text: TextLike, pattern: Text) -> TextLike:
    parts = list(parts_of(text))
    wanted = list(pattern.parts)
    if parts[-len(wanted) :] == wanted:
        return make_text(parts[: -len(wanted)])
    prefix = parts[0] if parts and isinstance(parts[0], str) else ""
    return concat(hole(pattern.origin, slash=may_hold_slash(text))) if not prefix else text


def _remove_unknown_prefix(text: TextLike, pattern: Text) -> TextLike:
    parts = list(parts_of(text))
    wanted = list(pattern.parts)
    if parts[: len(wanted)] == wanted:
        return make_text(parts[len(wanted) :])
    if wanted and isinstance(wanted[-1], str) and parts[: len(wanted) - 1] == wanted[:-1] and len(parts) >= len(wanted):
        following = parts[len(wanted) - 1]
        if isinstance(following, str) and following.startswith(wanted[-1]):
            return make_text([following[len(wanted[-1]) :], *parts[len(wanted) :]])
    return make_text([Hole(pattern.origin, may_hold_slash(text)), parts[-1] if isinstance(parts[-1], str) else ""])


def _cut_suffix(text: str, pattern: str, *, longest: bool) -> tuple[str, bool]:
    expression = re.compile(pattern_regex(pattern))
    positions = range(len(text) + 1) if longest else range(len(text), -1, -1)
    for position in positions:
        if expression.fullmatch(text, position):
            return text[:position], True
    return text, False


def _cut_prefix(text: str, pattern: str, *, longest: bool) -> tuple[str, bool]:
    expression = re.compile(pattern_regex(pattern))
    positions = range(len(text), -1, -1) if longest else range(len(text) + 1)
    for position in positions:
        if expression.fullmatch(text, 0, position):
            return text[position:], True
    return text, False


def replace(text: TextLike, pattern: TextLike, replacement: TextLike, *, every: bool, anchor: str = "") -> TextLike:
    """`${text/pattern/replacement}`.

    Args:
        text: what to look in.
        pattern: what to look for, a shell pattern.
        replacement: what to put there.
        every: whether all matches are replaced (`//`).
        anchor: `#` for a match at the beginning only, `%` at the end only.
    """
    return map_text(lambda one: _replace(one, pattern, replacement, every=every, anchor=anchor), text)


def _replace(text: TextLike, pattern: TextLike, replacement: TextLike, *, every: bool, anchor: str) -> TextLike:
    if isinstance(pattern, Text):
        return hole(pattern.origin)
    if is_costly(pattern, text):
        return hole("data", slash=may_hold_slash(text))
    if pattern == "":
        return text if not anchor else (concat(replacement, text) if anchor == "#" else concat(text, replacement))
    body = pattern_regex(pattern)
    expression = re.compile(rf"(?:{body})\Z" if anchor == "%" else body)
    if isinstance(text, str):
        return _replace_known(text, expression, replacement, every=every, anchored=anchor == "#")
    if anchor == "%":
        tail = text.suffix
        if tail and expression.search(tail):
            known = _replace_known(tail, expression, replacement, every=False, anchored=False)
            return concat(make_text(text.parts[:-1]), known)
        return (
            text
            if tail and not _is_open(pattern, front=True)
            else make_text([text.prefix, Hole(text.origin, any_slash(text))])
        )
    if anchor == "#":
        head = text.prefix
        if head and expression.match(head):
            known = _replace_known(head, expression, replacement, every=False, anchored=True)
            return concat(known, make_text(text.parts[1:]))
        return text
    pieces: list[TextLike | Hole] = []
    done = False
    for part in text.parts:
        if isinstance(part, Hole) or done:
            pieces.append(part)
            continue
        changed = _replace_known(part, expression, replacement, every=every, anchored=False)
        done = not every and changed != part
        pieces.append(changed)
    return concat(*pieces)


def _replace_known(
    text: str, expression: re.Pattern[str], replacement: TextLike, *, every: bool, anchored: bool
) -> TextLike:
    pieces: list[TextLike] = []
    position = 0
    while position <= len(text):
        found = expression.match(text, position) if anchored else expression.search(text, position)
        if found is None or (found.end() == found.start()):
            break
        pieces += [text[position : found.start()], replacement]
        position = found.end()
        if not every or anchored:
            break
    return concat(*pieces, text[position:])
