"""Rewriting the status of a JSON task file without touching anything else in it."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING

from taskgates.manifests.json_source import TextSource, TextSyntaxError, parse_json
from taskgates.runtime.errors import StatusUpdateError

if TYPE_CHECKING:
    from taskgates.manifests.json_source import JsonNode
    from taskgates.model.task import Status

_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def with_status(file: str, data: bytes, status: Status) -> bytes:
    """The task file with another status: only the value's own bytes change, or one member is added at the front.

    The new word is written in the letter case, and with the separator, of the old one.

    Args:
        file: the name used in messages.
        data: the file's bytes.
        status: the new status.

    Returns:
        The new bytes.

    Raises:
        StatusUpdateError: the file is no JSON object.
    """
    try:
        root = parse_json(file, data)
        text = TextSource.decode(file, data).text
    except TextSyntaxError as error:
        raise StatusUpdateError(f"{error}; the status was not changed") from error
    if not isinstance(root.value, dict):
        raise StatusUpdateError(f"{root.opening}: a task must be an object; the status was not changed")
    member = root.get("status")
    if member is not None:
        old = member.node.value if isinstance(member.node.value, str) else ""
        start, end, new = member.node.start, member.node.end, json.dumps(_spelled_like(old, status))
    else:
        start = end = root.start + 1
        new = _new_member(root, text, json.dumps(_spelled_like("", status)))
    mark, encoding = next((pair for pair in _ENCODINGS if data.startswith(pair[0])), (b"", "utf-8"))
    return mark + (text[:start] + new + text[end:]).encode(encoding)


def _new_member(root: JsonNode, text: str, value: str) -> str:
    rest = text[root.start + 1 :]
    blank = rest[: len(rest) - len(rest.lstrip())]
    comma = "," if root.members else ""
    return f'{blank}"status": {value}{comma}'


def _spelled_like(old: str, status: Status) -> str:
    words = status.value
    if old and old == old.upper() and old != old.lower():
        words = words.upper()
    elif not old or old != old.lower():
        words = words.title()
    for separator in ("_", "-"):
        if separator in old:
            return words.replace(" ", separator)
    return words
