"""Mappings made into objects with typed fields: pydantic, marshmallow_dataclass, dacite, cattrs, dataclasses_json.

The annotations of a class say what becomes of the entries of a mapping: a nested mapping becomes an object of the
nested class, and a string whose annotation is `Path` a path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.models.files.formats import content_of
from taskgates.inference.models.registry import CLASS_ATTRIBUTES, FUNCTIONS, Machine, function, method
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance, ListObj
from taskgates.inference.values import DATA, NONE, UNKNOWN, AnyValue, Ext, Known, Native, TupleV, Union, join, path_text
from taskgates.model.access import Operation
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCHEMA = "marshmallow.Schema"
_LISTS = frozenset({"list", "List", "Sequence", "Iterable", "Collection", "tuple", "Tuple", "set", "Set", "frozenset"})
_MAPPINGS = frozenset({"dict", "Dict", "Mapping", "MutableMapping"})
_PATHS = frozenset({"Path", "PosixPath", "PurePath", "FilePath", "DirectoryPath", "NewPath"})


def field_annotations(cls: ClassV) -> dict[str, tuple[ir.Expr, ClassV]]:
    """The annotations in the bodies of a class and its bases, each with the class that it stands in."""
    out: dict[str, tuple[ir.Expr, ClassV]] = {}
    for base in reversed(cls.mro):
        if isinstance(base, ClassV) and base.node is not None:
            for stmt in base.node.body:
                if isinstance(stmt, ir.AnnAssign) and isinstance(stmt.target, ir.Name):
                    out[stmt.target.id] = (stmt.annotation, base)
    return out


def structured(machine: Machine, cls: AnyValue, value: AnyValue) -> AnyValue:
    """An object of a class of the analysed code, made from a mapping."""
    if isinstance(value, Union):
        return join(structured(machine, cls, option) for option in value.options)
    if not isinstance(cls, ClassV) or not isinstance(value, DictObj):
        return value if isinstance(value, Instance) else DATA
    given = {str(key.value): item for key, item in value.known() if isinstance(key, Known)}
    return machine.call(cls, Arguments((), convert_fields(machine, cls, given), None, value.rest))  # type: ignore[no-any-return]


def convert_fields(machine: Machine, cls: ClassV, given: dict[str, AnyValue]) -> dict[str, AnyValue]:
    """Arguments as the fields of a class take them."""
    known = field_annotations(cls)
    return {name: convert(machine, *known[name], value) if name in known else value for name, value in given.items()}


def convert(machine: Machine, annotation: ir.Expr, owner: ClassV, value: AnyValue) -> AnyValue:
    """A value as an annotation wants it; as it is where the annotation says nothing."""
    if isinstance(value, Known) and value.value is None:
        return value
    head, inner = _parts(annotation)
    if head in ("Optional", "Union", "Annotated", "Final", "Required", "NotRequired"):
        for each in inner[:1] if head == "Annotated" else inner:
            found = convert(machine, each, owner, value)
            if found is not value:
                return found
        return value
    if head in _LISTS and inner and isinstance(value, ListObj | TupleV):
        rest = convert(machine, inner[0], owner, value.rest) if value.rest is not None else None
        items = [convert(machine, inner[0], owner, item) for item in value.items]
        return TupleV(items, rest) if head in ("tuple", "Tuple") else ListObj("list", items, rest)
    if head in _MAPPINGS and len(inner) == 2 and isinstance(value, DictObj):
        out = DictObj(value.kind)
        for key, item in value.known():
            out.slots[key] = convert(machine, inner[1], owner, item)
        if value.rest is not None:
            machine.put(out, UNKNOWN, convert(machine, inner[1], owner, value.rest))
        return out
    if head in _PATHS and path_text(value) is not None:
        return machine.call(Ext("pathlib.Path"), Arguments([value]))  # type: ignore[no-any-return]
    if isinstance(value, DictObj):
        cls = _resolve(machine, annotation, owner)
        return structured(machine, cls, value) if isinstance(cls, ClassV) else value
    if isinstance(value, Known) and head not in ("str", "int", "float", "bool", ""):
        cls = _resolve(machine, annotation, owner)
        if isinstance(cls, ClassV) and "enum" in cls.traits:
            return machine.call(cls, Arguments([value]))  # type: ignore[no-any-return]
    return value


def _parts(annotation: ir.Expr) -> tuple[str, list[ir.Expr]]:
    """The head of an annotation and what stands in its brackets; `A | B` as a Union."""
    if isinstance(annotation, ir.Binary):
        return "Union", list(_alternatives(annotation))
    if isinstance(annotation, ir.Subscript):
        index = annotation.index
        inner: list[ir.Expr] = list(index.items) if isinstance(index, ir.Sequence) else [index]
        return _head(annotation.obj), inner
    return _head(annotation), []


def _alternatives(node: ir.Expr) -> Iterator[ir.Expr]:
    if isinstance(node, ir.Binary):
        yield from _alternatives(node.left)
        yield from _alternatives(node.right)
    else:
        yield node


def _head(node: ir.Expr) -> str:
    if isinstance(node, ir.Attr):
        return node.name
    if isinstance(node, ir.Const) and isinstance(node.value, str):
        return node.value.rpartition(".")[2]
    return node.id if isinstance(node, ir.Name) else ""


def nested_class(machine: Machine, annotation: ir.Expr, owner: ClassV) -> ClassV | None:
    """The class of the analysed code that an annotation names; `Optional` is left away."""
    head, inner = _parts(annotation)
    for each in inner if head in ("Optional", "Union") else [annotation]:
        found = _resolve(machine, each, owner)
        if isinstance(found, ClassV):
            return found
    return None


def _resolve(machine: Machine, annotation: ir.Expr, owner: ClassV) -> AnyValue:
    """The class that an annotation names, in the module of the class that it stands in."""
    if owner.module is None:
        return UNKNOWN
    slots: Any = owner.module.slots
    if isinstance(annotation, ir.Const) and isinstance(annotation.value, str):
        return slots.get(annotation.value, UNKNOWN)  # type: ignore[no-any-return]
    if isinstance(annotation, ir.Name):
        found = owner.slots.get(annotation.id, slots.get(annotation.id, UNKNOWN))
        return found if isinstance(found, ClassV | Ext) else UNKNOWN
    if isinstance(annotation, ir.Attr) and isinstance(annotation.obj, ir.Name):
        module = slots.get(annotation.obj.id)
        return machine.get_attr(module, annotation.name) if module is not None else UNKNOWN
    return UNKNOWN


# Libraries


@function("dacite.from_dict")
def dacite_from_dict(machine: Machine, args: Arguments) -> AnyValue:
    """`from_dict(data_class=Config, data=mapping)`."""
    return structured(machine, args.get(0, "data_class") or UNKNOWN, args.get(1, "data") or UNKNOWN)


@function("cattrs.structure", "cattr.structure", "cattrs.Converter.structure", "msgspec.convert")
def structure(machine: Machine, args: Arguments) -> AnyValue:
    """`structure(mapping, Config)`."""
    cls = args.get(1, "cl") or args.kw.get("type") or UNKNOWN
    return structured(machine, cls, args.get(0, "obj") or UNKNOWN)


def _decoder(name: str, parser: str) -> None:
    """`msgspec.json.decode(text, type=Config)` and its like."""

    def model(machine: Machine, args: Arguments) -> AnyValue:
        text = args.pos[0] if args.pos else UNKNOWN
        found = FUNCTIONS[parser](machine, Arguments([text])) or DATA
        cls = args.kw.get("type")
        return found if cls is None else structured(machine, cls, found)

    FUNCTIONS[f"msgspec.{name}.decode"] = model


for _name, _parser in (("json", "json.loads"), ("toml", "tomllib.loads"), ("yaml", "yaml.safe_load")):
    _decoder(_name, _parser)


@function("marshmallow_dataclass.class_schema")
def class_schema(machine: Machine, args: Arguments) -> AnyValue:
    """`class_schema(Config)`: a class whose objects load mappings."""
    del machine
    cls = args.get(0, "clazz") or UNKNOWN

    def make(_: Machine, __: Arguments) -> AnyValue:
        out = Instance(Ext(SCHEMA))
        out.slots[("class",)] = cls
        return out

    return Native("class_schema", make)


@method(f"{SCHEMA}.load", f"{SCHEMA}.loads")
def schema_load(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`schema.load(mapping)`."""
    cls = obj.slots.get(("class",))
    if cls is None:
        return None
    value = args.get(0, "data") or args.get(0, "json_data") or UNKNOWN
    return structured(machine, cls, value)


def _has_fields(cls: ClassV) -> bool:
    return any(isinstance(base, ClassV) and "fields" in base.traits for base in cls.mro)


def _maker(make: Callable[[Machine, ClassV, Arguments], AnyValue]) -> Callable[[Machine, ClassV], AnyValue | None]:
    """A class method that a library gives to classes with fields."""

    def attribute(machine: Machine, cls: ClassV) -> AnyValue | None:
        del machine
        return Native("from a mapping", lambda machine, args: make(machine, cls, args)) if _has_fields(cls) else None

    return attribute


def _first(args: Arguments) -> AnyValue:
    return args.pos[0] if args.pos else next(iter(args.kw.values()), UNKNOWN)


def _from_mapping(machine: Machine, cls: ClassV, args: Arguments) -> AnyValue:
    """`Config.from_dict(mapping)`."""
    return structured(machine, cls, _first(args))


def _from_keywords(machine: Machine, cls: ClassV, args: Arguments) -> AnyValue:
    """`Config.model_construct(**fields)`: fields as they are."""
    return machine.call(cls, Arguments((), args.kw, None, args.kwstar))  # type: ignore[no-any-return]


def _from_json(machine: Machine, cls: ClassV, args: Arguments) -> AnyValue:
    """`Config.from_json(text)`."""
    return structured(machine, cls, FUNCTIONS["json.loads"](machine, Arguments([_first(args)])) or DATA)


def _from_file(machine: Machine, cls: ClassV, args: Arguments) -> AnyValue:
    """`Config.parse_file(path)`."""
    path = _first(args)
    machine.access(Operation.READ, path, "pydantic.BaseModel.parse_file")
    text = content_of(machine, path)
    return structured(machine, cls, FUNCTIONS["json.loads"](machine, Arguments([text])) or DATA)


def _schema(machine: Machine, cls: ClassV, args: Arguments) -> AnyValue:
    """`Config.Schema()`: an object that loads mappings."""
    del args
    return machine.call(class_schema(machine, Arguments([cls])), Arguments())  # type: ignore[no-any-return]


for _names, _make in (
    (("model_validate", "parse_obj", "from_dict"), _from_mapping),
    (("model_construct", "construct"), _from_keywords),
    (("model_validate_json", "parse_raw", "from_json"), _from_json),
    (("parse_file",), _from_file),
    (("Schema", "schema"), _schema),
):
    for _name in _names:
        CLASS_ATTRIBUTES.setdefault(_name, _maker(_make))


@function("pydantic.TypeAdapter")
def type_adapter(machine: Machine, args: Arguments) -> AnyValue:
    """`TypeAdapter(Config)`."""
    del machine
    out = Instance(Ext("pydantic.TypeAdapter"))
    out.slots[("class",)] = args.pos[0] if args.pos else NONE
    return out


@method("pydantic.TypeAdapter.validate_python")
def validate_python(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`adapter.validate_python(mapping)`."""
    return structured(machine, obj.slots.get(("class",), UNKNOWN), args.pos[0] if args.pos else UNKNOWN)
