"""The call graph of a program: which function calls which, as the interpreter comes by.

An edge goes from the function whose code makes the call (a class body belongs to what is around it) to what is called:
a function of the analysed code by the dotted name of its module and its qualified name; a class by its `__init__`, if
it has one; a library function or class by its qualified name; a method of a library object by its type; built-ins under
`<builtin>`. Calls that Python makes without a call expression (operators, iteration, `with`, properties) count as well
as long as they reach the analysed code. So do calls that a library makes of a function that it was handed: they belong
to the function of the analysed code that is active.

Edges count as progress just as effects do for the access sets, and no call is cut for reaching no file.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from taskgates.inference.limits import CallCut
from taskgates.inference.log import EffectLog
from taskgates.inference.models import registry
from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Instance, ListObj
from taskgates.inference.resumption import ResumingInterpreter
from taskgates.inference.row_values import type_name_of
from taskgates.inference.values import (
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from taskgates.inference.frames import Frame
    from taskgates.syntax import ir

_ITERATOR = "builtins.iterator"
"""What the engine calls the object that a generator function returns."""

_KEYED = frozenset({"add", "count", "discard", "get", "index", "pop", "remove", "setdefault"})
"""Methods of containers that look their argument up."""

CALLEES = 256
"""How many functions one name may have here: a dispatch by name has as many callees as there are methods."""

CONSTANTS = 64
"""How many other values it may have at least."""

JOINED_PER_STEP = 1
"""Alternatives that are joined at the cost of one step."""

MORE_ROUNDS = 8
"""How often the rounds of an undecided loop are repeated while the last of them shows new edges."""

FRUITLESS_STEPS = 1_500
"""Steps without a new edge that calls alike may take together before they share their results."""

SHORT_CALL = 20
"""How many steps a call takes on the average that is short."""

SHORT_CALLS = 10
"""How many times more steps short calls may take together."""

LEAST_PATIENCE = 500
"""Steps without a new edge that any call may take."""


class CallGraph(msgspec.Struct, frozen=True):
    """Which function calls which.

    Attributes:
        callees: what each caller calls, as dotted names.
        unfollowed: functions of which some call was left before its end, for a bound: edges from there may be missing.
    """

    callees: dict[str, list[str]]
    unfollowed: tuple[str, ...] = ()


class CallLog(EffectLog):
    """Collects the edges of a call graph beside the effects; child processes share it."""

    def __init__(self) -> None:
        super().__init__()
        self._callees: dict[str, dict[str, None]] = {}
        self._left: dict[str, None] = {}

    def edge(self, caller: str, callee: str) -> None:
        """Note that one function calls another."""
        callees = self._callees.setdefault(caller, {})
        if callee not in callees:
            callees[callee] = None
            # What found an edge was worth its steps.
            self.size += 1

    def leave(self, function: str) -> None:
        """Note that a call of a function was not followed to its end."""
        self._left[function] = None

    def graph(self, names: Mapping[str, str] | None = None) -> CallGraph:
        """What was noted, in alphabetical order.

        Args:
            names: what modules are called in the graph, by the names that they are imported by, where these differ.
        """
        shown = partial(_renamed, names or {})
        callees: dict[str, set[str]] = {}
        for caller, called in self._callees.items():
            callees.setdefault(shown(caller), set()).update(map(shown, called))
        ordered = {caller: sorted(called) for caller, called in sorted(callees.items())}
        return CallGraph(ordered, tuple(sorted(map(shown, self._left))))


class Summary:
    """What calls of one function with arguments of the same kinds have given.

    Attributes:
        result: the join of their results; None before the first.
        fruitless: the steps of those that found no edge.
        calls: how many these were.
    """

    __slots__ = ("calls", "fruitless", "result")

    def __init__(self) -> None:
        self.result: AnyValue | None = None
        self.fruitless = self.calls = 0

    @property
    def suffices(self) -> bool:
        """Whether one more call is not worth its steps: what a short one does to its objects costs little to follow."""
        patience = FRUITLESS_STEPS if self.fruitless > SHORT_CALL * self.calls else FRUITLESS_STEPS * SHORT_CALLS
        return self.fruitless > patience


class CallGraphInterpreter(ResumingInterpreter):
    """An interpreter that notes every call, instead of minding effects only.

    No call is cut for reaching no file. What bounds the effort instead: calls of a function with arguments of the same
    kinds share their results once enough of them brought no new edge (after the Cartesian product algorithm of Agesen,
    1995), and a call that goes on for long without a new edge is left, an inner one sooner than one around it.
    """

    log: CallLog

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.summaries: dict[tuple[Any, ...], Summary] = {}
        self._charged = 0

    def tick(self, amount: int = 1) -> None:
        """Count steps, and what it took to join the many callees that one name may have here.

        Raises:
            BudgetExceeded: when the budget ran out.
        """
        joined = self.state.joined - self._charged
        if joined > JOINED_PER_STEP:
            self._charged = self.state.joined
            amount += joined // JOINED_PER_STEP
        super().tick(amount)

    def call(self, func: AnyValue, args: Arguments, node: ir.Call | None = None) -> AnyValue:
        """Call a value; a library's is noted where the program calls it, not where the engine itself does."""
        if node is not None:
            if isinstance(func, Ext):
                self.note_edge(_library_name(registry.ALIASES.get(func.name, func.name)))
            elif isinstance(func, Method):
                for option in options(func.self):
                    owner = type_name_of(option)
                    if owner is not None:
                        self.note_edge(
                            _library_name(f"{'builtins.generator' if owner == _ITERATOR else owner}.{func.name}")
                        )
            elif isinstance(func, Native) and "." in func.name and func.name.endswith("__"):
                self.note_edge(_library_name(func.name))
        return super().call(func, args, node)

    def call_function(self, func: FunctionV, args: Arguments) -> AnyValue:
        """Call a function of the analysed code."""
        self.note_edge(_function_name(func))
        return super().call_function(func, args)

    def generate(self, func: AnyValue, args: Arguments, on_yield: Callable[[AnyValue], AnyValue]) -> None:
        """Run a generator function, handing every yielded value to a callback."""
        self.note_function(func)
        super().generate(func, args, on_yield)

    def init_external(self, instance: Instance, name: str, args: Arguments) -> None:
        """The `__init__` of a library base class."""
        if not name.startswith("builtins."):
            self.note_edge(f"{name}.__init__")
        super().init_external(instance, name, args)

    def unlisted_call(self, name: str, args: Arguments, obj: AnyValue | None = None) -> AnyValue:
        """A call of something without a row; what looks like a class gives an object whose methods have names."""
        result = super().unlisted_call(name, args, obj)
        if obj is None and isinstance(result, Unknown) and name.rpartition(".")[2][:1].isupper():
            return Instance(Ext(name))
        return result

    def rounds(self, once: Callable[[], int]) -> int:
        """Run an undecided loop's body until the state settles, and on as long as that shows more edges."""
        found = 0

        def watched() -> int:
            nonlocal found
            size = self.log.size
            try:
                return once()
            finally:
                found = self.log.size - size

        out = super().rounds(watched)
        for _ in range(MORE_ROUNDS):
            if not found:
                break
            out |= super().rounds(watched)
        return out

    # Protocols that matter to nothing but the calls

    def put(self, target: DictObj, key: AnyValue, value: AnyValue) -> None:
        """Store under a key that may be unknown."""
        self.look_up(key, target)
        super().put(target, key, value)

    def get_item(self, obj: AnyValue, index: AnyValue) -> AnyValue:
        """`obj[index]`."""
        if isinstance(obj, DictObj):
            self.look_up(index, obj)
        elif isinstance(index, Instance) and isinstance(obj, ListObj | TupleV) and self.has_attr(index, "__index__"):
            index = self.call(self.get_attr(index, "__index__"), Arguments())
        return super().get_item(obj, index)

    def new_list(self, kind: str, items: Sequence[AnyValue] = (), rest: AnyValue | None = None) -> ListObj:
        """A list, set or iterator; the elements of a set are hashed."""
        made = super().new_list(kind, items, rest)
        if kind == "set":
            for item in made.items:
                self.look_up(item, None)
        return made

    def call_method(self, obj: AnyValue, name: str, args: Arguments, node: ir.Call | None) -> AnyValue:
        """Call a method that the models or the tables know."""
        if args.pos:
            if isinstance(obj, DictObj) and name in _KEYED:
                self.look_up(args.pos[0], obj)
            elif isinstance(obj, ListObj) and name in _KEYED:
                if obj.kind == "set":
                    self.look_up(args.pos[0], obj)
                else:
                    self.compare_with(args.pos[0], obj.items)
        return super().call_method(obj, name, args, node)

    def compare_values(self, op: str, left: AnyValue, right: AnyValue) -> AnyValue:
        """One comparison, user-defined operators included."""
        if op in ("in", "not in"):
            if isinstance(right, DictObj) or (isinstance(right, ListObj) and right.kind == "set"):
                self.look_up(left, right)
            elif isinstance(right, ListObj | TupleV):
                self.compare_with(left, right.items)
        return super().compare_values(op, left, right)

    def look_up(self, key: AnyValue, table: DictObj | ListObj | None) -> None:
        """What a dict or a set asks of a key: its hash, and whether it equals keys of the same class."""
        for option in options(key):
            if not isinstance(option, Instance) or not self.has_attr(option, "__hash__"):
                continue
            self.call(self.get_attr(option, "__hash__"), Arguments())
            keys = [] if table is None else table.items if isinstance(table, ListObj) else [k for k, _ in table.known()]
            self.compare_with(
                option, [other for other in keys if isinstance(other, Instance) and other.cls is option.cls]
            )

    def compare_with(self, value: AnyValue, others: Iterable[AnyValue]) -> None:
        """Ask objects whether they equal another, as a search for it does."""
        for other in others:
            for one, two in ((value, other), (other, value)):
                if one is not two and isinstance(one, Instance) and self.has_attr(one, "__eq__"):
                    self.call(self.get_attr(one, "__eq__"), Arguments([two]))
                    break

    # Notes

    def note_function(self, func: AnyValue) -> None:
        """Note the call of a function that has run already."""
        while isinstance(func, BoundMethod | Partial):
            func = func.func
        if isinstance(func, FunctionV):
            self.note_edge(_function_name(func))

    def note_special(self, name: str) -> None:
        """Note the call of a built-in that needs the frame it is called in."""
        self.note_edge(f"<builtin>.{name}")

    def note_resumption(self, frame: Frame) -> None:
        """Note the function of a statement that was not followed to its end."""
        self.log.leave(caller_name(frame))

    # Effort

    def run_function(
        self, func: FunctionV, args: Arguments, yields: ListObj | None, on_yield: Callable[[AnyValue], AnyValue] | None
    ) -> AnyValue:
        """Bind arguments, execute the body, join the results; or take what calls alike have given often enough."""
        kinds = (id(func.node), _closure(func), *args.kw, *(_kind(value) for value in args.every()))
        self.note_visit(kinds, func, args)
        if yields is not None or on_yield is not None:
            return super().run_function(func, args, yields, on_yield)
        result = self.known_result(kinds, func)
        if result is not None:
            return result
        known = self.summaries.setdefault(kinds, Summary())
        started, size = self.steps, self.log.size
        result = super().run_function(func, args, None, None)
        if self.log.size == size:
            known.fruitless += self.steps - started
            known.calls += 1
        known.result = result if known.result is None else join([known.result, result])
        return result

    def note_visit(self, kinds: tuple[Any, ...], func: FunctionV, args: Arguments) -> None:
        """See a call of a function with arguments of some kinds."""

    def known_result(self, kinds: tuple[Any, ...], func: FunctionV) -> AnyValue | None:
        """What calls alike have given, where there is no need to look at one more."""
        del func
        known = self.summaries.get(kinds)
        return known.result if known is not None and known.suffices else None

    def note_cut(self, func: FunctionV) -> None:
        """Note a function that is not followed to its end."""
        self.log.leave(_function_name(func))

    def allowance(self, identity: int) -> int:
        """Steps that a call may take before it is looked at: the deeper it is, the fewer."""
        del identity
        return self.patience(len(self.watches))

    def patience(self, depth: int) -> int:
        """Steps that a call with so many others around it may take without a new edge."""
        return max(self.limits.steps // (depth + 1) ** 2, LEAST_PATIENCE)

    def look_at_watches(self) -> None:
        """Cut the innermost call that went on too long without a new edge.

        Raises:
            CallCut: for that call.
        """
        for depth in range(len(self.watches) - 1, -1, -1):
            watch = self.watches[depth]
            if self.steps > watch.limit:
                if self.log.size == watch.size:
                    self.note_cut(watch.func)
                    raise CallCut(watch)
                watch.size = self.log.size
                watch.limit = self.steps + self.patience(depth)
        self.cut_at = min((watch.limit for watch in self.watches), default=self.limits.steps + 1)

    # Edges

    def note_edge(self, callee: str) -> None:
        """Add an edge from the function that is active; at the program's end, from its main module."""
        if self.frame is not None:
            self.log.edge(caller_name(self.frame), callee)
        elif "__main__" in self.modules:
            self.log.edge(self.modules["__main__"].dotted, callee)


def caller_name(frame: Frame) -> str:
    """The dotted name of the function, or of the module, whose code a frame runs."""
    while frame.function is None and frame.parent is not None:
        frame = frame.parent
    module = frame.module.dotted
    return module if frame.qualname == "<module>" else f"{module}.{frame.qualname}"


def _kind(value: AnyValue, depth: int = 2) -> object:
    """What a function may do with an argument depends on this much of it, as far as calls go.

    Args:
        value: the argument.
        depth: how far to look into alternatives and containers: there may be many, and one may hold itself.
    """
    if isinstance(value, FunctionV):
        return id(value.node), _closure(value)
    if isinstance(value, Instance):
        return value.cls
    if isinstance(value, ClassV | Partial | Native | Descriptor | Awaitable):
        return value
    if isinstance(value, Ext | Method):
        return value.name
    if isinstance(value, Known):
        return type(value.value).__name__ if not isinstance(value.value, bool | None) else value.value
    if depth:
        if isinstance(value, Union):
            return frozenset(_kind(option, depth - 1) for option in value.options)
        if isinstance(value, BoundMethod):
            return "bound", _kind(value.func, depth - 1), _kind(value.self, depth - 1)
        if isinstance(value, ListObj | TupleV):
            return type(value), *(_kind(item, depth - 1) for item in value.items[:3])
    return type(value)


def _closure(func: FunctionV) -> Frame | None:
    """The frame whose variables a nested function sees; kept alive by the key that it is part of."""
    return func.frame if func.frame is not None and func.frame.function is not None else None


def _function_name(func: FunctionV) -> str:
    return f"{func.module.dotted}.{func.qualname}"


def _renamed(names: Mapping[str, str], function: str) -> str:
    """The name of a function in a module that has another name in the graph than the one it is imported by."""
    module = function
    while names and module:
        if module in names:
            return names[module] + function[len(module) :]
        module = module.rpartition(".")[0]
    return function


def _library_name(name: str) -> str:
    return f"<builtin>.{name[9:]}" if name.startswith("builtins.") else name
