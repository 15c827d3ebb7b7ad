"""Which modules of the standard library a program loads by itself, and which of those loaded before it runs code of.

Python and the tool that runs the program have loaded some modules before; their import statements say which. What is
known of the others is in the import statements of the program. Everything here is read from sources, nothing is run.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from taskgates.inference.models.registry import Machine

_FROZEN = frozenset(
    [
        "abc",
        "codecs",
        "io",
        "_collections_abc",
        "_sitebuiltins",
        "genericpath",
        "ntpath",
        "posixpath",
        "os",
        "site",
        "stat",
        "importlib._bootstrap",
        "importlib._bootstrap_external",
        "importlib.util",
        "importlib.machinery",
        "importlib",
        "runpy",
        "zipimport",
        "__future__",
    ]
)
"""Modules whose code has no file while it runs, since the interpreter holds it frozen, or that hold none to be run."""

_STARTED = ("site", "runpy", "encodings", "encodings.utf_8", "encodings.aliases", "_weakrefset", "warnings")
"""What every interpreter has loaded before `python -m` runs a module."""

_COMPILED = frozenset(
    [
        "functools.partial",
        "functools.reduce",
        "functools.cmp_to_key",
        "collections.deque",
        "collections.OrderedDict",
        "collections.defaultdict",
        "operator.itemgetter",
        "operator.attrgetter",
        "operator.methodcaller",
    ]
)
"""Names of Python modules that stand for compiled code."""

_BEHIND = {"re": ("re", "re._compiler", "re._parser", "enum"), "collections": ("collections",)}
"""Whose functions those of a module call in turn, where that matters."""

HOOK = "_distutils_hack"
"""The import hook that setuptools puts into an environment: every import asks it."""


class LoadedModules:
    """The modules of the library around a program.

    Args:
        machine: the interpreter, which knows where modules are.
        before: the modules that the running tool has loaded, beside those of every interpreter.
    """

    def __init__(self, machine: Machine, before: Iterable[str]) -> None:
        self._machine = machine
        self._files: dict[str, Path | None] = {}
        self._trees: dict[str, ast.Module | None] = {}
        self._before = self._closure((*_STARTED, *before))

    def run_by(self, sources: Iterable[bytes], *, imports: bool) -> list[str]:
        """The library's modules of which code runs: those that the program loads, and those whose functions are called.

        Args:
            sources: the modules of the program; all that stands in them is taken to be run.
            imports: whether the program imports modules of its own.
        """
        trees = [tree for source in sources if (tree := _parsed(source)) is not None]
        wanted = [name for tree in trees for name in _imports(ast.walk(tree), "")]
        fresh = self._closure(wanted) - self._before
        found = set(fresh)
        bodies = [list(ast.walk(tree)) for tree in trees]
        bodies += [list(_executed(tree.body)) for name in sorted(fresh) if (tree := self._tree(name)) is not None]
        for body in bodies:
            for owner, name in _called(body):
                if owner in self._before and f"{owner}.{name}" not in _COMPILED and self._defines(owner, name):
                    found.update(_BEHIND.get(owner, (owner,)))
        if (fresh or imports) and self.file(HOOK) is not None:
            found.add(HOOK)
        return sorted(name for name in found if name not in _FROZEN and self.file(name) is not None)

    def file(self, name: str) -> Path | None:
        """The source of an installed module; None where there is none."""
        if name not in self._files:
            environment = self._machine.environment
            place = None
            for folder in environment.search_path if environment is not None else ():
                base = folder.joinpath(*name.split("."))
                place = next((each for each in (base / "__init__.py", base.with_suffix(".py")) if each.is_file()), None)
                if place is not None:
                    break
            self._files[name] = place
        return self._files[name]

    def base(self, name: str) -> str:
        """The dotted name that a module's file has below its entry of `sys.path`."""
        file = self.file(name)
        return f"{name}.__init__" if file is not None and file.name == "__init__.py" else name

    def _tree(self, name: str) -> ast.Module | None:
        if name not in self._trees:
            file = self.file(name)
            self._trees[name] = None if file is None or name in _FROZEN else _parsed(_content(file))
        return self._trees[name]

    def _closure(self, names: Iterable[str]) -> set[str]:
        """Modules with all that their import statements load."""
        seen: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if not name or name in seen:
                continue
            file = self.file(name)
            if file is None:
                continue
            seen.add(name)
            pending.append(name.rpartition(".")[0])
            tree = self._tree(name) if name not in _FROZEN else _parsed(_content(file))
            if tree is not None:
                pending += _imports(
                    _executed(tree.body), name if file.name == "__init__.py" else name.rpartition(".")[0]
                )
        return seen

    def _defines(self, module: str, name: str) -> bool:
        tree = self._tree(module)
        return tree is not None and any(
            isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name for node in ast.walk(tree)
        )


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _parsed(source: bytes) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _executed(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes that run when a module is loaded: not those in functions, nor behind a test for the main program."""
    for node in body:
        if isinstance(node, ast.If) and "__main__" in ast.dump(node.test):
            continue
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _executed(node.decorator_list)
        elif not isinstance(node, ast.Lambda):
            yield from _executed(ast.iter_child_nodes(node))


def _imports(nodes: Iterable[ast.AST], package: str) -> list[str]:
    """The absolute names of the modules that are loaded with a module; `from a import b` may name a module `a.b`."""
    names: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - (node.level - 1)] if node.level and package else []
            head = ".".join([*base, *([node.module] if node.module else [])])
            names.append(head)
            names.extend(f"{head}.{alias.name}" for alias in node.names if alias.name != "*" and head)
    return names


def _called(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """Modules and names of what is called, or decorated with."""
    modules: dict[str, str] = {}
    names: dict[str, tuple[str, str]] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            modules.update({alias.asname or alias.name: alias.name for alias in node.names})
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update({alias.asname or alias.name: (node.module, alias.name) for alias in node.names})
    for node in nodes:
        targets: list[ast.expr] = [node.func] if isinstance(node, ast.Call) else []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            targets += node.decorator_list
        for target in targets:
            if isinstance(target, ast.Name) and target.id in names:
                yield names[target.id]
            elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                owner = modules.get(target.value.id)
                if owner is not None:
                    yield owner, target.attr


__all__ = ["LoadedModules"]
