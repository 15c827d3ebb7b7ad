"""Sphinx: settings are run, documents are read with what they take in, and a builder writes its files."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.builders.restructured_text import references
from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import below, place_of, program
from taskgates.inference.objects import DictObj, ListObj, ModuleV
from taskgates.inference.paths import join_paths, relative_to_root, split_last
from taskgates.inference.text import Text
from taskgates.inference.values import AnyValue, Known, TupleV, as_value, text_of
from taskgates.model.access import Operation
from taskgates.model.patterns import PathPattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine

_VALUED = frozenset(
    ["-b", "--builder", "-d", "--doctree-dir", "-c", "--conf-dir", "-w", "--warning-file", "-j", "--jobs", "-D",
     "--define", "-A", "--html-define", "-t", "--tag", "-M"]
)  # fmt: skip
_PLAIN_EXTENSIONS = ("sphinx.ext.", "myst_parser", "sphinx_rtd_theme", "sphinx_copybutton", "sphinx_design", "furo",
                     "alabaster", "numpydoc", "recommonmark", "sphinx_autodoc_typehints", "sphinx_inline_tabs",
                     "sphinx_tabs", "sphinx_issues", "sphinx_click", "IPython.sphinxext")  # fmt: skip
_OWN_SHEETS = frozenset(
    ["alabaster", "classic", "nature", "pyramid", "haiku", "sphinxdoc", "agogo", "bizstyle", "scrolls", "traditional"]
)
"""Themes with a style sheet of their own name."""

_SCRIPTS = ("documentation_options.js", "doctools.js", "sphinx_highlight.js", "pygments.css", "basic.css")
_PAGES = {"text": ".txt", "xml": ".xml", "pseudoxml": ".pseudoxml", "json": ".fjson", "pickle": ".fpickle"}
_HTML = frozenset({"html", "dirhtml", "singlehtml", "readthedocs"})
_WITHOUT_IMAGES = frozenset({"dummy", "text", "xml", "pseudoxml", "man", "linkcheck", "doctest", "coverage",
 "gettext",
                             "changes"})  # fmt: skip
_DEEP = 20


class Build:
    """One build.

    Args:
        machine: the interpreter.
        line: what the command line says.
    """

    def __init__(self, machine: Machine, line: LooseLine) -> None:
        self.machine = machine
        self._line = line
        self._settings: dict[str, AnyValue] = {}
        self._source = str(machine.absolute(place_of(line.operands[0])))
        self._defined = dict(text.split("=", 1) for text in line.texts("-D", "--define") if "=" in text)
        make = line.text("-M")
        self._builder = make or line.text("-b", "--builder") or "html"
        out = machine.absolute(place_of(line.operands[1]))
        self._out = join_paths(out, make) if make else out
        doctrees = line.last("-d", "--doctree-dir")
        self._doctrees = (
            machine.absolute(place_of(doctrees))
            if doctrees is not None
            else (join_paths(out, "doctrees") if make else join_paths(out, ".doctrees"))
        )
        self._images: set[str] = set()
        self._has_modules = False

    def run(self) -> None:
        """Read the settings and the documents, and write what the builder makes of them."""
        machine = self.machine
        if not self._run_settings():
            return
        documents = self._documents()
        if documents is None:
            machine.opaque("Sphinx: which documents there are is not known", other_code=True)
            machine.access(Operation.READ, below(self._source, "**"), "sphinx")
            documents = []
        environment = join_paths(self._doctrees, "environment.pickle")
        if machine.exists(environment, "file") is True and not self._line.flags & {"-E", "--fresh-env"}:
            machine.access(Operation.READ, as_value(environment), "sphinx")
        for file in documents:
            machine.access(Operation.READ, Known(f"{self._source}/{file}"), "sphinx")
            self._take_in(f"{self._source}/{file}", 0, frozenset())
            machine.access(Operation.OVERWRITE, below(self._doctrees, f"{_stem(file)}.doctree"), "sphinx")
        machine.access(Operation.OVERWRITE, as_value(environment), "sphinx")
        self._write(documents)
        warnings = self._line.last("-w", "--warning-file")
        if warnings is not None:
            machine.access(Operation.OVERWRITE, warnings, "sphinx")

    # Settings

    def _run_settings(self) -> bool:
        machine = self.machine
        folder = self._line.last("-c", "--conf-dir")
        place = str(machine.absolute(place_of(folder))) if folder is not None else self._source
        self._folder = place
        if self._line.flags & {"-C", "--isolated"}:
            return True
        file = f"{place}/conf.py"
        inner = machine.in_tree(file)
        if inner is None or machine.exists(file, "file") is not True:
            machine.opaque("Sphinx: there is no conf.py", other_code=True)
            return False
        machine.access(Operation.READ, Known(file), "sphinx")
        before, machine.cwd = machine.cwd, place
        module = ModuleV("conf", inner, "")
        try:
            machine.run_module(module, "conf")
        except AbstractRaise as error:
            machine.note_end(error)
            return False
        machine.cwd = before
        self._settings = {key: item for key, item in module.slots.items() if isinstance(key, str)}
        for name in self._list("extensions"):
            if name.startswith(_PLAIN_EXTENSIONS):
                continue
            found = machine.locate_module(name)
            if found is not None and not found.installed:
                with suppress(AbstractRaise):
                    machine.import_module(name)
            machine.opaque(f"Sphinx: what the extension {name} does is not followed", other_code=True)
        return True

    def _list(self, name: str) -> list[str]:
        if name in self._defined:
            return self._defined[name].split(",")
        value = self._settings.get(name)
        if isinstance(value, ListObj | TupleV | DictObj):
            items = self.machine.iterate(value).items
            return [text for item in items if isinstance(text := text_of(item), str)]
        text = text_of(value) if value is not None else None
        return [text] if isinstance(text, str) else []

    def _setting(self, name: str) -> str:
        if name in self._defined:
            return self._defined[name]
        text = text_of(self._settings.get(name, Known("")))
        return text if isinstance(text, str) else ""

    # Documents

    def _documents(self) -> list[str] | None:
        """The documents relative to the folder of sources; None where these are not known."""
        machine = self.machine
        inner = machine.in_tree(self._source)
        if inner is None or machine.tree.kind(inner) != "folder":
            return None
        endings = self._list("source_suffix") or [".rst"]
        if any(name in ("myst_parser", "recommonmark", "myst_nb") for name in self._list("extensions")):
            endings = [*endings, ".md"]
        excluded = [*self._list("exclude_patterns"), *self._list("templates_path"), *self._list("html_static_path"),
                    *self._list("html_extra_path"), "**/.git", "**/CVS", "**/.svn"]  # fmt: skip
        patterns = [PathPattern(text.strip("/")) for text in excluded if text.strip("/")]
        out = relative_to_root(self._out, self._source) if isinstance(self._out, str) else ""
        found: list[str] = []
        prefix = "" if inner == "." else f"{inner}/"
        for path in machine.tree.glob(f"{prefix}**", hidden=False):
            file = path.removeprefix(prefix)
            if not file.endswith(tuple(endings)) or machine.tree.kind(path) != "file":
                continue
            parts = file.split("/")
            above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
            if any(pattern.matches(one) for pattern in patterns for one in above) or out in above:
                continue
            found.append(file)
        return sorted(found)

    def _take_in(self, place: str, depth: int, read: frozenset[str]) -> None:
        machine = self.machine
        data = machine.content(place)
        if data is None or depth > _DEEP or place in read:
            return
        folder = str(split_last(place)[0])
        for reference in references(data.decode("utf-8", "replace"), markdown=place.endswith(".md")):
            if reference.kind == "module":
                self._document_module(reference.target)
                continue
            target = reference.target
            path = f"{self._source}{target}" if target.startswith("/") else machine.absolute(join_paths(folder, target))
            if reference.kind in ("image", "download"):
                self._copy(reference.kind, str(path))
                continue
            machine.access(Operation.READ, as_value(path), "sphinx")
            if reference.kind == "include" and isinstance(path, str):
                self._take_in(path, depth + 1, read | {place})

    def _document_module(self, name: str) -> None:
        machine = self.machine
        if not any("autodoc" in one or "autosummary" in one for one in self._list("extensions")):
            return
        while name:
            found = machine.locate_module(name)
            if found is not None and not found.installed:
                with suppress(AbstractRaise):
                    machine.import_module(name)
                if found.file is not None:
                    # The comments of a module are looked for in its source.
                    machine.access(Operation.READ, Known(f"{machine.root}/{found.file}"), "sphinx")
                self._has_modules = True
                return
            name = name.rpartition(".")[0]

    def _copy(self, kind: str, place: str) -> None:
        """An image or a download is copied, by builders that have a use for it."""
        machine = self.machine
        if self._builder in _WITHOUT_IMAGES or place in self._images:
            return
        self._images.add(place)
        name = place.rpartition("/")[2]
        if name.endswith(".*"):
            inner = machine.in_tree(place[:-2])
            kinds = ("svg", "png", "gif", "jpg", "jpeg") if self._builder in _HTML else ("pdf", "png", "jpg", "jpeg")
            ending = next((one for one in kinds if inner and machine.tree.kind(f"{inner}.{one}") == "file"), None)
            if ending is None:
                return
            place, name = f"{place[:-1]}{ending}", f"{name[:-1]}{ending}"
        if machine.exists(place, "file") is False:
            return
        machine.access(Operation.READ, Known(place), "sphinx")
        if kind == "image":
            folder = "_images" if self._builder in _HTML else "."
            machine.access(Operation.OVERWRITE, below(self._out, folder, name), "sphinx")
        elif self._builder in _HTML:
            relative = str(relative_to_root(place, self._source))
            digest = hashlib.md5(relative.encode(), usedforsecurity=False).hexdigest()
            machine.access(Operation.OVERWRITE, below(self._out, "_downloads", digest, name), "sphinx")

    # Output

    def _write(self, documents: list[str]) -> None:
        machine = self.machine
        if self._builder in _HTML:
            self._write_html(documents)
        elif self._builder in _PAGES:
            for file in documents:
                self._made(f"{_stem(file)}{_PAGES[self._builder]}")
            if self._builder in ("json", "pickle"):
                machine.access(Operation.OVERWRITE, below(self._out, "**"), "sphinx")
        elif self._builder in ("linkcheck", "doctest", "coverage"):
            names = {"linkcheck": ("output.txt", "output.json"), "doctest": ("output.txt",),
                     "coverage": ("python.txt", "c.txt", "undoc.pickle")}  # fmt: skip
            for name in names[self._builder]:
                self._made(name)
        elif self._builder != "dummy":
            machine.access(Operation.OVERWRITE, below(self._out, "**"), "sphinx")

    def _made(self, name: str) -> None:
        self.machine.access(Operation.OVERWRITE, below(self._out, name), "sphinx")

    def _write_html(self, documents: list[str]) -> None:
        machine = self.machine
        root = self._setting("root_doc") or self._setting("master_doc") or "index"
        for file in documents:
            stem = _stem(file)
            if self._builder == "dirhtml" and stem.rpartition("/")[2] != "index":
                self._made(f"{stem}/index.html")
            elif self._builder != "singlehtml" or stem == root:
                self._made(f"{stem}.html")
            if self._settings.get("html_copy_source") != Known(False) and self._builder != "singlehtml":
                ending = self._setting("html_sourcelink_suffix") or ".txt"
                self._made(f"_sources/{file}{ending if not file.endswith(ending) else ''}")
        if machine.exists(join_paths(self._out, ".buildinfo"), "file") is True:
            machine.access(Operation.READ, below(self._out, ".buildinfo"), "sphinx")
        self._made(".buildinfo")
        self._made("objects.inv")
        if self._builder != "singlehtml":
            pages = ["py-modindex"] if self._has_modules else []
            pages += ["genindex", "search"] if self._settings.get("html_use_index") != Known(False) else ["search"]
            for page in pages:
                self._made(f"{page}/index.html" if self._builder == "dirhtml" else f"{page}.html")
            self._made("searchindex.js")
            self._made("searchindex.js.tmp")
        machine.access(Operation.OVERWRITE, below(self._out, "_static", "**"), "sphinx")
        theme = self._setting("html_theme") or "alabaster"
        sheets = [f"{theme}.css"] if theme in _OWN_SHEETS else []
        sheets += [name for name in self._list("html_css_files") if "://" not in name]
        # What pages refer to is read for a digest in the reference.
        for name in (*_SCRIPTS, *sheets):
            machine.access(Operation.READ, below(self._out, "_static", name), "sphinx")
        if theme in _OWN_SHEETS and any(_stem(file) == root for file in documents):
            # The table of contents beside each page comes from the top document.
            machine.access(Operation.READ, below(self._doctrees, f"{root}.doctree"), "sphinx")
        extensions = self._list("extensions")
        if "sphinx.ext.viewcode" in extensions:
            machine.access(Operation.OVERWRITE, below(self._out, "_modules", "**"), "sphinx")
        if "sphinx.ext.githubpages" in extensions:
            self._made(".nojekyll")
        for name in (*self._list("html_static_path"), *self._list("html_extra_path"), *self._list("templates_path")):
            self._asset(name)
        for name in self._list("html_extra_path"):
            self._extra(name)
        for key in ("html_logo", "html_favicon"):
            name = self._setting(key)
            if name and "://" not in name:
                machine.access(Operation.READ, Known(f"{self._folder}/{name}"), "sphinx")

    def _asset(self, name: str) -> None:
        machine = self.machine
        place = f"{self._folder}/{name.rstrip('/')}"
        kind = machine.tree.kind(machine.in_tree(place) or "") if machine.in_tree(place) else None
        if kind == "folder":
            machine.access(Operation.READ, below(place, "**"), "sphinx")
        elif kind == "file":
            machine.access(Operation.READ, Known(place), "sphinx")

    def _extra(self, name: str) -> None:
        """Files that are copied to the top of the output."""
        machine = self.machine
        inner = machine.in_tree(f"{self._folder}/{name.rstrip('/')}")
        if inner is None:
            return
        if machine.tree.kind(inner) == "file":
            self._made(inner.rpartition("/")[2])
        for path in machine.tree.glob(f"{inner}/**", hidden=True):
            if machine.tree.kind(path) == "file":
                self._made(path.removeprefix(inner + "/"))


def _stem(file: str) -> str:
    return file.rpartition(".")[0]


@program("sphinx", "sphinx.__main__", "sphinx.cmd.build", commands=["sphinx-build"])
def sphinx_build(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`sphinx-build -b BUILDER SOURCES OUTPUT`."""
    line = LooseLine(args, _VALUED)
    if line.flags & {"--version", "-h", "--help"} or len(line.operands) < 2:
        return
    if any(isinstance(place_of(word), Text) for word in line.operands[:1]):
        machine.opaque("Sphinx: the folder of the sources is not known", other_code=True)
        return
    Build(machine, line).run()
