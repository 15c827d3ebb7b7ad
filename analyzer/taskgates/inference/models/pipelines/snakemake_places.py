"""Where Snakemake keeps what it knows: the records of outputs."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from taskgates.inference.text import Hole, Text, concat
from taskgates.inference.values import AnyValue, as_value, path_text

if TYPE_CHECKING:
    from taskgates.inference.text import TextLike

STATE = ".snakemake"

_NAME_LENGTH = 255


def record_of(kind: str, value: AnyValue) -> AnyValue:
    """The record that Snakemake keeps of an output: its name is that of the file, encoded."""
    text = path_text(value)
    if isinstance(text, str):
        code = urlsafe_b64encode(text.encode()).decode()
        size = _NAME_LENGTH - 1
        parts = [code[index : index + size] for index in range(0, len(code), size)] or [""]
        path: TextLike = "/".join([*("@" + part for part in parts[:-1]), parts[-1]])
    else:
        path = Text((Hole("data", False),))
    return as_value(concat(f"{STATE}/{kind}/", path))


__all__ = ["STATE", "record_of"]
