"""ruamel.yaml and TOML Kit, which read settings with their comments: the documents as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from taskgates.inference.models.files.formats import content_of, parsed, parsed_yaml
from taskgates.inference.models.reading import handle_content
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.values import DATA, UNKNOWN, AnyValue, PathV, Unknown
from taskgates.model.access import Operation
from taskgates.tree.toml_source import load_toml

if TYPE_CHECKING:
    from taskgates.inference.objects import Heap


def _text(machine: Machine, source: AnyValue, call: str) -> AnyValue:
    """What a document consists of: the content of a path or of an open file, or the text itself."""
    if isinstance(source, PathV):
        machine.access(Operation.READ, source, call)
        return content_of(machine, source)
    return handle_content(machine, source) if isinstance(source, Instance) else source


@method("ruamel.yaml.YAML.load")
def load(machine: Machine, obj: Heap, args: Arguments) -> AnyValue:
    """`YAML().load(stream)`: a path object, an open file, or a text."""
    del obj
    return parsed_yaml(machine, _text(machine, args.get(0, "stream") or UNKNOWN, "ruamel.yaml.YAML.load"))


@method("ruamel.yaml.YAML.load_all")
def load_all(machine: Machine, obj: Heap, args: Arguments) -> AnyValue:
    """`YAML().load_all(stream)`: one value a document."""
    del obj
    text = _text(machine, args.get(0, "stream") or UNKNOWN, "ruamel.yaml.YAML.load_all")
    found = parsed(machine, text, _documents)
    return ListObj("iterator", found.items) if isinstance(found, ListObj) else ListObj("iterator", (), DATA)


def _documents(text: str) -> list[Any]:
    return list(yaml.safe_load_all(text))


@function("ruamel.yaml.safe_load", "ruamel.yaml.round_trip_load", "ruamel.yaml.load")
def load_text(machine: Machine, args: Arguments) -> AnyValue:
    """The functions of old: `safe_load(stream)`."""
    return parsed_yaml(machine, _text(machine, args.get(0, "stream") or UNKNOWN, "ruamel.yaml.load"))


@function("tomlkit.parse", "tomlkit.loads", "tomlkit.load")
def toml(machine: Machine, args: Arguments) -> AnyValue | None:
    """`tomlkit.parse(text)`, `tomlkit.load(handle)`; the type of the table where the content is not known."""
    source = args.pos[0] if args.pos else UNKNOWN
    return _document(parsed(machine, _text(machine, source, "tomlkit.load"), load_toml))


@method("tomlkit.toml_file.TOMLFile.read")
def toml_file(machine: Machine, obj: Heap, args: Arguments) -> AnyValue | None:
    """`TOMLFile(path).read()`; the table says that a file of unknown content is read."""
    del args
    path = obj.slots.get("path")
    found = _document(parsed(machine, content_of(machine, path), load_toml)) if path is not None else None
    if found is not None:
        machine.access(Operation.READ, path, "tomlkit.toml_file.TOMLFile.read")
    return found


def _document(found: AnyValue) -> AnyValue | None:
    return None if isinstance(found, Unknown) else found


@method("builtins.dict.unwrap", "builtins.list.unwrap")
def unwrap(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`document.unwrap()`: the values without what TOML Kit knows of their form."""
    del machine, args
    return obj
