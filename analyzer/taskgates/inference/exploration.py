"""Going over functions again where the way of a program through them was lost.

The interpreter follows a program along its path. Where it takes a wrong turn (a state that it knows too little of lets
the program seem to end, a call is cut, what is called is not known), everything behind that is missing. A second pass
takes up the functions in which that happened. It no longer minds the order of things: an attribute may hold whatever
was ever assigned to it in any object of the class (field-based, after Lhoták and Hendren, 2003), a statement that is
seen to raise is passed over, what a function changes is joined with what was there, and a method of an object that is
not known is one of that name of a class of which the program has made objects (rapid type analysis, Bacon and Sweeney,
1996). The pass goes on until it finds no more edges, or its budget has run out.

A program whose path was never lost has no second pass, so that its graph stays exact.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from taskgates.inference.call_graph import CallGraphInterpreter
from taskgates.inference.frames import NORMAL, AbstractRaise
from taskgates.inference.limits import BudgetExceeded, CallCut
from taskgates.inference.mentions import COMMON_METHODS
from taskgates.inference.objects import Arguments, ClassV, FunctionV, Instance, ListObj, Maybe
from taskgates.inference.values import (
    OBJECTS,
    SET_SIZE,
    AnyValue,
    BoundMethod,
    Descriptor,
    Ext,
    Known,
    TupleV,
    Union,
    Unknown,
    generalise,
    join,
)
from taskgates.syntax import ir
from taskgates.syntax.walking import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from taskgates.inference.frames import Frame

SHARE = 6
"""What part of the steps of an entry the second pass may take: one in so many."""

SWEEPS = 6
"""How often the pass goes over all functions at most."""

UNROLL = 24
"""How many known elements a loop runs one by one in the second pass."""

PATIENCE = 4_000
"""Steps without a new edge that a function may take when it is gone over."""

STRETCH = 6_000
"""Steps that one function, with all that it calls, may take at a time."""

ALTERNATIVES = 12
"""How many constants a name has before they count as any of their type."""

NAMESAKES = 24
"""How many functions a method of an object that is not known may be; of more, nothing is said."""


class Visit:
    """Calls of one function with arguments of the same kinds.

    Attributes:
        func: the function.
        args: the join of their arguments.
        sweep: the sweep in which it was gone over last.
    """

    __slots__ = ("args", "func", "sweep")

    def __init__(self, func: FunctionV, args: Arguments) -> None:
        self.func = func
        self.args = args
        self.sweep = 0


class ExploringInterpreter(CallGraphInterpreter):
    """An interpreter of call graphs that can go over a program again, beside the path that it has seen.

    Attributes:
        sweep: the sweep of the second pass that is under way; 0 in the first pass.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sweep = 0
        self._lost: dict[int, None] = {}
        self._cut = False
        self._astray = False
        self._visits: dict[int, dict[tuple[Any, ...], Visit]] = {}
        self._fields: dict[tuple[ClassV, str], AnyValue] = {}
        self._made: dict[ClassV, None] = {}
        self._grown: set[str] = set()
        self._mentioned: dict[int, frozenset[str]] = {}
        self._unresolved: dict[tuple[str, str, int], tuple[Frame, str, Arguments]] = {}

    # What the first pass notes

    def note_visit(self, kinds: tuple[Any, ...], func: FunctionV, args: Arguments) -> None:
        """Keep what a function was called with."""
        visits = self._visits.setdefault(id(func.node), {})
        known = visits.get(kinds)
        if known is None:
            visits[kinds] = Visit(func, args)
        elif not self.sweep:
            known.args = _blend(known.args, args)

    def block(self, body: Sequence[ir.Stmt], frame: Frame) -> int:
        """Execute statements; a function that an exception passes may have been left wrongly."""
        try:
            return super().block(body, frame)
        except AbstractRaise:
            if frame.function is not None:
                self._lost[id(frame.function.node)] = None
            raise

    def note_cut(self, func: FunctionV) -> None:
        """Keep a function that was not followed to its end."""
        super().note_cut(func)
        self._lost[id(func.node)] = None
        self._cut = True

    def note_resumption(self, frame: Frame) -> None:
        """Keep the function of a statement that was not followed to its end."""
        super().note_resumption(frame)
        self._cut = True
        if frame.function is not None:
            self._lost[id(frame.function.node)] = None

    def store_attr(self, obj: AnyValue, name: str, value: AnyValue) -> None:
        """Keep what an attribute was ever set to, by class."""
        super().store_attr(obj, name, value)
        if isinstance(obj, Instance) and isinstance(obj.cls, ClassV) and name in obj.slots:
            known = self._fields.get((obj.cls, name))
            if known is not value:
                self._fields[(obj.cls, name)] = joined = value if known is None else _either(known, value)
                if self.sweep and joined != known:
                    self._grown.add(name)

    def make_object(self, cls: ClassV, args: Arguments) -> AnyValue:
        """Keep of which classes there are objects."""
        self._made[cls] = None
        return super().make_object(cls, args)

    # What the second pass does otherwise

    def passes_over(self, stmt: ir.Stmt) -> bool:
        """Whether a statement that is seen to raise is taken to end without its exception."""
        return (self.sweep > 0 and not isinstance(stmt, ir.Raise)) or super().passes_over(stmt)

    def instance_attr(self, obj: Instance, name: str, *, asked: bool = False) -> AnyValue:
        """An attribute of an object; in the second pass, whatever it held in any object of the class."""
        if self.sweep and isinstance(obj.cls, ClassV):
            known = self._fields.get((obj.cls, name))
            if known is not None:
                own = obj.slots.get(name)
                return known if own is None else join([own.value if isinstance(own, Maybe) else own, known])
        return super().instance_attr(obj, name, asked=asked)

    def instance_filter(self, value: AnyValue, kinds: AnyValue, outcome: bool) -> AnyValue | None:
        """What is left of a value behind `isinstance`; in the second pass, an unknown one is of the classes named."""
        if outcome and self.sweep and isinstance(value, Unknown):
            classes = kinds.items if isinstance(kinds, TupleV) else (kinds,)
            if classes and all(isinstance(each, ClassV) for each in classes):
                return join([Instance(each) for each in classes if isinstance(each, ClassV)])
        return super().instance_filter(value, kinds, outcome)

    def run_function(
        self, func: FunctionV, args: Arguments, yields: ListObj | None, on_yield: Callable[[AnyValue], AnyValue] | None
    ) -> AnyValue:
        """Execute a function; in the second pass once a sweep for arguments of the same kinds."""
        cut, self._cut = self._cut, False
        try:
            result = super().run_function(func, args, yields, on_yield)
            if self.sweep:
                result = _few(result)
            if self._cut and isinstance(result, Unknown) and result.origin == "data":
                # What a call gives that was cut may be an object of the program.
                return Unknown(result.reason)
            return result
        finally:
            self._cut = self._cut or cut

    def known_result(self, kinds: tuple[Any, ...], func: FunctionV) -> AnyValue | None:
        """What calls alike have given, where there is no need to look at one more."""
        if not self.sweep:
            return super().known_result(kinds, func)
        visit = self._visits[id(func.node)][kinds]
        if visit.sweep == self.sweep:
            known = self.summaries.get(kinds)
            if known is not None and known.result is not None:
                return known.result
        visit.sweep = self.sweep
        return None

    def patience(self, depth: int) -> int:
        """Steps that a call with so many others around it may take without a new edge."""
        return super().patience(depth) if not self.sweep else max(PATIENCE // (depth + 1), 500)

    def call_unknown(self, func: AnyValue, args: Arguments) -> AnyValue:
        """A call of what is not known: the methods of its name, in the second pass."""
        if isinstance(func, Unknown) and func.origin == "bottom":
            # A recursion that gives nothing is one whose way out was not seen.
            self._astray = self._astray or not self.sweep
        elif isinstance(func, Unknown) and func.attribute:
            if self.sweep:
                found = self.namesakes(func.attribute, args)
                if found:
                    return self.choose([partial(self.call, method, args) for method in found])
            elif self.frame is not None:
                key = (_frame_key(self.frame), func.attribute, len(args.pos))
                self._unresolved.setdefault(key, (self.frame, func.attribute, args))
        return super().call_unknown(func, args)

    def namesakes(self, name: str, args: Arguments) -> list[AnyValue]:
        """The methods of a name that objects of the program have and that take so many arguments."""
        if name in COMMON_METHODS:
            return []
        found: dict[int, AnyValue] = {}
        for cls in self._made:
            for base in cls.mro:
                value = base.slots.get(name) if isinstance(base, ClassV) else None
                if value is None:
                    continue
                method = self.bound(value, Instance(cls), cls) if _is_method(value) else None
                if isinstance(method, BoundMethod) and isinstance(method.func, FunctionV):
                    if _takes(method.func, args.shifted(method.self)):
                        found.setdefault(id(method.func.node), method)
                elif isinstance(method, FunctionV) and _takes(method, args):
                    found.setdefault(id(method.node), method)
                break
        return list(found.values()) if len(found) <= NAMESAKES else []

    # The second pass

    def explore(self) -> None:
        """Go over the functions whose paths were lost, where some were."""
        astray = self._astray or self._cut or self.stopped_by is not None
        if not astray:
            # What raises is meant to.
            self._lost.clear()
            if not self._unresolved:
                return
        self.set_out(SHARE)
        with self.few_values(), suppress(BudgetExceeded, RecursionError):
            for sweep in range(1, SWEEPS + 1):
                self.sweep = sweep
                size = self.log.size
                for frame, name, args in list(self._unresolved.values()):
                    self.venture(partial(self.resolve, frame, name, args))
                self.revisit_lost()
                self.lose_readers()
                if self.log.size == size:
                    break

    def lose_readers(self) -> None:
        """Take up the functions that read attributes of which the pass found that they hold more than they did."""
        grown, self._grown = self._grown, set()
        for node, visits in self._visits.items():
            if node in self._lost or not grown:
                continue
            names = self._mentioned.get(node)
            if names is None:
                body = next(iter(visits.values())).func.node.body
                names = self._mentioned[node] = frozenset(item.name for item in walk(body) if isinstance(item, ir.Attr))
            if not grown.isdisjoint(names):
                self._lost[node] = None

    @contextmanager
    def few_values(self) -> Iterator[None]:
        """Let names have fewer constants than on the path of the program, and as many objects."""
        objects, alternatives = OBJECTS.set(SET_SIZE.get()), SET_SIZE.set(ALTERNATIVES)
        try:
            yield
        finally:
            OBJECTS.reset(objects)
            SET_SIZE.reset(alternatives)

    def revisit_lost(self) -> None:
        """Go over the functions whose paths were lost, and those whose paths are lost by that."""
        gone: set[int] = set()
        while remaining := [node for node in self._lost if node not in gone]:
            for node in remaining:
                gone.add(node)
                for visit in self.visits_left(node):
                    self.venture(partial(self.revisit, visit))

    def visits_left(self, node: int) -> list[Visit]:
        """The calls of a function that were not looked at in this sweep; those with as many arguments are one."""
        merged: dict[tuple[int, int, tuple[str, ...]], Visit] = {}
        for visit in self._visits.get(node, {}).values():
            key = (id(visit.func.frame), len(visit.args.pos), tuple(visit.args.kw))
            found = merged.get(key)
            if found is None:
                merged[key] = found = Visit(visit.func, visit.args)
                found.sweep = visit.sweep
            else:
                found.args = _blend(found.args, visit.args)
                found.sweep = min(found.sweep, visit.sweep)
        return [visit for visit in merged.values() if visit.sweep < self.sweep]

    def set_out(self, share: int, rounds: int = 1) -> None:
        """Leave the path of the program, wherever it was.

        Args:
            share: what part of the steps of an entry there are from here on: one in so many.
            rounds: how often a loop is run whose end is not known.
        """
        self.limits = msgspec.structs.replace(
            self.limits, steps=self.limits.steps // share, unroll=min(self.limits.unroll, UNROLL), rounds=rounds
        )
        self.restart()
        self.frame = self.chain = self.call_node = None
        self.frames, self.active, self.tries, self.loops, self.handling, self.held = [], [], [], [], [], []
        self.undecided = 0
        self.resuming = True
        self.state.unwind(0)
        self.state.trail.clear()
        self.state.pendings.clear()

    def venture(self, run: Callable[[], object]) -> None:
        """Run something that may happen; what it changes is joined with what was there.

        Raises:
            BudgetExceeded: when the budget of the pass ran out.
        """

        def once() -> int:
            with suppress(CallCut):
                run()
            return NORMAL

        budget = self.limits
        if self.steps >= budget.steps:
            raise BudgetExceeded
        self.limits = msgspec.structs.replace(budget, steps=min(budget.steps, self.steps + STRETCH))
        try:
            self.fork([once], include_current=True)
        except (AbstractRaise, BudgetExceeded):
            pass
        finally:
            self.limits = budget

    def revisit(self, visit: Visit) -> None:
        """Go over a function with the arguments that it had."""
        if visit.func.node.is_generator:
            self.run_generator(visit.func, visit.args)
        else:
            self.run_function(visit.func, visit.args, None, None)

    def resolve(self, frame: Frame, name: str, args: Arguments) -> None:
        """Call what a method of an object that is not known may be."""
        with self.within(frame):
            for method in self.namesakes(name, args):
                self.call(method, args)


def _frame_key(frame: Frame) -> str:
    return f"{frame.module.dotted}.{frame.qualname}"


def _is_method(value: object) -> bool:
    return isinstance(value, FunctionV) or (
        isinstance(value, Descriptor) and value.kind in ("classmethod", "staticmethod")
    )


def _takes(func: FunctionV, args: Arguments) -> bool:
    """Whether a function can be called with so many arguments."""
    params = func.node.params
    kinds = {param.kind for param in params}
    named = {param.name for param in params}
    places = [param for param in params if param.kind in ("positional", "normal")]
    if "args" not in kinds and len(args.pos) > len(places):
        return False
    if "kwargs" not in kinds and not named.issuperset(args.kw):
        return False
    if args.star is not None or args.kwstar is not None:
        return True
    return all(param.default is not None or param.name in args.kw for param in places[len(args.pos) :])


def _either(one: AnyValue, other: AnyValue) -> AnyValue:
    """The join of two values, with few alternatives."""
    return one if one is other else _few(join([one, other]))


def _few(value: AnyValue) -> AnyValue:
    """Let one object of each class stand for all of them, and the type of many constants for these."""
    if not isinstance(value, Union) or len(value.options) <= ALTERNATIVES:
        return value
    kept: list[AnyValue] = []
    constants: list[AnyValue] = []
    classes: set[ClassV | Ext] = set()
    for option in value.options:
        if isinstance(option, Known) and not isinstance(option.value, bool | None):
            constants.append(option)
        elif not isinstance(option, Instance):
            kept.append(option)
        elif option.cls not in classes:
            classes.add(option.cls)
            kept.append(option)
    if len(constants) > ALTERNATIVES:
        constants = [generalise(tuple(constants))]
    return join([*kept, *constants])


def _blend(one: Arguments, other: Arguments) -> Arguments:
    """The join of arguments of the same kinds."""
    if one is other:
        return one
    pos = [_either(a, b) for a, b in zip(one.pos, other.pos, strict=False)]
    kw = {name: _either(value, other.kw.get(name, value)) for name, value in one.kw.items()}
    return Arguments([*pos, *one.pos[len(pos) :]], kw, one.star, one.kwstar)
