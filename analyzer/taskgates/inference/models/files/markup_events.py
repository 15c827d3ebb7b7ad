"""html.parser and xml.sax: a document that is known is parsed, and the program's handlers are called in its order.

Where a document is not known, the calls are left to the effect tables, which call every handler with unknown arguments.
"""

from __future__ import annotations

import html.parser
from typing import Any
from xml.parsers import expat

from taskgates.inference.conversion import from_python
from taskgates.inference.models.reading import deciding_content, handle_content
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance
from taskgates.inference.values import NONE, AnyValue, Ext, Known, path_text
from taskgates.model.access import Operation

EVENT_LIMIT = 1_000
"""Events of one document; a longer one counts as not known."""

Events = list[tuple[str, tuple[Any, ...]]]


def _run(machine: Machine, handler: Instance, events: Events) -> None:
    """Call the handlers that the program defines."""
    for name, args in events:
        if _defines(handler, name):
            machine.call(machine.get_attr(handler, name), Arguments([_value(arg) for arg in args]))


def _defines(handler: Instance, name: str) -> bool:
    classes = handler.cls.mro if isinstance(handler.cls, ClassV) else []
    return name in handler.slots or any(isinstance(base, ClassV) and name in base.slots for base in classes)


def _value(arg: Any) -> AnyValue:
    if isinstance(arg, dict):
        return DictObj("dict", {Known(key): Known(value) for key, value in arg.items()})
    return from_python(arg)


# HTML


class _Tags(html.parser.HTMLParser):
    """Collects the events of a document."""

    def __init__(self, *, combined: bool, references: bool) -> None:
        super().__init__(convert_charrefs=not references)
        self.events: Events = []
        self.combined = combined

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.events.append(("handle_starttag", (tag, attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.events.append(("handle_endtag", (tag,)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.combined:
            self.events.append(("handle_startendtag", (tag, attrs)))
        else:
            super().handle_startendtag(tag, attrs)

    def handle_data(self, data: str) -> None:
        self.events.append(("handle_data", (data,)))

    def handle_comment(self, data: str) -> None:
        self.events.append(("handle_comment", (data,)))

    def handle_decl(self, decl: str) -> None:
        self.events.append(("handle_decl", (decl,)))

    def handle_pi(self, data: str) -> None:
        self.events.append(("handle_pi", (data,)))

    def handle_entityref(self, name: str) -> None:
        self.events.append(("handle_entityref", (name,)))

    def handle_charref(self, name: str) -> None:
        self.events.append(("handle_charref", (name,)))


@method("html.parser.HTMLParser.feed")
def feed(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`parser.feed(text)`: each text is taken as complete."""
    data = args.pos[0] if args.pos else NONE
    if not (isinstance(obj, Instance) and isinstance(data, Known) and isinstance(data.value, str)):
        return None
    parser = _Tags(combined=_defines(obj, "handle_startendtag"), references=_defines(obj, "handle_entityref"))
    parser.feed(data.value)
    parser.close()
    if len(parser.events) > EVENT_LIMIT:
        return None
    _run(machine, obj, parser.events)
    return NONE


# XML


def _elements(data: bytes) -> Events | None:
    """The events of a document; None when it is none, or one that declares entities."""
    if b"<!ENTITY" in data:
        return None
    events: Events = [("startDocument", ())]
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attrs: events.append(("startElement", (name, attrs)))
    parser.EndElementHandler = lambda name: events.append(("endElement", (name,)))
    parser.CharacterDataHandler = lambda text: events.append(("characters", (text,)))
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError):
        return None
    events.append(("endDocument", ()))
    return events if len(events) <= EVENT_LIMIT else None


def _document(machine: Machine, source: AnyValue) -> bytes | None:
    """The bytes of a document that is given as a path or an open file."""
    if isinstance(source, Instance):
        content = handle_content(machine, source)
        value = content.value if isinstance(content, Known) else None
        return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else None
    return deciding_content(machine, source) if path_text(source) is not None else None


def _parse(machine: Machine, source: AnyValue, handler: AnyValue, call: str) -> AnyValue | None:
    data = _document(machine, source) if isinstance(handler, Instance) else None
    events = _elements(data) if data is not None else None
    if events is None:
        return None
    if not isinstance(source, Instance):
        machine.note_open(Operation.READ, source, call)
    assert isinstance(handler, Instance)
    _run(machine, handler, events)
    return NONE


@function("xml.sax.parse")
def parse(machine: Machine, args: Arguments) -> AnyValue | None:
    """`xml.sax.parse(source, handler)`."""
    return _parse(machine, args.get(0, "source") or NONE, args.get(1, "handler") or NONE, "xml.sax.parse")


@function("xml.sax.parseString")
def parse_string(machine: Machine, args: Arguments) -> AnyValue | None:
    """`xml.sax.parseString(text, handler)`."""
    text, handler = args.get(0, "string") or NONE, args.get(1, "handler")
    value = text.value if isinstance(text, Known) else None
    data = value.encode() if isinstance(value, str) else value
    events = _elements(data) if isinstance(data, bytes) else None
    if events is None or not isinstance(handler, Instance):
        return None
    _run(machine, handler, events)
    return NONE


HANDLER = ("handler",)
"""The slot of a reader for who is told what it reads."""


@method("xml.sax.xmlreader.XMLReader.setContentHandler")
def set_handler(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`reader.setContentHandler(handler)`: called once something is parsed."""
    handler = args.get(0, "handler")
    if not isinstance(obj, Instance) or not isinstance(handler, Instance):
        return None
    machine.state.write(obj.slots, HANDLER, handler)
    return NONE


@method("xml.sax.xmlreader.XMLReader.parse")
def read(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`reader.parse(source)`."""
    handler = obj.slots.get(HANDLER) if isinstance(obj, Instance) else None
    if handler is None:
        return None
    source = args.get(0, "source") or NONE
    call = "xml.sax.xmlreader.XMLReader.parse"
    found = _parse(machine, source, handler, call)
    if found is None:
        # Nobody knows the document: the table of the function tells which handlers may be called.
        return machine.call(Ext("xml.sax.parse"), Arguments([source, handler]))  # type: ignore[no-any-return]
    return found
