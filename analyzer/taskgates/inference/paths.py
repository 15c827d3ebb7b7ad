"""Arithmetic on partly known POSIX paths: joining, splitting, normalising, and their form in reports."""

from __future__ import annotations

import posixpath

from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of, to_pattern


def segments(text: TextLike) -> list[TextLike]:
    """Split at the known slashes; a leading slash gives an empty first segment."""
    if isinstance(text, str):
        return list(text.split("/"))
    out: list[list[str | Hole]] = [[]]
    for part in text.parts:
        if isinstance(part, Hole):
            out[-1].append(part)
            continue
        first, *others = part.split("/")
        out[-1].append(first)
        out.extend([piece] for piece in others)
    return [make_text(piece) for piece in out]


def from_segments(pieces: list[TextLike]) -> TextLike:
    """The inverse of `segments`."""
    parts: list[str | Hole] = []
    for index, piece in enumerate(pieces):
        if index:
            parts.append("/")
        parts.extend(parts_of(piece))
    return make_text(parts)


def is_absolute(text: TextLike) -> bool:
    """Whether the path certainly starts at the file system's root or a home folder."""
    head = text if isinstance(text, str) else text.prefix
    return head.startswith(("/", "~"))


def may_span(piece: TextLike) -> bool:
    """Whether a segment has a hole that may hold slashes."""
    return isinstance(piece, Text) and any(isinstance(part, Hole) and part.slash for part in piece.parts)


def join_paths(base: TextLike, *others: TextLike) -> TextLike:
    """os.path.join: an absolute piece discards what stands before it; an empty one adds a slash at the end."""
    out = base
    for other in others:
        if (is_absolute(other) and not (isinstance(other, str) and other.startswith("~"))) or out == "":
            out = other
        elif (out if isinstance(out, str) else out.suffix).endswith("/"):
            out = concat(out, other)
        else:
            out = concat(out, "/", other)
    return out


def normalise(text: TextLike) -> TextLike:
    """os.path.normpath, holes kept: `..` removes a known segment, or one whose hole holds no slash."""
    if isinstance(text, str):
        return posixpath.normpath(text) if text else "."
    pieces = segments(text)
    absolute = pieces[0] == ""
    out: list[TextLike] = []
    for piece in pieces:
        if piece in ("", "."):
            continue
        if piece == ".." and out and out[-1] != ".." and not may_span(out[-1]):
            out.pop()
        elif piece == ".." and not out and absolute:
            continue
        else:
            out.append(piece)
    body = from_segments(out)
    if absolute:
        return concat("/", body)
    return body if out else "."


def pure_path(text: TextLike) -> TextLike:
    """How pathlib writes a path: double slashes, `.` segments and a trailing slash removed, `..` kept."""
    pieces = segments(text)
    absolute = pieces[0] == "" and len(pieces) > 1
    body = from_segments([piece for piece in pieces if piece not in ("", ".")])
    if absolute:
        return concat("/", body)
    return body if body != "" else "."


def split_last(text: TextLike) -> tuple[TextLike, TextLike]:
    """os.path.split."""
    if isinstance(text, str):
        return posixpath.split(text)
    pieces = segments(text)
    last = pieces[-1]
    head = from_segments(pieces[:-1])
    if may_span(last):
        assert isinstance(last, Text)
        # The last segment may itself be several: its tail is what follows the last such hole.
        index = max(i for i, part in enumerate(last.parts) if isinstance(part, Hole) and part.slash)
        hole = last.parts[index]
        assert isinstance(hole, Hole)
        tail = make_text([Hole(hole.origin, False, hole.name), *last.parts[index + 1 :]])
        folder = make_text([*parts_of(concat(head, "/") if len(pieces) > 1 else ""), *last.parts[:index], hole])
        return folder, tail
    if len(pieces) == 1:
        return "", last
    if all(piece == "" for piece in pieces[:-1]):
        return "/", last
    return head, last


def split_extension(name: TextLike) -> tuple[TextLike, TextLike]:
    """os.path.splitext on a name; an extension hidden in a hole stays in the stem as a hole."""
    if isinstance(name, str):
        return posixpath.splitext(name)
    last = name.parts[-1]
    if isinstance(last, str):
        tail = last.rsplit("/", 1)[-1]
        if "." in tail:
            stem, dot, ending = last.rpartition(".")
            return make_text([*name.parts[:-1], stem]), dot + ending
        if "/" in last:
            return name, ""
    for index in range(len(name.parts) - 1, -1, -1):
        part = name.parts[index]
        if isinstance(part, Hole):
            before = name.parts[index - 1] if index else ""
            name_piece = before.rsplit("/", 1)[-1] if isinstance(before, str) else ""
            if index < 2 or name_piece != before:
                name_piece = name_piece.lstrip(".")
            if isinstance(before, str) and "." in name_piece:
                head, _, tail = before.rpartition(".")
                if not tail and not part.slash:
                    # `out.{format}`: the hole is taken to be the extension, without a dot of its own.
                    return make_text([*name.parts[: index - 1], head]), make_text([".", *name.parts[index:]])
                dot = "" if part.slash else "."
                return make_text([*name.parts[: index - 1], head, part]), make_text([dot, Hole(part.origin, False)])
            # The extension, if there is one, begins within this hole.
            return make_text([*name.parts[:index], part]), make_text([Hole(part.origin, False)])
    return name, ""


def relative_to_root(text: TextLike, root: str) -> TextLike:
    """The path relative to the root where it lies below it, unchanged otherwise."""
    prefix = text if isinstance(text, str) else text.prefix
    if prefix == root and isinstance(text, str):
        return "."
    base = root.rstrip("/") + "/"
    if prefix.startswith(base):
        if isinstance(text, str):
            return text[len(base) :] or "."
        first = text.parts[0]
        assert isinstance(first, str)
        return make_text([first[len(base) :], *text.parts[1:]])
    return text


def _open_last(text: Text) -> Text:
    """A last segment that comes from data as a whole may be a path of several segments."""
    last = text.parts[-1]
    before = text.parts[-2] if len(text.parts) > 1 else None
    if isinstance(last, Hole) and last.origin == "data" and isinstance(before, str) and before.endswith("/"):
        return Text((*text.parts[:-1], Hole("data", True, last.name)))
    return text


def report_form(text: TextLike, root: str) -> tuple[str | None, str]:
    """Path and certainty as reports print them.

    Args:
        text: an absolute or root-relative path.
        root: the absolute root.

    Returns:
        `(path, "exact" | "pattern")` or `(None, "unknown")`.
    """
    out = relative_to_root(normalise(text), root)
    if isinstance(out, str):
        return out, "exact"
    if out.is_blank and all(part.origin != "glob" for part in out.parts if isinstance(part, Hole)):
        return None, "unknown"
    pattern = to_pattern(_open_last(out))
    while "***" in pattern:
        pattern = pattern.replace("***", "**")
    if pattern.strip("/*") == "" and not any(isinstance(p, Hole) and p.origin == "glob" for p in out.parts):
        return None, "unknown"
    return pattern, "pattern"
