"""Subscripts: what `obj[index]` gives, and what storing and deleting by it do."""

from __future__ import annotations

from typing import Any

from taskgates.inference.class_attributes import PLAIN_BASES
from taskgates.inference.comparison import contains, may_equal
from taskgates.inference.core import Core
from taskgates.inference.models import registry
from taskgates.inference.objects import (
    CONTENT,
    DEFAULT,
    REST,
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
)
from taskgates.inference.operators import concat_contents
from taskgates.inference.text import Hole, Text, make_text
from taskgates.inference.values import (
    BYTES,
    INT,
    SEQUENCE_LIMIT,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    PathV,
    Scalar,
    TupleV,
    Union,
    Unknown,
    Unsorted,
    as_value,
    join,
    options,
)

DATA_VALUE = Unknown("read from data", "data")


class Items(Core):
    """The part of the interpreter that reads and writes elements of containers."""

    def get_item(self, obj: AnyValue, index: AnyValue) -> AnyValue:
        """`obj[index]`."""
        if self.overlap.active and isinstance(obj, ListObj | DictObj):
            self.looked_at(obj)
        if isinstance(index, Known) and type(index.value) is slice and isinstance(obj, TupleV | ListObj | Text):
            bounds = index.value
            if not all(isinstance(bound, int | None) for bound in (bounds.start, bounds.stop, bounds.step)):
                raise self.throw("TypeError", "slice indices must be integers or None or have an __index__ method")
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
            return self._class_item(obj, index)
        if isinstance(obj, Ext):
            getter = registry.ITEMS.get(obj.name)
            return getter(self, index) if getter is not None else obj
        if isinstance(obj, Unknown):
            self.may_raise()
            return Unknown(obj.reason or "an element of an unknown value", obj.origin)
        return UNKNOWN

    def _class_item(self, obj: ClassV, index: AnyValue) -> AnyValue:
        """`cls[index]`: a member of an enumeration, what the metaclass says, or a generic class."""
        if "enum" in obj.traits and isinstance(index, Known) and isinstance(index.value, str):
            if not any(isinstance(base, ClassV) and index.value in base.slots for base in obj.mro):
                raise self.throw("KeyError")
            return self.class_attr(obj, index.value)
        found = self.class_protocol(obj, "__getitem__")
        if found is None and any(isinstance(base, ClassV) and "__class_getitem__" in base.slots for base in obj.mro):
            found = self.class_attr(obj, "__class_getitem__")
            found = BoundMethod(found, obj) if isinstance(found, FunctionV) else found
        return self.call(found, Arguments([index])) if found is not None else obj

    def instance_item(self, obj: Instance, index: AnyValue) -> AnyValue:
        """`obj[index]` of an object."""
        if not isinstance(obj.cls, ClassV):
            return self.external_get(obj, obj.cls.name, index)
        if self.has_attr(obj, "__getitem__"):
            return self.call(self.get_attr(obj, "__getitem__"), Arguments([index]))
        fields = obj.cls.traits.get("tuple")
        if fields is not None:
            return self.sequence_item(TupleV(self.get_attr(obj, field) for field in fields), index)
        external = obj.cls.library_base(PLAIN_BASES)
        if not external:
            return Unknown("an element of an object", "data")
        return self.external_get(obj, external, index)

    def external_get(self, obj: Instance, type_name: str, index: AnyValue) -> AnyValue:
        """`obj[index]` of a library object."""
        inner = self.inner(obj, type_name)
        if isinstance(inner, DictObj) and isinstance(obj.cls, ClassV) and self.has_attr(obj, "__missing__"):
            there = contains(inner, index)
            made = None if there else self.call(self.get_attr(obj, "__missing__"), Arguments([index]))
            return made if made is not None and there is False else join([self.get_item(inner, index), made])
        if inner is not obj:
            return self.get_item(inner, index)
        for candidate in self.type_names(type_name):
            model = registry.METHODS.get(f"{candidate}.__getitem__")
            if model is not None:
                found: AnyValue = model(self, obj, Arguments([index]))
                return found
        given = self.apply_special(obj, type_name, "__getitem__", [index])
        return given if given is not None else self.external_item(obj, type_name)

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
                self.mutated(obj)
                value = self.call(factory, Arguments())
                self.taken_in(obj, value)
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
        values = [value for key, value in obj.known() if may_equal(key, index)]
        if obj.rest is not None:
            values.append(obj.rest)
        factory = obj.slots.get(DEFAULT)
        if factory is not None:
            self.mutated(obj)
            value = self.call(factory, Arguments())
            self.taken_in(obj, value)
            self.state.write(obj.slots, REST, join([obj.rest, value]) if obj.rest is not None else value)
            return obj.rest or value
        return obj.join_entries(values) if values else Unknown("an element under an unknown key", "data")

    def sequence_item(self, obj: TupleV | ListObj, index: AnyValue) -> AnyValue:
        """`sequence[index]` and `sequence[start:stop:step]`."""
        items, rest = obj.items, obj.rest
        content: TupleV = obj.slots[CONTENT] if isinstance(obj, ListObj) else obj
        kind = obj.kind if isinstance(obj, ListObj) else "tuple"
        if type(content) is Unsorted and len(items) > 1:
            items, rest = (), content.summary
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
            summary = content.summary
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
        if content.summary is None:
            raise self.throw("IndexError", f"{kind} index out of range")
        return content.summary

    def put(self, target: DictObj, key: AnyValue, value: AnyValue) -> None:
        """Store under a key that may be unknown."""
        if isinstance(key, Union):
            self.state.joined += len(key.options) * len(options(value))
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
            self.touch_attr(target.target, key.value)
            self.state.write(target.target.slots, key.value, value)
        self.taken_in(target, value)

    def set_item(self, obj: AnyValue, index: AnyValue, value: AnyValue, node: Any = None) -> None:
        """`obj[index] = value`."""
        if isinstance(obj, Union):
            for option in obj.options:
                if isinstance(option, Heap):
                    self.set_item(option, index, value, node)
            return
        if isinstance(obj, Instance) and self.has_attr(obj, "__setitem__"):
            self.call(self.get_attr(obj, "__setitem__"), Arguments([index, value]))
            return
        self.mutated(obj, node)
        if isinstance(obj, DictObj):
            self.put(obj, index, value)
        elif isinstance(obj, ListObj):
            self.taken_in(obj, value)
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
            type_name = obj.library_type
            inner = self.inner(obj, type_name)
            if inner is not obj:
                self.set_item(inner, index, value, node)
                return
            for candidate in self.type_names(type_name):
                model = registry.METHODS.get(f"{candidate}.__setitem__")
                if model is not None:
                    model(self, obj, Arguments([index, value]))
                    break
            else:
                self.apply_special(obj, type_name, "__setitem__", [index, value])
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
        elif isinstance(obj, Instance):
            if self.has_attr(obj, "__delitem__"):
                self.call(self.get_attr(obj, "__delitem__"), Arguments([index]))
            else:
                self.apply_special(obj, obj.library_type, "__delitem__", [index])
        elif isinstance(obj, Ext) and (model := registry.METHODS.get(f"{obj.name}.__delitem__")) is not None:
            model(self, obj, Arguments([index]))

    def extend(self, target: ListObj, value: AnyValue, *, distinct: bool = False) -> None:
        """Append all elements of a value to a list in place."""
        self.mutated(target)
        added = self.iterate(value)
        self.taken_in(target, added)
        content = concat_contents(TupleV(target.items, target.rest), added)
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
        if isinstance(value, Ext) and (model := registry.METHODS.get(f"{value.name}.@entries")) is not None:
            value = model(self, value, Arguments())
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
            model = registry.METHODS.get(f"{value.cls.name}.@entries") if entries is None else None
            if model is not None:
                entries = model(self, value, Arguments())
            return entries if isinstance(entries, DictObj) else None
        inner = self.inner(value, value.cls.library_base())
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


def _slice_text(text: Text, index: AnyValue) -> Any:
    if isinstance(index, Known) and type(index.value) is int:
        known = text.prefix if index.value >= 0 else text.suffix
        if -len(known) <= index.value < len(known):
            return known[index.value]
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
