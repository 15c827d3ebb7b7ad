"""docutils: its front ends, and what publishing a document reads beside the document itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.builders.restructured_text import references
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.paths import join_paths, split_last
from taskgates.inference.values import NONE, AnyValue, Known, as_value, options, path_text, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.objects import Arguments
    from taskgates.inference.text import TextLike

_DEEP = 20
_WRITERS = ("html", "html4", "html5", "latex", "man", "odt", "pseudoxml", "s5", "xetex", "xml")
_COMMANDS = (
    "docutils",
    *(name + end for name in map("rst2{}".format, _WRITERS) for end in ("", ".py")),
    "rst2odt_prepstyles",
)
_VALUED = frozenset(
    ["--title", "--report", "-r", "--halt", "-H", "--exit-status", "--warnings", "--input-encoding", "-i", "--output",
     "--output-encoding", "-o", "--error-encoding", "-e", "--language", "-l", "--record-dependencies", "--config",
     "--stylesheet", "--stylesheet-path", "--stylesheet-dirs", "--template", "--initial-header-level", "--math-output",
     "--table-style", "--syntax-highlight", "--tab-width", "--source-url", "--writer", "-w", "--reader", "--parser",
     "--footnote-references", "--attribution", "--smart-quotes", "--documentclass", "--documentoptions",
     "--theme", "--theme-url", "--xml-declaration", "--doctitle-xform", "--id-prefix", "--auto-id-prefix",
     "--image-loading", "--figure-footnotes", "--latex-preamble", "--graphicx-option", "--hyperref-options",
     "--use-latex-citations", "--cell-pad", "--custom-odt-header", "--root-prefix", "--line-length-limit",
     "--toc-entry-backlinks", "--pep-references", "--rfc-base-url", "--pep-base-url", "--font-encoding"]
)  # fmt: skip


def read_included(machine: Machine, text: str, folder: TextLike, call: str, read: tuple[str, ...] = ()) -> None:
    """Read what a document takes in.

    Args:
        machine: the interpreter.
        text: the document.
        folder: what its paths are relative to.
        call: what the accesses are said to be made by.
        read: the documents on the way here.
    """
    pictures = machine.locate_module("PIL") is not None
    for reference in references(text):
        if reference.kind in ("download", "module") or (
            reference.kind == "image" and not (reference.scaled and pictures)
        ):
            continue
        place = machine.absolute(join_paths(folder, reference.target))
        machine.access(Operation.READ, as_value(place), call)
        if reference.kind != "include" or not isinstance(place, str) or place in read:
            continue
        inner = machine.content(place)
        if inner is not None and len(read) < _DEEP:
            read_included(machine, inner.decode("utf-8", "replace"), split_last(place)[0], call, (*read, place))


def read_document(machine: Machine, path: AnyValue, call: str) -> None:
    """Read a document, and what it takes in."""
    machine.access(Operation.READ, path, call)
    _take_in(machine, path, call)


def _take_in(machine: Machine, path: AnyValue, call: str) -> None:
    """Read what a document takes in, or each of the documents that a pattern stands for."""
    place = machine.absolute(place_of(path))
    places = (place,) if isinstance(place, str) else machine.matching(place) or ()
    for each in places:
        file = each if each.startswith("/") else f"{machine.root}/{each}"
        data = machine.content(file)
        if data is not None:
            read_included(machine, data.decode("utf-8", "replace"), split_last(file)[0], call, (file,))


def _front_end(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`rst2html5 SOURCE DESTINATION` and its relatives."""
    line = LooseLine(args, _VALUED)
    given, flags, operands = dict(line.options), line.flags, line.operands
    if flags & {"--help", "-h", "--version", "-V"}:
        return
    if machine.exists("docutils.conf", "file") is True:
        machine.access(Operation.READ, Known("docutils.conf"), "docutils")
    if "--config" in given:
        machine.access(Operation.READ, given["--config"], "docutils")
    for name in ("--stylesheet", "--stylesheet-path", "--template"):
        if name in given and "--link-stylesheet" not in flags:
            for part in str(text_of(given[name]) or "").split(","):
                # A name that is not there is one of docutils' own.
                if part.strip() and machine.exists(part.strip(), "file") is not False:
                    machine.access(Operation.READ, Known(part.strip()), "docutils")
    if operands and text_of(operands[0]) != "-":
        read_document(machine, operands[0], "docutils")
    elif machine.stdin is not None and isinstance(text := text_of(machine.stdin), str):
        read_included(machine, text, ".", "docutils")
    output = given.get("--output") or (operands[1] if len(operands) > 1 else None)
    if output is not None and text_of(output) != "-":
        machine.access(Operation.OVERWRITE, output, "docutils")
    for name in ("--warnings", "--record-dependencies"):
        if name in given and text_of(given[name]) != "-":
            machine.access(Operation.OVERWRITE, given[name], "docutils")


program("docutils", "docutils.__main__", commands=_COMMANDS)(_front_end)


@function(
    "docutils.core.publish_string",
    "docutils.core.publish_parts",
    "docutils.core.publish_doctree",
    "docutils.core.publish_from_doctree",
)
def publish_text(machine: Machine, args: Arguments) -> AnyValue | None:
    """`publish_string(text, source_path=...)`: paths in the text are relative to where it is said to come from."""
    before = args.get(1, "source_path") or NONE
    for source in options(args.get(0, "source") or NONE):
        text = text_of(source)
        path = path_text(before)
        if isinstance(text, str):
            folder = split_last(path)[0] if path is not None else "."
            read_included(machine, text, folder or ".", "docutils.core.publish_string")
    return None


@function("docutils.core.publish_file")
def publish_file(machine: Machine, args: Arguments) -> AnyValue | None:
    """`publish_file(source_path=..., destination_path=...)`."""
    for path in options(args.get(1, "source_path") or NONE):
        if path_text(path) is not None:
            _take_in(machine, path, "docutils.core.publish_file")
    return None


@function("docutils.core.publish_cmdline")
def publish_command_line(machine: Machine, args: Arguments) -> AnyValue | None:
    """`publish_cmdline()`: reads the command line of the program, or the words that it is given."""
    given = args.kw.get("argv", NONE)
    words = machine.iterate(machine.argv).items[1:] if given == NONE else machine.iterate(given).items
    _front_end(machine, list(words))
    return NONE
