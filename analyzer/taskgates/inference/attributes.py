"""Attributes of every kind of value."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from taskgates.inference.core import Core
from taskgates.inference.exceptions import exception_attribute, is_exception
from taskgates.inference.models import registry
from taskgates.inference.operators import from_python
from taskgates.inference.text import Text
from taskgates.inference.values import (
    DATA,
    NONE,
    UNKNOWN,
    AnyValue,
    Arguments,
    AttributeView,
    BoundMethod,
    ClassV,
    Descriptor,
    DictObj,
    Ext,
    FunctionV,
    Heap,
    Instance,
    Known,
    ListObj,
    Maybe,
    Method,
    ModuleV,
    NamedTupleV,
    Native,
    Partial,
    PathV,
    Scalar,
    Super,
    TupleV,
    Union,
    Unknown,
    Value,
    join,
    text_hole,
)
from taskgates.model.access import SharedKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.syntax import ir


ATTRIBUTES = ("attributes",)
"""The slot of an object that holds the mapping assigned as its `__dict__`."""
PLAIN_BASES = frozenset(
    {"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol", "enum.Enum", "enum.IntEnum", "enum.StrEnum"}
)
"""Library base classes that add nothing to what a class of the program defines."""


class Attributes(Core):
    """The part of the interpreter that reads and writes attributes."""

    # Reading attributes

    def get_attr(self, obj: AnyValue, name: str, node: ir.Attr | None = None) -> AnyValue:
        """`obj.name`."""
        if isinstance(obj, Ext):
            return self.ext_attr(obj, name)
        if isinstance(obj, ModuleV):
            return self.module_attr(obj, name, node)
        if isinstance(obj, Instance):
            return self.instance_attr(obj, name)
        if isinstance(obj, PathV):
            model = registry.PATH_ATTRIBUTES.get(name)
            return model(self, obj) if model is not None else Method(obj, name)
        if isinstance(obj, ClassV):
            return self.class_attr(obj, name, node)
        if isinstance(obj, Union):
            return self.union_attr(obj, name, node)
        if isinstance(obj, Super):
            return self.super_attr(obj, name)
        if isinstance(obj, Unknown):
            self.may_raise()
            return Unknown(obj.reason or f"an attribute {name} of an unknown value", obj.origin, name)
        if isinstance(obj, FunctionV | Partial | BoundMethod | Native):
            return self.function_attr(obj, name)
        if isinstance(obj, Descriptor):
            if name in ("setter", "getter", "deleter"):
                return Native(f"property.{name}", lambda _, args: _with_setter(obj, name, args))
            return self.get_attr(obj.func, name, node)
        if isinstance(obj, Known) and obj.value is None:
            raise self.throw("AttributeError", f"'NoneType' object has no attribute {name!r}")
        if isinstance(obj, Known):
            if name in ("real", "imag", "numerator", "start", "stop", "step"):
                return Known(getattr(obj.value, name, None))
            if type(obj.value).__module__ != "builtins":
                # A moment, a decimal number: what it has beside methods is as known as it is itself.
                found = getattr(obj.value, name, None)
                if found is not None and not callable(found):
                    return from_python(found)
        if name == "__class__":
            return self.type_of(obj)
        if name == "__doc__":
            return text_hole()
        if isinstance(obj, ListObj | DictObj | NamedTupleV):
            return self.container_attr(obj, name)
        return Method(obj, name)

    def container_attr(self, obj: ListObj | DictObj | NamedTupleV, name: str) -> AnyValue:
        """An attribute of a list, set or dict: a method, or what was set on it or stands for an entry."""
        if isinstance(obj, NamedTupleV):
            return obj.items[obj.names.index(name)] if name in obj.names else Method(obj, name)
        if isinstance(obj, ListObj):
            found = obj.slots.get(name)
            return found if isinstance(found, Value) else Method(obj, name)
        entry = self.mapping_attr(obj, name) if "." in obj.kind else None
        return entry if entry is not None else Method(obj, name)

    def mapping_attr(self, obj: DictObj, name: str) -> AnyValue | None:
        """An entry of a mapping whose entries are attributes too; None where the name is a method of its class."""
        found = obj.slots.get(Known(name))
        if isinstance(found, Maybe):
            self.may_raise("AttributeError", "KeyError")
            return found.value
        if found is not None:
            return found  # type: ignore[no-any-return]
        if hasattr(dict, name) or name.startswith("__") or self.effects.method(obj.kind, name) is not None:
            return None
        if any(f"{kind}.{name}" in registry.METHODS for kind in self.type_names(obj.kind)):
            return None
        self.may_raise("AttributeError", "KeyError")
        return obj.rest if obj.rest is not None else Unknown(f"the entry {name}, which a mapping does not have", "data")

    def union_attr(self, obj: Union, name: str, node: ir.Attr | None) -> AnyValue:
        """An attribute of every alternative of a value."""
        # None has no attributes: a program that goes on holds one of the other alternatives.
        kept = [option for option in obj.options if not (isinstance(option, Known) and option.value is None)]
        if len(kept) < len(obj.options):
            self.may_raise("AttributeError")
        if not kept:
            raise self.throw("AttributeError")
        if len(kept) == 1:
            return self.get_attr(kept[0], name, node)
        return self.choose([lambda option=option: self.get_attr(option, name, node) for option in kept])  # type: ignore[misc]

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
        return Ext(canonical)

    def module_attr(self, obj: ModuleV, name: str, node: ir.Attr | None = None) -> AnyValue:
        """A global name of a module, or a submodule."""
        value = obj.slots.get(name)
        if value is not None:
            if isinstance(value, Maybe):
                value = value.value
            if (
                self.frame is not None
                and self.frame.function is not None
                and not isinstance(value, FunctionV | ClassV | ModuleV | Ext | Native)
            ):
                self.shared(f"{obj.dotted}.{name}", SharedKind.MODULE_GLOBAL, "read", node)
            return value
        if name == "__dict__":
            return AttributeView(obj)
        child = self.submodule(obj, name)
        if child is not None:
            return child
        dynamic = obj.slots.get("__getattr__")
        if isinstance(dynamic, FunctionV):
            return self.call(dynamic, Arguments([Known(name)]))
        self.may_raise("AttributeError")
        return Unknown(f"{obj.name} has no attribute {name} that the analysis saw")

    def instance_attr(self, obj: Instance, name: str) -> AnyValue:
        """An attribute of an object: its own, or one of its class."""
        cls = obj.cls
        if isinstance(cls, Ext):
            if name in obj.slots:
                value = obj.slots[name]
                return value.value if isinstance(value, Maybe) else value
            if name == "__class__":
                return cls
            return self.library_object_attr(obj, cls, name)
        value = None
        holder: ClassV | None = None
        for base in cls.mro:
            if isinstance(base, ClassV) and name in base.slots:
                value, holder = base.slots[name], base
                break
        if isinstance(value, Maybe):
            value = value.value
        if isinstance(value, Descriptor) and value.kind == "property":
            return self.bound(value, obj, cls)
        if name in obj.slots:
            own = obj.slots[name]
            return own.value if isinstance(own, Maybe) else own
        if ATTRIBUTES in obj.slots:
            entry = self.assigned_attribute(obj, name, certain=value is None)
            if entry is not None:
                return entry
        if value is not None:
            if isinstance(value, Descriptor) and value.kind == "cached_property":
                result = self.bound(value, obj, cls)
                self.state.write(obj.slots, name, result)
                return result
            if holder is not None and isinstance(value, ListObj | DictObj | Instance) and value.owner is None:
                value.owner = (f"{holder.qualname}.{name}", "class-attribute")
            return self.bound(value, obj, cls)
        if name == "__class__":
            return cls
        if name == "__dict__":
            return self.slots_view(obj)
        if name in (
            "__init__",
            "__post_init__",
            "__enter__",
            "__exit__",
            "__init_subclass__",
            "__setattr__",
            "__str__",
            "__repr__",
        ):
            external = [base for base in cls.mro if isinstance(base, Ext) and base.name != "builtins.object"]
            if not external:
                return Native(name, lambda _, __: NONE)
        for base in cls.mro:
            if isinstance(base, ClassV) and "__getattr__" in base.slots and not self.is_inherited(cls, name):
                return self.call(base.slots["__getattr__"], Arguments([obj, Known(name)]))
        return self.library_attr(obj, cls, name)

    def is_inherited(self, cls: ClassV, name: str) -> bool:
        """Whether a library class among the bases of a class has an attribute, so that `__getattr__` is not asked."""
        for base in cls.mro:
            if isinstance(base, Ext) and base.name not in PLAIN_BASES:
                module, _, kind = base.name.rpartition(".")
                if module == "builtins" and hasattr(getattr(builtins, kind, None), name):
                    return True
                if self.effects.method(base.name, name) is not None:
                    return True
        return False

    def assigned_attribute(self, obj: Instance, name: str, *, certain: bool) -> AnyValue | None:
        """An attribute from the mapping that was assigned as `obj.__dict__`; None where it has none of that name."""
        mapping = obj.slots[ATTRIBUTES]
        mapping = mapping.value if isinstance(mapping, Maybe) else mapping
        if name == "__dict__":
            return mapping
        if not isinstance(mapping, DictObj):
            return None if not certain or name.startswith("__") else DATA
        found = mapping.slots.get(Known(name))
        if found is not None:
            return found.value if isinstance(found, Maybe) else found
        return mapping.rest if certain and not hasattr(dict, name) and not name.startswith("__") else None

    def library_object_attr(self, obj: Instance, cls: Ext, name: str) -> AnyValue:
        """An attribute of an object of a library class: a listed one, what every exception has, else a method."""
        found = self.external_attribute(obj, cls.name, name)
        if found is None and is_exception(cls):
            found = exception_attribute(obj, name)
        return found if found is not None else Method(obj, name)

    def library_attr(self, obj: Instance, cls: ClassV, name: str) -> AnyValue:
        """An attribute that an object has from a library class among the bases of its own."""
        if is_exception(cls):
            found = exception_attribute(obj, name)
            if found is not None:
                return found
        for base in cls.mro:
            if isinstance(base, Ext) and base.name not in PLAIN_BASES:
                found = self.external_attribute(obj, base.name, name)
                return found if found is not None else Method(obj, name)
        self.may_raise("AttributeError")
        return Unknown(f"{cls.name}.{name} was not seen to be set")

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
        if (
            isinstance(value, ListObj | DictObj | Known | Text)
            and self.frame is not None
            and self.frame.function is not None
        ):
            self.shared(f"{base.qualname}.{name}", SharedKind.CLASS_ATTRIBUTE, "read", node)
        return value

    def class_property(self, obj: ClassV, name: str) -> AnyValue | None:
        """An attribute that Python gives every class; None for all others."""
        if name in ("__name__", "__qualname__"):
            return Known(obj.name)
        if name == "__module__":
            return Known(obj.module.name if obj.module is not None else "")
        if name == "__doc__":
            return text_hole()
        if name == "__mro__":
            return TupleV(obj.mro)
        if name == "__bases__":
            return TupleV(obj.bases)
        if name == "__dict__":
            return self.slots_view(obj)
        if name == "__subclasses__":
            return Native("__subclasses__", lambda _, __: self.subclasses(obj))
        if name == "__members__" and "enum" in obj.traits:
            return self.slots_view(obj)
        if name == "mro":
            return Native("mro", lambda _, __: self.new_list("list", obj.mro))
        return None

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
        if name == "__setattr__":
            return Native("builtins.object.__setattr__", lambda machine, args: machine.raw_setattr(obj.self, args))
        return Native(f"builtins.object.{name}", lambda _, __: NONE)

    def function_attr(self, obj: AnyValue, name: str) -> AnyValue:
        """An attribute of a function or another callable."""
        if isinstance(obj, FunctionV):
            if name in obj.slots:
                value = obj.slots[name]
                return value.value if isinstance(value, Maybe) else value
            if name in ("__name__", "__qualname__"):
                return Known(obj.node.name)
            if name == "__module__":
                return Known(obj.module.name)
            if name == "__wrapped__":
                return obj
            if name == "__dict__":
                return self.slots_view(obj)
            if name == "__doc__":
                return text_hole()
            if name in ("__annotations__", "__kwdefaults__", "__code__", "__globals__"):
                return Unknown(f"{name} of a function", "data")
        if isinstance(obj, BoundMethod):
            if name == "__self__":
                return obj.self
            if name == "__func__":
                return obj.func
            return self.function_attr(obj.func, name)
        if isinstance(obj, Partial):
            if name == "func":
                return obj.func
            if name == "args":
                return TupleV(obj.args.pos)
            if name == "keywords":
                return self.dict_of(obj.args.kw)
            return self.get_attr(obj.func, name)
        return Method(obj, name)

    def type_of(self, value: AnyValue) -> AnyValue:
        """`type(value)`."""
        if isinstance(value, Known):
            kind = type(value.value)
            return Ext(f"{kind.__module__}.{kind.__qualname__}") if value.value is not None else Ext("types.NoneType")
        if isinstance(value, Text):
            return Ext("builtins.str")
        if isinstance(value, Scalar):
            return Ext(f"builtins.{value.kind}")
        if isinstance(value, PathV):
            return Ext(value.type)
        if isinstance(value, TupleV):
            return Ext("builtins.tuple")
        if isinstance(value, ListObj):
            return (
                Ext(f"builtins.{value.kind}")
                if value.kind in ("list", "set", "frozenset")
                else Ext(f"collections.{value.kind}")
            )
        if isinstance(value, DictObj):
            if "." in value.kind:
                return Ext(value.kind)
            return Ext("builtins.dict") if value.kind == "dict" else Ext(f"collections.{value.kind}")
        if isinstance(value, Instance):
            return value.cls
        if isinstance(value, ClassV):
            return value.metaclass if value.metaclass is not None else Ext("builtins.type")
        if isinstance(value, FunctionV | BoundMethod):
            return Ext("types.FunctionType")
        if isinstance(value, ModuleV):
            return Ext("types.ModuleType")
        if isinstance(value, Union):
            return join(self.type_of(option) for option in value.options)
        return UNKNOWN

    # Writing attributes

    def set_attr(self, obj: AnyValue, name: str, value: AnyValue) -> None:
        """`obj.name = value`."""
        if isinstance(obj, Union):
            kept = [o for o in obj.options if isinstance(o, Heap)]
            for option in kept:
                previous = option.slots.get(name)
                previous = previous.value if isinstance(previous, Maybe) else previous
                self.set_attr(option, name, value if len(kept) == 1 or previous is None else join([previous, value]))
            return
        if isinstance(obj, Instance) and isinstance(obj.cls, ClassV):
            for base in obj.cls.mro:
                if not isinstance(base, ClassV):
                    continue
                found = base.slots.get(name)
                if isinstance(found, Descriptor) and found.kind == "property":
                    if found.setter is not None:
                        self.call(found.setter, Arguments([obj, value]))
                    return
                if isinstance(found, Instance) and isinstance(found.cls, ClassV) and self.has_attr(found, "__set__"):
                    self.call(self.get_attr(found, "__set__"), Arguments([obj, value]))
                    return
                if "__setattr__" in base.slots:
                    self.call(base.slots["__setattr__"], Arguments([obj, Known(name), value]))
                    return
        if isinstance(obj, Ext):
            setter = registry.SETTERS.get(f"{obj.name}.{name}")
            if setter is not None:
                setter(self, value)
            return
        if isinstance(obj, DictObj) and "." in obj.kind:
            self.put(obj, Known(name), value)
            return
        if isinstance(obj, Instance) and name == "__dict__":
            if isinstance(value, Instance) and isinstance(value.cls, ClassV):
                value = self.inner(value, next((base.name for base in value.cls.mro if isinstance(base, Ext)), ""))
            self.state.write(obj.slots, ATTRIBUTES, value)
            return
        if isinstance(obj, Instance) and name not in obj.slots and isinstance(obj.slots.get(ATTRIBUTES), DictObj):
            self.put(obj.slots[ATTRIBUTES], Known(name), value)
            return
        if isinstance(obj, Heap):
            if obj.owner is not None and isinstance(value, ListObj | DictObj | Instance) and value.owner is None:
                value.owner = obj.owner
            self.state.write(obj.slots, name, value)

    def raw_setattr(self, obj: AnyValue, args: Arguments) -> AnyValue:
        """`object.__setattr__`."""
        if isinstance(obj, Instance) and len(args.pos) >= 2:
            name = args.pos[-2]
            if isinstance(name, Known) and isinstance(name.value, str):
                self.state.write(obj.slots, name.value, args.pos[-1])
        return NONE


def _behind(mro: Sequence[AnyValue], cls: AnyValue) -> list[ClassV]:
    """The classes of the program that stand behind one in a method resolution order."""
    classes = list(mro)
    start = classes.index(cls) + 1 if cls in classes else len(classes)
    return [base for base in classes[start:] if isinstance(base, ClassV)]


def _field_constructor(instance: Instance, cls: ClassV) -> Native:
    """The generated `__init__` of a dataclass, bound to an object."""
    return Native("__init__", lambda machine, args: machine.init_fields(instance, cls, args) or NONE)


def _with_setter(obj: Descriptor, name: str, args: Arguments) -> AnyValue:
    func = args.pos[0] if args.pos else UNKNOWN
    if name == "setter":
        return Descriptor(obj.kind, obj.func, func)
    return Descriptor(obj.kind, func if name == "getter" else obj.func, obj.setter)


def _plain_new(args: Arguments) -> AnyValue:
    cls = args.pos[0] if args.pos else UNKNOWN
    return Instance(cls) if isinstance(cls, ClassV) else UNKNOWN
