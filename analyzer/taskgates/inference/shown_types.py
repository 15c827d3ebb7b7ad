"""What the text of a function or class shows of the types of its variables, parameters and fields."""

from __future__ import annotations

from typing import Any

from taskgates.syntax import ir

DISPLAYS = (ir.Const, ir.Bytes, ir.Joined, ir.Sequence, ir.Dict, ir.Comprehension, ir.Literal)
_BUILTIN_TYPES = frozenset(
    {"str", "bytes", "bytearray", "list", "dict", "set", "frozenset", "tuple", "int", "float", "bool"}
    | {"List", "Dict", "Set", "Tuple"}
)
_BUILTIN_CALLS = _BUILTIN_TYPES | {
    "sorted", "len", "repr", "range", "enumerate", "zip", "sum", "min", "max", "abs", "round", "defaultdict",
}  # fmt: skip


def is_builtin_annotation(annotation: ir.Expr | None) -> bool:
    """Whether an annotation names a built-in type, parameters aside."""
    while type(annotation) is ir.Subscript:
        annotation = annotation.obj
    return type(annotation) is ir.Name and annotation.id in _BUILTIN_TYPES


def variable_types(body: list[ir.Stmt], params: frozenset[str]) -> tuple[set[str], set[str], dict[str, str]]:
    """What the assignments of a function show of its variables, where they agree.

    Those that only ever hold values of built-in types, those that are but other names, and the classes of those that
    are only ever made by calling one. A variable that is bound in another way is none of these.
    """
    plain: set[str] = set()
    aliases: set[str] = set()
    types: dict[str, str] = {}
    other: set[str] = set(params)
    stack: list[Any] = list(body)
    while stack:
        stmt = stack.pop()
        kind = type(stmt)
        if kind is ir.Assign:
            made = _made_class(stmt.value)
            for target in stmt.targets:
                if type(target) is not ir.Name:
                    other.update(_target_names(target))
                elif _is_builtin_value(stmt.value):
                    plain.add(target.id)
                elif type(stmt.value) in (ir.Name, ir.Attr):
                    aliases.add(target.id)
                elif made and types.setdefault(target.id, made) == made:
                    continue
                else:
                    other.add(target.id)
        elif kind is ir.AnnAssign:
            if type(stmt.target) is ir.Name:
                if is_builtin_annotation(stmt.annotation):
                    plain.add(stmt.target.id)
                else:
                    other.add(stmt.target.id)
        elif kind is ir.For:
            other.update(_target_names(stmt.target))
        elif kind is ir.With:
            for item in stmt.items:
                other.update(_target_names(item.target))
        elif kind is ir.FunctionDef:
            aliases.add(stmt.function.name)
        for inner in blocks_of(stmt):
            stack.extend(inner)
    classes = {name: made for name, made in types.items() if name not in plain | aliases | other}
    return plain - aliases - other - set(types), aliases - plain - other - set(types), classes


def parameter_types(function: ir.Function) -> dict[str, str]:
    """The classes that annotations give for parameters that are not bound again."""
    types: dict[str, str] = {}
    for param in function.params:
        name = _annotated_class(param.annotation)
        if name and param.kind not in ("args", "kwargs"):
            types[param.name] = name
    if types:
        rebound = {name for stmt in function.body for name in _bound_names(stmt)}
        types = {name: kind for name, kind in types.items() if name not in rebound}
    return types


def _bound_names(stmt: ir.Stmt) -> set[str]:
    names: set[str] = set()
    if type(stmt) is ir.Assign:
        for target in stmt.targets:
            names |= _target_names(target)
    elif type(stmt) is ir.For:
        names |= _target_names(stmt.target)
    for inner in blocks_of(stmt):
        for part in inner:
            names |= _bound_names(part)
    return names


def _annotated_class(annotation: Any) -> str:
    """The class that an annotation names, `X | None` and `Optional[X]` included; empty where it names none."""
    kind = type(annotation)
    if kind is ir.Name:
        name = annotation.id
    elif kind is ir.Attr:
        name = annotation.name
    elif kind is ir.Const and isinstance(annotation.value, str):
        sides = [side.strip() for side in annotation.value.split("|") if side.strip() != "None"]
        name = sides[0].rsplit(".", 1)[-1] if len(sides) == 1 else ""
    elif kind is ir.Subscript and last_name(annotation.obj) == "Optional":
        return _annotated_class(annotation.index)
    elif kind is ir.Binary and annotation.op == "|":
        given = [side for side in (annotation.left, annotation.right) if not _is_none(side)]
        return _annotated_class(given[0]) if len(given) == 1 else ""
    else:
        return ""
    return name if name.isidentifier() and name.lstrip("_")[:1].isupper() and name != "Any" else ""


def _is_none(expr: Any) -> bool:
    return type(expr) is ir.Const and expr.value is None


def _made_class(value: Any) -> str:
    """The class whose call a value is, as far as its spelling tells."""
    if type(value) is ir.Call:
        name = last_name(value)
        if name.lstrip("_")[:1].isupper() and not name.isupper():
            return name
    return ""


def field_types(stmt: ir.ClassDef) -> dict[str, str]:
    """The classes of the fields of a class: annotated, or made in `__init__` and bound nowhere else in it."""
    types: dict[str, str] = {}
    unclear: set[str] = set()

    def note(name: str, kind: str) -> None:
        if not kind or types.setdefault(name, kind) != kind:
            unclear.add(name)

    for part in stmt.body:
        if type(part) is ir.AnnAssign and type(part.target) is ir.Name:
            note(part.target.id, _annotated_class(part.annotation))
        elif type(part) is ir.FunctionDef and part.function.params:
            receiver = part.function.params[0].name
            given = parameter_types(part.function)
            stack: list[Any] = list(part.function.body)
            while stack:
                inner = stack.pop()
                targets = inner.targets if type(inner) is ir.Assign else [getattr(inner, "target", None)]
                for target in targets:
                    if type(target) is ir.Attr and type(target.obj) is ir.Name and target.obj.id == receiver:
                        value = getattr(inner, "value", None)
                        if type(inner) is ir.AnnAssign:
                            note(target.name, _annotated_class(inner.annotation))
                        elif type(value) is ir.Name:
                            note(target.name, given.get(value.id, ""))
                        elif not _is_none(value):
                            note(target.name, _made_class(value))
                for block in blocks_of(inner):
                    stack.extend(block)
    return {name: kind for name, kind in types.items() if name not in unclear}


def _target_names(target: Any) -> set[str]:
    if type(target) is ir.Name:
        return {target.id}
    if type(target) is ir.Sequence:
        return set().union(*(_target_names(item) for item in target.items))
    return _target_names(target.value) if type(target) is ir.Star else set()


def _is_builtin_value(value: ir.Expr) -> bool:
    kind = type(value)
    if kind is ir.Call:
        func = value.func  # type: ignore[union-attr]
        if type(func) is ir.Attr:
            return type(func.obj) is ir.Const
        return type(func) is ir.Name and func.id in _BUILTIN_CALLS
    return kind in DISPLAYS


def blocks_of(stmt: ir.Stmt) -> list[list[ir.Stmt]]:
    """The blocks of a compound statement that is no definition."""
    kind = type(stmt)
    if kind in (ir.If, ir.While, ir.For):
        return [stmt.body, stmt.orelse]  # type: ignore[union-attr]
    if kind is ir.With:
        return [stmt.body]  # type: ignore[union-attr]
    if kind is ir.Try:
        handlers = [handler.body for handler in stmt.handlers]  # type: ignore[union-attr]
        return [stmt.body, *handlers, stmt.orelse, stmt.final]  # type: ignore[union-attr]
    if kind is ir.Match:
        return [case.body for case in stmt.cases]  # type: ignore[union-attr]
    return []


def last_name(expr: ir.Expr) -> str:
    """The last component of a name or attribute, or of what a call calls; empty for anything else."""
    if type(expr) is ir.Call:
        expr = expr.func
    if type(expr) is ir.Attr:
        return expr.name
    return expr.id if type(expr) is ir.Name else ""
