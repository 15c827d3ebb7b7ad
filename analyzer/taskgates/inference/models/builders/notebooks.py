"""Notebooks: what nbconvert and jupytext read and write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.paths import join_paths, split_extension, split_last
from taskgates.inference.text import Hole, Text, TextLike, concat
from taskgates.inference.values import AnyValue, Known, as_value, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine

_ENDINGS = {
    "html": ".html", "slides": ".slides.html", "markdown": ".md", "rst": ".rst", "latex": ".tex", "pdf": ".pdf",
    "webpdf": ".pdf", "qtpdf": ".pdf", "qtpng": ".png", "asciidoc": ".asciidoc", "notebook": ".nbconvert.ipynb",
    "python": ".py",
}  # fmt: skip
_SCRIPTS = {"python": ".py", "r": ".r", "julia": ".jl", "javascript": ".js", "bash": ".sh", "scala": ".scala"}
_FORMATS = {
    "py": ".py", "python": ".py", "md": ".md", "markdown": ".md", "rmd": ".Rmd", "r": ".R", "jl": ".jl", "julia": ".jl",
    "ipynb": ".ipynb", "notebook": ".ipynb", "myst": ".md", "qmd": ".qmd", "sh": ".sh", "js": ".js", "org": ".org",
}  # fmt: skip


def _metadata(machine: Machine, path: AnyValue) -> dict[str, Any]:
    """What a notebook says of itself; nothing where that is not known."""
    place = machine.absolute(place_of(path))
    data = machine.content(place) if isinstance(place, str) else None
    try:
        found = json.loads(data) if data is not None else {}
    except (ValueError, RecursionError):
        return {}
    metadata = found.get("metadata") if isinstance(found, dict) else None
    return metadata if isinstance(metadata, dict) else {}


_CONVERT = frozenset(
    ["--to", "--output", "--output-dir", "--template", "--template-file", "--post", "--writer", "--config", "--theme",
     "--nbformat", "--log-level", "--reveal-prefix", "--sanitize_html"]
)  # fmt: skip


def _converted(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`jupyter nbconvert --to FORMAT NOTEBOOK...`."""
    line = LooseLine(args, _CONVERT)
    if line.flags & {"-h", "--help", "--help-all", "--version"}:
        return
    for name in ("jupyter_nbconvert_config.py", "jupyter_nbconvert_config.json"):
        if machine.exists(name, "file") is True:
            machine.access(Operation.READ, Known(name), "nbconvert")
    kind = line.text("--to", "--NbConvertApp.export_format")
    inplace = bool(line.flags & {"--inplace", "--clear-output"})
    if kind is None and not inplace and "--execute" not in line.flags:
        return
    if "--execute" in line.flags:
        machine.opaque("nbconvert: what the cells of a notebook do is not followed", other_code=True)
    for path in line.operands:
        machine.access(Operation.READ, path, "nbconvert")
        if "--stdout" in line.flags:
            continue
        source = place_of(path)
        folder, last = split_last(source)
        stem: TextLike = split_extension(last)[0]
        ending: TextLike = _ENDINGS.get(kind or "notebook", "")
        if inplace or (kind in (None, "notebook") and "--inplace" in line.flags):
            ending = ".ipynb"
        elif kind == "script":
            language = _metadata(machine, path).get("language_info")
            ending = str(language.get("file_extension", "")) if isinstance(language, dict) else ""
            ending = ending or Text((Hole("data", False),))
        elif not ending:
            machine.opaque(f"nbconvert: the format {kind} is not known")
            ending = Text((Hole("data", False),))
        output = line.last("--output")
        if output is not None:
            given = place_of(output)
            stem = (
                given
                if not (isinstance(given, str) and isinstance(ending, str) and given.endswith(ending))
                else (given.removesuffix(ending))
            )
            ending = ".ipynb" if ending == ".nbconvert.ipynb" else ending
        into = line.last("--output-dir")
        target = join_paths(place_of(into), stem) if into is not None else join_paths(folder, stem) if folder else stem
        machine.access(Operation.OVERWRITE, as_value(concat(target, ending)), "nbconvert")
        if kind in ("markdown", "rst", "latex", "asciidoc") and _has_images(machine, path):
            machine.access(Operation.OVERWRITE, as_value(concat(target, "_files/", Hole("data", False))), "nbconvert")


def _has_images(machine: Machine, path: AnyValue) -> bool:
    place = machine.absolute(place_of(path))
    data = machine.content(place) if isinstance(place, str) else None
    return data is None or b'"image/' in data


program("nbconvert", "nbconvert.nbconvertapp", commands=["jupyter-nbconvert"])(_converted)


@program("jupyter", "jupyter_core", commands=["jupyter"])
def jupyter(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`jupyter nbconvert ...`; what runs notebooks or serves them is not followed."""
    verb = text_of(args[0]) if args else None
    if verb == "nbconvert":
        _converted(machine, args[1:])
    elif isinstance(verb, str) and not verb.startswith("-"):
        for word in args[1:]:
            text = text_of(word)
            if isinstance(text, str) and text.endswith(".ipynb"):
                machine.access(Operation.READ, word, "jupyter")
        machine.opaque(f"jupyter {verb}: notebooks are not followed", other_code=True)


_TEXTS = frozenset(
    ["--from", "--to", "-o", "--output", "--set-formats", "--update-metadata", "--format-options", "--opt", "--pipe",
     "--pipe-fmt", "--check", "--run-path", "--set-kernel", "-k", "--diff-format", "--show-changes-with"]
)  # fmt: skip


def _ending_of(machine: Machine, path: AnyValue, given: str) -> TextLike:
    """The ending of a format such as `py:percent`, `auto:light` or `.md`."""
    name = given.partition(":")[0].rpartition("/")[2].lstrip(".").lower()
    if name == "auto":
        language = _metadata(machine, path).get("language_info")
        found = language.get("file_extension") if isinstance(language, dict) else None
        if isinstance(found, str):
            return found
        kernel = _metadata(machine, path).get("kernelspec")
        spoken = kernel.get("language") if isinstance(kernel, dict) else None
        return _SCRIPTS.get(str(spoken).lower(), "") or concat(".", Hole("data", False))
    return _FORMATS.get(name, f".{name}")


@program("jupytext", "jupytext.__main__", "jupytext.cli", commands=["jupytext"])
def jupytext(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`jupytext --to FORMAT FILE...`, and the pairing of notebooks with texts."""
    line = LooseLine(args, _TEXTS)
    if line.flags & {"-h", "--help", "--version", "-v"} and not line.operands:
        return
    for name in ("jupytext.toml", ".jupytext.toml", "jupytext.yml"):
        if machine.exists(name, "file") is True:
            machine.access(Operation.READ, Known(name), "jupytext")
    if line.flags & {"--execute"}:
        machine.opaque("jupytext: what the cells of a notebook do is not followed", other_code=True)
    if line.every("--pipe", "--check"):
        machine.opaque("jupytext: the command that texts are handed to is not followed", other_code=True)
    for path in line.operands:
        if text_of(path) != "-":
            _one(machine, line, path)


def _one(machine: Machine, line: LooseLine, path: AnyValue) -> None:
    source = place_of(path)
    stem, own = split_extension(source)
    machine.access(Operation.READ, path, "jupytext")
    quiet = bool(line.flags & {"--test", "-t", "--test-strict", "-x", "--diff", "-d", "--paired-paths", "-p"})
    formats = line.text("--set-formats")
    if quiet:
        return
    if formats is None and (line.flags & {"--sync", "-s"}):
        found = _metadata(machine, path).get("jupytext")
        formats = found.get("formats") if isinstance(found, dict) else None
        if not isinstance(formats, str):
            machine.opaque("jupytext: with what a notebook is paired is not known")
            return
    if formats is not None:
        for each in formats.split(","):
            target = concat(stem, _ending_of(machine, path, each.strip()))
            if target != source and machine.exists(target) is True:
                machine.access(Operation.READ, as_value(target), "jupytext")
            _made(machine, target)
        return
    output = line.last("-o", "--output")
    kind = line.text("--to")
    if output is not None:
        if text_of(output) != "-":
            if "--update" in line.flags and machine.exists(place_of(output)) is not False:
                machine.access(Operation.READ, output, "jupytext")
            _made(machine, place_of(output))
    elif kind is not None:
        target = concat(stem, _ending_of(machine, path, kind))
        if "--update" in line.flags and machine.exists(target) is not False:
            machine.access(Operation.READ, as_value(target), "jupytext")
        _made(machine, target)
    elif line.every("--update-metadata", "--set-kernel", "--pipe"):
        _made(machine, concat(stem, own))


def _made(machine: Machine, target: TextLike) -> None:
    """A file is written aside and then takes its place."""
    stem, ending = split_extension(target)
    aside = concat(stem, "_tmp_jupytext_", Hole("random", False), ending)
    machine.access(Operation.CREATE, as_value(aside), "jupytext")
    machine.access(Operation.OVERWRITE, as_value(target), "jupytext")
