"""Which files a document in reStructuredText (or in MyST's Markdown) takes in: includes, tables, images, downloads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIRECTIVE = re.compile(r"^(\s*)\.\.\s+(?:\|[^|]+\|\s+)?([\w:+.-]+)::(?:\s+(.*))?$")
_OPTION = re.compile(r"^\s+:([\w-]+):(?:\s+(.*))?$")
_COMMENT = re.compile(r"^(\s*)\.\.(?:\s+(?![\[_|])(?![\w:+.-]+::).*)?$")
_FENCE = re.compile(r"^(\s*)(`{3,}|:{3,}|~{3,})\{([\w:-]+)\}\s*(.*)$")
_DOWNLOAD = re.compile(r":download:`(?:[^`<]*<([^`>]+)>|([^`]+))`")
_MARKDOWN_IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)")

_VERBATIM = frozenset(
    ["code", "code-block", "sourcecode", "parsed-literal", "literal", "raw", "math", "doctest", "testcode",
     "testoutput", "prompt", "highlight", "csv-table", "graphviz", "digraph", "mermaid", "uml"]
)  # fmt: skip
"""Directives whose content is no markup."""


@dataclass(frozen=True)
class Reference:
    """A file that a document names.

    Attributes:
        kind: `include` (its content is part of the document), `text` (taken in as it is), `table`, `image`,
            `download`, or `module` (a Python module that is documented).
        target: the path, or the module, as it is written.
        scaled: whether an image's size is needed.
    """

    kind: str
    target: str
    scaled: bool = False


def references(text: str, *, markdown: bool = False) -> Iterator[Reference]:
    """The files that a document names outside of comments and literal blocks, in order.

    Args:
        text: the document.
        markdown: whether it is MyST's Markdown.
    """
    lines = text.splitlines()
    skipped: int | None = None
    for index, line in enumerate(lines):
        indentation = len(line) - len(line.lstrip())
        if skipped is not None:
            if not line.strip() or indentation > skipped:
                continue
            skipped = None
        if markdown:
            found = _FENCE.match(line)
            name, argument = (found[3], found[4]) if found is not None else ("", "")
            yield from (Reference("image", target) for target in _MARKDOWN_IMAGE.findall(line))
        else:
            found = _DIRECTIVE.match(line)
            name, argument = (found[2], found[3] or "") if found is not None else ("", "")
            yield from (Reference("download", one or other) for one, other in _DOWNLOAD.findall(line))
        if found is not None:
            options = dict(_options(lines[index + 1 :], markdown=markdown))
            yield from _named(name.lower(), argument.strip(), options)
            if name.lower() in _VERBATIM:
                skipped = indentation
        elif not markdown and (_COMMENT.match(line) or line.rstrip().endswith("::")):
            skipped = indentation


def _options(lines: list[str], *, markdown: bool) -> Iterator[tuple[str, str]]:
    for line in lines:
        found = _OPTION.match(" " + line if markdown else line)
        if found is None:
            return
        yield found[1], (found[2] or "").strip()


def _named(name: str, argument: str, options: dict[str, str]) -> Iterator[Reference]:
    if name == "include" and argument and not argument.startswith("<"):
        yield Reference("text" if {"literal", "code"} & set(options) else "include", argument)
    elif name == "literalinclude" and argument:
        yield Reference("text", argument)
        if options.get("diff"):
            yield Reference("text", options["diff"])
    elif name in ("csv-table", "raw") and options.get("file"):
        yield Reference("table", options["file"])
    elif name in ("image", "figure") and argument and "://" not in argument and not argument.startswith("data:"):
        yield Reference("image", argument, scaled="scale" in options)
    elif name in ("automodule", "autoclass", "autofunction", "autoexception", "autodata") and argument:
        yield Reference("module", argument.split("(", 1)[0].strip())
    elif name in ("graphviz", "uml", "mermaid") and argument:
        yield Reference("text", argument)
