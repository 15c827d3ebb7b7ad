"""Attributes, subscripts, iteration and context management of every kind of value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.core import AbstractRaise, Core, TryContext
from taskgates.inference.models import registry
from taskgates.inference.operators import concat_contents, equal
from taskgates.inference.state import join_contents
from taskgates.inference.text import Hole, Text, make_text
from taskgates.inference.values import (
    BYTES,
    CONTENT,
    DEFAULT,
    EMPTY,
    INT,
    NONE,
    REST,
    SEQUENCE_LIMIT,
    UNKNOWN,
    AnyValue,
    Arguments,
    AttributeView,
    Awaitable,
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
    Native,
    Partial,
    PathV,
    Scalar,
    Stream,
    Super,
    TupleV,
    Union,
    Unknown,
    as_value,
    join,
    path_text,
    render,
    text_hole,
)
from taskgates.model.access import SharedKind

if TYPE_CHECKING:
    from taskgates.syntax import ir


class Attributes(Core):
    """Access to parts of values."""

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
            return Unknown(f"{obj.reason}" if obj.reason else f"an attribute {name} of an unknown value", obj.origin)
        if isinstance(obj, FunctionV | Partial | BoundMethod | Native):
            return self.function_attr(obj, name)
        if isinstance(obj, Descriptor):
            if name in ("setter", "getter", "deleter"):
                return Native(f"property.{name}", lambda _, args: _with_setter(obj, name, args))
            return self.get_attr(obj.func, name, node)
        if isinstance(obj, Known) and obj.value is None:
            raise self.throw("AttributeError", f"'NoneType' object has no attribute {name!r}")
        if isinstance(obj, Known) and name in ("real", "imag", "numerator", "start", "stop", "step"):
            return Known(getattr(obj.value, name, None))
        if name == "__class__":
            return self.type_of(obj)
        if name == "__doc__":
            return text_hole()
        return Method(obj, name)

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
                self.shared(f"{obj.name}.{name}", SharedKind.MODULE_GLOBAL, "read", node)
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
            found = self.external_attribute(obj, cls.name, name)
            return found if found is not None else Method(obj, name)
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
            if isinstance(base, ClassV) and "__getattr__" in base.slots:
                return self.call(base.slots["__getattr__"], Arguments([obj, Known(name)]))
        for base in cls.mro:
            if isinstance(base, Ext) and base.name not in _PLAIN:
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
            if isinstance(base, Ext) and base.name not in _PLAIN:
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
            elif external is None and base.name not in _PLAIN:
                external = base
        if external is not None:
            if name == "__init__" and isinstance(obj.self, Instance):
                instance, type_name = obj.self, external.name
                return Native(
                    "__init__", lambda machine, args: machine.init_external(instance, type_name, args) or NONE
                )
            if name == "__new__":
                return Native("__new__", lambda machine, args: machine.external_new(external.name, args))
            return Method(obj.self, name)
        if name == "__new__":
            return Native("__new__", lambda _, args: _plain_new(args))
        if name == "__setattr__":
            return Native("__setattr__", lambda machine, args: machine.raw_setattr(obj.self, args))
        return Native(f"object.{name}", lambda _, __: NONE)

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
            return Ext(f"builtins.{type(value.value).__name__}") if value.value is not None else Ext("types.NoneType")
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

    # Subscripts

    def get_item(self, obj: AnyValue, index: AnyValue) -> AnyValue:
        """`obj[index]`."""
        if isinstance(obj, Union):
            kept = [o for o in obj.options if not (isinstance(o, Known) and o.value is None)]
            if not kept:
                raise self.throw("TypeError")
            return self.choose([lambda option=option: self.get_item(option, index) for option in kept])  # type: ignore[misc]
        if isinstance(index, Union) and isinstance(obj, DictObj | TupleV | ListObj | Known):
            return self.choose([lambda option=option: self.get_item(obj, option) for option in index.options])  # type: ignore[misc]
        if isinstance(obj, DictObj):
            return self.dict_item(obj, index)
        if isinstance(obj, TupleV | ListObj):
            return self.sequence_item(obj, index)
        if isinstance(obj, Known):
            if isinstance(index, Known):
                try:
                    return Known(obj.value[index.value])
                except (TypeError, IndexError, KeyError, ValueError) as error:
                    raise self.throw(type(error).__name__, str(error)) from None
            return (
                Text((Hole("data", isinstance(obj.value, str) and "/" in obj.value),))
                if isinstance(obj.value, str)
                else INT
            )
        if isinstance(obj, Text):
            return as_value(_slice_text(obj, index))
        if isinstance(obj, Scalar) and obj.kind == "bytes":
            return BYTES if isinstance(index, Known) and isinstance(index.value, slice) else INT
        if isinstance(obj, Instance):
            return self.instance_item(obj, index)
        if isinstance(obj, ClassV):
            if "enum" in obj.traits and isinstance(index, Known) and isinstance(index.value, str):
                return self.class_attr(obj, index.value)
            return obj
        if isinstance(obj, Ext):
            getter = registry.ITEMS.get(obj.name)
            return getter(self, index) if getter is not None else obj
        if isinstance(obj, Unknown):
            self.may_raise()
            return Unknown(obj.reason or "an element of an unknown value", obj.origin)
        return UNKNOWN

    def instance_item(self, obj: Instance, index: AnyValue) -> AnyValue:
        """`obj[index]` of an object."""
        if not isinstance(obj.cls, ClassV):
            return self.external_get(obj, obj.cls.name, index)
        if self.has_attr(obj, "__getitem__"):
            return self.call(self.get_attr(obj, "__getitem__"), Arguments([index]))
        fields = obj.cls.traits.get("tuple")
        if fields is not None:
            return self.sequence_item(TupleV(self.get_attr(obj, field) for field in fields), index)
        external = next((b for b in obj.cls.mro if isinstance(b, Ext) and b.name not in _PLAIN), None)
        if external is None:
            return Unknown("an element of an object", "data")
        return self.external_get(obj, external.name, index)

    def external_get(self, obj: Instance, type_name: str, index: AnyValue) -> AnyValue:
        """`obj[index]` of a library object."""
        inner = self.inner(obj, type_name)
        if inner is not obj:
            return self.get_item(inner, index)
        model = registry.METHODS.get(f"{type_name}.__getitem__")
        if model is not None:
            found: AnyValue = model(self, obj, Arguments([index]))
            return found
        return self.external_item(obj, type_name)

    def dict_item(self, obj: DictObj, index: AnyValue) -> AnyValue:
        """`mapping[key]`: what is stored under the keys that may be equal, and what a factory makes."""
        if isinstance(index, Known | TupleV | Ext | ClassV | Instance | FunctionV | PathV | Text):
            found = obj.slots.get(index)
            if found is not None:
                if isinstance(found, Maybe):
                    self.may_raise("KeyError")
                    return join([found.value, obj.rest])
                return found  # type: ignore[no-any-return]
            factory = obj.slots.get(DEFAULT)
            if factory is not None and obj.rest is None:
                value = self.call(factory, Arguments())
                if isinstance(value, Heap):
                    value.owner = obj.owner
                self.state.write(obj.slots, index, value)
                return value
            if (
                isinstance(index, Known)
                and obj.rest is None
                and factory is None
                and all(isinstance(key, Known) for key, _ in obj.known())
            ):
                if "__missing__" in obj.slots:
                    return UNKNOWN
                raise self.throw("KeyError", str(index.value))
        self.may_raise("KeyError")
        values = [value for key, value in obj.known() if equal(key, index) is not False]
        if obj.rest is not None:
            values.append(obj.rest)
        factory = obj.slots.get(DEFAULT)
        if factory is not None:
            value = self.call(factory, Arguments())
            if isinstance(value, Heap):
                value.owner = obj.owner
            self.state.write(obj.slots, REST, join([obj.rest, value]) if obj.rest is not None else value)
            return obj.rest or value
        return join(values) if values else Unknown("an element under an unknown key", "data")

    def sequence_item(self, obj: TupleV | ListObj, index: AnyValue) -> AnyValue:
        """`sequence[index]` and `sequence[start:stop:step]`."""
        items, rest = obj.items, obj.rest
        kind = obj.kind if isinstance(obj, ListObj) else "tuple"
        if isinstance(index, Known) and isinstance(index.value, slice):
            bounds = index.value
            if rest is None:
                try:
                    found, more = items[bounds], None
                except (TypeError, ValueError):
                    found, more = (), join(items) if items else None
            elif (bounds.start or 0) >= 0 and bounds.stop is None and bounds.step in (None, 1):
                found, more = items[bounds], rest
            elif (
                bounds.step is None
                and bounds.stop is not None
                and 0 <= bounds.stop <= len(items)
                and (bounds.start or 0) >= 0
            ):
                found, more = items[bounds], None
            else:
                found, more = (), join([*items, rest])
            return TupleV(found, more) if kind == "tuple" else self.new_list("list", found, more)
        if isinstance(index, Instance) and isinstance(index.cls, Ext) and index.cls.name == "builtins.slice":
            every = [*items, *([rest] if rest is not None else [])]
            summary = join(every) if every else None
            return TupleV((), summary) if kind == "tuple" else self.new_list("list", (), summary)
        if isinstance(index, Known) and isinstance(index.value, int):
            position = index.value
            if rest is None:
                if -len(items) <= position < len(items):
                    return items[position]
                raise self.throw("IndexError", f"{kind} index out of range")
            if 0 <= position < len(items):
                return items[position]
            self.may_raise("IndexError")
            return rest if position >= 0 else join([*items, rest])
        self.may_raise("IndexError")
        every = [*items, *([rest] if rest is not None else [])]
        if not every:
            raise self.throw("IndexError", f"{kind} index out of range")
        return join(every)

    def put(self, target: DictObj, key: AnyValue, value: AnyValue) -> None:
        """Store under a key that may be unknown."""
        for option in key.options if isinstance(key, Union) else (key,):
            if isinstance(option, Known | Ext | ClassV | Instance | FunctionV | PathV | ModuleV) or (
                isinstance(option, TupleV) and option.rest is None
            ):
                certain = not isinstance(key, Union)
                try:
                    hash(option)
                except TypeError:
                    certain = False
                    option = UNKNOWN  # noqa: PLW2901
                    self.state.write(target.slots, REST, join([target.rest, value]))
                    continue
                previous = target.slots.get(option)
                if certain:
                    self.state.write(target.slots, option, value)
                else:
                    old = previous.value if isinstance(previous, Maybe) else previous
                    self.state.write(target.slots, option, Maybe(join([old, value])))
            else:
                self.state.write(target.slots, REST, join([target.rest, value]))
                # The unknown key may be any of the known ones.
        if isinstance(target, AttributeView) and isinstance(key, Known) and isinstance(key.value, str):
            self.state.write(target.target.slots, key.value, value)
        if isinstance(value, Heap) and value.owner is None and target.owner is not None:
            value.owner = target.owner

    def set_item(self, obj: AnyValue, index: AnyValue, value: AnyValue, node: Any = None) -> None:
        """`obj[index] = value`."""
        if isinstance(obj, Union):
            for option in obj.options:
                if isinstance(option, Heap):
                    self.set_item(option, index, value, node)
            return
        self.mutated(obj, node)
        if isinstance(obj, DictObj):
            self.put(obj, index, value)
        elif isinstance(obj, ListObj):
            content = TupleV(obj.items, obj.rest)
            if (
                isinstance(index, Known)
                and isinstance(index.value, int)
                and -len(obj.items) <= index.value < len(obj.items)
                and (obj.rest is None or index.value >= 0)
            ):
                items = list(content.items)
                items[index.value] = value
                self.state.write(obj.slots, CONTENT, TupleV(items, content.rest))
            elif isinstance(index, Known) and isinstance(index.value, slice):
                new = self.iterate(value)
                if content.rest is None and new.rest is None:
                    items = list(content.items)
                    try:
                        items[index.value] = list(new.items)
                    except ValueError:
                        return
                    self.state.write(obj.slots, CONTENT, TupleV(items))
                else:
                    every = [*content.items, *new.items, *(r for r in (content.rest, new.rest) if r is not None)]
                    self.state.write(obj.slots, CONTENT, TupleV((), join(every) if every else None))
            else:
                items = [join([item, value]) for item in content.items]
                self.state.write(
                    obj.slots, CONTENT, TupleV(items, join([content.rest, value]) if content.rest is not None else None)
                )
        elif isinstance(obj, Instance):
            if self.has_attr(obj, "__setitem__"):
                self.call(self.get_attr(obj, "__setitem__"), Arguments([index, value]))
                return
            type_name = (
                obj.cls.name
                if isinstance(obj.cls, Ext)
                else next((b.name for b in obj.cls.mro if isinstance(b, Ext)), "")
            )
            inner = self.inner(obj, type_name)
            if inner is not obj:
                self.set_item(inner, index, value, node)
                return
            model = registry.METHODS.get(f"{type_name}.__setitem__")
            if model is not None:
                model(self, obj, Arguments([index, value]))
        elif isinstance(obj, Ext):
            setter = registry.METHODS.get(f"{obj.name}.__setitem__")
            if setter is not None:
                setter(self, obj, Arguments([index, value]))

    def delete_item(self, obj: AnyValue, index: AnyValue, node: Any = None) -> None:
        """`del obj[index]`."""
        self.mutated(obj, node)
        if isinstance(obj, DictObj) and isinstance(index, Known | TupleV | Ext):
            if index in obj.slots:
                self.state.erase(obj.slots, index)
            else:
                self.may_raise("KeyError")
        elif isinstance(obj, DictObj):
            # Any of the entries may be the one that goes.
            self.may_raise("KeyError")
            for key, value in list(obj.slots.items()):
                if key is not REST and key is not DEFAULT and not isinstance(value, Maybe):
                    self.state.write(obj.slots, key, Maybe(value))
        elif isinstance(obj, ListObj):
            items = list(obj.items)
            if isinstance(index, Known) and obj.rest is None:
                try:
                    del items[index.value]
                except (IndexError, TypeError):
                    raise self.throw("IndexError") from None
                self.state.write(obj.slots, CONTENT, TupleV(items))
            else:
                every = [*items, *([obj.rest] if obj.rest is not None else [])]
                self.state.write(obj.slots, CONTENT, TupleV((), join(every) if every else None))
        elif isinstance(obj, Instance) and self.has_attr(obj, "__delitem__"):
            self.call(self.get_attr(obj, "__delitem__"), Arguments([index]))

    def extend(self, target: ListObj, value: AnyValue, *, distinct: bool = False) -> None:
        """Append all elements of a value to a list in place."""
        self.mutated(target)
        content = concat_contents(TupleV(target.items, target.rest), self.iterate(value))
        if distinct:
            content = TupleV(dict.fromkeys(content.items), content.rest)
        if len(content.items) > SEQUENCE_LIMIT * 4:
            content = TupleV(
                (), join([*dict.fromkeys(content.items), *([content.rest] if content.rest is not None else [])])
            )
        self.state.write(target.slots, CONTENT, content)

    def merge_into(self, target: DictObj, value: AnyValue) -> None:
        """`dict.update` with one mapping, or with pairs."""
        self.mutated(target)
        if isinstance(value, Instance):
            inner = self.as_mapping(value)
            if inner is not None:
                value = inner
        if isinstance(target, AttributeView) and isinstance(value, DictObj):
            for key, item in value.known():
                self.put(target, key, item)
            return
        if isinstance(value, DictObj):
            for key, item in list(value.slots.items()):
                if key is DEFAULT:
                    continue
                if key is REST:
                    self.state.write(target.slots, REST, join([target.rest, value.rest]))
                elif isinstance(item, Maybe):
                    old = target.slots.get(key)
                    if old is None:
                        self.state.write(target.slots, key, item)
                    else:
                        plain = old.value if isinstance(old, Maybe) else old
                        joined = join([plain, item.value])
                        self.state.write(target.slots, key, Maybe(joined) if isinstance(old, Maybe) else joined)
                else:
                    self.state.write(target.slots, key, item)
            return
        if isinstance(value, Union):
            mark = self.state.begin()
            deltas = []
            for option in value.options:
                if isinstance(option, Known) and option.value is None:
                    continue
                self.merge_into(target, option)
                deltas.append(self.state.delta(mark))
                self.state.rollback(mark)
            self.state.merge(deltas)
            self.state.end()
            return
        if isinstance(value, ListObj | TupleV):
            for pair in value.items:
                parts = self.iterate(pair)
                if len(parts.items) == 2:
                    self.put(target, parts.items[0], parts.items[1])
            if value.rest is not None:
                parts = self.iterate(value.rest)
                found = parts.items[1] if len(parts.items) == 2 else parts.rest or DATA_VALUE
                self.state.write(target.slots, REST, join([target.rest, found]))
            return
        if isinstance(value, Known) and value.value is None:
            return
        found = Unknown("an entry of an unknown mapping", value.origin if isinstance(value, Unknown) else "data")
        self.state.write(target.slots, REST, join([target.rest, found]))

    def as_mapping(self, value: Instance) -> DictObj | None:
        """The entries of an object that behaves like a mapping; None when it does not."""
        entries = value.slots.get(("entries",))
        if isinstance(value.cls, Ext):
            return entries if isinstance(entries, DictObj) else None
        external = next((base.name for base in value.cls.mro if isinstance(base, Ext)), "")
        inner = self.inner(value, external)
        if isinstance(inner, DictObj):
            return inner
        if not (self.has_attr(value, "keys") and self.has_attr(value, "__getitem__")):
            return None
        out = DictObj()
        keys = self.iterate(self.call(self.get_attr(value, "keys"), Arguments()))
        for key in keys.items:
            self.put(out, key, self.get_item(value, key))
        if keys.rest is not None:
            self.put(out, keys.rest, self.get_item(value, keys.rest))
        return out

    # Iteration

    def iterate(self, value: AnyValue) -> TupleV:
        """The elements that iterating over a value gives: known first ones, then a summary."""
        if isinstance(value, TupleV):
            return value
        if isinstance(value, ListObj):
            content: TupleV = value.slots[CONTENT]
            if value.kind == "iterator":
                self.state.write(value.slots, CONTENT, TupleV(()))
            return content
        if isinstance(value, DictObj):
            return _keys(value)
        if isinstance(value, Known):
            return self.iterate_known(value)
        if isinstance(value, Text):
            return TupleV((), text_hole(value.origin))
        if isinstance(value, Scalar):
            return TupleV((), INT if value.kind == "bytes" else UNKNOWN)
        if isinstance(value, Union):
            return self.iterate_union(value)
        if isinstance(value, Instance):
            return self.iterate_instance(value)
        if isinstance(value, ClassV):
            members = value.traits.get("members")
            if members is not None:
                return TupleV(members)
            if isinstance(value.metaclass, ClassV):
                for base in value.metaclass.mro:
                    if isinstance(base, ClassV) and "__iter__" in base.slots:
                        return self.iterate(self.call(base.slots["__iter__"], Arguments([value])))
        if isinstance(value, Ext):
            getter = registry.ITERATIONS.get(value.name)
            if getter is not None:
                return getter(self)
        if isinstance(value, Awaitable):
            return self.iterate(value.result)
        if isinstance(value, Stream):
            return TupleV(value.rows())
        self.may_raise()
        origin = value.origin if isinstance(value, Unknown) else "unknown"
        return TupleV(
            (), Unknown(value.reason if isinstance(value, Unknown) else "an element of an unknown value", origin)
        )

    def iterate_union(self, value: Union) -> TupleV:
        """The elements of whichever alternative it is."""
        contents = []
        for option in value.options:
            if isinstance(option, Known) and option.value is None:
                self.may_raise("TypeError")
                continue
            contents.append(self.iterate(option))
        if not contents:
            raise self.throw("TypeError")
        if all(content == contents[0] for content in contents):
            return contents[0]
        if len({len(content.items) for content in contents}) == 1:
            return join_contents(contents)
        every = [item for c in contents for item in (*c.items, *([c.rest] if c.rest is not None else []))]
        return TupleV((), join(every or [UNKNOWN]))

    def iterate_known(self, value: Known) -> TupleV:
        """The elements of a constant."""
        data: Any = value.value
        if isinstance(data, str | bytes | range):
            if len(data) > self.limits.unroll:
                return TupleV((), INT if not isinstance(data, str) else text_hole("data"))
            return TupleV(Known(item) for item in data)
        raise self.throw("TypeError", f"{type(data).__name__!r} object is not iterable")

    def iterate_instance(self, value: Instance) -> TupleV:
        """The elements that an object gives by `__iter__`, `__getitem__` or its library class."""
        if isinstance(value.cls, ClassV):
            if self.has_attr(value, "__iter__"):
                result = self.call(self.get_attr(value, "__iter__"), Arguments())
                if result is not value and not (isinstance(result, Instance) and self.has_attr(result, "__next__")):
                    return self.iterate(result)
                value = result if isinstance(result, Instance) else value
            if self.has_attr(value, "__aiter__") and not self.has_attr(value, "__next__"):
                result = self.call(self.get_attr(value, "__aiter__"), Arguments())
                if result is not value:
                    return self.iterate(result)
            for name in ("__next__", "__anext__"):
                if self.has_attr(value, name):
                    return self.drain(value, name)
            if self.has_attr(value, "__getitem__"):
                return TupleV((), self.call(self.get_attr(value, "__getitem__"), Arguments([INT])))
            fields = value.cls.traits.get("tuple") if isinstance(value.cls, ClassV) else None
            if fields is not None:
                return TupleV(self.get_attr(value, field) for field in fields)
            external = (
                next((b for b in value.cls.mro if isinstance(b, Ext) and b.name not in _PLAIN), None)
                if isinstance(value.cls, ClassV)
                else None
            )
            if external is None:
                return TupleV((), UNKNOWN)
            return self.external_elements(value, external.name)
        return self.external_elements(value, value.cls.name)

    def external_elements(self, value: Instance, type_name: str) -> TupleV:
        """Iteration over a library object: by a model, else by the tables."""
        inner = self.inner(value, type_name)
        if inner is not value:
            return self.iterate(inner)
        model = registry.METHODS.get(f"{type_name}.__iter__")
        if model is not None:
            return self.iterate(model(self, value, Arguments()))
        return self.external_iter(value, type_name)

    def drain(self, value: Instance, name: str) -> TupleV:
        """Call `__next__` until it certainly stops, or a few times where that is not known."""
        items: list[AnyValue] = []
        method = self.get_attr(value, name)
        for _ in range(self.limits.unroll):
            before = len(self.tries)
            context = TryContext()
            self.tries.append(context)
            try:
                item = self.call(method, Arguments())
                if isinstance(item, Awaitable):
                    item = item.result
            except AbstractRaise:
                return TupleV(items)
            finally:
                del self.tries[before:]
            if context.values or context.anything:
                return TupleV(items, item)
            items.append(item)
        return TupleV((), join(items))

    # Context managers

    def enter(self, manager: AnyValue) -> AnyValue:
        """`__enter__` (or `__aenter__`)."""
        if isinstance(manager, Union):
            return join(self.enter(option) for option in manager.options)
        if isinstance(manager, Instance):
            for name in ("__enter__", "__aenter__"):
                if self.has_attr(manager, name):
                    value = self.call(self.get_attr(manager, name), Arguments())
                    return value.result if isinstance(value, Awaitable) else value
            type_name = (
                manager.cls.name
                if isinstance(manager.cls, Ext)
                else next((b.name for b in manager.cls.mro if isinstance(b, Ext)), "")
            )
            model = registry.METHODS.get(f"{type_name}.__enter__")
            if model is not None:
                entered: AnyValue = model(self, manager, Arguments())
                return entered
            if self.is_lock(manager):
                self.held.append(self.lock_name(manager))
                return NONE
            return self.external_context(manager, type_name)
        if isinstance(manager, Awaitable):
            return self.enter(manager.result)
        if isinstance(manager, PathV):
            return manager
        if isinstance(manager, Unknown):
            return Unknown(manager.reason, manager.origin)
        return manager

    def leave(self, manager: AnyValue, error: AnyValue | None) -> bool | None:
        """`__exit__` (or `__aexit__`); whether it swallows the exception."""
        if isinstance(manager, Union):
            for option in manager.options:
                self.leave(option, error)
            return None
        if isinstance(manager, Instance):
            for name in ("__exit__", "__aexit__"):
                if self.has_attr(manager, name):
                    kind = self.type_of(error) if error is not None else NONE
                    result = self.call(
                        self.get_attr(manager, name),
                        Arguments([kind, error if error is not None else NONE, UNKNOWN if error is not None else NONE]),
                    )
                    result = result.result if isinstance(result, Awaitable) else result
                    return error is not None and bool(isinstance(result, Known) and result.value)
            type_name = (
                manager.cls.name
                if isinstance(manager.cls, Ext)
                else next((b.name for b in manager.cls.mro if isinstance(b, Ext)), "")
            )
            model = registry.METHODS.get(f"{type_name}.__exit__")
            if model is not None:
                result = model(self, manager, Arguments([error if error is not None else NONE]))
                return isinstance(result, Known) and bool(result.value)
            if self.is_lock(manager) and self.held:
                name = self.lock_name(manager)
                if name in self.held:
                    self.held.remove(name)
        return False

    def lock_name(self, value: Instance) -> str:
        """The name of a lock: of the variable that holds it."""
        if value.owner is not None:
            return value.owner[0]
        label = value.slots.get("label")
        return str(label.value) if isinstance(label, Known) else f"lock-{type(value).__name__}"

    def generator_manager(self, manager: AnyValue) -> tuple[AnyValue, Arguments] | None:
        """The generator function and arguments behind a `contextlib.contextmanager` object."""
        if (
            isinstance(manager, Instance)
            and isinstance(manager.cls, Ext)
            and manager.cls.name == "contextlib._GeneratorContextManager"
        ):
            return manager.slots["func"], manager.slots["args"]
        return None


DATA_VALUE = Unknown("read from data", "data")
_PLAIN = frozenset(
    {"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol", "enum.Enum", "enum.IntEnum", "enum.StrEnum"}
)


def _field_constructor(instance: Instance, cls: ClassV) -> Native:
    """The generated `__init__` of a dataclass, bound to an object."""
    return Native("__init__", lambda machine, args: machine.init_fields(instance, cls, args) or NONE)


def _keys(mapping: DictObj) -> TupleV:
    """The keys of a mapping: certain ones first, then a summary of those that may be there."""
    if mapping.exact:
        return TupleV(key for key, _ in mapping.known())
    certain = [key for key, item in mapping.slots.items() if key not in (REST, DEFAULT) and not isinstance(item, Maybe)]
    loose = [key for key, item in mapping.slots.items() if isinstance(item, Maybe) and key is not REST]
    if mapping.rest is not None:
        loose.append(text_hole("data"))
    return TupleV(certain, join(loose) if loose else None)


def _with_setter(obj: Descriptor, name: str, args: Arguments) -> AnyValue:
    func = args.pos[0] if args.pos else UNKNOWN
    if name == "setter":
        return Descriptor(obj.kind, obj.func, func)
    return Descriptor(obj.kind, func if name == "getter" else obj.func, obj.setter)


def _plain_new(args: Arguments) -> AnyValue:
    cls = args.pos[0] if args.pos else UNKNOWN
    return Instance(cls) if isinstance(cls, ClassV) else UNKNOWN


def _slice_text(text: Text, index: AnyValue) -> Any:
    if isinstance(index, Known) and isinstance(index.value, slice):
        bounds = index.value
        start, stop, step = bounds.start or 0, bounds.stop, bounds.step
        if step in (None, 1):
            parts = list(text.parts)
            if 0 < start <= len(text.prefix):
                parts[0] = text.prefix[start:]
                start = 0
            if start == 0 and stop is None:
                return make_text(parts)
            if start == 0 and stop is not None and stop < 0 and -stop <= len(text.suffix):
                parts[-1] = text.suffix[:stop]
                return make_text(parts)
            if start == 0 and stop is not None and 0 <= stop <= len(text.prefix):
                return text.prefix[:stop]
            if start < 0 and stop is None and -start <= len(text.suffix):
                return text.suffix[start:]
    slash = any(part.slash if isinstance(part, Hole) else "/" in part for part in text.parts)
    return Text((Hole(text.origin, slash),))


__all__ = ["EMPTY", "Attributes", "path_text", "render"]
