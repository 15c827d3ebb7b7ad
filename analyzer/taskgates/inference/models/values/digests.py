"""hashlib: digests of known data are known, all others are words without a slash."""

from __future__ import annotations

import hashlib

from taskgates.inference.models import registry
from taskgates.inference.models.reading import handle_content
from taskgates.inference.models.registry import FunctionModel, Machine, function, method
from taskgates.inference.objects import Arguments, Instance
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import BYTES, NONE, AnyValue, Ext, Known, text_of

HASH = "hashlib.Hash"
DATA = ("hashed",)
"""The slot for the data that were hashed so far."""
SIZE = ("digest_size",)
"""The slot for the length of the digest, where the program chose one."""
NAMES = frozenset(name for name in hashlib.algorithms_guaranteed if not name.startswith("shake"))


def _hash(name: str, data: AnyValue) -> AnyValue:
    out = Instance(Ext(HASH))
    out.slots["name"] = Known(name)
    out.slots[DATA] = data
    return out


def _constructor(name: str) -> FunctionModel:
    return lambda _, args: _hash(name, args.get(0, "string", Known(b"")) or Known(b""))


def _blake(name: str) -> FunctionModel:
    """`blake2b(data, digest_size=...)`; with a key, salt or the like the table answers."""

    def model(machine: Machine, args: Arguments) -> AnyValue | None:
        del machine
        size = args.kw.get("digest_size")
        if set(args.kw) - {"digest_size", "usedforsecurity"} or not isinstance(size, Known | None):
            return None
        out = _hash(name, args.get(0, "data", Known(b"")) or Known(b""))
        if size is not None and isinstance(out, Instance):
            out.slots[SIZE] = size
        return out

    return model


registry.FUNCTIONS["hashlib.blake2b"] = _blake("blake2b")
registry.FUNCTIONS["hashlib.blake2s"] = _blake("blake2s")
for _name in sorted(NAMES - {"blake2b", "blake2s"}):
    registry.FUNCTIONS[f"hashlib.{_name}"] = _constructor(_name)


@function("hashlib.new", "hashlib.file_digest")
def new(machine: Machine, args: Arguments) -> AnyValue | None:
    """`new(name, data)`; `file_digest` is registered apart."""
    del machine
    name = text_of(args.pos[0]) if args.pos else None
    if not isinstance(name, str) or name.lower() not in NAMES:
        return None
    return _hash(name.lower(), args.get(1, "data", Known(b"")) or Known(b""))


@function("hashlib.file_digest")
def file_digest(machine: Machine, args: Arguments) -> AnyValue | None:
    """`file_digest(handle, name)`."""
    name = text_of(args.pos[1]) if len(args.pos) > 1 else None
    handle = args.pos[0] if args.pos else NONE
    if not isinstance(name, str) or name.lower() not in NAMES or not isinstance(handle, Instance):
        return None
    return _hash(name.lower(), handle_content(machine, handle))


@method(f"{HASH}.update")
def update(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`hash.update(data)`."""
    pieces = [
        value.value
        for value in (obj.slots.get(DATA), args.pos[0] if args.pos else NONE)
        if isinstance(value, Known) and isinstance(value.value, bytes)
    ]
    known = len(pieces) == 2 and sum(map(len, pieces)) < 1 << 22
    machine.state.write(obj.slots, DATA, Known(b"".join(pieces)) if known else BYTES)
    return NONE


@method(f"{HASH}.copy")
def copy(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`hash.copy()`."""
    del machine, args
    out = Instance(obj.cls)
    out.slots.update(obj.slots)
    return out


def _digest(obj: Instance) -> bytes | None:
    name, data = obj.slots.get("name"), obj.slots.get(DATA)
    if not (isinstance(name, Known) and isinstance(data, Known) and isinstance(data.value, bytes)):
        return None
    size = obj.slots.get(SIZE)
    options = {"digest_size": size.value} if isinstance(size, Known) else {}
    try:
        return hashlib.new(name.value, data.value, usedforsecurity=False, **options).digest()
    except (TypeError, ValueError):
        return None


@method(f"{HASH}.hexdigest")
def hexdigest(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`hash.hexdigest()`."""
    del machine, args
    found = _digest(obj)
    return text_hole() if found is None else Known(found.hex())


@method(f"{HASH}.digest")
def digest(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`hash.digest()`."""
    del machine, args
    found = _digest(obj)
    return BYTES if found is None else Known(found)
