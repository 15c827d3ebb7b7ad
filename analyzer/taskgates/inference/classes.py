"""What decorators, metaclasses and library bases make of a class: dataclasses, enums, named tuples."""

from __future__ import annotations

from typing import Any

from taskgates.inference.comparison import combined_flags
from taskgates.inference.core import Core
from taskgates.inference.exceptions import is_exception
from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models import registry
from taskgates.inference.models.values.settings_classes import BASES as _SETTINGS_BASES
from taskgates.inference.models.values.settings_classes import settings_values
from taskgates.inference.models.values.structuring import convert_fields
from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Instance, Maybe
from taskgates.inference.values import (
    FALSE,
    NONE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Descriptor,
    Ext,
    Known,
    Native,
    TupleV,
    Unknown,
    join,
)
from taskgates.syntax import ir

ENUM_BASES = frozenset({"enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag", "enum.ReprEnum"})
_VALUE_BASES = frozenset(f"builtins.{name}" for name in ("str", "int", "float", "tuple", "bytes"))
_CONTAINER_BASES = frozenset(
    {
        "builtins.dict",
        "builtins.list",
        "builtins.set",
        "collections.OrderedDict",
        "collections.UserDict",
        "collections.defaultdict",
        "collections.Counter",
        "collections.deque",
    }
)
_DATACLASS = frozenset(
    {
        "dataclasses.dataclass",
        "attr.s",
        "attr.attrs",
        "attr.define",
        "attr.frozen",
        "attr.mutable",
        "attr.dataclass",
        "attrs.define",
        "attrs.frozen",
        "attrs.mutable",
        "pydantic.dataclasses.dataclass",
    }
)
_FIELD = frozenset({"dataclasses.field", "attr.ib", "attr.field", "attrs.field", "attr.attrib", "pydantic.Field"})
_FIELD_BASES = frozenset({"pydantic.BaseModel", "msgspec.Struct"}) | _SETTINGS_BASES


class FieldDefault(Instance):
    """A `field(default=..., default_factory=...)` in a class body."""

    __slots__ = ()


class Classes(Core):
    """Class construction beyond the class statement itself."""

    def build_class(self, node: ir.ClassDef, cls: ClassV, keywords: dict[str, AnyValue]) -> AnyValue:
        """Finish a class."""
        cls.metaclass = keywords.get("metaclass")
        for base in cls.mro[1:]:
            if isinstance(base, ClassV):
                if cls.metaclass is None:
                    cls.metaclass = base.metaclass
                for trait in ("enum", "fields", "auto_fields"):
                    if trait in base.traits and trait not in cls.traits and trait != "fields":
                        cls.traits[trait] = base.traits[trait]
        for parent in cls.bases:
            if isinstance(parent, ClassV):
                parent.traits.setdefault("subclasses", []).append(cls)
        externals = [base.name for base in cls.mro if isinstance(base, Ext)]
        if is_exception(cls):
            cls.traits["exception"] = True
        asks = cls.find("__getattribute__")
        if isinstance(asks, FunctionV):
            cls.traits["asks"] = asks
        if any(name in ENUM_BASES for name in externals):
            self.make_enum(cls, externals)
        elif "typing.NamedTuple" in externals:
            self.make_fields(cls, node, keyword_only=False)
            cls.traits["tuple"] = list(cls.traits["fields"])
        elif any(name in _FIELD_BASES for name in externals):
            self.make_fields(cls, node, keyword_only=False)
            cls.traits["auto_fields"] = True
        for name, value in list(cls.slots.items()):
            if isinstance(value, Instance) and isinstance(value.cls, ClassV) and self.has_attr(value, "__set_name__"):
                self.call(self.get_attr(value, "__set_name__"), Arguments([cls, Known(name)]))
        for base in cls.mro[1:]:
            if isinstance(base, ClassV) and "__init_subclass__" in base.slots:
                hook = base.slots["__init_subclass__"]
                hook = hook.func if isinstance(hook, Descriptor) else hook
                rest = {key: value for key, value in keywords.items() if key != "metaclass"}
                self.call(hook, Arguments([cls], rest))
                break
        if isinstance(cls.metaclass, ClassV):
            self.run_metaclass(cls, keywords)
        return cls

    def run_metaclass(self, cls: ClassV, keywords: dict[str, AnyValue]) -> None:
        """Run `__new__` and `__init__` of a metaclass of the analysed code on a finished class."""
        assert isinstance(cls.metaclass, ClassV)
        rest = {key: value for key, value in keywords.items() if key != "metaclass"}
        for hook in ("__new__", "__init__"):
            for base in cls.metaclass.mro:
                if isinstance(base, ClassV) and hook in base.slots:
                    func = base.slots[hook]
                    func = func.func if isinstance(func, Descriptor) else func
                    namespace = DictObj("dict", {Known(k): v for k, v in cls.slots.items() if isinstance(k, str)})
                    first: AnyValue = cls.metaclass if hook == "__new__" else cls
                    cls.traits["being_made"] = True
                    self.making.append(cls)
                    try:
                        self.call(func, Arguments([first, Known(cls.name), TupleV(cls.bases), namespace], rest))
                    except AbstractRaise:
                        self.may_raise()
                    finally:
                        self.making.pop()
                    break

    making: list[ClassV]

    def make_enum(self, cls: ClassV, externals: list[str]) -> None:
        """Turn the constants of an enum's body into members."""
        cls.traits["enum"] = True
        members: list[Instance] = []
        flags = "enum.Flag" in externals or "enum.IntFlag" in externals
        if flags:
            cls.traits["flags"] = True
        for name, value in list(cls.slots.items()):
            if not isinstance(name, str) or name.startswith("_") or isinstance(value, FunctionV | Descriptor | ClassV):
                continue
            plain = value.value if isinstance(value, Maybe) else value
            if isinstance(plain, BoundMethod):
                continue
            if isinstance(plain, Instance) and isinstance(plain.cls, Ext) and plain.cls.name == "enum.auto":
                plain = Known(name.lower() if "enum.StrEnum" in externals else _next_value(members, flags=flags))
            member = Instance(cls)
            member.slots["name"] = Known(name)
            member.slots["_name_"] = Known(name)
            member.slots["value"] = plain
            member.slots["_value_"] = plain
            if "__init__" in cls.slots:
                args = Arguments(plain.items if isinstance(plain, TupleV) else [plain])
                self.call(cls.slots["__init__"], args.shifted(member))
            cls.slots[name] = member
            members.append(member)
        cls.traits["members"] = members

    def make_fields(self, cls: ClassV, node: ir.ClassDef | None, *, keyword_only: bool) -> None:
        """Collect the annotated fields of a class and of its bases, in order."""
        fields: dict[str, AnyValue | None] = {}
        for base in reversed(cls.mro[1:]):
            if isinstance(base, ClassV) and "fields" in base.traits:
                fields.update(base.traits["fields"])
        if node is not None:
            for stmt in node.body:
                if isinstance(stmt, ir.AnnAssign) and isinstance(stmt.target, ir.Name):
                    head = _annotation_head(stmt.annotation)
                    if head == "ClassVar":
                        continue
                    if head == "InitVar":
                        cls.traits.setdefault("init_only", []).append(stmt.target.id)
                    fields[stmt.target.id] = cls.slots.get(stmt.target.id)
                elif isinstance(stmt, ir.Assign) and isinstance(stmt.targets[0], ir.Name):
                    value = cls.slots.get(stmt.targets[0].id)
                    if isinstance(value, FieldDefault):
                        fields[stmt.targets[0].id] = value
        cls.traits["fields"] = fields
        cls.traits["keyword_only"] = keyword_only
        for name, value in fields.items():
            if isinstance(value, FieldDefault) and name in cls.slots:
                default = value.slots.get("default")
                if default is None:
                    del cls.slots[name]
                else:
                    cls.slots[name] = default

    def init_fields(self, instance: Instance, cls: ClassV, args: Arguments) -> None:
        """The generated `__init__` of a dataclass."""
        fields: dict[str, AnyValue | None] = {}
        for base in cls.mro:
            if isinstance(base, ClassV) and "fields" in base.traits:
                fields = base.traits["fields"]
                break
        init_only = {name for base in cls.mro if isinstance(base, ClassV) for name in base.traits.get("init_only", ())}
        passed: dict[str, AnyValue] = {}
        if any(isinstance(base, Ext) and base.name in _SETTINGS_BASES for base in cls.mro):
            args = Arguments(args.pos, settings_values(self, cls, args.kw), args.star, args.kwstar)
        if "auto_fields" in cls.traits and args.kw:
            args = Arguments(args.pos, convert_fields(self, cls, args.kw), args.star, args.kwstar)
        index = 0
        for name, default in fields.items():
            is_field = isinstance(default, FieldDefault)
            takes = not (is_field and isinstance(init := default.slots.get("init"), Known) and init.value is False)  # type: ignore[union-attr]
            positional = takes and not (is_field and "kw_only" in default.slots)  # type: ignore[union-attr]
            if name in args.kw and takes:
                value = args.kw[name]
            elif positional and index < len(args.pos):
                value = args.pos[index]
                index += 1
            elif args.star is not None and takes:
                value = args.star
            else:
                value = self.field_default(default)
                if args.kwstar is not None and takes:
                    value = join([value, args.kwstar]) if default is not None else args.kwstar
                elif default is None:
                    self.may_raise("TypeError")
                if is_field and "method" in default.slots:  # type: ignore[union-attr]
                    value = self.call(default.slots["method"], Arguments([instance]))  # type: ignore[union-attr]
            if is_field and "converter" in default.slots:  # type: ignore[union-attr]
                value = self.call(default.slots["converter"], Arguments([value]))  # type: ignore[union-attr]
            if name in init_only:
                passed[name] = value
            else:
                self.state.write(instance.slots, name, value)
        for base in cls.mro:
            if isinstance(base, ClassV):
                for hook in ("__post_init__", "__attrs_post_init__", "model_post_init"):
                    if hook in base.slots:
                        self.call(base.slots[hook], Arguments([instance, *passed.values()]))
                        return

    def field_default(self, default: AnyValue | None) -> AnyValue:
        """The value of a field that no argument fills."""
        if isinstance(default, FieldDefault):
            factory = default.slots.get("factory")
            if factory is not None:
                return self.call(factory, Arguments())
            found = default.slots.get("default")
            return found if found is not None else Unknown("a field without a default", "argument")
        return default if default is not None else Unknown("a field without a default", "argument")

    def construct_special(self, cls: ClassV, args: Arguments) -> AnyValue | None:
        """Instances of enums, and of classes over str, int, Path and the exceptions."""
        if "enum" in cls.traits and "members" in cls.traits:
            wanted = args.pos[0] if args.pos else UNKNOWN
            for member in cls.traits["members"]:
                if member is wanted:
                    return member
                if isinstance(wanted, Known) and member.slots.get("value") == wanted:
                    return member  # type: ignore[no-any-return]
            combined = combined_flags(cls, wanted) if "flags" in cls.traits else None
            if combined is not None:
                return combined
            self.may_raise("ValueError")
            if isinstance(wanted, Known) and all(
                isinstance(m.slots.get("value"), Known) for m in cls.traits["members"]
            ):
                for base in cls.mro:
                    if isinstance(base, ClassV) and "_missing_" in base.slots:
                        return self.call(self.get_attr(cls, "_missing_"), Arguments([wanted]))
                raise self.throw("ValueError")
            return join(cls.traits["members"]) if cls.traits["members"] else UNKNOWN
        external = cls.library_base()
        if external in ("typing.TypedDict", "typing_extensions.TypedDict"):
            return self.call(Ext("builtins.dict"), args)
        if external.startswith("pathlib.") and not any(
            isinstance(b, ClassV) and "__init__" in b.slots for b in cls.mro
        ):
            return self.call(Ext(external), args)
        return None

    def init_external(self, instance: Instance, name: str, args: Arguments) -> None:
        """The `__init__` of a library base class: the constructor's row is carried out on the object."""
        if name in ("builtins.Exception", "builtins.BaseException") or (
            name.startswith("builtins.") and name.endswith("Error")
        ):
            self.state.write(instance.slots, "args", TupleV(args.pos, args.star))
            return
        model = registry.METHODS.get(f"{name}.__init__")
        if model is not None:
            model(self, instance, args)
            return
        if name in _VALUE_BASES:
            if ("value",) not in instance.slots:
                self.state.write(instance.slots, ("value",), self.plain_value(name, args.pos))
            return
        if name in _CONTAINER_BASES:
            inner = self.call(Ext(name.replace("UserDict", "OrderedDict")), args)
            self.state.write(instance.slots, ("value",), inner)
            if name == "collections.UserDict":
                self.state.write(instance.slots, "data", inner)
            return
        made = self.call(Ext(name), args)
        if isinstance(made, Instance):
            for key, value in made.slots.items():
                self.state.write(instance.slots, key, value)

    def external_new(self, name: str, args: Arguments) -> AnyValue:
        """`super().__new__(cls, ...)` with a library base."""
        if self.making and name == "builtins.type":
            return self.making[-1]
        cls = args.pos[0] if args.pos else UNKNOWN
        if isinstance(cls, ClassV):
            if self.making and len(args.pos) >= 3:
                return self.making[-1]
            instance = Instance(cls)
            if name in _VALUE_BASES:
                instance.slots[("value",)] = self.plain_value(name, args.pos[1:])
            return instance
        return UNKNOWN

    def plain_value(self, name: str, given: list[AnyValue]) -> AnyValue:
        """The value of a built-in type that an object of a class over it is."""
        if name == "builtins.tuple":
            return self.iterate(given[0]) if given else TupleV(())
        return given[0] if given else NONE

    # Decorators

    def decorate(self, decorator: AnyValue, value: AnyValue, node: ir.Expr) -> AnyValue:
        """Apply a decorator."""
        frame = self.frame
        if isinstance(decorator, Ext):
            name = registry.ALIASES.get(decorator.name, decorator.name)
            if name in _DATACLASS and isinstance(value, ClassV):
                self.make_fields(value, value.node, keyword_only=False)
                return value
            kind = _DESCRIPTORS.get(name)
            if kind is not None:
                return Descriptor(kind, value)
        call_node = node if isinstance(node, ir.Call) else None
        outer = self.call_node
        if call_node is not None:
            self.call_node = call_node
        try:
            result = self.call(decorator, Arguments([value]), call_node)
        finally:
            self.call_node = outer
            self.frame = frame
        if isinstance(result, Unknown):
            # A decorator that nothing is known about most often returns a wrapper that calls the function.
            return value
        return result


def _next_value(members: list[Instance], *, flags: bool) -> int:
    """What `auto()` stands for behind the members so far."""
    values = [value.value for member in members if isinstance(value := member.slots.get("value"), Known)]
    numbers = [value for value in values if isinstance(value, int)]
    if flags:
        return 1 << max(numbers, default=0).bit_length()
    return numbers[-1] + 1 if numbers else 1


def _annotation_head(node: ir.Expr) -> str:
    if isinstance(node, ir.Subscript):
        node = node.obj
    if isinstance(node, ir.Attr):
        return node.name
    if isinstance(node, ir.Const) and isinstance(node.value, str):
        return node.value.split("[", 1)[0].rpartition(".")[2]
    return node.id if isinstance(node, ir.Name) else ""


_DESCRIPTORS = {
    "builtins.property": "property",
    "builtins.staticmethod": "staticmethod",
    "builtins.classmethod": "classmethod",
    "functools.cached_property": "cached_property",
    "abc.abstractproperty": "property",
    "django.utils.functional.cached_property": "cached_property",
}


def dataclass_model(machine: Any, args: Arguments) -> AnyValue | None:
    """`dataclass(...)`, `attrs.define(...)` with arguments: the decorator proper."""
    ordered = machine.truth(args.kw["order"]) if "order" in args.kw else False

    def make(inner: Any, cls: ClassV) -> None:
        inner.make_fields(cls, cls.node, keyword_only=False)
        if args.kw.get("init") == FALSE:
            cls.traits["inherits_init"] = True
        if ordered:
            cls.traits["order"] = [
                name
                for name, default in cls.traits["fields"].items()
                if not (isinstance(default, FieldDefault) and default.slots.get("compare") == FALSE)
            ]

    if args.pos and isinstance(args.pos[0], ClassV):
        make(machine, args.pos[0])
        return args.pos[0]

    def run(inner: Any, given: Arguments) -> AnyValue:
        cls = given.pos[0] if given.pos else UNKNOWN
        if isinstance(cls, ClassV):
            make(inner, cls)
        return cls

    return Native("dataclass", run)


def field_model(machine: Any, args: Arguments) -> AnyValue | None:
    """`field(...)`."""
    del machine
    out = FieldDefault(Ext("dataclasses.Field"))
    if args.pos and args.pos[0] != Known(...):
        out.slots["default"] = args.pos[0]
    for keyword, slot in (
        ("default", "default"),
        ("default_factory", "factory"),
        ("factory", "factory"),
        ("init", "init"),
        ("kw_only", "kw_only"),
        ("converter", "converter"),
        ("compare", "compare"),
        ("metadata", "metadata"),
        ("alias", "alias"),
        ("validation_alias", "validation_alias"),
        ("env", "env"),
    ):
        if keyword in args.kw:
            out.slots[slot] = args.kw[keyword]
    return out


for _name in _DATACLASS:
    registry.FUNCTIONS[_name] = dataclass_model
for _name in _FIELD:
    registry.FUNCTIONS[_name] = field_model


def _field_default_method(machine: Any, obj: Instance, args: Arguments) -> AnyValue:
    """`@field.default`: a method that computes the default."""
    func = args.pos[0] if args.pos else UNKNOWN
    machine.state.write(obj.slots, "method", func)
    return obj


def _field_validator(machine: Any, obj: Instance, args: Arguments) -> AnyValue:
    """`@field.validator`."""
    del machine
    return args.pos[0] if args.pos else obj


registry.METHODS["dataclasses.Field.default"] = _field_default_method
registry.METHODS["dataclasses.Field.validator"] = _field_validator
