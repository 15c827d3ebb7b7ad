"""Whether a text looks like a path to a file."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from taskgates.inference.objects import DictObj, Heap, Instance, ListObj
from taskgates.inference.values import AnyValue, Known, PathV, TupleV, Union, path_text

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEPTH = 2
_MEMBERS = 32
"""How deep lists and mappings are searched for paths, and how many of their members."""


_FILE_VERBS = re.compile(
    r"(?:^|_)(?:save|savez|write|load|read|dump|export|import|open|to|from|store|sink|scan|download|extract|copy|upload"
    r"|touch|unlink)(?:_|$)|[a-z](?:Writer|Reader|File|Stream|Store|Archive)(?:$|[A-Z])"
)


def speaks_of_files(name: str) -> bool:
    """Whether the name of a library function says that it reads or writes something.

    A library whose other functions touch no files may still get new ones that do.
    """
    return _FILE_VERBS.search(name.rpartition(".")[2]) is not None


_SAVING = re.compile(r"(?:^|_)(?:save|write|load|read|dump|export)(?:_|$)")
_NAME = re.compile(r"[\w.-]{1,100}\Z")


def saves_by_name(name: str, values: Iterable[AnyValue]) -> bool:
    """Whether a call of an unknown library is told by its name to save or load something under a plain name."""
    if _SAVING.search(name.rpartition(".")[2]) is None:
        return False
    texts = [value.value for value in values if isinstance(value, Known)]
    return any(isinstance(text, str) and _NAME.match(text) for text in texts)


def holds_path(value: AnyValue, depth: int = _DEPTH) -> bool:
    """Whether a value looks like a path, or is a list or mapping with such a value in it."""
    if depth and isinstance(value, ListObj | TupleV):
        members = [*value.items[:_MEMBERS], *([value.rest] if value.rest is not None else [])]
        return any(holds_path(member, depth - 1) for member in members)
    if depth and isinstance(value, DictObj):
        known = [item for _, item in islice(value.known(), _MEMBERS)]
        return any(holds_path(member, depth - 1) for member in known)
    return looks_like_path(value)


def looks_like_path(value: AnyValue) -> bool:
    """Whether a value is a path, or a string that a person would take for one."""
    if isinstance(value, PathV):
        return True
    if isinstance(value, Union):
        return any(looks_like_path(option) for option in value.options)
    if isinstance(value, Instance | Heap):
        return False
    text = path_text(value)
    if text is None:
        return False
    if isinstance(text, str):
        if "\n" in text or " " in text or len(text) > 300 or "://" in text or text.startswith(("<", "{", "[")):
            return False
        tail = text.rsplit("/", 1)[-1]
        stem, dot, extension = tail.rpartition(".")
        is_file = bool(dot and stem and 1 <= len(extension) <= 8 and extension.isalnum() and not extension.isdigit())
        return is_file and ("/" in text or extension.lower() in _EXTENSIONS)
    literal = text.prefix + text.suffix
    return (
        "\n" not in literal
        and " " not in literal
        and ("/" in literal or (text.suffix.lower().lstrip(".") in _EXTENSIONS and "." in text.suffix))
    )


_ENDINGS = """
arrow avi avro bak bam bed bin bmp bz2 cbm cer cfg ckpt conf crt css csv dat db dcm diff dll doc docx dot dta dump dxf
edf eml fa fasta fastq feather fif fits flac fq geojson geoparquet gexf gff gif gml gpkg gpx graphml gtf gz h5 hdf
hdf5 htm html html5 ico ini ipynb jar joblib jpeg jpg js json jsonl kml las laz lock log lz4 mat mbox md mid midi mkv
model mov mp3 mp4 msgpack nc nc4 ndjson nii npy npz obj ods odt ogg onnx orc otf out parq parquet patch pcap pdb pdf
pem pickle pkl ply png ppt pptx proto pt pth py rar rds rst rtf safetensors sam sas7bdat sav sh shp so sql sqlite
sqlite3 srt stl svg tar tex tfrecord tfrecords tgz tif tiff tmp toml tsv ttf txt ubj vcf vtt wav webp whl woff woff2
xls xlsx xml xz yaml yml zarr zip zst zstd
"""
_EXTENSIONS = frozenset(_ENDINGS.split())
