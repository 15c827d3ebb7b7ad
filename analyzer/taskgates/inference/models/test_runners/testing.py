"""unittest: test cases, and running them as its runner does."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, ClassV, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import (
    BOOL,
    FALSE,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Descriptor,
    Ext,
    Known,
    Native,
    Partial,
    TupleV,
    options,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


CASE = "unittest.TestCase"
SUITE = "unittest.TestSuite"
LOADER = "unittest.TestLoader"
RESULT = "unittest.TestResult"
SKIP = "__unittest_skip__"
CLEANUPS = ("cleanups",)
EXPECTATION = "unittest.case._AssertRaisesContext"


# Cases and suites


def is_case(value: AnyValue) -> bool:
    """Whether a class derives from a library's test case."""
    return isinstance(value, ClassV) and any(
        isinstance(base, Ext) and base.name.rpartition(".")[2].endswith("TestCase") for base in value.mro
    )


def attribute_of(cls: ClassV, name: str) -> AnyValue | None:
    """What the classes of the analysed code define under a name."""
    for base in cls.mro:
        if isinstance(base, ClassV) and name in base.slots:
            found = base.slots[name]
            return getattr(found, "value", found) if type(found).__name__ == "Maybe" else found  # type: ignore[no-any-return]
    return None


def method_names(cls: ClassV, prefix: str = "test") -> list[str]:
    """The names of a class's test methods, in the loader's order."""
    names = {
        name
        for base in cls.mro
        if isinstance(base, ClassV)
        for name, value in base.slots.items()
        if isinstance(name, str)
        and name.startswith(prefix)
        and isinstance(value, FunctionV | Descriptor | Native | BoundMethod)
    }
    return sorted(names)


def make_case(machine: Machine, cls: ClassV, name: str) -> Instance | None:
    """An object of a test case for one of its methods; None when it cannot be made."""
    try:
        made = machine.call(cls, Arguments([Known(name)]))
    except AbstractRaise:
        return None
    if not isinstance(made, Instance):
        return None
    machine.state.write(made.slots, "_testMethodName", Known(name))
    return made


def cases_of_class(machine: Machine, cls: ClassV) -> list[Instance]:
    """One object for every test method, or for `runTest` where there is no other."""
    names = method_names(cls) or (["runTest"] if isinstance(attribute_of(cls, "runTest"), FunctionV) else [])
    made = (make_case(machine, cls, name) for name in names)
    return [case for case in made if case is not None]


def cases_of_module(machine: Machine, module: ModuleV) -> list[Instance]:
    """The test cases that a module defines or imports; its `load_tests` has the last word."""
    found: list[Instance] = []
    for name in sorted(key for key in module.slots if isinstance(key, str)):
        value = module.slots[name]
        if is_case(value):
            found.extend(cases_of_class(machine, value))
    hook = module.slots.get("load_tests")
    if isinstance(hook, FunctionV):
        try:
            chosen = machine.call(hook, Arguments([Instance(Ext(LOADER)), make_suite(found), Known("test*.py")]))
        except AbstractRaise:
            return []
        if isinstance(chosen, Instance) and chosen.slots.get("tests") is not None:
            return flatten(chosen)
    return found


def make_suite(tests: Iterable[AnyValue]) -> Instance:
    """A suite of cases and suites."""
    suite = Instance(Ext(SUITE))
    suite.slots["tests"] = ListObj("list", tests)
    return suite


def flatten(value: AnyValue) -> list[Instance]:
    """The cases in a case, a suite, or a sequence of them."""
    found: list[Instance] = []
    for option in options(value):
        if isinstance(option, Instance) and "tests" in option.slots:
            for item in option.slots["tests"].items:
                found.extend(flatten(item))
        elif isinstance(option, ListObj | TupleV):
            for item in option.items:
                found.extend(flatten(item))
        elif isinstance(option, Instance) and is_case(option.cls):
            found.append(option)
    return found


# Running


def attempt(machine: Machine, value: AnyValue | None, args: Sequence[AnyValue] = ()) -> bool:
    """Call something if it is there; whether it did not certainly raise."""
    if value is None:
        return True
    try:
        machine.call(value, Arguments(args))
    except AbstractRaise:
        return False
    return True


def run_cases(machine: Machine, cases: Sequence[Instance]) -> None:
    """Run test cases with the fixtures of their modules and classes around them."""
    module: ModuleV | None = None
    cls: ClassV | None = None
    module_ready = class_ready = True
    for case in cases:
        owner = case.cls
        assert isinstance(owner, ClassV)
        if owner is not cls:
            if cls is not None and class_ready:
                _class_fixture(machine, cls, "tearDownClass")
            if owner.module is not module:
                if module is not None and module_ready:
                    attempt(machine, module.slots.get("tearDownModule"))
                module = owner.module
                module_ready = attempt(machine, module.slots.get("setUpModule") if module is not None else None)
            cls = owner
            skipped = attribute_of(owner, SKIP) == TRUE
            class_ready = module_ready and not skipped and _class_fixture(machine, owner, "setUpClass")
        if class_ready:
            run_case(machine, case)
    if cls is not None and class_ready:
        _class_fixture(machine, cls, "tearDownClass")
    if module is not None and module_ready:
        attempt(machine, module.slots.get("tearDownModule"))


def _class_fixture(machine: Machine, cls: ClassV, name: str) -> bool:
    if attribute_of(cls, name) is None:
        return True
    return attempt(machine, machine.get_attr(cls, name))


def run_case(machine: Machine, case: Instance) -> None:
    """Run one test method: set up, the method, tear down, then what was registered for cleaning up."""
    cls = case.cls
    assert isinstance(cls, ClassV)
    name = str(text_of(case.slots["_testMethodName"]))
    func = attribute_of(cls, name)
    marks = [attribute_of(cls, SKIP), func.slots.get(SKIP) if isinstance(func, FunctionV) else None]
    if TRUE in marks or func is None:
        return
    undecided = BOOL in marks
    machine.undecided += undecided
    try:
        if all(_step(machine, case, step) for step in ("setUp", "asyncSetUp")):
            _step(machine, case, name)
            for step in ("asyncTearDown", "tearDown"):
                _step(machine, case, step)
        clean_up(machine, case)
    finally:
        machine.undecided -= undecided


def _step(machine: Machine, case: Instance, name: str) -> bool:
    assert isinstance(case.cls, ClassV)
    return attribute_of(case.cls, name) is None or attempt(machine, machine.get_attr(case, name))


@method(f"{CASE}.doCleanups")
def clean_up_method(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`case.doCleanups()`."""
    del args
    clean_up(machine, obj)
    return TRUE


def clean_up(machine: Machine, case: Instance) -> None:
    """Call what was registered with `addCleanup`, the last first."""
    pending = case.slots.get(CLEANUPS)
    if not isinstance(pending, ListObj):
        return
    machine.state.write(case.slots, CLEANUPS, ListObj("list"))
    for entry in reversed(pending.items):
        attempt(machine, entry)


# What test methods call


@method(f"{CASE}.__init__", "unittest.IsolatedAsyncioTestCase.__init__")
def init_case(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`TestCase(methodName)`."""
    machine.state.write(obj.slots, "_testMethodName", args.get(0, "methodName") or Known("runTest"))
    return NONE


@method(f"{CASE}.addCleanup", f"{CASE}.addAsyncCleanup")
def add_cleanup(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`self.addCleanup(function, ...)`."""
    if args.pos:
        entry = Partial(args.pos[0], Arguments(args.pos[1:], args.kw, args.star, args.kwstar))
        pending = obj.slots.get(CLEANUPS)
        items = pending.items if isinstance(pending, ListObj) else ()
        machine.state.write(obj.slots, CLEANUPS, ListObj("list", [*items, entry]))
    return NONE


@method(f"{CASE}.enterContext", f"{CASE}.enterAsyncContext")
def enter_context(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`self.enterContext(manager)`: left when the test is over."""
    manager = args.pos[0] if args.pos else UNKNOWN
    value = machine.enter(manager)

    def leave(inner: Machine, given: Arguments) -> AnyValue:
        del given
        inner.leave(manager, None)
        return NONE

    add_cleanup(machine, obj, Arguments([Native("leave", leave)]))
    return value  # type: ignore[no-any-return]


@method(
    f"{CASE}.assertRaises",
    f"{CASE}.assertRaisesRegex",
    f"{CASE}.assertWarns",
    f"{CASE}.assertWarnsRegex",
    f"{CASE}.assertLogs",
    f"{CASE}.assertNoLogs",
)
def assert_raises(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with self.assertRaises(error):`, or the call of the function that is to raise."""
    del obj
    callables = (FunctionV, BoundMethod, ClassV, Native)
    index = next((i for i, value in enumerate(args.pos[1:], 1) if not isinstance(value, Known)), None)
    if index is not None and (isinstance(args.pos[index], callables) or index == 1):
        with contextlib.suppress(AbstractRaise):
            machine.call(args.pos[index], Arguments(args.pos[index + 1 :], args.kw))
        return NONE
    return Instance(Ext(EXPECTATION))


@method(f"{CASE}.subTest")
def sub_test(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with self.subTest(...)`: a failure ends this part only."""
    del machine, obj, args
    return Instance(Ext(EXPECTATION))


@method(f"{EXPECTATION}.__enter__")
def expectation_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The manager itself."""
    del machine, args
    return obj


@method(f"{EXPECTATION}.__exit__")
def expectation_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """An expected exception goes no further."""
    del machine, obj
    return FALSE if not args.pos or args.pos[0] == NONE else TRUE


@method(f"{CASE}.skipTest")
def skip_test(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`self.skipTest(reason)` ends the test."""
    del machine, obj, args
    raise AbstractRaise(Instance(Ext("unittest.SkipTest")))


@method(f"{CASE}.fail")
def fail(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`self.fail()` ends the test."""
    del obj, args
    raise machine.throw("AssertionError")


@method(f"{CASE}.id", f"{CASE}.shortDescription")
def case_id(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The dotted name of the test."""
    del machine, args
    name = text_of(obj.slots.get("_testMethodName", NONE))
    if isinstance(obj.cls, ClassV) and isinstance(name, str):
        return Known(f"{obj.cls.qualname}.{name}")
    return text_hole("data")


def _skipping(outcome: AnyValue | None) -> Native:
    """A decorator that marks what it is given: certainly skipped, or perhaps."""

    def mark(machine: Machine, args: Arguments) -> AnyValue:
        value = args.pos[0] if args.pos else UNKNOWN
        if outcome is not None and isinstance(value, FunctionV | ClassV):
            machine.state.write(value.slots, SKIP, outcome)
        return value

    return Native("unittest.skip", mark)


@function("unittest.skip", "unittest.case.skip")
def skip(machine: Machine, args: Arguments) -> AnyValue:
    """`@unittest.skip(reason)`."""
    if args.pos and isinstance(args.pos[0], FunctionV | ClassV):
        return _skipping(TRUE).run(machine, args)
    return _skipping(TRUE)


@function("unittest.skipIf", "unittest.case.skipIf")
def skip_if(machine: Machine, args: Arguments) -> AnyValue:
    """`@unittest.skipIf(condition, reason)`."""
    decided = machine.truth(args.get(0, "condition") or UNKNOWN)
    return _skipping(None if decided is False else TRUE if decided else BOOL)


@function("unittest.skipUnless", "unittest.case.skipUnless")
def skip_unless(machine: Machine, args: Arguments) -> AnyValue:
    """`@unittest.skipUnless(condition, reason)`."""
    decided = machine.truth(args.get(0, "condition") or UNKNOWN)
    return _skipping(None if decided else TRUE if decided is False else BOOL)


__all__ = [
    "CASE",
    "EXPECTATION",
    "LOADER",
    "RESULT",
    "attempt",
    "attribute_of",
    "case_id",
    "cases_of_class",
    "cases_of_module",
    "flatten",
    "is_case",
    "make_case",
    "make_suite",
    "method_names",
    "run_case",
    "run_cases",
]
