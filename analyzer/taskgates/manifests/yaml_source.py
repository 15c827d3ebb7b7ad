"""YAML with the place of every key and value, built from the parser's events without recursion.

Scalars are resolved by the core schema of YAML 1.2 (`yes` and `on` are strings), which is what today's tools read.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import yaml

from taskgates.manifests.json_source import TextSource, TextSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.model.spans import SourceSpan

MAX_DEPTH = 200
"""Levels of nesting beyond which a document is refused."""

MAX_NODES = 500_000
"""Nodes that a value may have once its aliases are expanded."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]{1,4000}|0o[0-7]{1,4000}|0x[0-9a-fA-F]{1,4000}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class YamlNode:
    """A value and its place.

    Attributes:
        kind: `mapping`, `sequence` or `scalar`.
        text: the text of a scalar, after unquoting.
        items: the items of a sequence.
        pairs: keys and values of a mapping as written, merge keys included.
        height: levels of collections, aliases expanded; 0 for a scalar.
    """

    def __init__(
        self, source: TextSource, kind: str, start: int, end: int, *, text: str = "", plain: bool = False
    ) -> None:
        self._source = source
        self._plain = plain
        self.start = start
        self.end = end
        self.kind = kind
        self.text = text
        self.items: list[YamlNode] = []
        self.pairs: list[tuple[YamlNode, YamlNode]] = []
        self.height = 0

    @property
    def span(self) -> SourceSpan:
        """The region of the value."""
        return self._source.span(self.start, self.end)

    @property
    def type_name(self) -> str:
        """The value's type in words."""
        if self.kind != "scalar":
            return f"a {self.kind}"
        match self.value:
            case None:
                return "empty"
            case bool():
                return "a boolean"
            case int() | float():
                return "a number"
            case _:
                return "a string"

    @cached_property
    def members(self) -> dict[str, tuple[YamlNode, YamlNode]]:
        """Key and value nodes of a mapping by the key's text; merge keys (`<<`) are followed, own keys win."""
        found: dict[str, tuple[YamlNode, YamlNode]] = {}
        merged: list[YamlNode] = []
        for key, value in self.pairs:
            if key.text == "<<" and key._plain:  # noqa: SLF001 - same class
                merged.extend(value.items if value.kind == "sequence" else [value])
            else:
                found[key.text] = (key, value)
        for mapping in merged:
            for name, pair in mapping.members.items():
                found.setdefault(name, pair)
        return found

    def get(self, key: str) -> YamlNode | None:
        """The value of a key, or None."""
        pair = self.members.get(key)
        return None if pair is None else pair[1]

    @cached_property
    def value(self) -> object:
        """The value as Python data; keys of mappings are their texts.

        Raises:
            TextSyntaxError: aliases make it grow beyond `MAX_NODES`.
        """
        return self._build([MAX_NODES])

    def _build(self, budget: list[int]) -> object:
        budget[0] -= 1
        if budget[0] < 0:
            raise TextSyntaxError(f"aliases expand to more than {MAX_NODES:,} values", self.span)
        if self.kind == "mapping":
            return {name: value._build(budget) for name, (_, value) in self.members.items()}  # noqa: SLF001
        if self.kind == "sequence":
            return [item._build(budget) for item in self.items]  # noqa: SLF001
        return _resolve(self.text) if self._plain else self.text

    def at(self, start: int, end: int) -> YamlNode:
        """The same value at another place: where an alias stands."""
        other = YamlNode(self._source, self.kind, start, end, text=self.text, plain=self._plain)
        other.items = self.items
        other.pairs = self.pairs
        other.height = self.height
        return other


def parse_yaml(file: str, data: bytes) -> YamlNode | None:
    """Parse the first document of a YAML file; None for an empty one.

    Raises:
        TextSyntaxError: with the place of the first error, also for duplicate keys and too deep nesting.
    """
    source = TextSource.decode(file, data)
    try:
        return _Builder(source).build(yaml.parse(source.text, Loader=_loader()))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = min(mark.index, len(source.text)) if mark is not None else 0
        message = error.problem or error.context or "cannot be read"
        raise TextSyntaxError(message, source.span(place, place)) from None
    except yaml.reader.ReaderError as error:
        place = source.text.find(error.character) if isinstance(error.character, str) else error.position
        if isinstance(error.character, int):
            place = max(source.text.find(chr(error.character)), 0)
        raise TextSyntaxError("a control character, which YAML does not allow", source.span(place, place + 1)) from None
    except yaml.YAMLError as error:
        raise TextSyntaxError(str(error).splitlines()[0], source.span(0, 0)) from None


def _loader() -> type[yaml.SafeLoader | yaml.CSafeLoader]:
    return yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class _Open(NamedTuple):
    """A collection whose end has not been reached."""

    node: YamlNode
    anchor: str | None
    flow: bool
    children: list[YamlNode]


class _Builder:
    """Nodes from events, with a stack of its own."""

    def __init__(self, source: TextSource) -> None:
        self._source = source
        self._anchors: dict[str, YamlNode] = {}
        self._stack: list[_Open] = []
        self._root: YamlNode | None = None

    def build(self, events: Iterator[yaml.Event]) -> YamlNode | None:
        for event in events:
            start = event.start_mark.index if event.start_mark is not None else 0
            end = event.end_mark.index if event.end_mark is not None else start
            if isinstance(event, yaml.DocumentEndEvent):
                break
            if isinstance(event, yaml.ScalarEvent):
                plain = bool(event.implicit[0])
                node = YamlNode(self._source, "scalar", start, end, text=event.value, plain=plain)
                self._finish(node, event.anchor)
            elif isinstance(event, yaml.AliasEvent):
                anchored = self._anchors.get(event.anchor or "")
                if anchored is None:
                    self._refuse(f"the alias *{event.anchor} has no anchor before it", start, end)
                self._finish(anchored.at(start, end), None)
            elif isinstance(event, yaml.CollectionStartEvent):
                if len(self._stack) >= MAX_DEPTH:
                    self._refuse(f"nested more than {MAX_DEPTH} levels deep", start, end)
                kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "sequence"
                node = YamlNode(self._source, kind, start, end)
                self._stack.append(_Open(node, event.anchor, bool(event.flow_style), []))
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close(end)
        return self._root

    def _close(self, end: int) -> None:
        node, anchor, flow, children = self._stack.pop()
        # The parser ends a block where the next token begins; its last child is the honest end.
        node.end = end if flow or not children else children[-1].end
        node.height = 1 + max((child.height for child in children), default=0)
        if node.height > MAX_DEPTH:
            self._refuse(f"nested more than {MAX_DEPTH} levels deep", node.start, node.start + 1)
        if node.kind == "sequence":
            node.items = children
        else:
            node.pairs = list(zip(children[::2], children[1::2], strict=True))
            self._check_keys(node)
        self._finish(node, anchor)

    def _check_keys(self, node: YamlNode) -> None:
        seen: set[str] = set()
        for key, value in node.pairs:
            if key.kind != "scalar":
                self._refuse(f"a key must be a scalar, not {key.type_name}", key.start, key.end)
            if key.text == "<<":
                parts = value.items if value.kind == "sequence" else [value]
                if any(part.kind != "mapping" for part in parts):
                    self._refuse("a merge key (<<) must be given mappings", value.start, value.end)
            elif key.text in seen:
                self._refuse(f"the key {key.text!r} stands here twice", key.start, key.end)
            seen.add(key.text)

    def _finish(self, node: YamlNode, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if self._stack:
            self._stack[-1].children.append(node)
        else:
            self._root = node

    def _refuse(self, message: str, start: int, end: int) -> NoReturn:
        raise TextSyntaxError(message, self._source.span(start, end))


def _resolve(text: str) -> object:
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL_FLOAT.fullmatch(text):
        return float(text.replace(".", ""))
    return text
