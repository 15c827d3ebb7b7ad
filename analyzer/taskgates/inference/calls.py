"""Calling: functions of the analysed code, classes, bound methods, and everything the models stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.core import EXCUSED, NORMAL, RETURN, AbstractRaise, CallCut, Core, Frame, Watch, place_of
from taskgates.inference.log import Chain
from taskgates.inference.values import (
    BOTTOM,
    CONTENT,
    NONE,
    REST,
    UNKNOWN,
    AnyValue,
    Arguments,
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
    Method,
    ModuleV,
    Native,
    Partial,
    PathV,
    Super,
    TupleV,
    Union,
    Unknown,
    as_value,
    join,
    path_text,
    widen_texts,
)
from taskgates.model.access import Operation, SharedKind
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.inference.relevance import Relevance


class Calls(Core):
    """The calling part of the interpreter."""

    loops: list[object]
    frames: list[Frame]
    relevance: Relevance

    # Defining

    def define_function(self, node: ir.Function, frame: Frame) -> AnyValue:
        """Make a function object."""
        defaults: dict[str, AnyValue] = {}
        qualname = node.name if frame.qualname == "<module>" else f"{frame.qualname}.{node.name}"
        for param in node.params:
            if param.default is not None:
                value = self.eval(param.default, frame)
                if isinstance(value, ListObj | DictObj) and value.owner is None:
                    value.owner = (f"{frame.module.dotted}.{qualname}.{param.name}", "default-argument")
                defaults[param.name] = value
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
                bases.append(value)
        qualname = node.name if frame.qualname == "<module>" else f"{frame.qualname}.{node.name}"
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
        with self.within(body):
            self.block(node.body, body)
        return self.build_class(node, cls, keywords)

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
                external = next((cls for cls in func.cls.mro if isinstance(cls, Ext)), None)
                if external is not None:
                    return self.call_method(func, "__call__", args, node)
            else:
                return self.call_method(func, "__call__", args, node)
        if isinstance(func, Known) and func.value is None:
            raise self.throw("TypeError", "'NoneType' object is not callable")
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
        paths = [value for value in args.every() if looks_like_path(value)]
        if paths:
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
        if node.is_generator:
            return self.run_generator(func, args)
        starved = self.starved
        result = self.run_function(func, args, None, None)
        if node.is_async and self.starved > starved and not self.ending:
            self.again.append((func, args))
        if node.is_async:
            return Awaitable(result)
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
        previous = next((values for active, values in reversed(self.active) if active == identity), None)
        if previous is not None and key is not None and not all(isinstance(value, Known) for value in key):
            key = self.widen_recursion(slots, key, previous)
        depth = 0
        for active, active_key in self.active:
            if active == identity:
                depth += 1
                if key is not None and active_key == key and on_yield is None:
                    return self.in_progress(identity, yields)
        exact = key is not None and all(isinstance(value, Known) for value in key)
        limit = self.limits.recursion * 5 if exact else self.limits.recursion
        if depth >= limit or len(self.active) >= self.limits.depth:
            if exact or len(self.active) >= self.limits.depth:
                self.opaque(f"calls nest deeper than the bound at {func.qualname}; raise `depth` to look further")
            return self.in_progress(identity, yields)
        frame = Frame(func.module, func.qualname, slots, func.frame, func)
        frame.args = args
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
        self.active.append((identity, key))
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
            return Unknown(f"the result of {func.qualname}, which took long", "data")
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

    def excuse(self, watch: Watch, outer: list[Watch], spent: int) -> None:
        """What a call took that was cut does not count against those around it; the next like it ends soon."""
        if watch.idle:
            return
        spent -= watch.excused
        granted = min(spent, self.limits.effort)
        long = spent >= self.limits.effort // 2 and self.excused < EXCUSED * self.limits.effort
        if long:
            self.excused += granted
            self.fruitless[id(watch.func.node)] = self.limits.effort
        for other in outer:
            other.excused += spent
            if long:
                other.limit += granted

    def allowance(self, identity: int) -> int:
        """Steps that a call may take before it is looked at."""
        if self.fruitless.get(identity, 0) >= self.limits.effort:
            return min(300, self.limits.call_steps // 4)
        return self.limits.call_steps if self.spent < self.limits.idle_steps else min(200, self.limits.call_steps // 4)

    def is_idle(self, func: FunctionV, args: Arguments) -> bool:
        """Whether a call can reach no effect, neither by itself nor through a function that it is handed."""
        reaches = self.relevance.reaches
        return not (reaches(func) or any(reaches(value) for value in args.every()))

    def in_progress(self, identity: int, yields: ListObj | None) -> AnyValue:
        """The result of a recursive call that is cut: what the activations under way have given so far."""
        found: list[AnyValue] = []
        returns_value = False
        for frame in self.frames:
            if frame.function is None or id(frame.function.node) != identity:
                continue
            found.extend(frame.returns)
            returns_value = returns_value or _returns_value(frame.function.node.body)
            if frame.yields is not None and yields is not None:
                every = [*frame.yields.items, *([frame.yields.rest] if frame.yields.rest is not None else [])]
                if every:
                    self.state.write(yields.slots, CONTENT, TupleV((), join([yields.rest, *every])))
        if yields is not None:
            return NONE
        if found:
            return join(found)
        return BOTTOM if returns_value else NONE

    def widen_recursion(
        self, slots: dict[Any, Any], key: tuple[AnyValue, ...], previous: tuple[AnyValue, ...]
    ) -> tuple[AnyValue, ...]:
        """Generalise the partly known arguments of a recursive call, so that the recursion closes.

        A walk that descends from `data` to `data/*` would otherwise go on to `data/*/*` and so for ever.
        """
        if len(key) != len(previous):
            return key
        for name, new, old in zip(list(slots), key, previous, strict=True):
            if isinstance(old, TupleV) and isinstance(new, TupleV) and len(new.items) > len(old.items):
                over = [*new.items[len(old.items) :], *(r for r in (new.rest, old.rest) if r is not None)]
                slots[name] = TupleV(new.items[: len(old.items)], join(over))
                continue
            before, after = path_text(old), path_text(new)
            if before is None or after is None or before == after or isinstance(before, str):
                continue
            widened = widen_texts([before, after])
            slots[name] = PathV(widened, new.type) if isinstance(new, PathV) else as_value(widened)
        return tuple(slots.values())

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
                if "fields" in base.traits:
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
        if isinstance(value, Instance) and isinstance(value.cls, ClassV) and self.has_attr(value, "__get__"):
            return self.call(self.get_attr(value, "__get__"), Arguments([obj, cls or NONE]))
        return value


def _returns_value(body: list[ir.Stmt]) -> bool:
    """Whether some return statement of a function has a value."""
    for stmt in body:
        if isinstance(stmt, ir.Return) and stmt.value is not None:
            return True
        for name in ("body", "orelse", "final"):
            if not isinstance(stmt, ir.FunctionDef | ir.ClassDef) and _returns_value(getattr(stmt, name, [])):
                return True
        if isinstance(stmt, ir.Try) and any(_returns_value(handler.body) for handler in stmt.handlers):
            return True
        if isinstance(stmt, ir.Match) and any(_returns_value(case.body) for case in stmt.cases):
            return True
    return False


def _unwrap(value: AnyValue) -> AnyValue:
    return value.func if isinstance(value, Descriptor) else value


def looks_like_path(value: AnyValue) -> bool:
    """Whether a value is a path, or a string that a person would take for one."""
    if isinstance(value, PathV):
        return True
    if isinstance(value, Union):
        return any(looks_like_path(option) for option in value.options)
    if isinstance(value, Instance | Heap):
        return False
    text = path_text(value)
    if text is None:
        return False
    if isinstance(text, str):
        if "\n" in text or " " in text or len(text) > 300 or "://" in text or text.startswith(("<", "{", "[")):
            return False
        tail = text.rsplit("/", 1)[-1]
        stem, dot, extension = tail.rpartition(".")
        is_file = bool(dot and stem and 1 <= len(extension) <= 8 and extension.isalnum() and not extension.isdigit())
        return is_file and ("/" in text or extension.lower() in _EXTENSIONS)
    literal = text.prefix + text.suffix
    return (
        "\n" not in literal
        and " " not in literal
        and ("/" in literal or (text.suffix.lower().lstrip(".") in _EXTENSIONS and "." in text.suffix))
    )


_EXTENSIONS = frozenset(
    [
        "csv",
        "tsv",
        "json",
        "jsonl",
        "yaml",
        "yml",
        "toml",
        "ini",
        "cfg",
        "conf",
        "txt",
        "md",
        "rst",
        "log",
        "xml",
        "html",
        "htm",
        "parquet",
        "feather",
        "pkl",
        "pickle",
        "npy",
        "npz",
        "h5",
        "hdf5",
        "db",
        "sqlite",
        "sqlite3",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "pdf",
        "zip",
        "tar",
        "gz",
        "tgz",
        "bz2",
        "xz",
        "py",
        "sh",
        "pt",
        "pth",
        "onnx",
        "bin",
        "dat",
        "xlsx",
        "xls",
        "doc",
        "docx",
        "tex",
        "lock",
    ]
)

__all__ = ["Calls", "ModuleV", "Super", "looks_like_path"]
