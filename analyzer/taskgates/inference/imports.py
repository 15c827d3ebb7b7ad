"""Import statements: finding modules as Python would, running their bodies once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from taskgates.inference.archived import find_archived, split_archive
from taskgates.inference.core import Core
from taskgates.inference.effects import Kind
from taskgates.inference.exceptions import is_library_exception
from taskgates.inference.frames import AbstractRaise, Frame, place_of
from taskgates.inference.log import Chain, RawSite
from taskgates.inference.models import registry
from taskgates.inference.models.values.six_moves import renamed
from taskgates.inference.objects import ListObj, Maybe, ModuleV
from taskgates.inference.standard_types import is_gone
from taskgates.inference.values import NONE, AnyValue, Ext, Known, TupleV, Unknown, path_text
from taskgates.model.finding import Problem
from taskgates.model.spans import SourceSpan
from taskgates.syntax import ir
from taskgates.tree.modules import Module, SearchEntry, find_installed, find_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.inference.relevance import Mentions, Relevance
    from taskgates.inference.shared_modules import SharedModules
    from taskgates.inference.sources import SourceStore
    from taskgates.tree.environment import Environment
    from taskgates.tree.evidence import Evidence


class Imports(Core):
    """The import system of the abstract program."""

    sources: SourceStore
    environment: Environment | None
    follow: set[str]
    problems: dict[str, Problem]
    mentions: Mentions
    relevance: Relevance
    search: ListObj
    shared_modules: SharedModules | None

    def search_path(self) -> list[SearchEntry]:
        """`sys.path` as far as it lies below the root, in the form the module finder takes."""
        out: list[SearchEntry] = []
        for value in (*self.search.items, *([self.search.rest] if self.search.rest is not None else [])):
            text = path_text(value)
            if text is None:
                continue
            place = self.in_tree(text if text != "" else ".")
            if place is not None:
                out.append(place)
            elif isinstance(text, str) and text.startswith("/"):
                out.append(Path(text))
        return out

    def locate(self, name: str) -> Module | None:
        """Find a module under the root, else in the environment."""
        found = find_module(name, self.search_path(), self.tree)
        if found is not None and found.kind != "namespace":
            return found
        if "." not in name:
            archived = find_archived(name, self.search_path(), self.tree, self.limits.file_size)
            if archived is not None:
                return archived
            for entry in self.search_path() if self.log.archives else ():
                made = self.log.archives.get(str(entry))
                if made is not None and (member := made.find(name)) is not None:
                    return member
        if self.environment is not None:
            installed = find_installed(name, self.environment, self.tree)
            if installed is not None:
                return installed
        return found

    def followed(self, name: str) -> bool:
        """Whether an installed package is analysed by its source."""
        by_source = _BY_SOURCE.get(name.partition(".")[0])
        if by_source is not None:
            return by_source(self)
        if not any(name == package or name.startswith(package + ".") for package in self.follow):
            return False
        # What the tables describe is better known by them than by its source; of other packages, the one that is
        # followed itself is not left to them.
        if name in self.follow and name.split(".", 1)[0] not in sys.stdlib_module_names:
            return True
        return not self.effects.is_module(name) or not self.has_members(name)

    def knows_command_line(self) -> bool:
        """Whether all words of the program's command line are known."""
        return isinstance(self.argv, ListObj) and self.argv.rest is None

    def bundled(self, module: Module) -> bool:
        """Whether an installed module is a copy that a package that is followed keeps in its own folder."""
        sites = self.environment.site_packages if self.environment is not None and module.file is not None else ()
        for site in sites:
            owner, inside, _ = (module.file or "").removeprefix(f"{site}/").partition("/")
            top = module.name.partition(".")[0]
            if inside and owner in self.follow and owner != top:
                self.follow = {*self.follow, top}
                return True
        return False

    def has_members(self, module: str) -> bool:
        """Whether the tables or the models describe anything of a library module."""
        prefix = module + "."
        return any(name.startswith(prefix) for name in self.effects) or any(
            name.startswith(prefix) for name in registry.FUNCTIONS
        )

    def import_module(self, name: str, frame: Frame | None = None) -> AnyValue:
        """Import an absolute module name and return that module.

        Raises:
            AbstractRaise: a ModuleNotFoundError, where neither the root, the environment nor a model knows the module.
        """
        shared = self.shared_modules
        if shared is not None:
            shared.note_import(self, name)
        known = self.modules.get(name)
        if known is None and shared is not None:
            known = shared.take(self, name)
        if known is not None:
            return known
        if self.module_table is not None and (entry := self.module_table.slots.get(Known(name))) is not None:
            return entry.value if isinstance(entry, Maybe) else entry
        if name.count(".") > _DEPTH:
            raise self.throw("ModuleNotFoundError", f"No module named {name!r}")
        if name in _ELSEWHERE and self.prepared_for("ModuleNotFoundError"):
            raise self.throw("ModuleNotFoundError", f"No module named {name!r}")
        parent: AnyValue | None = None
        if "." in name:
            parent = self.import_module(name.rpartition(".")[0], frame)
            known = self.modules.get(name)
            if known is not None:
                return known
        module, found = self.sources.locate(
            (
                name,
                *(parent.path if isinstance(parent, ModuleV) and parent.path else self.search_path()),
                type(parent),
                id(self.environment),
            ),
            lambda: self.locate_child(parent, name),
        )
        if module is None and isinstance(parent, ModuleV):
            if (other := renamed(name)) is not None:
                return Ext(other)
            raise self.throw("ModuleNotFoundError", f"No module named {name!r}")
        modelled = self.effects.knows_module(name) or name.split(".", 1)[0] in registry.ALIASES
        if module is None or (module.installed and not self.followed(name) and not self.bundled(module)):
            if (
                module is None
                and not modelled
                and self.closed
                and self.prepared_for("ModuleNotFoundError")
                and not (isinstance(parent, Ext) and self.locate(name) is not None)
            ):
                raise self.throw("ModuleNotFoundError", f"No module named {name!r}")
            if module is None and name.split(".", 1)[0] not in _ALWAYS:
                self.may_raise("ModuleNotFoundError", "ImportError")
            return Ext(registry.ALIASES.get(name, name))
        if module.kind == "extension":
            return Ext(name)
        return self.load(module, found)

    def locate_child(self, parent: AnyValue | None, name: str) -> Module | None:
        """Find a module, within its parent package where that is analysed."""
        if isinstance(parent, ModuleV) and parent.path:
            folders: list[SearchEntry] = [Path(folder) if folder.startswith("/") else folder for folder in parent.path]
            tail = name.rpartition(".")[2]
            found = find_module(tail, folders, self.tree)
            if found is None:
                found = find_archived(tail, folders, self.tree, self.limits.file_size)
            if found is None:
                return None
            return Module(name, found.kind, found.file, found.folders, found.installed)
        if isinstance(parent, Ext):
            return None
        return self.locate(name)

    def body_of(self, name: str) -> tuple[ir.Module, bool] | None:
        """The representation of a module that is analysed by its source, and whether it is a package; else None."""
        module = self.module_of(name)
        if module is None or module.file is None or (module.installed and not self.followed(name)):
            return None
        source = self.sources.get(module.file)
        return (source, module.is_package) if isinstance(source, ir.Module) else None

    def module_of(self, name: str) -> Module | None:
        """Where a module is whose packages need not have been imported; many names asked for are no modules at all."""

        def find() -> Module | None:
            parent, _, tail = name.rpartition(".")
            around = self.module_of(parent) if parent else None
            if not parent or (around is not None and around.kind == "namespace"):
                return self.locate(name)
            found = find_module(tail, around.folders, self.tree) if around is not None else None
            return Module(name, found.kind, found.file, found.folders, found.installed) if found is not None else None

        return self.sources.locate(("body", name, *self.search_path(), id(self.environment)), find)[0]

    def load(self, module: Module, found: Evidence) -> ModuleV:
        """Run a module's body once and register it.

        Args:
            module: the module.
            found: what finding it asked of the tree.
        """
        if self.shared_modules is not None:
            return self.shared_modules.run(self, module, found)
        value = self.new_module(module)
        self.run_loaded(value)
        return value

    def new_module(self, module: Module) -> ModuleV:
        """The object of a module that has been found, registered but not run."""
        package = module.name if module.is_package else module.name.rpartition(".")[0]
        value = ModuleV(module.name, module.file or "", package)
        value.path = tuple(str(folder) for folder in module.folders)
        self.modules[module.name] = value
        return value

    def run_loaded(self, value: ModuleV) -> None:
        """Bind a module in its package and run its body; a namespace package has none."""
        self.attach(value)
        if value.file:
            self.run_module(value, value.name)
            return
        value.slots["__name__"] = Known(value.name)
        value.slots["__path__"] = self.package_path(value)
        value.done = True

    def package_path(self, module: ModuleV) -> AnyValue:
        """`__path__`: the absolute folders of a package."""
        folders = (folder if folder.startswith("/") else f"{self.root}/{folder}" for folder in module.path)
        return ListObj("list", [Known(folder.rstrip("/.") if folder.endswith("/.") else folder) for folder in folders])

    def attach(self, module: ModuleV) -> None:
        """Bind a submodule in its package."""
        parent, _, tail = module.name.rpartition(".")
        owner = self.modules.get(parent)
        if owner is not None:
            self.state.write(owner.slots, tail, module)

    def run_module(self, value: ModuleV, dunder_name: str, described: str = "") -> None:
        """Execute a module's body under the given `__name__`.

        Args:
            value: the module.
            dunder_name: its `__name__`.
            described: the library module that it is; classes of it that the tables describe are taken from them.
        """
        source = self.sources.get(value.file)
        place = value.file if value.file.startswith("/") else f"{self.root}/{value.file}"
        value.slots.update(
            {
                "__name__": Known(dunder_name),
                "__file__": Known(place),
                "__package__": value.slots.get("__package__", Known(value.package)),
                "__doc__": NONE,
                "__spec__": value.slots.get("__spec__", Unknown("a module specification", "data")),
                "__path__": self.package_path(value),
            }
        )
        self.log.modules[value.file] = None
        if not value.file.startswith("/"):
            archived = split_archive(self.tree, value.file) if self.tree.kind(value.file) is None else None
            self.log.imports[archived[0] if archived is not None else value.file] = None
        if isinstance(source, ir.SourceProblem):
            span = SourceSpan(value.file, source.line, source.column, source.line, source.column + 1)
            self.problems[value.file] = Problem("TG902", source.message, span)
            site = RawSite(value.file, 0, 0, "<module>", "", self.call_chain(), source.line, source.column)
            self.log.opaque(f"{value.file} cannot be parsed: {source.message}", site)
            value.done = True
            return
        if source is None:
            self.opaque(f"{value.file} cannot be read")
            value.done = True
            return
        if source.doc is not None:
            value.slots["__doc__"] = Known(source.doc)
        value.ir = source
        self.relevance.add(source, value.name)
        frame = Frame(value, "<module>", value.slots, None)
        loops, self.loops = self.loops, []
        undecided = self.undecided
        frame.floor = undecided
        active, self.active = self.active, []
        tries = self.tries
        chain = self.chain
        self.chain = self.call_chain()
        outer_node, self.call_node = self.call_node, None
        imported = dunder_name != "__main__"
        self.importing += imported
        try:
            with self.within(frame):
                self.block(self.undescribed(source.body, frame, described), frame)
        finally:
            self.importing -= imported
            self.loops, self.undecided, self.active, self.tries = loops, undecided, active, tries
            self.chain, self.call_node = chain, outer_node
            value.done = True

    def call_chain(self) -> Chain | None:
        """The calls that lead to the present place, this one included."""
        if self.frame is None:
            return self.chain
        place = place_of(self.call_node, self.frame)
        return Chain(self.chain, self.frame.module.file, place, self.frame.qualname)

    def undescribed(self, body: list[ir.Stmt], frame: Frame, module: str) -> list[ir.Stmt]:
        """The statements of a library module without what the tables describe, which is bound here: classes, errors."""
        if not module:
            return body
        kept: list[ir.Stmt] = []
        for stmt in body:
            row = self.effects.lookup(f"{module}.{stmt.name}") if isinstance(stmt, ir.ClassDef) else None
            if isinstance(stmt, ir.ClassDef) and row is not None and row.kind is Kind.TYPE:
                self.state.write(frame.slots, stmt.name, Ext(row.name))
            elif isinstance(stmt, ir.ClassDef) and is_library_exception(f"{module}.{stmt.name}"):
                self.state.write(frame.slots, stmt.name, Ext(f"{module}.{stmt.name}"))
            else:
                kept.append(stmt)
        return kept

    def submodule(self, module: ModuleV, name: str) -> AnyValue | None:
        """A submodule that has been imported; packages do not import the others by themselves."""
        return self.modules.get(f"{module.name}.{name}")

    # Statements

    def import_names(self, stmt: ir.Import | ir.ImportFrom, frame: Frame) -> None:
        """Execute an import statement."""
        if isinstance(stmt, ir.Import):
            for item in stmt.names:
                module = self.import_module(item.name, frame)
                if item.asname is None:
                    top = item.name.split(".", 1)[0]
                    value = module if top == item.name else self.modules.get(top) or Ext(registry.ALIASES.get(top, top))
                    self.store_name(top, value, frame)
                else:
                    self.store_name(item.asname, module, frame)
            return
        name = self.absolute_name(stmt, frame)
        module = self.import_module(name, frame) if name else Ext("")
        for item in stmt.names:
            if item.name == "*":
                self.import_star(module, frame)
                continue
            self.store_name(item.asname or item.name, self.import_from(module, name, item.name, frame), frame)

    def absolute_name(self, stmt: ir.ImportFrom, frame: Frame) -> str:
        """The absolute name of the module that a from-import names."""
        if not stmt.level:
            return stmt.module
        # A script that is run by its file may say itself to which package it belongs.
        said = frame.module.slots.get("__package__")
        name = said.value if isinstance(said, Known) and isinstance(said.value, str) else frame.module.package
        package = name.split(".") if name else []
        base = package[: len(package) - (stmt.level - 1)]
        if not base:
            raise self.throw("ImportError", "attempted relative import with no known parent package")
        return ".".join([*base, *([stmt.module] if stmt.module else [])])

    def import_from(self, module: AnyValue, module_name: str, name: str, frame: Frame) -> AnyValue:
        """`from module import name`."""
        if isinstance(module, ModuleV):
            full = f"{module_name}.{name}"
            if name in module.slots:
                value = self.get_attr(module, name)
                # A submodule may be there for another program's sake.
                return self.import_module(full, frame) if isinstance(value, ModuleV) and value.name == full else value
            if module.path and (full in self.modules or self.locate_child(module, full) is not None):
                return self.import_module(full, frame)
            if "__getattr__" in module.slots:
                return self.get_attr(module, name)
            if module.ir is not None and module.path and self.prepared_for("ImportError") and self._lacks(module, name):
                raise self.throw("ImportError", f"cannot import name {name!r} from {module_name!r}")
            if not module.done:
                return Unknown(f"{name} of {module_name}, imported in a circle")
            if module.ir is not None:
                self.may_raise("ImportError")
            return self.get_attr(module, name)
        if isinstance(module, Ext):
            full = f"{module.name}.{name}" if module.name else name
            if full in self.modules:
                return self.modules[full]
            if self.tries and is_gone(module.name, name) and self.prepared_for("ImportError"):
                raise self.throw("ImportError", f"cannot import name {name!r} from {module.name!r}")
            return self.get_attr(module, name)
        return Unknown(f"{name} of an unknown module")

    def _lacks(self, package: ModuleV, name: str) -> bool:
        """Whether a package of the project certainly has no such name, nor a compiled module of that name."""
        if not self.closed or package.file.startswith("/") or self.opens_names(package):
            return False
        folders = [self.tree.list(folder or ".") for folder in package.path]
        return all(names is not None and all(each.partition(".")[0] != name for each in names) for names in folders)

    def import_star(self, module: AnyValue, frame: Frame) -> None:
        """`from module import *`."""
        if isinstance(module, ModuleV):
            exported = module.slots.get("__all__")
            names: list[str]
            if isinstance(exported, ListObj | TupleV):
                names = [str(item.value) for item in exported.items if isinstance(item, Known)]
            else:
                names = [key for key in module.slots if isinstance(key, str) and not key.startswith("_")]
            for name in names:
                try:
                    value = self.import_from(module, module.name, name, frame)
                except AbstractRaise:
                    continue
                self.state.write(self.target_slots(frame), name, value)
            return
        if isinstance(module, Ext):
            for name in self.public_names(module.name):
                self.state.write(self.target_slots(frame), name, self.get_attr(module, name))

    def opens_names(self, module: ModuleV) -> bool:
        """Whether a star import of a library gave a module names that nobody here knows."""
        frame = Frame(module, module.name, module.slots, None)
        return any(
            isinstance(stmt, ir.ImportFrom)
            and stmt.names[0].name == "*"
            and not isinstance(self.modules.get(self.absolute_name(stmt, frame)), ModuleV)
            for stmt in (module.ir.body if module.ir is not None else ())
        )

    def target_slots(self, frame: Frame) -> dict[object, object]:
        """Where a star import binds."""
        return frame.slots

    def public_names(self, module: str) -> list[str]:
        """The names that the models and tables know of a library module."""
        prefix = module + "."
        names = {name[len(prefix) :].split(".", 1)[0] for name in self.effects if name.startswith(prefix)}
        names |= {name[len(prefix) :].split(".", 1)[0] for name in registry.FUNCTIONS if name.startswith(prefix)}
        names |= {name[len(prefix) :].split(".", 1)[0] for name in registry.CONSTANTS if name.startswith(prefix)}
        return sorted(name for name in names if not name.startswith("_"))


_BY_SOURCE: dict[str, Callable[[Imports], bool]] = {
    "cmd": lambda machine: machine.stdin is not None,
    "lib2to3": lambda machine: machine.knows_command_line(),
    "optparse": lambda machine: machine.knows_command_line(),
}
"""Modules of the standard library that programs extend in ways no model foresees: their source is run instead, as long
as what they take apart (lines of standard input, the words of the command line) is known."""

_DEPTH = 100
"""Packages within each other, more than folders lie in each other."""

_ELSEWHERE = frozenset(["winreg", "_winreg", "msvcrt", "winsound", "_winapi", "nt", "msilib", "_msi", "_scproxy"])
"""Modules of the standard library that other systems have."""

_ALWAYS = frozenset(
    [
        "sys",
        "os",
        "builtins",
        "io",
        "re",
        "json",
        "math",
        "time",
        "typing",
        "collections",
        "functools",
        "itertools",
        "pathlib",
        "shutil",
        "glob",
        "argparse",
        "subprocess",
        "string",
        "datetime",
        "logging",
        "random",
        "tempfile",
        "csv",
        "hashlib",
        "copy",
        "types",
        "enum",
        "dataclasses",
        "abc",
        "contextlib",
        "operator",
        "threading",
        "concurrent",
        "asyncio",
        "queue",
        "traceback",
        "warnings",
        "textwrap",
        "struct",
        "codecs",
        "errno",
        "stat",
        "signal",
        "platform",
        "socket",
        "urllib",
        "http",
        "xml",
        "zipfile",
        "tarfile",
        "gzip",
        "bz2",
        "lzma",
        "zlib",
        "base64",
        "pickle",
        "shelve",
        "dbm",
        "sqlite3",
        "configparser",
        "inspect",
        "importlib",
        "runpy",
        "pkgutil",
        "unittest",
        "doctest",
        "pdb",
        "cProfile",
        "getpass",
        "locale",
        "gettext",
        "weakref",
        "heapq",
        "bisect",
        "array",
        "decimal",
        "fractions",
        "statistics",
        "uuid",
        "secrets",
        "html",
        "email",
        "mimetypes",
        "fnmatch",
        "linecache",
        "tokenize",
        "ast",
        "dis",
        "__future__",
        "posixpath",
        "ntpath",
        "posix",
        "genericpath",
        "atexit",
        "gc",
        "fileinput",
        "filecmp",
        "difflib",
        "pprint",
        "numbers",
        "select",
        "selectors",
        "multiprocessing",
        "ctypes",
        "mmap",
        "fcntl",
        "termios",
    ]
)
