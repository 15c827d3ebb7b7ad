"""Calling: functions of the analysed code, classes, bound methods, and everything the models stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.call_bounds import CallBounds
from taskgates.inference.enclosed import declare
from taskgates.inference.frames import NORMAL, RETURN, AbstractRaise, Frame, place_of
from taskgates.inference.limits import CallCut, Watch
from taskgates.inference.log import Chain
from taskgates.inference.models import registry
from taskgates.inference.models.values.generic_aliases import plain_type
from taskgates.inference.objects import (
    CONTENT,
    GUARDS,
    KEPT,
    REST,
    Arguments,
    ClassV,
    DictObj,
    FunctionV,
    Instance,
    ListObj,
    Maybe,
    shown_name,
)
from taskgates.inference.path_likeness import holds_path
from taskgates.inference.values import (
    BOTTOM,
    NONE,
    UNKNOWN,
    AnyValue,
    Awaitable,
    BoundMethod,
    Descriptor,
    Ext,
    Known,
    Method,
    Native,
    Partial,
    TupleV,
    Union,
    Unknown,
    join,
    options,
)
from taskgates.model.access import Operation, SharedKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.syntax import ir


class Calls(CallBounds):
    """The calling part of the interpreter."""

    # Defining

    def define_function(self, node: ir.Function, frame: Frame) -> AnyValue:
        """Make a function object."""
        defaults: dict[str, AnyValue] = {}
        qualname = _qualified(node.name, frame)
        for param in node.params:
            if param.default is not None:
                value = self.eval(param.default, frame)
                if isinstance(value, ListObj | DictObj) and value.owner is None:
                    value.owner = (f"{frame.module.dotted}.{qualname}.{param.name}", "default-argument")
                defaults[param.name] = value
        if node.nonlocals:
            declare(self, node, frame)
        function = FunctionV(node, frame.module, frame, qualname, defaults)
        if frame.cls is not None and frame.function is None:
            function.cls = frame.cls
        elif frame.cls is not None:
            function.cls = frame.cls if frame.self_value is not None else None
        return function

    def define_class(self, node: ir.ClassDef, frame: Frame) -> AnyValue:
        """Execute a class statement."""
        bases: list[AnyValue] = []
        keywords: dict[str, AnyValue] = {}
        for arg in node.bases:
            value = self.eval(arg.value, frame)
            if arg.keyword is not None:
                keywords[arg.keyword] = value
            elif arg.star == 1:
                bases.extend(self.iterate(value).items)
            else:
                if isinstance(value, Native) and value.name == "typing.NamedTuple":
                    value = Ext(value.name)
                bases.append(plain_type(value))
        qualname = _qualified(node.name, frame)
        flat: list[AnyValue] = []
        for base in bases:
            if isinstance(base, Union):
                flat.append(next((b for b in base.options if isinstance(b, ClassV | Ext)), UNKNOWN))
            else:
                flat.append(base)
        cls = ClassV(node.name, f"{frame.module.dotted}.{qualname}", frame.module, tuple(flat))
        cls.node = node
        body = Frame(frame.module, qualname, cls.slots, frame)
        body.cls = cls
        body.globals = frozenset(node.globals)
        metaclass = keywords.get("metaclass")
        namespace = self.prepared(metaclass, cls, keywords) if isinstance(metaclass, ClassV) else None
        with self.within(body):
            self.block(node.body, body)
        if namespace is not None:
            for name, value in list(cls.slots.items()):
                if isinstance(name, str):
                    self.set_item(namespace, Known(name), value)
        return self.build_class(node, cls, keywords)

    def prepared(self, metaclass: ClassV, cls: ClassV, keywords: dict[str, AnyValue]) -> AnyValue | None:
        """The namespace that a metaclass of the program makes for a class body, where it is an object of its own."""
        maker = metaclass.find("__prepare__")
        if maker is None:
            return None
        rest = {key: value for key, value in keywords.items() if key != "metaclass"}
        made = self.call(self.bound(maker, metaclass, metaclass), Arguments([Known(cls.name), TupleV(cls.bases)], rest))
        return made if isinstance(made, Instance) and isinstance(made.cls, ClassV) else None

    # Calling

    def call(self, func: AnyValue, args: Arguments, node: ir.Call | None = None) -> AnyValue:
        """Call a value."""
        if isinstance(func, FunctionV):
            return self.call_function(func, args)
        if isinstance(func, BoundMethod):
            return self.call(func.func, args.shifted(func.self), node)
        if isinstance(func, Ext):
            return self.call_external(func.name, args, node)
        if isinstance(func, Method):
            return self.call_method(func.self, func.name, args, node)
        if isinstance(func, ClassV):
            return self.instantiate(func, args)
        if isinstance(func, Union):
            return self.each(func, lambda option: self.call(option, args, node))
        if isinstance(func, Native):
            return func.run(self, args)
        if isinstance(func, Partial):
            merged = Arguments(
                [*func.args.pos, *args.pos],
                {**func.args.kw, **args.kw},
                args.star or func.args.star,
                args.kwstar or func.args.kwstar,
            )
            return self.call(func.func, merged, node)
        if isinstance(func, Descriptor):
            return self.call(func.func, args, node)
        if isinstance(func, Instance):
            if isinstance(func.cls, ClassV):
                if self.has_attr(func, "__call__"):
                    return self.call(self.get_attr(func, "__call__"), args, node)
                if func.cls.library_base():
                    return self.call_method(func, "__call__", args, node)
            else:
                return self.call_method(func, "__call__", args, node)
        if isinstance(func, Known) and func.value is None:
            raise self.throw("TypeError", "'NoneType' object is not callable")
        if isinstance(func, Maybe):
            return self.call(func.value, args, node)
        return self.call_unknown(func, args)

    def call_unknown(self, func: AnyValue, args: Arguments) -> AnyValue:
        """A call into something that is not known: functions handed to it are assumed to be called."""
        self.may_raise()
        self.call_back(args)
        origin = "unknown"
        if isinstance(func, Unknown):
            origin = func.origin
            if origin == "bound":
                self.opaque(func.reason)
            if func.attribute and origin != "bottom":
                row = self.effects.lookup(f"?.{func.attribute}")
                if row is not None:
                    return self.apply_by_name(row, args, Unknown(func.reason, origin))
        paths = [value for value in args.every() if holds_path(value)]
        if paths or self.names_file(args.every()):
            what = func.reason if isinstance(func, Unknown) and func.reason else "an unknown value"
            self.opaque(f"a call of {what} is handed a path")
        return Unknown("the result of an unknown call", origin)

    def call_back(self, args: Arguments) -> None:
        """Call the functions among the arguments of a call that nothing is known about; iterate over own objects."""
        for value in args.every():
            for option in value.options if isinstance(value, Union) else (value,):
                if isinstance(option, FunctionV | BoundMethod | Partial):
                    self.call_with_unknowns(option)
                elif isinstance(option, Instance) and isinstance(option.cls, ClassV):
                    self.call_back_object(option, option.cls)

    def use_object(self, value: Instance, operation: Operation) -> None:
        """What a library does with an open file of the analysed code's own making."""
        if isinstance(value.cls, ClassV):
            reading = operation is Operation.READ
            self.call_back_object(value, value.cls, ("__next__", "__iter__", "read") if reading else ("write",))

    def call_back_object(
        self, value: Instance, cls: ClassV, names: tuple[str, ...] = ("__next__", "__iter__", "__call__")
    ) -> None:
        """What a library may do with an object of the analysed code by the language's own protocols."""
        for name in names:
            if any(isinstance(base, ClassV) and name in base.slots for base in cls.mro):
                self.call_with_unknowns(self.get_attr(value, name))
                return

    def call_hooks(self, library: str, args: Arguments) -> None:
        """What a library that nothing is known about may call: the methods of objects that specialise its classes.

        Args:
            library: the library's top-level module.
            args: what it is handed.
        """
        for value in args.every():
            for option in options(value):
                if isinstance(option, Instance) and isinstance(option.cls, ClassV):
                    for name in _hooks(option.cls, library):
                        hook = self.get_attr(option, name)
                        self.fork([lambda hook=hook: self.run_hook(hook)], include_current=True)  # type: ignore[misc]

    def run_hook(self, hook: AnyValue) -> int:
        """Call a method that a library may call or not."""
        self.call_with_unknowns(hook)
        return NORMAL

    def call_with_unknowns(self, func: AnyValue) -> AnyValue:
        """Call a function whose arguments are not known."""
        result: AnyValue = UNKNOWN
        self.undecided += 1
        try:
            result = self.call(func, Arguments((), {}, Unknown("an argument of a callback"), None))
        except AbstractRaise:
            pass
        finally:
            self.undecided -= 1
        return result

    def note_function(self, func: AnyValue) -> None:
        """See that a function is called which has run already; for the call graph."""

    def note_special(self, name: str) -> None:
        """See a call of a built-in that needs the frame it is called in; for the call graph."""

    def call_function(self, func: FunctionV, args: Arguments) -> AnyValue:
        """Call a function of the analysed code."""
        node = func.node
        self.tick()
        if func.slots and KEPT in func.slots:
            return self.call_once(func, args)
        if node.is_generator:
            return self.run_generator(func, args)
        starved = self.starved
        result = self.run_function(func, args, None, None)
        if node.is_async and self.starved > starved and not self.ending:
            self.again.append((func, args))
        if node.is_async:
            return Awaitable(result)
        return result

    def call_once(self, func: FunctionV, args: Arguments) -> AnyValue:
        """Call a function that remembers its result: later calls give the same object."""
        kept: AnyValue | Maybe = func.slots[KEPT]
        kept = kept.value if isinstance(kept, Maybe) else kept
        if kept is not BOTTOM:
            return kept
        result = self.run_function(func, args, None, None)
        self.state.write(func.slots, KEPT, result)
        return result

    def generate(self, func: AnyValue, args: Arguments, on_yield: Callable[[AnyValue], AnyValue]) -> None:
        """Run a generator function, handing every yielded value to a callback."""
        while isinstance(func, BoundMethod):
            args = args.shifted(func.self)
            func = func.func
        if isinstance(func, Partial):
            args = Arguments([*func.args.pos, *args.pos], {**func.args.kw, **args.kw}, args.star, args.kwstar)
            func = func.func
        if isinstance(func, FunctionV) and func.node.is_generator:
            self.run_function(func, args, None, on_yield)
            return
        content = self.iterate(self.call(func, args))
        for item in content.items:
            on_yield(item)
        if content.rest is not None and not content.items:
            on_yield(content.rest)

    def run_generator(self, func: FunctionV, args: Arguments) -> AnyValue:
        """Run a generator at once and collect what it yields."""
        out = self.new_list("iterator")
        out.slots[GUARDS] = len(self.tries)
        out.slots["returned"] = self.run_function(func, args, out, None)
        return out

    def run_function(
        self, func: FunctionV, args: Arguments, yields: ListObj | None, on_yield: Callable[[AnyValue], AnyValue] | None
    ) -> AnyValue:
        """Bind arguments, execute the body, join the results."""
        node = func.node
        caller = self.frame
        slots, key = self.bind(func, args)
        identity = id(node)
        closure = id(func.frame)
        previous = next(
            (values for active, scope, values, _ in reversed(self.active) if (active, scope) == (identity, closure)),
            None,
        )
        if previous is not None and key is not None and not all(isinstance(value, Known) for value in key):
            key = self.widen_recursion(slots, key, previous)
        if self.repeats(func, key, carries=on_yield is not None):
            return self.in_progress(func, yields)
        frame = Frame(func.module, func.qualname, slots, func.frame, func)
        frame.args = args
        frame.caller = caller
        if func.cls is not None and node.params:
            frame.self_value = slots.get(node.params[0].name)
        frame.yields = yields
        frame.on_yield = on_yield
        frame.floor = self.undecided
        chain = self.chain
        call_node = self.call_node
        if caller is not None:
            self.chain = Chain(chain, caller.module.file, place_of(call_node, caller), caller.qualname)
        loops, self.loops = self.loops, []
        undecided, held = self.undecided, list(self.held)
        state = self.state
        state.begin()
        marks = state.marks
        started = self.steps
        size = self.log.size
        watches = len(self.watches)
        watch = Watch(started + self.allowance(identity), func, args, size=size, since=started)
        if on_yield is not None:
            watch.carries = True
        self.watches.append(watch)
        self.cut_at = min(self.cut_at, watch.limit)
        tries = len(self.tries)
        self.active.append((identity, closure, key, (undecided, len(state.trail))))
        self.frames.append(frame)
        self.frame = frame
        self.call_node = None
        try:
            flags = self.block(node.body, frame)
            state.arrive(RETURN, frame, include_current=bool(flags & NORMAL))
        except AbstractRaise:
            self.undecided = undecided
            self.held = held
            state.forget(frame)
            if frame.returns:
                # Some path returned before the one that raises: the call as a whole is undecided.
                if self.tries:
                    self.tries[-1].anything = True
                return join(frame.returns)
            raise
        except CallCut as cut:
            if cut.watch is not watch:
                raise
            self.undecided = undecided
            self.held = held
            self.excuse(watch, self.watches[:watches], self.steps - started)
            del self.tries[tries:]
            state.forget(frame)
            state.unwind(marks)
            self.may_raise()
            if not watch.idle:
                self.opaque(f"{func.qualname} was not followed to its end: it took long without touching a file")
            if yields is not None:
                self.state.write(yields.slots, CONTENT, TupleV((), Unknown(f"what {func.qualname} yields", "data")))
            return self.result_of_cut(func, args)
        finally:
            del self.watches[watches:]
            self.cut_at = min((w.limit for w in self.watches), default=self.limits.steps + 1)
            spent = self.steps - started
            if watch.idle:
                self.spent += spent
            elif self.log.size == size:
                self.fruitless[identity] = self.fruitless.get(identity, 0) + spent - watch.excused
            self.active.pop()
            self.frames.pop()
            state.end()
            self.chain, self.frame, self.loops, self.call_node = chain, caller, loops, call_node
        if flags & NORMAL or not frame.returns:
            frame.returns.append(NONE)
        return join(frame.returns)

    def bind(self, func: FunctionV, args: Arguments) -> tuple[dict[Any, Any], tuple[AnyValue, ...] | None]:
        """Bind arguments to parameters; also a key of the arguments when all of them compare by content."""
        node = func.node
        slots: dict[Any, Any] = {}
        pos = list(args.pos)
        index = 0
        used: set[str] = set()
        for param in node.params:
            name = param.name
            kind = param.kind
            if kind in ("positional", "normal"):
                if index < len(pos):
                    slots[name] = pos[index]
                    index += 1
                elif kind == "normal" and name in args.kw:
                    slots[name] = args.kw[name]
                    used.add(name)
                else:
                    slots[name] = self.missing(func, param, args, positional=True)
            elif kind == "args":
                slots[name] = TupleV(pos[index:], args.star)
                index = len(pos)
            elif kind == "keyword":
                if name in args.kw:
                    slots[name] = args.kw[name]
                    used.add(name)
                else:
                    slots[name] = self.missing(func, param, args, positional=False)
            else:
                extra = DictObj("dict", {Known(key): value for key, value in args.kw.items() if key not in used})
                if args.kwstar is not None:
                    extra.slots[REST] = args.kwstar
                slots[name] = extra
        values = tuple(value for value in slots.values())
        simple = all(not isinstance(value, ListObj | DictObj | Union) for value in values)
        return slots, values if simple else None

    def missing(self, func: FunctionV, param: ir.Param, args: Arguments, *, positional: bool) -> AnyValue:
        """The value of a parameter that no argument is certain to fill."""
        default = func.defaults.get(param.name)
        filler = args.star if positional and args.star is not None else args.kwstar
        if filler is not None:
            if default is None:
                return filler
            return join([default, filler])
        if default is not None:
            if isinstance(default, ListObj | DictObj) and default.owner is not None:
                self.shared(default.owner[0], SharedKind.DEFAULT_ARGUMENT, "read")
            return default
        self.may_raise("TypeError")
        return Unknown(f"parameter {param.name} of {func.qualname}", "argument")

    # Classes

    def instantiate(self, cls: ClassV, args: Arguments) -> AnyValue:
        """Construct an object of a class of the analysed code."""
        if cls.metaclass is not None and isinstance(cls.metaclass, ClassV):
            for meta in cls.metaclass.mro:
                if isinstance(meta, ClassV) and "__call__" in meta.slots:
                    return self.call(meta.slots["__call__"], args.shifted(cls))
        return self.make_object(cls, args)

    def make_object(self, cls: ClassV, args: Arguments) -> AnyValue:
        """What `type.__call__` does: `__new__`, then `__init__`."""
        special = self.construct_special(cls, args)
        if special is not None:
            return special
        for base in cls.mro:
            if isinstance(base, ClassV) and "__new__" in base.slots:
                created = self.call(_unwrap(base.slots["__new__"]), args.shifted(cls))
                if not isinstance(created, Instance) or created.cls is not cls:
                    return created
                return self.initialise(created, cls, args)
        return self.initialise(Instance(cls), cls, args)

    def initialise(self, instance: Instance, cls: ClassV, args: Arguments) -> AnyValue:
        """Run `__init__`."""
        if "exception" in cls.traits:
            instance.slots["args"] = TupleV(args.pos, args.star)
        for base in cls.mro:
            if isinstance(base, ClassV):
                if "__init__" in base.slots:
                    self.call(base.slots["__init__"], args.shifted(instance))
                    return instance
                if "fields" in base.traits and "inherits_init" not in base.traits:
                    self.init_fields(instance, cls, args)
                    return instance
            elif base.name not in ("builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"):
                self.init_external(instance, base.name, args)
                return instance
        return instance

    def bound(self, value: AnyValue, obj: AnyValue, cls: AnyValue | None) -> AnyValue:
        """Bind a class attribute that was found for an object (descriptor protocol)."""
        if isinstance(value, FunctionV):
            return BoundMethod(value, obj)
        if isinstance(value, Descriptor):
            if value.kind in ("property", "cached_property"):
                return self.call(value.func, Arguments([obj]))
            if value.kind == "classmethod":
                return BoundMethod(value.func, cls if cls is not None else obj)
            return value.func
        if isinstance(value, Native) and value.name.startswith("method:"):
            return BoundMethod(value, obj)
        if isinstance(value, Instance) and isinstance(value.cls, Ext):
            model = registry.METHODS.get(f"{value.cls.name}.__get__")
            return model(self, value, Arguments([obj, cls or NONE])) if model is not None else value
        if isinstance(value, Instance) and self.has_attr(value, "__get__"):
            return self.call(self.get_attr(value, "__get__"), Arguments([obj, cls or NONE]))
        return self.bound(value.value, obj, cls) if isinstance(value, Maybe) else value


def _unwrap(value: AnyValue) -> AnyValue:
    return value.func if isinstance(value, Descriptor) else value


def _qualified(name: str, frame: Frame) -> str:
    """The name of a function or class that is defined in a frame, with what it stands in before it."""
    return name if frame.qualname == "<module>" else f"{frame.qualname}.{shown_name(name, frame.cls)}"


def _hooks(cls: ClassV, library: str) -> list[str]:
    """The methods of a class that stand before what it inherits from a library; none where it inherits nothing."""
    own: dict[str, None] = {}
    for base in cls.mro:
        if isinstance(base, Ext) and base.name.partition(".")[0] == library:
            return list(own)
        if isinstance(base, ClassV):
            own.update(
                (name, None)
                for name, value in base.slots.items()
                if isinstance(name, str) and isinstance(value, FunctionV) and not name.startswith("__")
            )
    return []
