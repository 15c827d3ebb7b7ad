"""Iteration: the elements that a value gives, one by one."""

from __future__ import annotations

from typing import Any

from taskgates.inference.class_attributes import PLAIN_BASES
from taskgates.inference.core import Core
from taskgates.inference.exceptions import catches
from taskgates.inference.frames import AbstractRaise, TryContext
from taskgates.inference.models import registry
from taskgates.inference.objects import CONTENT, DEFAULT, REST, Arguments, ClassV, DictObj, Instance, ListObj, Maybe
from taskgates.inference.renderings import text_hole
from taskgates.inference.state import join_contents
from taskgates.inference.text import Text
from taskgates.inference.values import (
    INT,
    UNKNOWN,
    AnyValue,
    Awaitable,
    Ext,
    Known,
    Scalar,
    Stream,
    TupleV,
    Union,
    Unknown,
    join,
)


class Iteration(Core):
    """The part of the interpreter that iterates over values."""

    def iterate(self, value: AnyValue) -> TupleV:
        """The elements that iterating over a value gives: known first ones, then a summary."""
        if isinstance(value, TupleV):
            return value
        if self.overlap.active and isinstance(value, ListObj | DictObj):
            self.looked_at(value)
        if isinstance(value, ListObj):
            content: TupleV = value.slots[CONTENT]
            if value.kind == "iterator":
                self.consume(value)
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

    def consume(self, iterator: ListObj) -> None:
        """Note that an iterator has given all its elements."""
        if iterator.owner is not None:
            self.mutated(iterator)
        self.state.write(iterator.slots, CONTENT, TupleV(()))

    def iterate_union(self, value: Union) -> TupleV:
        """The elements of whichever alternative it is."""
        contents = []
        for option in value.options:
            if isinstance(option, Known) and not isinstance(option.value, str | bytes | range):
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

    def iterate_by_index(self, getter: AnyValue) -> TupleV:
        """What `__getitem__` gives for 0, 1, 2 and so on, until it raises IndexError."""
        items: list[AnyValue] = []
        while len(items) < self.limits.unroll:
            try:
                found = self.call(getter, Arguments([Known(len(items))]))
            except AbstractRaise as error:
                if catches(Ext("builtins.IndexError"), error.value):
                    return TupleV(items)
                raise
            if isinstance(found, Unknown) or found in items[-1:]:
                break
            items.append(found)
        return TupleV(items, self.call(getter, Arguments([INT])))

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
                return self.iterate_by_index(self.get_attr(value, "__getitem__"))
            fields = value.cls.traits.get("tuple") if isinstance(value.cls, ClassV) else None
            if fields is not None:
                return TupleV(self.get_attr(value, field) for field in fields)
            external = value.cls.library_base(PLAIN_BASES) if isinstance(value.cls, ClassV) else ""
            return self.external_elements(value, external) if external else TupleV((), UNKNOWN)
        return self.external_elements(value, value.cls.name)

    def external_elements(self, value: Instance, type_name: str) -> TupleV:
        """Iteration over a library object: by a model, else by the tables."""
        inner = self.inner(value, type_name)
        if inner is not value:
            return self.iterate(inner)
        for candidate in self.type_names(type_name):
            model = registry.METHODS.get(f"{candidate}.__iter__")
            if model is not None:
                return self.iterate(model(self, value, Arguments()))
        given = self.apply_special(value, type_name, "__iter__", ())
        if given is not None and not (isinstance(given, Instance) and given.cls == value.cls):
            return self.iterate(given)
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


def _keys(mapping: DictObj) -> TupleV:
    """The keys of a mapping: certain ones first, then a summary of those that may be there."""
    if mapping.exact:
        return TupleV(key for key, _ in mapping.known())
    certain = [key for key, item in mapping.slots.items() if key not in (REST, DEFAULT) and not isinstance(item, Maybe)]
    loose = [key for key, item in mapping.slots.items() if isinstance(item, Maybe) and key is not REST]
    if mapping.rest is not None:
        loose.append(text_hole("data"))
    return TupleV(certain, join(loose) if loose else None)
