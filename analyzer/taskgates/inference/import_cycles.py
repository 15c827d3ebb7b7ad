"""Which modules import each other in a circle, by the import statements of their bodies.

What a module of a circle sees of the others depends on which of them is imported first. So that a result never depends
on what else was looked at before, a circle is always entered in the same way: packages before what they hold, then by
name. The circles are the strongly connected components of the static import graph (Tarjan, *Depth-first search and
linear graph algorithms*, 1972).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class ImportCycles:
    """The circles among modules, found as they are asked for.

    Args:
        source: the representation of a module of the analysed code by its dotted name, and whether it is a package;
            None for any other.
    """

    def __init__(self, source: Callable[[str], tuple[ir.Module, bool] | None]) -> None:
        self._source = source
        self._imports: dict[str, tuple[str, ...] | None] = {}
        self._circles: dict[str, tuple[str, ...]] = {}

    def around(self, name: str) -> tuple[str, ...]:
        """The modules that a module imports in a circle, itself among them, in the order to run them in.

        Args:
            name: its dotted name.

        Returns:
            Nothing where there is no circle.
        """
        if name not in self._circles:
            self._search(name)
        return self._circles.get(name, ())

    def _search(self, start: str) -> None:
        number: dict[str, int] = {start: 0}
        low = {start: 0}
        stack = [start]
        waiting = {start}
        path: list[tuple[str, Iterator[str]]] = [(start, iter(self._imported(start) or ()))]
        while path:
            name, rest = path[-1]
            following = next(rest, None)
            if following is None:
                path.pop()
                if path:
                    outer = path[-1][0]
                    low[outer] = min(low[outer], low[name])
                if low[name] == number[name]:
                    at = stack.index(name)
                    members = stack[at:]
                    del stack[at:]
                    waiting.difference_update(members)
                    circle = tuple(sorted(members, key=lambda member: (member.count("."), member)))
                    self._circles.update(dict.fromkeys(members, circle if len(members) > 1 else ()))
            elif following in number:
                if following in waiting:
                    low[name] = min(low[name], number[following])
            elif following not in self._circles and self._imported(following) is not None:
                number[following] = low[following] = len(number)
                stack.append(following)
                waiting.add(following)
                path.append((following, iter(self._imported(following) or ())))

    def _imported(self, name: str) -> tuple[str, ...] | None:
        """The names that a module's body may import, with their packages; None for a module of no analysed code."""
        if name not in self._imports:
            found = self._source(name)
            names: dict[str, None] = {}
            if found is not None:
                module, is_package = found
                package = name if is_package else name.rpartition(".")[0]
                for imported in (name.rpartition(".")[0], *_statements(module.body, package)):
                    parts = imported.split(".") if imported else []
                    names.update(dict.fromkeys(".".join(parts[:end]) for end in range(1, len(parts) + 1)))
                names.pop(name, None)
            self._imports[name] = None if found is None else tuple(names)
        return self._imports[name]


def _statements(body: Sequence[ir.Stmt], package: str) -> Iterator[str]:
    """The modules that statements may import when a module's body runs; also names that may be none."""
    for stmt in body:
        if isinstance(stmt, ir.Import):
            yield from (item.name for item in stmt.names)
        elif isinstance(stmt, ir.ImportFrom):
            base = stmt.module
            if stmt.level:
                parts = package.split(".") if package else []
                kept = parts[: len(parts) - (stmt.level - 1)]
                base = ".".join([*kept, *([stmt.module] if stmt.module else [])])
            yield base
            yield from (f"{base}.{item.name}" for item in stmt.names if base and item.name != "*")
        elif not isinstance(stmt, ir.FunctionDef) and not _for_types_only(stmt):
            for inner in _blocks(stmt):
                yield from _statements(inner, package)


def _for_types_only(stmt: ir.Stmt) -> bool:
    if not isinstance(stmt, ir.If):
        return False
    name = stmt.test.id if isinstance(stmt.test, ir.Name) else stmt.test.name if isinstance(stmt.test, ir.Attr) else ""
    return name == "TYPE_CHECKING" and not stmt.orelse


def _blocks(stmt: ir.Stmt) -> Iterable[Sequence[ir.Stmt]]:
    for name in ("body", "orelse", "final"):
        yield getattr(stmt, name, ())
    if isinstance(stmt, ir.Try):
        yield from (handler.body for handler in stmt.handlers)
    if isinstance(stmt, ir.Match):
        yield from (case.body for case in stmt.cases)
