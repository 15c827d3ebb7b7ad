"""Which functions can reach an effect at all, by the names that they mention.

Most code touches no file. A function is *relevant* when its body mentions a name that may stand for an effect (a row of
the tables for a library that is imported somewhere, `open`, `exec`), or the name of a relevant function or class of the
loaded modules. Names are compared without regard to what they resolve to, so the answer errs on the side of relevance;
what is not relevant need not be interpreted at length, since nothing is missed but the precision of its result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.inference.effects import EffectTable

_ALWAYS = frozenset(
    {
        "open",
        "exec",
        "eval",
        "__import__",
        "import_module",
        "system",
        "Popen",
        "read_text",
        "read_bytes",
        "write_text",
        "write_bytes",
        "unlink",
        "rename",
        "replace_file",
        "touch",
        "mkdir",
        "rmdir",
        "symlink_to",
        "hardlink_to",
        "iterdir",
        "chdir",
        "environ",
        "putenv",
        "submit",
        "<getattr>",
    }
)
_PSEUDO = {
    "__enter__": "<with>",
    "__exit__": "<with>",
    "__aenter__": "<with>",
    "__aexit__": "<with>",
    "__getitem__": "<item>",
    "__setitem__": "<item>",
    "__delitem__": "<item>",
    "__contains__": "<operator>",
    "__iter__": "<iteration>",
    "__next__": "<iteration>",
    "__aiter__": "<iteration>",
    "__anext__": "<iteration>",
}


class Relevance:
    """Answers whether a function can reach an effect; modules are added as they are loaded."""

    def __init__(self, effects: EffectTable) -> None:
        self._effects = effects
        self._mentions: dict[int, frozenset[str]] = {}
        self._functions: list[tuple[tuple[str, ...], ir.Function]] = []
        self._imports: set[str] = {"builtins", "io", "os", "pathlib"}
        self._names: frozenset[str] | None = None

    def add(self, module: ir.Module) -> None:
        """Take a loaded module into account."""
        self._collect(module.body, ())
        self._names = None

    def relevant(self, function: ir.Function) -> bool:
        """Whether a function can reach an effect."""
        if self._names is None:
            self._names = self._closure()
        return not self._names.isdisjoint(self.mentions(function))

    def mentions(self, function: ir.Function) -> frozenset[str]:
        """The identifiers in a function's body, those of nested functions included."""
        found = self._mentions.get(id(function))
        if found is None:
            found = self._mentions[id(function)] = frozenset(_mentioned(function.body))
        return found

    def _collect(self, body: list[ir.Stmt], owners: tuple[str, ...]) -> None:
        for stmt in body:
            if isinstance(stmt, ir.FunctionDef):
                name = stmt.function.name
                labels = [name]
                if name.startswith("__") and name.endswith("__"):
                    labels = [_PSEUDO.get(name, "<operator>")]
                    if name in ("__init__", "__new__", "__post_init__", "__call__", "__attrs_post_init__"):
                        labels = [*owners[-1:], name] if name != "__call__" else ["<call>"]
                self._functions.append((tuple(labels), stmt.function))
                self._collect(stmt.function.body, owners)
            elif isinstance(stmt, ir.ClassDef):
                self._collect(stmt.body, (*owners, stmt.name))
            elif isinstance(stmt, ir.Import):
                self._imports.update(item.name.split(".", 1)[0] for item in stmt.names)
            elif isinstance(stmt, ir.ImportFrom):
                self._imports.add(stmt.module.split(".", 1)[0])
            else:
                for field in ("body", "orelse", "final"):
                    self._collect(getattr(stmt, field, []), owners)
                for handler in getattr(stmt, "handlers", []):
                    self._collect(handler.body, owners)

    def _closure(self) -> frozenset[str]:
        names = set(_ALWAYS)
        for top in self._imports:
            names |= self._effects.effect_names(top)
        pending = list(self._functions)
        while True:
            kept = []
            grown = False
            for labels, function in pending:
                if names.isdisjoint(self.mentions(function)):
                    kept.append((labels, function))
                elif not names.issuperset(labels):
                    names.update(labels)
                    grown = True
            if not grown:
                return frozenset(names)
            pending = kept


def _mentioned(body: list[ir.Stmt]) -> Iterator[str]:
    stack: list[object] = list(body)
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
            continue
        if not isinstance(item, msgspec.Struct):
            continue
        kind = type(item)
        if kind is ir.Name:
            yield item.id  # type: ignore[attr-defined]
            continue
        if kind is ir.Const:
            continue
        if kind is ir.Attr:
            yield item.name  # type: ignore[attr-defined]
        elif kind is ir.With:
            yield "<with>"
        elif kind is ir.Subscript:
            yield "<item>"
        elif kind is ir.For or kind is ir.Comprehension:
            yield "<iteration>"
        elif kind is ir.Call:
            func = item.func  # type: ignore[attr-defined]
            args = item.args  # type: ignore[attr-defined]
            if (
                type(func) is ir.Name
                and func.id == "getattr"
                and len(args) > 1
                and not isinstance(args[1].value, ir.Const)
            ):
                yield "<getattr>"
        stack.extend(getattr(item, field) for field in item.__struct_fields__)
