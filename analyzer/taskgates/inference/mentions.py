"""What the functions, classes and variables of a module mention, as tokens for the question of relevance.

One walk over a representation gives every function (nested ones too), class and module-level variable a set of tokens:

| token | stands for |
|---|---|
| `n:name` | a name that is not bound in the function |
| `q:a.b.c` | something of an imported module, by its dotted name |
| `u:a.b.c` | the same, called with but one argument, by position |
| `a:name` | an attribute of anything else |
| `s:Class.name` | an attribute of `self` in that class, or of a variable or field that the text shows to be of it |
| `p:prefix` | `getattr` with a computed name that begins so |
| `i:` | a call of something that is found out only when the program runs |
| `o:name` | what a call of a name gave when the module was loaded |
| `!` | an effect by itself: a shared variable is declared or a default may be shared |
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from taskgates.inference.shown_types import (
    DISPLAYS,
    blocks_of,
    field_types,
    is_builtin_annotation,
    last_name,
    parameter_types,
    variable_types,
)
from taskgates.syntax import ir
from taskgates.syntax.walking import INNER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

COMMON_METHODS = frozenset(
    name
    for kind in (str, bytes, bytearray, list, dict, set, tuple, int, float, io.StringIO, io.BytesIO, io.TextIOWrapper)
    for name in dir(kind)
)
"""Methods that built-in types have too; their names tell nothing unless the module imports a library that has them."""

_PLAIN_DECORATORS = frozenset(
    {
        "property", "staticmethod", "classmethod", "abstractmethod", "contextmanager", "asynccontextmanager", "wraps",
        "overload", "override", "final", "setter", "getter", "deleter", "total_ordering", "dataclass", "unique",
        "runtime_checkable", "cached_property", "cache", "lru_cache",
    }
)  # fmt: skip
_BUILTIN_NAMES = frozenset({"open", "exec", "eval", "__import__"})


class Node:
    """A function, class or module-level variable.

    Attributes:
        labels: the tokens by which others mention it.
        tokens: what it mentions.
        owner: the class of a method, else empty.
        name: its own name.
        function: whether it is a function of a module.
        dunder: whether it is a method that the language calls by itself.
    """

    __slots__ = ("dunder", "function", "labels", "name", "owner", "tokens")

    def __init__(self, labels: tuple[str, ...], name: str = "", owner: str = "", *, dunder: bool = False) -> None:
        self.labels = labels
        self.name = name
        self.owner = owner
        self.dunder = dunder
        self.function = False
        self.tokens: set[str] = set()


class ModuleMentions:
    """The nodes of one module.

    Attributes:
        module: its representation, kept since its parts are known by their identities.
        nodes: every node.
        functions: those of functions, by the identity of their representation.
        classes: the bare names of the bases of each class, by its bare name.
        methods: the names of the methods of each class.
        taken: labels of what is used as a value instead of being called.
        tops: the top-level modules that are imported.
        mutated: labels of the variables that functions change.
        hands_out: whether an imported module is used as a value, so that any attribute may be one of its functions.
    """

    def __init__(self, module: ir.Module) -> None:
        self.module = module
        self.nodes: list[Node] = []
        self.functions: dict[int, Node] = {}
        self.classes: dict[str, list[str]] = {}
        self.methods: dict[str, set[str]] = {}
        self.taken: set[str] = set()
        self.tops: set[str] = set()
        self.mutated = frozenset(f"n:{name}" for name in set(module.mutated).intersection(module.locals))
        self.hands_out = False
        self._imported: set[str] = set()
        self._bound: dict[str, str] = {}
        self._variables: dict[str, Node] = {}
        self._sinks: list[set[str]] = []
        self._scopes: list[tuple[frozenset[str], frozenset[str]]] = []
        self._plain: list[set[str]] = []
        self._aliases: list[set[str]] = []
        self._types: list[dict[str, str]] = []
        self._fields: dict[str, str] = {}
        self._class = ""
        self._self = ""
        self._loading = False
        self._collect_imports(module.body)
        self._module_level(module.body)

    # Imports

    def _collect_imports(self, body: list[ir.Stmt]) -> None:
        for stmt in body:
            kind = type(stmt)
            if kind is ir.Import:
                for item in stmt.names:  # type: ignore[union-attr]
                    top = item.name.split(".", 1)[0]
                    self.tops.add(top)
                    self._bound[item.asname or top] = item.name if item.asname else top
                    self._imported.add(item.asname or top)
            elif kind is ir.ImportFrom:
                if not stmt.level:  # type: ignore[union-attr]
                    self.tops.add(stmt.module.split(".", 1)[0])  # type: ignore[union-attr]
                for item in stmt.names:  # type: ignore[union-attr]
                    base = stmt.module if not stmt.level else f".{stmt.module}"  # type: ignore[union-attr]
                    self._bound[item.asname or item.name] = f"{base}.{item.name}"
                    if base == "." and item.name.islower() and item.name[:2] != "__":
                        self._imported.add(item.asname or item.name)
            elif kind is ir.FunctionDef:
                self._collect_imports(stmt.function.body)  # type: ignore[union-attr]
            else:
                for inner in blocks_of(stmt):
                    self._collect_imports(inner)

    # Statements outside functions

    def _module_level(self, body: list[ir.Stmt]) -> None:
        for stmt in body:
            kind = type(stmt)
            if kind is ir.FunctionDef:
                self._function(stmt.function, "")  # type: ignore[union-attr]
            elif kind is ir.ClassDef:
                self._class_(stmt)  # type: ignore[arg-type]
            elif kind in (ir.Assign, ir.AnnAssign, ir.AugAssign):
                targets = stmt.targets if kind is ir.Assign else [stmt.target]  # type: ignore[union-attr]
                names = [target.id for target in targets if type(target) is ir.Name]
                node = self._variable(names[0]) if names else Node(())
                for name in names[1:]:
                    node.labels = (*node.labels, f"n:{name}", f"a:{name}")
                self._bind(node, stmt.value)  # type: ignore[union-attr]
            else:
                blocks = blocks_of(stmt)
                for part in blocks:
                    self._module_level(part)
                if not blocks:
                    self._walk(stmt)

    def _bind(self, node: Node, value: ir.Expr | None) -> None:
        """A variable that is bound when the module is loaded: what is called for that is called no more later."""
        outer, self._loading = self._loading, True
        self._sinks.append(node.tokens)
        if value is not None:
            self._walk(value)
        self._sinks.pop()
        self._loading = outer

    def _variable(self, name: str) -> Node:
        node = self._variables.get(name)
        if node is None:
            node = self._variables[name] = Node((f"n:{name}", f"a:{name}"), name)
            self.nodes.append(node)
        return node

    def _class_(self, stmt: ir.ClassDef) -> None:
        node = Node((f"n:{stmt.name}", f"a:{stmt.name}"), stmt.name)
        self.nodes.append(node)
        bases = []
        outer = self._class
        self._class = stmt.name
        self._sinks.append(node.tokens)
        for arg in stmt.bases:
            value = arg.value
            if type(value) is ir.Name:
                bases.append(value.id)
                self._base(value.id)
                continue
            if type(value) is ir.Attr:
                bases.append(value.name)
            self._expr(value)
        self.classes.setdefault(stmt.name, []).extend(bases)
        fields, self._fields = self._fields, field_types(stmt)
        methods = self.methods.setdefault(stmt.name, set())
        loading, self._loading = self._loading, True
        for decorator in stmt.decorators:
            self._expr(decorator)
        self._loading = loading
        for part in stmt.body:
            kind = type(part)
            if kind is ir.FunctionDef:
                methods.add(part.function.name)  # type: ignore[union-attr]
                self._sinks.pop()
                self._function(part.function, stmt.name)  # type: ignore[union-attr]
                self._sinks.append(node.tokens)
            elif kind is ir.ClassDef:
                self._class_(part)  # type: ignore[arg-type]
                self._class = stmt.name
            elif kind in (ir.Assign, ir.AnnAssign):
                targets = part.targets if kind is ir.Assign else [part.target]  # type: ignore[union-attr]
                names = [target.id for target in targets if type(target) is ir.Name]
                methods.update(names)
                labels = [label for name in names for label in (f"a:{name}", f"m:{stmt.name}.{name}")]
                variable = Node(tuple(labels))
                self.nodes.append(variable)
                self._sinks.pop()
                self._bind(variable, part.value)  # type: ignore[union-attr]
                self._sinks.append(node.tokens)
        self._sinks.pop()
        self._class = outer
        self._fields = fields

    def _base(self, name: str) -> None:
        """A class that another is derived from: what is called to make objects is the derived one's own matter."""
        token = self._resolve(name)
        if token is not None:
            if token[0] == "q":
                self._add(token)
            self._add(f"o:{token.rsplit('.', 1)[-1] if token[0] == 'q' else name}")

    # Functions

    def _function(self, function: ir.Function, owner: str) -> None:
        name = function.name
        dunder = bool(owner) and name.startswith("__") and name.endswith("__")
        labels: tuple[str, ...] = (f"m:{owner}.{name}",) if owner else (f"n:{name}",)
        if not dunder:
            labels = (*labels, f"a:{name}")
        node = Node(labels, name, owner, dunder=dunder)
        node.function = not owner
        self.nodes.append(node)
        self.functions[id(function)] = node
        for decorator in function.decorators:
            if last_name(decorator) not in _PLAIN_DECORATORS:
                self.taken.update(labels)
            self._expr_in(decorator, node)
        own_self = self._self
        if owner:
            self._self = function.params[0].name if function.params else ""
        self._sinks.append(node.tokens)
        self._enter(function)
        self._sinks.pop()
        self._self = own_self

    def _expr_in(self, expr: ir.Expr, node: Node) -> None:
        self._sinks.append(node.tokens)
        self._expr(expr)
        self._sinks.pop()

    def _enter(self, function: ir.Function) -> None:
        """The body of a function or lambda, with its names out of the way."""
        loading, self._loading = self._loading, False
        params = frozenset(param.name for param in function.params)
        for param in function.params:
            if param.default is not None:
                if _is_mutable(param.default) and _is_used(param.name, function.body):
                    self._add("!")
                self._expr(param.default)
        if function.globals or function.nonlocals:
            self._add("!")
        self._scopes.append((frozenset(function.locals), params))
        plain = {param.name for param in function.params if is_builtin_annotation(param.annotation)}
        builtin, aliases, types = variable_types(function.body, params)
        types.update(parameter_types(function))
        self._plain.append(plain | builtin)
        self._aliases.append(aliases)
        self._types.append(types)
        for stmt in function.body:
            self._walk(stmt)
        self._plain.pop()
        self._aliases.pop()
        self._types.pop()
        self._scopes.pop()
        self._loading = loading

    # Inside

    def _add(self, token: str) -> None:
        for sink in self._sinks:
            sink.add(token)

    def _walk(self, item: Any) -> None:
        """Any node of the representation."""
        kind = type(item)
        visit = _VISIT.get(kind)
        if visit is not None:
            visit(self, item)
            return
        if kind is list:
            for part in item:
                self._walk(part)
            return
        for field in INNER_FIELDS.get(kind, ()):
            value = getattr(item, field)
            if value is not None:
                self._walk(value)

    _expr = _walk

    def nothing(self, item: Any) -> None:
        """Constants and imports mention nothing."""

    def nested_function(self, stmt: ir.FunctionDef) -> None:
        """A function within a function; what it mentions counts for the outer ones too."""
        owner, own_self = self._class, self._self
        node = Node((), stmt.function.name)
        self.functions[id(stmt.function)] = node
        for decorator in stmt.function.decorators:
            self._expr(decorator)
        self.nodes.append(node)
        self._sinks.append(node.tokens)
        self._enter(stmt.function)
        self._sinks.pop()
        self._class, self._self = owner, own_self

    def nested_class(self, stmt: ir.ClassDef) -> None:
        """A class within a function."""
        self._class_(stmt)

    def lambda_(self, item: ir.Lambda) -> None:
        """A lambda; its parameters hide names."""
        self._enter(item.function)

    def name(self, item: ir.Name) -> None:
        """A name that is not called."""
        token = self._resolve(item.id)
        if token is not None:
            self._add(token)
            self._take(token)
            if token[0] == "q":
                self.hands_out = self.hands_out or item.id in self._imported
                self._add(f"n:{token.rsplit('.', 1)[-1]}")

    def _take(self, token: str) -> None:
        self.taken.add(token if token[0] != "q" else f"n:{token.rsplit('.', 1)[-1]}")

    def _resolve(self, name: str) -> str | None:
        """The token of a name; None for one that is bound in the function."""
        bound = self._bound.get(name)
        if bound is not None:
            return f"q:{bound}"
        for names, _ in self._scopes:
            if name in names:
                return None
        return f"n:{name}"

    def attr(self, item: ir.Attr) -> None:
        """An attribute that is not called."""
        self._attribute(item, called=False, arguments=0)

    def _attribute(self, item: ir.Attr, *, called: bool, arguments: int, unary: bool = False) -> None:  # noqa: C901 - one case a receiver
        name = item.name
        obj = item.obj
        parts = [name]
        while type(obj) is ir.Attr:
            parts.append(obj.name)
            obj = obj.obj
        if type(obj) is ir.Name:
            token = self._resolve(obj.id)
            if token is not None and token[0] == "q":
                if not (called and self._loading):
                    self._add(f"{'u' if unary else 'q'}{token[1:]}.{'.'.join(reversed(parts))}")
                self._add(f"n:{name}")
                if not called:
                    self.taken.add(f"n:{name}")
                return
            owner = ""
            if obj.id == self._self and obj.id:
                if len(parts) == 1:
                    owner = self._class
                elif len(parts) == 2:
                    self._add(f"s:{self._class}.{parts[1]}")
                    owner = self._fields.get(parts[1], "")
            elif token is None and len(parts) == 1:
                owner = next((types[obj.id] for types in reversed(self._types) if obj.id in types), "")
            if owner:
                self._add(f"s:{owner}.{name}")
                if not called:
                    self.taken.add(f"m:{owner}.{name}")
                return
            if token is not None:
                self._add(token)
            elif len(parts) == 1 and name in COMMON_METHODS and any(obj.id in plain for plain in self._plain):
                return
        elif type(obj) in DISPLAYS:
            self._walk(obj)
            if len(parts) == 1:
                return
        elif type(obj) is ir.Call and type(obj.func) is ir.Name and obj.func.id == "super" and len(parts) == 1:
            self._add(f"s:{self._class}.{name}")
            return
        else:
            self._walk(obj)
        for middle in parts[1:]:
            self._add(f"a:{middle}")
        if name.startswith("__"):
            return  # what the language calls counts for the class, which is mentioned too
        if name == "replace" and called and arguments != 1:
            return  # a string's; a path's takes one argument
        self._add(f"a:{name}")
        if not called:
            self.taken.add(f"a:{name}")

    def call(self, item: ir.Call) -> None:
        """A call."""
        func = item.func
        kind = type(func)
        unary = len(item.args) == 1 and item.args[0].keyword is None and not item.args[0].star
        if kind is ir.Name:
            name = func.id  # type: ignore[union-attr]
            token = self._resolve(name)
            if token is None:
                if not any(name in params for _, params in self._scopes) and not any(
                    name in aliases for aliases in self._aliases
                ):
                    self._add("i:")
            else:
                bare = token.rsplit(".", 1)[-1] if token[0] == "q" else token[2:]
                if not self._loading:
                    self._add(f"u{token[1:]}" if unary and token[0] == "q" else token)
                    self._add(f"n:{bare}")
                elif token[0] == "q" or name not in _BUILTIN_NAMES:
                    self._add(f"o:{bare}")
                if name == "getattr" and len(item.args) > 1:
                    self._getattr(item.args[1].value)
                elif name in ("isinstance", "issubclass") and item.args:
                    self._walk(item.args[0].value)
                    return
        elif kind is ir.Attr:
            self._attribute(func, called=True, arguments=len(item.args), unary=unary)  # type: ignore[arg-type]
        else:
            if last_name(func) != "getattr":
                self._add("i:")
            self._walk(func)
        for arg in item.args:
            self._walk(arg.value)

    def _getattr(self, name: ir.Expr) -> None:
        if type(name) is ir.Const:
            self._add(f"a:{name.value}")
            self.taken.add(f"a:{name.value}")
            return
        first: object = None
        if type(name) is ir.Joined and name.parts and type(name.parts[0]) is ir.Const:
            first = name.parts[0].value
        elif type(name) is ir.Binary:
            left = name.left
            while type(left) is ir.Binary:
                left = left.left
            if type(left) is ir.Const:
                first = left.value
        self._add(f"p:{first.split('%', 1)[0].split('{', 1)[0] if isinstance(first, str) else ''}")

    def annotated(self, item: ir.AnnAssign) -> None:
        """An annotated assignment; annotations are not run for effects."""
        self._walk(item.target)
        if item.value is not None:
            self._walk(item.value)

    def handler(self, item: ir.Handler) -> None:
        """An except clause; the exceptions it names are only compared with."""
        for stmt in item.body:
            self._walk(stmt)

    def arg(self, item: ir.Arg) -> None:
        """An argument of a call."""
        self._walk(item.value)


def _is_mutable(value: ir.Expr) -> bool:
    kind = type(value)
    if kind is ir.Sequence:
        return value.kind != "tuple"  # type: ignore[union-attr]
    if kind is ir.Call:
        return last_name(value) in ("list", "dict", "set", "defaultdict", "deque", "OrderedDict", "Counter")
    return kind in (ir.Dict, ir.Comprehension)


def _is_used(name: str, body: list[ir.Stmt]) -> bool:
    """Whether an attribute or item of a variable is mentioned."""
    stack: list[Any] = list(body)
    while stack:
        item = stack.pop()
        if type(item) is list:
            stack.extend(item)
        elif type(item) in (ir.Attr, ir.Subscript) and type(item.obj) is ir.Name and item.obj.id == name:
            return True
        else:
            stack.extend(getattr(item, field) for field in INNER_FIELDS.get(type(item), ()))
    return False


_VISIT: dict[type, Callable[[ModuleMentions, Any], None]] = {
    ir.Name: ModuleMentions.name,
    ir.Attr: ModuleMentions.attr,
    ir.Call: ModuleMentions.call,
    ir.Arg: ModuleMentions.arg,
    ir.AnnAssign: ModuleMentions.annotated,
    ir.Handler: ModuleMentions.handler,
    ir.Lambda: ModuleMentions.lambda_,
    ir.FunctionDef: ModuleMentions.nested_function,
    ir.ClassDef: ModuleMentions.nested_class,
    ir.Const: ModuleMentions.nothing,
    ir.Bytes: ModuleMentions.nothing,
    ir.Literal: ModuleMentions.nothing,
    ir.Import: ModuleMentions.nothing,
    ir.ImportFrom: ModuleMentions.nothing,
    ir.Break: ModuleMentions.nothing,
    ir.Continue: ModuleMentions.nothing,
}
