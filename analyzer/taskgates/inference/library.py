"""Carrying out what the effect tables say about a library call."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from taskgates.inference import directory_descriptors
from taskgates.inference.effects import (
    Arg,
    ArgForm,
    Callback,
    Kind,
    Piece,
    ReturnForm,
    Row,
)
from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models import registry
from taskgates.inference.models.system.children import with_command
from taskgates.inference.objects import VALUES, Arguments, ClassV, DictObj, FunctionV, Instance, ListObj, Maybe
from taskgates.inference.path_likeness import holds_path, saves_by_name, speaks_of_files
from taskgates.inference.row_results import RowResults
from taskgates.inference.row_values import type_name_of
from taskgates.inference.sharing import lend
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    Awaitable,
    BoundMethod,
    Ext,
    Known,
    Method,
    Native,
    Partial,
    PathV,
    Scalar,
    TupleV,
    Union,
    Unknown,
    join,
    options,
)
from taskgates.model.access import SharedKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taskgates.syntax import ir


def _objects_in(value: AnyValue, depth: int = 3) -> Iterator[Instance]:
    """The objects that a value may be, or that lists, tuples and mappings hold."""
    if isinstance(value, Instance):
        yield value
    elif isinstance(value, Union):
        for option in value.options:
            yield from _objects_in(option, depth)
    elif depth and isinstance(value, ListObj | TupleV):
        for item in (*value.items, *([value.rest] if value.rest is not None else [])):
            yield from _objects_in(item, depth - 1)
    elif depth and isinstance(value, DictObj):
        for _, item in value.known():
            yield from _objects_in(item, depth - 1)


INNER = ("value",)
"""The slot of an object of a class over `list`, `dict` or `str` that holds the built-in value."""

_FAILURES = (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, TypeError, ValueError, re.error)
"""What Python's own functions raise when a model hands them what they do not take."""


class Library(RowResults):
    """Library calls by table."""

    # Calls

    def replace_external(self, name: str, value: AnyValue | None) -> None:
        """Put a callable in the place of a library function; None puts the function back."""
        if isinstance(value, FunctionV | BoundMethod | Native | Partial | Instance):
            self.replaced[name] = value
        else:
            self.replaced.pop(name, None)

    def call_replacement(self, name: str, args: Arguments) -> AnyValue:
        """Call what stands in the place of a library function; that function itself is meant within the call."""
        value = self.replaced.pop(name)
        try:
            return self.call(value, args)
        finally:
            self.replaced[name] = value

    def call_external(self, name: str, args: Arguments, node: ir.Call | None) -> AnyValue:
        """Call a library callable by qualified name."""
        del node
        module = name.partition(".")[0]
        noted = bool(self.tries) and module not in self.tries[-1].libraries
        if noted:
            self.tries[-1].libraries.add(module)
        name = registry.ALIASES.get(name, name)
        if name in self.replaced:
            return self.call_replacement(name, args)
        if args.kw and not directory_descriptors.KEYWORDS.keys().isdisjoint(args.kw):
            args = directory_descriptors.resolved(name, args)
        model = registry.FUNCTIONS.get(name)
        if model is None:
            name = self.effects.canonical(name)
            model = registry.FUNCTIONS.get(name)
        if model is not None:
            result = self.run_model(model, name, args)
            if result is not None:
                if noted and result is self.vouched:
                    self.tries[-1].libraries.discard(module)
                return result
        row = self.effects.lookup(name)
        if row is not None and row.kind in (Kind.CALLABLE, Kind.TYPE):
            owner, _, method = name.rpartition(".")
            if row.kind is Kind.CALLABLE and args.pos and self.is_a(args.pos[0], owner):
                # A method called through its class: the first argument is the object.
                return self.call_method(
                    args.pos[0], method, Arguments(args.pos[1:], args.kw, args.star, args.kwstar), None
                )
            return self.apply(row, args, None, name)
        unbound = registry.METHODS.get(name)
        if unbound is not None and args.pos:
            # `Class.method(obj, ...)`: the first argument is the object.
            obj = args.pos[0]
            inner = self.inner(obj, name.rpartition(".")[0]) if isinstance(obj, Instance) else obj
            rest = Arguments(args.pos[1:], args.kw, args.star, args.kwstar)
            result = self.run_model(unbound, name, inner, rest)
            if result is not None:
                return result
        if name.endswith(".__init__") and args.pos and isinstance(args.pos[0], Instance):
            # `Base.__init__(self, ...)`, as `super().__init__(...)` does it.
            rest = Arguments(args.pos[1:], args.kw, args.star, args.kwstar)
            self.init_external(args.pos[0], name.removesuffix(".__init__"), rest)
            return NONE
        return self.unlisted_call(name, args)

    def call_method(self, obj: AnyValue, name: str, args: Arguments, node: ir.Call | None) -> AnyValue:
        """Call a method that the models or the tables know."""
        del node
        if isinstance(obj, Union):
            return self.each(obj, lambda option: self.call_method(option, name, args, None))
        if self.overlap.active and isinstance(obj, ListObj | DictObj):
            self.looked_at(obj)
        type_name = type_name_of(obj)
        if type_name is None:
            return self.call_unknown(Unknown(f"method {name}"), args)
        if type(obj) is Instance and obj.owner is not None:
            self.use_connection(obj, type_name, name)
        if self.tries:
            self.tries[-1].libraries.add(type_name.partition(".")[0])
        for candidate in self.type_names(type_name):
            model = registry.METHODS.get(f"{candidate}.{name}")
            if model is not None:
                inner = self.inner(obj, candidate) if isinstance(obj, Instance) else obj
                result = self.run_model(model, f"{candidate}.{name}", inner, args)
                if result is not None:
                    return result
                break
        row = self.effects.method(type_name, name)
        if row is not None:
            return self.apply(row, args, obj, f"{type_name}.{name}")
        if name == "__call__":
            owner = self.effects.type(type_name)
            if owner is not None and owner.call is not None:
                self.call_back(args)
                return self.result(owner.call, owner, {}, args, obj, UNKNOWN)
        return self.unlisted_call(f"{type_name}.{name}", args, obj)

    strict = False
    """Whether a failing model ends the analysis instead of being reported; for the engine's own tests."""

    def run_model(self, model: Any, name: str, *values: Any) -> AnyValue | None:
        """Run a model; one that does not get along with its arguments is reported, not fatal."""
        try:
            return model(self, *values)  # type: ignore[no-any-return]
        except _FAILURES as error:
            if self.strict:
                raise
            self.opaque(f"the model of {name} does not cover this call ({type(error).__name__})")
            return UNKNOWN

    def inner(self, obj: Instance, type_name: str) -> AnyValue:
        """The container or string inside an object of a class that derives from a built-in one."""
        if not isinstance(obj.cls, ClassV):
            return obj
        value = obj.slots.get(INNER)
        if isinstance(value, Maybe):
            value = value.value
        if value is None:
            kind = type_name.rpartition(".")[2]
            if kind in ("list", "set", "frozenset", "deque", "UserList"):
                value = ListObj("list" if kind == "UserList" else kind)
            elif kind in ("dict", "OrderedDict", "defaultdict", "Counter", "UserDict"):
                value = DictObj("dict")
            else:
                return obj
            value.owner = obj.owner
            self.state.write(obj.slots, INNER, value)
            if kind == "UserDict":
                self.state.write(obj.slots, "data", value)
        return value

    def is_a(self, value: AnyValue, type_name: str) -> bool:
        """Whether a value is an object of a library type: a method called through its class gets one in front."""
        if self.effects.type(type_name) is None:
            return False
        names = [type_name_of(option) for option in options(value)]
        return any(name is not None and self.effects.is_subtype(name, type_name) for name in names)

    def unlisted_call(self, name: str, args: Arguments, obj: AnyValue | None = None) -> AnyValue:
        """A call of something without a row: what its library's row says, opaque when handed a path."""
        if obj is not None and not isinstance(obj, PathV):
            by_name = self.effects.lookup(f"?.{name.rpartition('.')[2]}")
            if by_name is not None:
                return self.apply_by_name(by_name, args, Unknown(f"the result of {name}"))
        unlisted = self.effects.unlisted(name)
        self.may_raise()
        self.call_back(args)
        if unlisted.opaque:
            self.call_hooks(name.partition(".")[0], args)
        if (unlisted.opaque or speaks_of_files(name)) and any(holds_path(value) for value in args.every()):
            self.opaque(f"{name} is not modelled and is handed a path")
        elif unlisted.opaque and (saves_by_name(name, args.every()) or self.names_file(args.every())):
            self.opaque(f"{name} is not modelled and is handed a name")
        if obj is not None and isinstance(obj, PathV):
            self.opaque(f"{name} of a path is not modelled")
        if unlisted.returns.form is ReturnForm.SELF and obj is not None:
            return Instance(obj.cls) if isinstance(obj, Instance) and VALUES in obj.slots else obj
        origin = "unknown" if unlisted.opaque else "data"
        if unlisted.returns.form is ReturnForm.UNKNOWN:
            return Unknown(f"the result of {name}", origin)
        row = self.effects.lookup(unlisted.row) if unlisted.row else None
        return self.result(unlisted.returns, row, {}, args, obj, UNKNOWN)

    def apply(self, row: Row, args: Arguments, obj: AnyValue | None, call: str) -> AnyValue:
        """Carry out a row.

        Args:
            row: what to do.
            args: the call's arguments.
            obj: the object whose method it is, if any.
            call: the qualified name to report.
        """
        bound = self.bind_row(row, args)
        if row.has_effect or row.returns is None:
            calls_back = any(self.all_hold(row, bound, obj, callback.when) is not False for callback in row.calls)
            if calls_back:
                self.may_raise()
            elif self.tries and not self.reads_present(row, bound, obj):
                self.may_raise("OSError")
            elif self.tries and not self.closed:
                # What is there now can be refused, but not be missing.
                self.may_raise("PermissionError")
        else:
            self.may_raise("ValueError", "TypeError", "OSError", "KeyError")
        copied = self.copied_files(row, bound, obj)
        for effect in row.effects:
            decided = self.all_hold(row, bound, obj, effect.when)
            if decided is False:
                continue
            for value in self.path_values(effect.path, row, bound, obj):
                self.touch(effect.operation, value, call, conditional=decided is None)
        self.remember_copy(*copied)
        opened: AnyValue | None = None
        mode: AnyValue = Known("r")
        if row.open is not None and self.all_hold(row, bound, obj, row.open.when) is not False:
            opened, mode = self.open_file(row, bound, obj, call)
        self.touch_state(row, bound, obj, call)
        if row.lock in ("acquire", "release") and isinstance(obj, Instance):
            self.lock_call(obj, row.lock, bound)
        result: AnyValue = UNKNOWN
        for callback in row.calls:
            if self.all_hold(row, bound, obj, callback.when) is not False:
                result = self.run_callback(callback, row, bound, obj)
        if row.launch is not None:
            self.launch_process(row, bound, args, call)
            return self.launched(row, bound, args, obj, result)
        if row.executes is not None:
            executed = self.execute_code(row, bound, call)
            if executed is not None:
                return executed
        if row.ends:
            raise self.throw("SystemExit", args=TupleV(args.pos, args.star))
        if row.kind is Kind.TYPE:
            return self.construct(row, bound, opened, mode)
        if row.params is None:
            # Functions handed to a library that has no row for the parameter are assumed to be called.
            handled = {callback.function.name for callback in row.calls}
            self.call_back(Arguments([value for name, value in bound.items() if name not in handled]))
        if row.returns is None:
            return Unknown(f"the result of {call}", row.origin or "unknown")
        made = self.result(row.returns, row, bound, args, obj, result, opened, mode)
        return self.promised(row, made) if row.calls and self.overlap.active else made

    def promised(self, row: Row, made: AnyValue) -> AnyValue:
        """What a call gives, which may stand for the end of the one thread that the call has started (a future)."""
        started = any(callback.thread for callback in row.calls) and not (self.loops and self.undecided)
        if started and isinstance(made, Instance):
            self.overlap.promise(made)
        return made

    def launched(
        self, row: Row, bound: dict[str, AnyValue], args: Arguments, obj: AnyValue | None, result: AnyValue
    ) -> AnyValue:
        """What a row that starts a child process returns."""
        if row.kind is Kind.TYPE:
            return with_command(row, bound, self.construct(row, bound, None, Known("r")))
        if row.returns is None:
            return UNKNOWN
        return with_command(row, bound, self.result(row.returns, row, bound, args, obj, result, None, Known("r")))

    def touch_state(self, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None, call: str) -> None:
        """Note what a row does to the state of the process, and what the object holds afterwards."""
        for name in row.process:
            self.shared(name, SharedKind.PROCESS, "write", call=call)
        for name in row.reads_process:
            self.shared(name, SharedKind.PROCESS, "read", call=call)
        for name in row.stores:
            if isinstance(obj, Instance) and name in bound:
                held = obj.slots.get("item")
                obj.slots["item"] = bound[name] if held is None else join([held, bound[name]])

    def apply_by_name(self, row: Row, args: Arguments, obj: AnyValue) -> AnyValue:
        """Carry out the row for a method's name (`["?.to_csv"]`), where the type of the object is not known.

        What a row does to the object itself, that is to a path of which nothing is known, counts only where the
        arguments fit the row: other libraries' objects may have a method of the same name.
        """
        if row.params is not None and not row.params.fits(len(args.pos), args.kw):
            return self.call_unknown(Unknown(obj.reason if isinstance(obj, Unknown) else ""), args)
        return self.apply(row, args, obj, row.name.replace("?", "(object)"))

    def apply_special(self, obj: Instance, type_name: str, name: str, values: Sequence[AnyValue]) -> AnyValue | None:
        """Carry out the row of a special method, for the syntax that calls it; None where no row has it."""
        row = self.effects.method(type_name, name)
        return None if row is None else self.apply(row, Arguments(values), obj, f"{type_name}.{name}")

    def construct(self, row: Row, bound: dict[str, AnyValue], opened: AnyValue | None, mode: AnyValue) -> AnyValue:
        """A fresh object of a library type."""
        if row.returns is not None and row.returns.form is not ReturnForm.SELF:
            return self.result(row.returns, row, bound, Arguments(), None, UNKNOWN, opened, mode)
        instance = Instance(Ext(row.name))
        for name in row.keep:
            value = self.argument(row, bound, name)
            ignored = isinstance(value, Known) and value.value in row.ignore.get(name, ())
            if value is not None and not ignored:
                instance.slots[name] = value
        if row.lock:
            paths = [value for effect in row.effects for value in self.path_values(effect.path, row, bound, None)]
            self.new_lock(instance, paths if opened is None else [opened], bound)
        if opened is not None:
            instance.slots.setdefault("name", opened)
        return instance

    # Callbacks

    def run_callback(self, callback: Callback, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None) -> AnyValue:
        """Call a function that was handed to a library, or the methods of what was handed to it."""
        result: AnyValue = UNKNOWN
        for func in self.callback_targets(callback.function, row, bound, obj):
            result = self.run_target(callback, func, row, bound, obj)
        return result

    def callback_targets(
        self, function: Piece, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None
    ) -> list[AnyValue]:
        """What a callback's name stands for: a function, a method of an object, or that of each object in a list."""
        steps = function.steps
        func: AnyValue | None
        if function.name == "self" and obj is not None and steps:
            name, steps = steps[0].name, steps[1:]
            if isinstance(obj, Instance) and name in obj.slots:
                func = obj.slots[name]
            elif isinstance(obj, Instance) and self.has_attr(obj, name):
                func = self.get_attr(obj, name)
            else:
                func = self.get_attr(obj, name) if not isinstance(obj, Instance) else Method(obj, name)
        else:
            func = self.argument(row, bound, function.name)
        found = [func] if func is not None else []
        for step in steps:
            found = [
                self.get_attr(owner, step.name)
                for value in found
                for owner in _objects_in(value)
                if self.has_attr(owner, step.name)
            ]
        return [value for value in found if not isinstance(value, Unknown | Known | Scalar)]

    def run_target(
        self, callback: Callback, func: AnyValue, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None
    ) -> AnyValue:
        """Call one of the functions that a callback stands for."""
        call_args = self.callback_arguments(callback, row, bound, obj)
        if callback.later:
            self.at_exit.append((func, call_args))
            return UNKNOWN
        apart = callback.thread or callback.process
        several = False
        if callback.thread:
            # What the constructor of a pool is handed runs in every one of its threads.
            several = bool(self.loops and self.undecided) or (
                row.kind is Kind.TYPE and bound.get("max_workers") != Known(1)
            )
            lend(self, func, call_args, several=several)
        self.threads += callback.thread
        starved = self.starved
        try:
            with self.working(several=several, thread=callback.thread, handle=obj) if apart else nullcontext():
                result = self.call(func, call_args)
            if self.starved > starved and not self.ending and apart:
                self.again.append((func, call_args))
        except AbstractRaise:
            self.may_raise()
            result = UNKNOWN
        finally:
            self.threads -= callback.thread
        if isinstance(result, Awaitable):
            result = result.result
        return result

    def callback_arguments(
        self, callback: Callback, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None
    ) -> Arguments:
        """The arguments that a library passes to a callback."""
        out = Arguments()
        for arg in callback.args:
            self.add_argument(arg, out, row, bound, obj)
        for name, arg in callback.kwargs.items():
            single = Arguments()
            self.add_argument(arg, single, row, bound, obj)
            out.kw[name] = single.pos[0] if single.pos else single.star or UNKNOWN
        if callback.star_kwargs is not None:
            value = self.piece(callback.star_kwargs, row, bound, obj)
            if isinstance(value, DictObj):
                for key, item in value.known():
                    if isinstance(key, Known) and isinstance(key.value, str):
                        out.kw[key.value] = item
                out.kwstar = value.rest
        return out

    def add_argument(
        self, arg: Arg, out: Arguments, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None
    ) -> None:
        """Append one argument of a callback, as its row describes it."""
        if arg.form is ArgForm.UNKNOWN or (arg.piece is None and arg.type is None):
            out.pos.append(Unknown("an argument of a callback", "data"))
            return
        if arg.form is ArgForm.INSTANCE and arg.type is not None:
            out.pos.append(self.result(arg.type, row, bound, Arguments(), obj, UNKNOWN))
            return
        assert arg.piece is not None
        value = self.piece(arg.piece, row, bound, obj)
        if arg.form is ArgForm.VALUE:
            out.pos.append(value if value is not None else NONE)
            return
        if value is None:
            return
        content = self.elements_given(value)
        every = [*content.items, *([content.rest] if content.rest is not None else [])]
        if arg.form is ArgForm.ELEMENT:
            if arg.piece.name == (row.params.star if row.params is not None else ""):
                # `map(f, *iterables)`: one argument from each iterable.
                for iterable in every:
                    inner = self.elements_given(iterable)
                    found = [*inner.items, *([inner.rest] if inner.rest is not None else [])]
                    out.pos.append(join(found) if found else UNKNOWN)
                return
            out.pos.append(join(every) if every else UNKNOWN)
        elif arg.form is ArgForm.STAR:
            out.pos.extend(content.items)
            if content.rest is not None:
                out.star = content.rest
        else:
            element = join(every) if every else UNKNOWN
            inner = self.elements_given(element)
            out.pos.extend(inner.items)
            if inner.rest is not None:
                out.star = inner.rest
