"""pytest: running test items with the fixtures that they name."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeGuard

import msgspec

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.test_runners.pytest_names import FIXTURE, MARKS, PARAMETERS, Patches, built_in, marks_in
from taskgates.inference.models.test_runners.testing import attribute_of
from taskgates.inference.objects import Arguments, ClassV, FunctionV, Instance, ModuleV
from taskgates.inference.recording import TEMPORARY
from taskgates.inference.values import (
    BOOL,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Descriptor,
    Ext,
    Known,
    Native,
    Unknown,
    text_of,
)

if TYPE_CHECKING:
    from taskgates.inference.models.registry import Machine

COMBINATIONS = 64
"""Parameter sets of one test that run one by one; the others differ in values that are rarely paths."""

Providers = Sequence[Mapping[object, AnyValue]]
"""Where fixtures are looked up: the namespaces of the class, the module and its conftest files, nearest first."""


def is_fixture(value: AnyValue) -> TypeGuard[Instance]:
    """Whether a value is what `@pytest.fixture` made of a function."""
    return isinstance(value, Instance) and isinstance(value.cls, Ext) and value.cls.name == FIXTURE


class Fixtures:
    """Resolves the fixtures of one test, and runs what needs them inside.

    Args:
        machine: the interpreter.
        providers: where fixtures are looked up.
        base: the folder of temporary folders.
    """

    def __init__(self, machine: Machine, providers: Providers, base: str = f"{TEMPORARY}/pytest") -> None:
        self.machine = machine
        self.providers = providers
        self.base = base
        self.patches = Patches()
        self.instance: AnyValue | None = None

    def find(self, name: str, above: Instance | None = None) -> Instance | None:
        """The nearest fixture of a name; behind a given one when that overrides it."""
        passed = above is None
        for namespace in self.providers:
            for key, value in namespace.items():
                if not is_fixture(value):
                    continue
                if (text_of(value.slots.get("name", Known(key))) or key) != name:
                    continue
                if value is above:
                    passed = True
                elif passed:
                    return value
        return None

    def automatic(self) -> list[str]:
        """The names of the fixtures that every test gets, outermost first."""
        found: list[str] = []
        for namespace in reversed(self.providers):
            for key, value in namespace.items():
                if is_fixture(value) and value.slots.get("autouse") == TRUE and isinstance(key, str):
                    found.append(key)
        return found

    def run(
        self,
        names: Sequence[str],
        values: dict[str, AnyValue],
        then: Callable[[dict[str, AnyValue]], None],
        above: Instance | None = None,
    ) -> None:
        """Set up fixtures, run `then` with their values, tear them down.

        Args:
            names: the fixtures that are wanted.
            values: those that are there already.
            then: what runs inside; called once for every path on which all are set up.
            above: the fixture that asks, when it overrides one of the same name.
        """
        if not names:
            then(values)
            return
        name, rest = names[0], names[1:]
        if name in values and above is None:
            self.run(rest, values, then)
            return
        if name == "request":
            self.run(rest, {**values, name: self.request(values, NONE)}, then)
            return
        found = self.find(name, above)
        if found is None:
            given = built_in(name, self.patches, self.base)
            if given is None:
                given = Unknown(f"the fixture {name}", "argument")
            self.run(rest, {**values, name: given}, then)
            return
        self.set_up(name, found, values, lambda inner: self.run(rest, inner, then))

    def set_up(
        self, name: str, found: Instance, values: dict[str, AnyValue], then: Callable[[dict[str, AnyValue]], None]
    ) -> None:
        """Set up one fixture, once for each of its parameters."""
        machine = self.machine
        func = found.slots["func"]
        func = func.func if isinstance(func, Descriptor) else func
        if not isinstance(func, FunctionV):
            then({**values, name: Unknown(f"the fixture {name}", "argument")})
            return
        params = found.slots.get("params")
        chosen: list[AnyValue] = [NONE]
        if params is not None and params != NONE:
            content = machine.iterate(params)
            chosen = [*content.items, *([content.rest] if content.rest is not None else [])] or [NONE]
        own = bool(func.node.params) and func.node.params[0].name == "self"
        wanted = [param.name for param in func.node.params if param.name not in ("self", "cls")]
        wanted = [each for each in wanted if func.defaults.get(each) is None]

        def call(param: AnyValue, inner: dict[str, AnyValue]) -> None:
            kw = {each: inner[each] for each in wanted if each in inner}
            if "request" in wanted:
                kw["request"] = self.request(inner, param)
            pos = [self.instance or UNKNOWN] if own else []

            def inside(value: AnyValue) -> AnyValue:
                then({**{k: v for k, v in inner.items() if k != name or k in values}, name: value})
                return NONE

            if func.node.is_generator:
                machine.generate(func, Arguments(pos, kw), inside)
            else:
                inside(_awaited(machine.call(func, Arguments(pos, kw))))

        for param in chosen[:COMBINATIONS]:
            value = _parameter(param)
            if name in wanted:
                # It overrides the fixture of the same name that it asks for.
                self.run(
                    [name],
                    values,
                    lambda inner, value=value: self.run(  # type: ignore[misc]
                        [each for each in wanted if each != name], inner, lambda all_: call(value, all_)
                    ),
                    above=found,
                )
            else:
                self.run(wanted, values, lambda inner, value=value: call(value, inner))  # type: ignore[misc]

    def request(self, values: dict[str, AnyValue], param: AnyValue) -> Instance:
        """The `request` fixture."""
        out = Instance(Ext("pytest.FixtureRequest"))
        out.slots["param"] = param

        def value_of(machine: Machine, args: Arguments) -> AnyValue:
            del machine
            name = text_of(args.get(0, "argname") or NONE)
            got: list[AnyValue] = []
            if isinstance(name, str):
                self.run([name], values, lambda inner: got.append(inner[name]))
            return got[-1] if got else UNKNOWN

        def finalise(machine: Machine, args: Arguments) -> AnyValue:
            for func in args.pos[:1]:
                self.patches.undo.append(functools.partial(attempt_hook, machine, func))
            return NONE

        out.slots["getfixturevalue"] = Native("getfixturevalue", value_of)
        out.slots["addfinalizer"] = Native("addfinalizer", finalise)
        return out


def _awaited(value: AnyValue) -> AnyValue:
    from taskgates.inference.values import Awaitable

    return value.result if isinstance(value, Awaitable) else value


def _parameter(value: AnyValue) -> AnyValue:
    if isinstance(value, Instance) and isinstance(value.cls, Ext) and value.cls.name == PARAMETERS:
        inner = value.slots["values"]
        return inner.items[0] if len(inner.items) == 1 else inner  # type: ignore[no-any-return]
    return value


def _skips(machine: Machine, found: Sequence[Instance]) -> AnyValue | None:
    """Whether marks skip what they stand on: TRUE, perhaps (BOOL), or not (None)."""
    answer: AnyValue | None = None
    for mark in found:
        name = text_of(mark.slots.get("name", NONE))
        if name == "skip" or (name == "xfail" and mark.slots.get(("kw", "run")) == Known(False)):
            return TRUE
        if name == "skipif":
            pos = mark.slots["pos"].items
            condition = mark.slots.get(("kw", "condition"), pos[0] if pos else UNKNOWN)
            decided = None if text_of(condition) is not None else machine.truth(condition)
            if decided:
                return TRUE
            if decided is None:
                answer = BOOL
    return answer


def _combinations(machine: Machine, found: Sequence[Instance]) -> list[dict[str, AnyValue]]:
    """The sets of parameters that `parametrize` marks give."""
    axes: list[list[dict[str, AnyValue]]] = []
    for mark in found:
        if text_of(mark.slots.get("name", NONE)) != "parametrize":
            continue
        pos = list(mark.slots["pos"].items)
        names_value = mark.slots.get(("kw", "argnames"), pos[0] if pos else UNKNOWN)
        values = mark.slots.get(("kw", "argvalues"), pos[1] if len(pos) > 1 else UNKNOWN)
        text = text_of(names_value)
        if isinstance(text, str):
            names = [name.strip() for name in text.split(",") if name.strip()]
        else:
            names = [str(text_of(item)) for item in machine.iterate(names_value).items]
        content = machine.iterate(values)
        every = [*content.items, *([content.rest] if content.rest is not None else [])]
        axis: list[dict[str, AnyValue]] = []
        for entry in every:
            single = _parameter(entry)
            own = marks_in(entry.slots.get("marks")) if isinstance(entry, Instance) else []
            if _skips(machine, own) == TRUE:
                continue
            if len(names) == 1:
                axis.append({names[0]: single})
                continue
            items = machine.iterate(single)
            row = [*items.items, *([items.rest or UNKNOWN] * (len(names) - len(items.items)))]
            axis.append(dict(zip(names, row, strict=False)))
        axes.append(axis)
    combined = [
        {key: value for part in parts for key, value in part.items()}
        for parts in itertools.islice(itertools.product(*axes), COMBINATIONS)
    ]
    return combined or ([] if axes else [{}])


class Item(msgspec.Struct, frozen=True):
    """One test function or method.

    Attributes:
        func: the test.
        owner: its class, for a method.
        module: its module.
        conftests: the conftest modules that apply, nearest first.
        base: the folder of temporary folders.
    """

    func: FunctionV
    owner: ClassV | None
    module: ModuleV
    conftests: tuple[ModuleV, ...] = ()
    base: str = f"{TEMPORARY}/pytest"


def run_item(machine: Machine, item: Item) -> None:
    """Run one test, for every set of its parameters."""
    func, owner, module = item.func, item.owner, item.module
    found = [*marks_in(func.slots.get(MARKS))]
    if owner is not None:
        found += marks_in(attribute_of(owner, MARKS))
    found += marks_in(module.slots.get(MARKS))
    skipped = _skips(machine, found)
    if skipped == TRUE:
        return
    machine.undecided += skipped is not None
    try:
        for parameters in _combinations(machine, found):
            _run_once(machine, item, found, parameters)
    finally:
        machine.undecided -= skipped is not None


def _run_once(machine: Machine, item: Item, found: Sequence[Instance], parameters: dict[str, AnyValue]) -> None:
    func, owner, module = item.func, item.owner, item.module
    namespaces = [base_.slots for base_ in owner.mro if isinstance(base_, ClassV)] if owner is not None else []
    fixtures = Fixtures(machine, [*namespaces, module.slots, *(each.slots for each in item.conftests)], item.base)
    cwd = machine.cwd
    try:
        if owner is not None:
            made = machine.call(owner, Arguments())
            fixtures.instance = made
            if attribute_of(owner, "setup_method") is not None:
                _call_hook(machine, machine.get_attr(made, "setup_method"))
        elif isinstance(module.slots.get("setup_function"), FunctionV):
            _call_hook(machine, module.slots["setup_function"])
        wanted = [param.name for param in func.node.params]
        if owner is not None and wanted:
            wanted = wanted[1:]
        wanted = [name for name in wanted if func.defaults.get(name) is None]
        used = [
            str(text_of(name))
            for mark in found
            if text_of(mark.slots.get("name", NONE)) == "usefixtures"
            for name in mark.slots["pos"].items
        ]

        def inside(values: dict[str, AnyValue]) -> None:
            pos = [fixtures.instance] if owner is not None and fixtures.instance is not None else []
            kw = {name: values[name] for name in wanted if name in values}
            with contextlib.suppress(AbstractRaise):
                machine.call(func, Arguments(pos, kw))

        fixtures.run([*fixtures.automatic(), *used, *wanted], dict(parameters), inside)
    except AbstractRaise:
        pass
    finally:
        if owner is not None and fixtures.instance is not None and attribute_of(owner, "teardown_method") is not None:
            attempt_hook(machine, machine.get_attr(fixtures.instance, "teardown_method"))
        elif owner is None and isinstance(module.slots.get("teardown_function"), FunctionV):
            attempt_hook(machine, module.slots["teardown_function"])
        fixtures.patches.restore()
        machine.cwd = cwd


def _call_hook(machine: Machine, hook: AnyValue) -> None:
    """Call an xunit-style hook, which may take the thing that it prepares."""
    func = getattr(hook, "func", hook)
    params = func.node.params if isinstance(func, FunctionV) else []
    extra = len(params) - (0 if func is hook else 1)
    machine.call(hook, Arguments([Unknown("the object under test", "data")] * max(extra, 0)))


def attempt_hook(machine: Machine, hook: AnyValue | None) -> None:
    """Call an xunit-style hook if it is there; what it raises ends it."""
    if hook is None:
        return
    with contextlib.suppress(AbstractRaise):
        _call_hook(machine, hook)


__all__ = ["Fixtures", "Item", "attempt_hook", "run_item"]
