"""Reading the attributes of classes, of what stands behind them in their linearisation, and of library names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.core import Core
from taskgates.inference.models import registry
from taskgates.inference.objects import (
    Arguments,
    AttributeView,
    ClassV,
    DictObj,
    FunctionV,
    Heap,
    Instance,
    ListObj,
    Maybe,
)
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Text
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Descriptor,
    Ext,
    Known,
    Method,
    Native,
    Super,
    TupleV,
    Unknown,
)
from taskgates.model.access import SharedKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.syntax import ir
PLAIN_BASES = frozenset(
    {"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol", "enum.Enum", "enum.IntEnum", "enum.StrEnum"}
)
"""Library base classes that add nothing to what a class of the program defines."""


class ClassAttributes(Core):
    """The part of the interpreter that reads attributes of classes."""

    def ext_attr(self, obj: Ext, name: str) -> AnyValue:
        """An attribute of a library module, class or function."""
        full = f"{obj.name}.{name}"
        canonical = registry.ALIASES.get(full, full)
        constant = registry.CONSTANTS.get(canonical)
        if constant is not None:
            return constant(self)
        listed = self.listed_value(canonical)
        if listed is not None:
            return listed
        if name == "__name__":
            return Known(obj.name.rsplit(".", 1)[-1])
        if name == "__doc__":
            return text_hole()
        if name == "__file__":
            return Unknown(f"the place of {obj.name}", "environment")
        module = self.modules.get(canonical)
        if module is not None:
            return module
        if canonical in registry.ABSENT:
            self.may_raise("AttributeError")
            if self.prepared_for("AttributeError"):
                raise self.throw("AttributeError", f"module {obj.name!r} has no attribute {name!r}")
        return Ext(canonical)

    def inherited_attr(self, obj: AnyValue, args: Arguments) -> AnyValue:
        """`super().__getattribute__(name)` where no class of the program stands behind."""
        name = args.pos[-1] if args.pos else UNKNOWN
        if isinstance(obj, Instance) and isinstance(name, Known) and isinstance(name.value, str):
            return self.plain_attr(obj, name.value)
        return UNKNOWN

    def slots_view(self, obj: Heap) -> AnyValue:
        """`vars(obj)`: the attributes as a dict."""
        return AttributeView(obj)

    def class_attr(self, obj: ClassV, name: str, node: ir.Attr | None = None) -> AnyValue:
        """An attribute of a class: its own or inherited, of its metaclass, or one that every class has."""
        for base in obj.mro:
            if isinstance(base, ClassV) and base.slots.get(name) is not None:
                return self.defined_class_attr(obj, base, name, node)
        value = self.class_property(obj, name)
        if value is not None:
            return value
        if isinstance(obj.metaclass, ClassV):
            for base in obj.metaclass.mro:
                if isinstance(base, ClassV) and name in base.slots:
                    return self.bound(base.slots[name], obj, obj.metaclass)
        model = registry.CLASS_ATTRIBUTES.get(name)
        if model is not None:
            found = model(self, obj)
            if found is not None:
                return found
        for base in obj.mro:
            if isinstance(base, Ext) and base.name not in PLAIN_BASES:
                return self.ext_attr(base, name)
        if name in ("__init__", "__new__", "__setattr__", "__getattribute__", "__init_subclass__"):
            return Ext(f"builtins.object.{name}")
        return Unknown(f"{obj.name}.{name} was not seen to be set")

    def defined_class_attr(self, obj: ClassV, base: ClassV, name: str, node: ir.Attr | None) -> AnyValue:
        """An attribute that a class of the program defines, as it is seen from a subclass."""
        value: AnyValue = base.slots[name]
        if isinstance(value, Maybe):
            value = value.value
        if isinstance(value, Descriptor):
            if value.kind == "classmethod":
                return BoundMethod(value.func, obj)
            return value.func if value.kind == "staticmethod" else value
        if isinstance(value, ListObj | DictObj | Instance) and value.owner is None and "enum" not in obj.traits:
            value.owner = (f"{base.qualname}.{name}", "class-attribute")
        if isinstance(value, ListObj | DictObj | Known | Text) and self.beyond_set_up(f"{base.qualname}.{name}"):
            self.shared(f"{base.qualname}.{name}", SharedKind.CLASS_ATTRIBUTE, "read", node)
        elif isinstance(value, Instance):
            if self.overlap.active:
                self.overlaps(f"{base.qualname}.{name}", None, "", write=False)
            if isinstance(value.cls, ClassV) and "members" not in obj.traits and self.has_attr(value, "__get__"):
                return self.call(self.get_attr(value, "__get__"), Arguments([NONE, obj]))
        return value

    def class_property(self, obj: ClassV, name: str) -> AnyValue | None:
        """An attribute that Python gives every class; None for all others."""
        if name in ("__name__", "__qualname__"):
            return Known(obj.name)
        if name == "__module__":
            return Known(obj.module.name if obj.module is not None else "")
        if name == "__doc__":
            return text_hole() if obj.node is None or obj.node.doc is None else Known(obj.node.doc)
        if name == "__mro__":
            return self.resolution_order(obj)
        if name == "__bases__":
            return TupleV(obj.bases)
        if name == "__dict__":
            return self.slots_view(obj)
        if name == "__subclasses__":
            return Native("__subclasses__", lambda _, __: self.subclasses(obj))
        if name == "__members__" and "members" in obj.traits:
            return self.dict_of({str(member.slots["name"].value): member for member in obj.traits["members"]})
        if name == "mro":
            return Native("mro", lambda _, __: self.new_list("list", self.resolution_order(obj).items))
        return None

    def resolution_order(self, cls: ClassV) -> TupleV:
        """`cls.__mro__`."""
        return TupleV(dict.fromkeys([*cls.mro, Ext("builtins.object")]))

    def subclasses(self, cls: ClassV) -> AnyValue:
        """The direct subclasses defined so far."""
        return self.new_list("list", cls.traits.get("subclasses", ()))

    def super_attr(self, obj: Super, name: str) -> AnyValue:
        """An attribute that stands behind the present class in the method resolution order."""
        start = obj.self.cls if isinstance(obj.self, Instance) else obj.self
        if isinstance(start, ClassV) and isinstance(start.metaclass, ClassV) and obj.cls not in start.mro:
            # Within a method of the metaclass, whose object the class is.
            start = start.metaclass
            if name == "__call__" and not any(name in base.slots for base in _behind(start.mro, obj.cls)):
                made = obj.self
                return Native("builtins.type.__call__", lambda machine, args: machine.make_object(made, args))
        mro = start.mro if isinstance(start, ClassV) else ()
        found = False
        external: Ext | None = None
        for base in mro:
            if base is obj.cls:
                found = True
                continue
            if not found:
                continue
            if isinstance(base, ClassV):
                if name in base.slots:
                    value = base.slots[name]
                    if isinstance(obj.self, ClassV) and isinstance(value, FunctionV):
                        return value
                    return self.bound(value, obj.self, start)
                if name == "__init__" and "fields" in base.traits and isinstance(obj.self, Instance):
                    return _field_constructor(obj.self, base)
            elif external is None and base.name not in PLAIN_BASES:
                external = base
        if external is not None:
            if external.name == "builtins.type" and name == "__init__":
                return Native("builtins.type.__init__", lambda _, __: NONE)
            if name == "__init__" and isinstance(obj.self, Instance):
                instance, type_name = obj.self, external.name
                return Native(
                    f"{type_name}.__init__",
                    lambda machine, args: machine.init_external(instance, type_name, args) or NONE,
                )
            if name == "__new__":
                return Native(
                    f"{external.name}.__new__", lambda machine, args: machine.external_new(external.name, args)
                )
            return Method(obj.self, name)
        if name == "__new__":
            return Native("builtins.object.__new__", lambda _, args: _plain_new(args))
        if name == "__getattribute__":
            return Native(
                "builtins.object.__getattribute__", lambda machine, args: machine.inherited_attr(obj.self, args)
            )
        if name == "__class_getitem__":
            return Native("typing.Generic.__class_getitem__", lambda _, __: obj.self)
        if name == "__setattr__":
            return Native("builtins.object.__setattr__", lambda machine, args: machine.raw_setattr(obj.self, args))
        return Native(f"builtins.object.{name}", lambda _, __: NONE)


def _behind(mro: Sequence[AnyValue], cls: AnyValue) -> list[ClassV]:
    """The classes of the program that stand behind one in a method resolution order."""
    classes = list(mro)
    start = classes.index(cls) + 1 if cls in classes else len(classes)
    return [base for base in classes[start:] if isinstance(base, ClassV)]


def _field_constructor(instance: Instance, cls: ClassV) -> Native:
    """The generated `__init__` of a dataclass, bound to an object."""
    return Native("__init__", lambda machine, args: machine.init_fields(instance, cls, args) or NONE)


def _plain_new(args: Arguments) -> AnyValue:
    cls = args.pos[0] if args.pos else UNKNOWN
    return Instance(cls) if isinstance(cls, ClassV) else UNKNOWN
