"""The names that functions, classes and modules bind, collected while a module is walked."""

from __future__ import annotations

from taskgates.syntax import ir


class Scope:
    """Names bound in one function, class body or module, collected while walking it."""

    __slots__ = ("bound", "globals", "lambdas", "mutated", "nonlocals", "yields")

    def __init__(self) -> None:
        self.bound: dict[str, None] = {}
        self.globals: dict[str, None] = {}
        self.nonlocals: dict[str, None] = {}
        self.mutated: set[str] = set()
        self.yields = False
        self.lambdas = 0

    def locals(self) -> list[str]:
        """The names that are the scope's own."""
        return [name for name in self.bound if name not in self.globals and name not in self.nonlocals]


class ScopedWalk:
    """A walk over one module: the identifiers counted so far, and the scope that it is in."""

    def __init__(self) -> None:
        self.count = 0
        self.module_scope = Scope()
        self.scope = self.module_scope
        self.class_name = ""
        self.has_main_guard = False
        self.mutated: set[str] = set()

    # Binding

    def private(self, name: str) -> str:
        """What a name stands for: in a class, one with two leading underscores is the class's own."""
        if name[:2] != "__" or not self.class_name or name.endswith("__"):
            return name
        return f"_{self.class_name}{name}"

    def bind(self, target: ir.Expr) -> None:
        """Record the names that an assignment target binds in the current scope."""
        if isinstance(target, ir.Name):
            self.scope.bound[target.id] = None
        elif isinstance(target, ir.Sequence):
            for item in target.items:
                self.bind(item)
        elif isinstance(target, ir.Star):
            self.bind(target.value)

    def mutate(self, target: ir.Expr) -> None:
        """Record that the object behind a name is changed in place."""
        while isinstance(target, ir.Attr | ir.Subscript):
            target = target.obj
        if isinstance(target, ir.Name):
            self.scope.mutated.add(target.id)

    def leave(self, scope: Scope, outer: Scope) -> None:
        """Close a function's scope: what it changes and does not own, someone outside owns."""
        self.scope = outer
        free = {name for name in scope.mutated if name not in scope.bound or name in scope.globals}
        outer.mutated |= free
        self.mutated |= free | set(scope.globals)
        for name in scope.globals:
            self.module_scope.bound[name] = None
