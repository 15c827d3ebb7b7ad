"""Attributes of every kind of value."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from taskgates.inference.class_attributes import PLAIN_BASES, ClassAttributes
from taskgates.inference.conversion import from_python
from taskgates.inference.effects import ReturnForm
from taskgates.inference.exceptions import exception_attribute, is_exception
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
    ModuleV,
    shown_name,
)
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Text
from taskgates.inference.values import (
    DATA,
    NONE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Descriptor,
    Ext,
    Known,
    Method,
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
    options,
)
from taskgates.model.access import SharedKind

if TYPE_CHECKING:
    from taskgates.syntax import ir


ATTRIBUTES = ("attributes",)
"""The slot of an object that holds the mapping assigned as its `__dict__`."""

_BUILTIN: dict[type, type] = {Text: str}
_CONTAINERS = {"list": list, "dict": dict, "set": set}


class Attributes(ClassAttributes):
    """The part of the interpreter that reads and writes attributes."""

    # Reading attributes

    def get_attr(self, obj: AnyValue, name: str, node: ir.Attr | None = None) -> AnyValue:
        """`obj.name`."""
        if isinstance(obj, Ext):
            return self.ext_attr(obj, name)
        if isinstance(obj, ModuleV):
            return self.module_attr(obj, name, node)
        if isinstance(obj, Instance):
            return self.instance_attr(obj, name) if obj.owner is None else self.owned_attr(obj, name, node)
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
            return self.function_attr(obj, name, node)
        if isinstance(obj, Descriptor):
            if name in ("setter", "getter", "deleter"):
                return Native(f"property.{name}", lambda _, args: _with_setter(obj, name, args))
            return self.get_attr(obj.func, name, node)
        if isinstance(obj, Known) and obj.value is None and not hasattr(None, name):
            raise self.throw("AttributeError", f"'NoneType' object has no attribute {name!r}")
        if isinstance(obj, Known) and (found := _known_attr(obj.value, name)) is not None:
            return found
        if name == "__class__":
            return self.type_of(obj)
        if name == "__doc__":
            return text_hole()
        if isinstance(obj, ListObj | DictObj | NamedTupleV):
            return self.container_attr(obj, name)
        if isinstance(obj, Method):
            return self.method_attr(obj, name)
        self.demand(type(obj.value) if isinstance(obj, Known) else _BUILTIN.get(type(obj)), name)
        return Method(obj, name)

    def demand(self, kind: type | None, name: str) -> None:
        """See that an object of a built-in type has an attribute, where a handler waits for one that has not.

        A program that asks in this way whether it was handed a path or an open file goes on in the handler.
        """
        if kind is not None and not hasattr(kind, name) and self.tries and self.prepared_for("AttributeError"):
            raise self.throw("AttributeError", f"{kind.__name__!r} object has no attribute {name!r}")

    def method_attr(self, obj: Method, name: str) -> AnyValue:
        """An attribute of what was taken for a method; a loop along a chain (`tb = tb.tb_next`) comes to an end."""
        if obj.name == name:
            return obj
        entry = None if name.startswith("__") else self.entry_by_attribute(obj)
        return Method(obj, name) if entry is None else self.get_attr(entry, name)

    def entry_by_attribute(self, attribute: Method) -> AnyValue | None:
        """The entry that an unlisted attribute of a library object is, since it has attributes itself.

        A column of a table (`frame.price.to_csv(...)`); None for a method, and for types whose unlisted members do not
        give their like.
        """
        table = attribute.self
        if not isinstance(table, Instance) or not isinstance(table.cls, Ext):
            return None
        name = table.cls.name
        unlisted = self.effects.unlisted(f"{name}.{attribute.name}")
        if unlisted.returns.form is not ReturnForm.SELF or self.effects.method(name, attribute.name) is not None:
            return None
        if any(f"{kind}.{attribute.name}" in registry.METHODS for kind in self.type_names(name)):
            return None
        return self.external_item(table, name)

    def container_attr(self, obj: ListObj | DictObj | NamedTupleV, name: str) -> AnyValue:
        """An attribute of a list, set or dict: a method, or what was set on it or stands for an entry."""
        if isinstance(obj, NamedTupleV):
            return obj.items[obj.names.index(name)] if name in obj.names else Method(obj, name)
        if isinstance(obj, ListObj):
            found = obj.slots.get(name)
            if isinstance(found, Value):
                return found
        elif "." in obj.kind:
            entry = self.mapping_attr(obj, name)
            if entry is not None:
                return entry
        self.demand(_CONTAINERS.get(obj.kind), name)
        return Method(obj, name)

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

    def module_attr(self, obj: ModuleV, name: str, node: ir.Attr | None = None) -> AnyValue:
        """A global name of a module, or a submodule."""
        value = obj.slots.get(name)
        if value is not None:
            if isinstance(value, Maybe):
                value = value.value
            if (
                self.frame is not None
                and (self.frame.function is not None or obj is not self.frame.module)
                and not isinstance(value, FunctionV | ClassV | ModuleV | Ext | Native)
            ):
                self.mentioned(f"{obj.dotted}.{name}", value, node)
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

    def owned_attr(self, obj: Instance, name: str, node: ir.Attr | None) -> AnyValue:
        """An attribute of an object that lives as long as the program."""
        if name in obj.slots:
            self.attribute_read(obj, name, node)
        return self.instance_attr(obj, name)

    def plain_attr(self, obj: Instance, name: str) -> AnyValue:
        """What `object.__getattribute__` gives."""
        return self.instance_attr(obj, name, asked=True)

    def instance_attr(self, obj: Instance, name: str, *, asked: bool = False) -> AnyValue:
        """An attribute of an object: its own, or one of its class.

        Args:
            obj: the object.
            name: the attribute.
            asked: whether its class's own `__getattribute__` has been asked already.
        """
        cls = obj.cls
        if isinstance(cls, Ext):
            if name in obj.slots:
                value = obj.slots[name]
                return value.value if isinstance(value, Maybe) else value
            return self.library_object_attr(obj, cls, name)
        if not asked and "asks" in cls.traits and not name.startswith("__"):
            return self.call(cls.traits["asks"], Arguments([obj, Known(name)]))
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
        if name == "__class__":
            return cls
        if name == "__dict__":
            return self.slots_view(obj)
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

    def function_attr(self, obj: AnyValue, name: str, node: ir.Attr | None = None) -> AnyValue:
        """An attribute of a function or another callable."""
        if isinstance(obj, FunctionV):
            if name in obj.slots:
                if obj.owner is not None:
                    self.attribute_read(obj, name, node)
                value = obj.slots[name]
                return value.value if isinstance(value, Maybe) else value
            if name in ("__name__", "__qualname__"):
                return Known(shown_name(obj.node.name, obj.cls))
            if name == "__module__":
                return Known(obj.module.name)
            if name == "__wrapped__":
                return obj
            if name == "__get__":
                return Native("function.__get__", lambda _, args: _bind(obj, args))
            if name == "__dict__":
                return self.slots_view(obj)
            if name == "__doc__":
                return text_hole() if obj.node.doc is None else Known(obj.node.doc)
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
                if isinstance(base, ClassV) and "__setattr__" in base.slots:
                    self.call(base.slots["__setattr__"], Arguments([obj, Known(name), value]))
                    return
        self.store_attr(obj, name, value)

    def store_attr(self, obj: AnyValue, name: str, value: AnyValue) -> None:
        """What `object.__setattr__` does: descriptors of the class decide, a `__setattr__` of its own does not."""
        if isinstance(obj, Instance) and isinstance(obj.cls, ClassV):
            for base in obj.cls.mro:
                found = base.slots.get(name) if isinstance(base, ClassV) else None
                if isinstance(found, Descriptor) and found.kind == "property":
                    if found.setter is not None:
                        self.call(found.setter, Arguments([obj, value]))
                    return
                if isinstance(found, Instance) and isinstance(found.cls, ClassV) and self.has_attr(found, "__set__"):
                    self.call(self.get_attr(found, "__set__"), Arguments([obj, value]))
                    return
                if found is not None:
                    break
        if isinstance(obj, Ext):
            setter = registry.SETTERS.get(f"{obj.name}.{name}")
            if setter is not None:
                setter(self, value)
                return
            if self.frame is not None:
                self.shared(f"{obj.name}.{name}", SharedKind.PROCESS, "write")
            if not self.conditional:
                self.replace_external(f"{obj.name}.{name}", value)
            return
        if isinstance(obj, DictObj) and "." in obj.kind:
            self.put(obj, Known(name), value)
            return
        if isinstance(obj, Instance) and name == "__dict__":
            if isinstance(value, Instance) and isinstance(value.cls, ClassV):
                value = self.inner(value, value.cls.library_base())
            self.state.write(obj.slots, ATTRIBUTES, value)
            return
        if isinstance(obj, Instance) and name not in obj.slots and isinstance(obj.slots.get(ATTRIBUTES), DictObj):
            self.put(obj.slots[ATTRIBUTES], Known(name), value)
            return
        if isinstance(obj, Heap):
            self.taken_in(obj, value)
            self.state.write(obj.slots, name, value)
            if (
                name == "data"
                and isinstance(obj, Instance)
                and isinstance(obj.cls, ClassV)
                and obj.cls.library_base() == "collections.UserDict"
            ):
                # What it holds is the mapping that this attribute names.
                self.state.write(obj.slots, ("value",), value)

    def delete_attr(self, obj: AnyValue, name: str) -> None:
        """`del obj.name`."""
        if not isinstance(obj, Heap):
            return
        if isinstance(obj, Instance) and isinstance(obj.cls, ClassV):
            for base in obj.cls.mro:
                if not isinstance(base, ClassV):
                    continue
                found = base.slots.get(name)
                if isinstance(found, Descriptor) and found.kind == "property":
                    if found.deleter is not None:
                        self.call(found.deleter, Arguments([obj]))
                    return
                if isinstance(found, Instance) and isinstance(found.cls, ClassV) and self.has_attr(found, "__delete__"):
                    self.call(self.get_attr(found, "__delete__"), Arguments([obj]))
                    return
                if "__delattr__" in base.slots:
                    self.call(base.slots["__delattr__"], Arguments([obj, Known(name)]))
                    return
        self.state.erase(obj.slots, name)

    def raw_setattr(self, obj: AnyValue, args: Arguments) -> AnyValue:
        """`object.__setattr__`, bound or not."""
        if len(args.pos) >= 2:
            for name in options(args.pos[-2]):
                if isinstance(name, Known) and isinstance(name.value, str):
                    self.store_attr(obj, name.value, args.pos[-1])
        return NONE


def _bind(func: FunctionV, args: Arguments) -> AnyValue:
    """`func.__get__(instance, owner)`: the function itself where there is no instance."""
    instance = args.get(0, "instance")
    return func if instance is None or instance == NONE else BoundMethod(func, instance)


def _known_attr(value: object, name: str) -> AnyValue | None:
    """What a constant has beside methods, as known as it is; of built-in types only parts of numbers and slices."""
    if name in ("real", "imag", "numerator", "start", "stop", "step"):
        return Known(getattr(value, name, None))
    if type(value).__module__ == "builtins":
        return None
    found = getattr(value, name, None)
    return from_python(found) if found is not None and not callable(found) else None


def _with_setter(obj: Descriptor, name: str, args: Arguments) -> AnyValue:
    func = args.pos[0] if args.pos else UNKNOWN
    functions = {"getter": obj.func, "setter": obj.setter, "deleter": obj.deleter, name: func}
    return Descriptor(obj.kind, functions["getter"] or NONE, functions["setter"], functions["deleter"])
