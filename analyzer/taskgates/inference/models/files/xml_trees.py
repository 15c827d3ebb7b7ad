"""xml.etree.ElementTree and lxml.etree: the elements of known text, and of the small documents of the repository."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from functools import partial
from typing import Any

from taskgates.inference.conversion import NotKnown, to_python
from taskgates.inference.models.reading import file_text, handle_content
from taskgates.inference.models.registry import METHODS, Machine, function, method
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj
from taskgates.inference.values import NONE, AnyValue, Ext, Known, TupleV
from taskgates.model.access import Operation

MODULE = "xml.etree.ElementTree"
ELEMENT = f"{MODULE}.Element"
TREE = f"{MODULE}.ElementTree"
LXML = "lxml.etree"
"""The library whose elements have the same methods, and more."""
NODE = ("node",)
"""The slot for the parsed element."""
TEXT_LIMIT = 65_536
_ENTITY = re.compile(r"<!ENTITY|<!DOCTYPE[^>]*\[")


def _module(obj: Instance) -> str:
    """The library that an element or tree belongs to."""
    return obj.cls.name.rpartition(".")[0]


def _known(value: str | None) -> AnyValue:
    return NONE if value is None else Known(value)


def wrap(node: ET.Element, module: str = MODULE) -> Instance:
    """An element as an abstract value.

    Args:
        node: the parsed element.
        module: whose element it is.
    """
    out = Instance(Ext(f"{module}.Element"))
    out.slots[NODE] = node
    out.slots["tag"] = Known(node.tag) if isinstance(node.tag, str) else NONE
    out.slots["text"] = _known(node.text)
    out.slots["tail"] = _known(node.tail)
    out.slots["attrib"] = DictObj("dict", {Known(name): Known(text) for name, text in node.attrib.items()})
    return out


def _parsed(text: str | bytes) -> ET.Element | None:
    """The root of a document; None for one that cannot be parsed, is large, or declares entities of its own."""
    source = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    if len(source) > TEXT_LIMIT or _ENTITY.search(source):
        return None
    try:
        return ET.fromstring(text)  # noqa: S314 - entities are refused above
    except (ET.ParseError, ValueError):
        return None


def _from_string(machine: Machine, args: Arguments, module: str) -> AnyValue | None:
    value = args.pos[0] if args.pos else NONE
    if not isinstance(value, Known) or not isinstance(value.value, str | bytes):
        return None
    node = _parsed(value.value)
    if node is None:
        machine.may_raise("SyntaxError")
        return None
    return wrap(node, module)


def _parse(machine: Machine, args: Arguments, module: str) -> AnyValue | None:
    """`parse(source)`: a document is data that other tasks may renew; it is known only for a command line."""
    text = _document(machine, args.get(0, "source", NONE) or NONE, f"{module}.parse")
    node = _parsed(text) if text is not None else None
    if node is None:
        return None
    out = Instance(Ext(f"{module}.ElementTree"))
    out.slots[NODE] = node
    return out


for _library in (MODULE, LXML):
    function(f"{_library}.parse")(partial(_parse, module=_library))
    function(f"{_library}.fromstring", f"{_library}.XML")(partial(_from_string, module=_library))


@function(f"{MODULE}.iterparse")
def iterparse(machine: Machine, args: Arguments) -> AnyValue | None:
    """`iterparse(source, events)`: the elements of a document that is known, one by one."""
    text = _document(machine, args.get(0, "source", NONE) or NONE, f"{MODULE}.iterparse")
    if text is None or _parsed(text) is None:
        return None
    events = args.get(1, "events", NONE) or NONE
    data = text.encode() if isinstance(text, str) else text
    try:
        wanted = ("end",) if events == NONE else tuple(to_python(events))
        found = list(ET.iterparse(io.BytesIO(data), wanted))  # noqa: S314 - entities are refused by `_parsed`
    except (NotKnown, ET.ParseError, ValueError, TypeError):
        return None
    rows = [TupleV([Known(event), wrap(node)]) for event, node in found if isinstance(node, ET.Element)]
    return ListObj("iterator", rows)


def _document(machine: Machine, source: AnyValue, call: str) -> str | bytes | None:
    """The text of a document that is known, which is read."""
    text: str | bytes | None = None
    if isinstance(source, Instance):
        content = handle_content(machine, source)
        text = content.value if isinstance(content, Known) and isinstance(content.value, str | bytes) else None
        source = source.slots.get("name", NONE) if text is None else NONE
        text = file_text(machine, source) if text is None and machine.closed else text
    elif machine.closed:
        text = file_text(machine, source)
        if text is not None:
            machine.note_open(Operation.READ, source, call)
    return text


@method(f"{TREE}.getroot", f"{LXML}.ElementTree.getroot")
def getroot(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`tree.getroot()`."""
    del machine, args
    return wrap(obj.slots[NODE], _module(obj)) if NODE in obj.slots else None


def _searching(name: str) -> None:
    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
        node = obj.slots.get(NODE)
        if not isinstance(node, ET.Element) or args.star is not None or args.kwstar is not None:
            return None
        try:
            given = [to_python(value) for value in args.pos]
            more = {key: to_python(value) for key, value in args.kw.items()}
            found: Any = getattr(node, name)(*given, **more)
        except (NotKnown, SyntaxError, TypeError, KeyError):
            return None
        del machine
        if isinstance(found, ET.Element):
            return wrap(found, _module(obj))
        if found is None or isinstance(found, str):
            return _known(found)
        items = [wrap(item, _module(obj)) if isinstance(item, ET.Element) else Known(item) for item in found]
        return ListObj("list" if name == "findall" else "iterator", items)

    for owner in (ELEMENT, TREE, f"{LXML}.Element", f"{LXML}.ElementTree"):
        METHODS[f"{owner}.{name}"] = model


for _name in ("find", "findall", "findtext", "iterfind", "iter", "itertext"):
    _searching(_name)


@method(f"{ELEMENT}.get", f"{LXML}.Element.get")
def get(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`element.get(name, default)`."""
    attributes = obj.slots.get("attrib")
    if not isinstance(attributes, DictObj) or NODE not in obj.slots:
        return None
    return machine.call_method(attributes, "get", args, None)  # type: ignore[no-any-return]


@method(f"{ELEMENT}.set", f"{LXML}.Element.set")
def set_(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`element.set(name, value)`."""
    attributes = obj.slots.get("attrib")
    if isinstance(attributes, DictObj) and len(args.pos) > 1:
        machine.put(attributes, args.pos[0], args.pos[1])
    return NONE


def _of_attributes(name: str) -> None:
    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
        attributes = obj.slots.get("attrib")
        if not isinstance(attributes, DictObj) or NODE not in obj.slots:
            return None
        return machine.call_method(attributes, name, args, None)  # type: ignore[no-any-return]

    METHODS[f"{ELEMENT}.{name}"] = METHODS[f"{LXML}.Element.{name}"] = model


_of_attributes("keys")
_of_attributes("items")


@method(f"{ELEMENT}.__iter__", f"{LXML}.Element.__iter__")
def children(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Iteration gives the children."""
    del machine, args
    node = obj.slots.get(NODE)
    if isinstance(node, ET.Element):
        return ListObj("list", [wrap(child, _module(obj)) for child in node])
    return ListObj("list", (), Instance(Ext(f"{_module(obj)}.Element")))


@method(f"{ELEMENT}.__getitem__", f"{LXML}.Element.__getitem__")
def child(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`element[index]`."""
    return machine.get_item(children(machine, obj, args), args.pos[0])  # type: ignore[no-any-return]


@method(f"{ELEMENT}.__len__", f"{LXML}.Element.__len__")
def count(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`len(element)`."""
    del machine, args
    node = obj.slots.get(NODE)
    return Known(len(node)) if isinstance(node, ET.Element) else None
