"""pytest: decorators, built-in fixtures, and running test items with the fixtures that they name."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

from taskgates.inference.core import TEMPORARY, AbstractRaise
from taskgates.inference.models.registry import Machine, constant, function, method
from taskgates.inference.models.testing import EXPECTATION, attempt, attribute_of
from taskgates.inference.values import (
    BOOL,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Arguments,
    ClassV,
    Descriptor,
    Ext,
    FunctionV,
    Instance,
    Known,
    ListObj,
    ModuleV,
    Native,
    PathV,
    TupleV,
    Unknown,
    path_text,
    text_of,
)

FIXTURE = "pytest.FixtureFunctionDefinition"
MARK = "pytest.MarkDecorator"
MARKS = "pytestmark"
PARAMETERS = "pytest.ParameterSet"
PATCH = "pytest.MonkeyPatch"
COMBINATIONS = 64
"""Parameter sets of one test that run one by one; the others differ in values that are rarely paths."""

Providers = Sequence[Mapping[object, AnyValue]]
"""Where fixtures are looked up: the namespaces of the class, the module and its conftest files, nearest first."""


# Decorators -------------------------------------------------------------------------------------------------------------


@function("pytest.fixture", "pytest_asyncio.fixture", "pytest.yield_fixture")
def fixture(machine: Machine, args: Arguments) -> AnyValue:
    """`@pytest.fixture`, with or without settings."""

    def make(inner: Machine, given: Arguments) -> AnyValue:
        del inner
        out = Instance(Ext(FIXTURE))
        out.slots["func"] = given.pos[0] if given.pos else UNKNOWN
        for name in ("scope", "autouse", "params", "name"):
            if name in args.kw:
                out.slots[name] = args.kw[name]
        return out

    if args.pos and isinstance(args.pos[0], FunctionV | Descriptor):
        return make(machine, args)
    return Native("pytest.fixture", make)


@constant("pytest.mark")
def marks(machine: Machine) -> AnyValue:
    """`pytest.mark`: every attribute is a decorator."""
    del machine
    cls = ClassV("MarkGenerator", "pytest.MarkGenerator", None, ())

    def mark(inner: Machine, args: Arguments) -> AnyValue:
        del inner
        return _mark(args.pos[-1], (), {})

    cls.slots["__getattr__"] = Native("method:mark", mark)
    return Instance(cls)


def _mark(name: AnyValue, pos: Sequence[AnyValue], kw: dict[str, AnyValue]) -> Instance:
    out = Instance(Ext(MARK))
    out.slots["name"] = name
    out.slots["pos"] = TupleV(pos)
    for key, value in kw.items():
        out.slots[("kw", key)] = value
    return out


@method(f"{MARK}.__call__")
def apply_mark(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """A mark is put on what it decorates, or is given its arguments."""
    if len(args.pos) == 1 and not args.kw and isinstance(args.pos[0], FunctionV | ClassV | Instance):
        value = args.pos[0]
        earlier = value.slots.get(MARKS)
        machine.state.write(value.slots, MARKS, TupleV([*_marks_in(earlier), obj]))
        return value
    return _mark(obj.slots["name"], args.pos, args.kw)


def _marks_in(value: AnyValue | None) -> list[Instance]:
    if isinstance(value, Instance):
        return [value]
    if isinstance(value, ListObj | TupleV):
        return [item for item in value.items if isinstance(item, Instance)]
    return []


@function("pytest.param")
def parameter_set(machine: Machine, args: Arguments) -> AnyValue:
    """`pytest.param(...)`: one set of parameters."""
    del machine
    out = Instance(Ext(PARAMETERS))
    out.slots["values"] = TupleV(args.pos, args.star)
    out.slots["marks"] = args.kw.get("marks", NONE)
    return out


@function("pytest.raises", "pytest.warns", "pytest.deprecated_call")
def raises(machine: Machine, args: Arguments) -> AnyValue:
    """`with pytest.raises(error):`, or the call of the function that is to raise."""
    if len(args.pos) > 1:
        try:
            machine.call(args.pos[1], Arguments(args.pos[2:], args.kw))
        except AbstractRaise:
            pass
        return NONE
    return Instance(Ext(EXPECTATION))


@function("pytest.skip", "pytest.fail", "pytest.xfail", "pytest.exit")
def stop(machine: Machine, args: Arguments) -> AnyValue:
    """The test, or the module, ends here."""
    del machine, args
    raise AbstractRaise(Instance(Ext("unittest.SkipTest")))


@function("pytest.importorskip")
def import_or_skip(machine: Machine, args: Arguments) -> AnyValue:
    """`pytest.importorskip(name)`."""
    name = text_of(args.get(0, "modname") or NONE)
    return machine.import_module(name) if isinstance(name, str) else UNKNOWN


# Built-in fixtures ------------------------------------------------------------------------------------------------------


class Patches:
    """What the tests changed and what has to be put back."""

    def __init__(self) -> None:
        self.undo: list[Callable[[], None]] = []

    def restore(self) -> None:
        """Put everything back, the last change first."""
        while self.undo:
            self.undo.pop()()


def _patch_target(machine: Machine, args: Arguments) -> tuple[AnyValue, str, AnyValue] | None:
    """The object, attribute and value of `monkeypatch.setattr`."""
    target = args.get(0, "target") or UNKNOWN
    dotted = text_of(target)
    if isinstance(dotted, str):
        owner, _, name = dotted.rpartition(".")
        parts = owner.split(".")
        try:
            value = machine.import_module(parts[0])
            for index, part in enumerate(parts[1:], 2):
                loaded = isinstance(value, ModuleV) and part not in value.slots
                value = machine.import_module(".".join(parts[:index])) if loaded else machine.get_attr(value, part)
        except AbstractRaise:
            return None
        return value, name, args.get(1, "name") or UNKNOWN
    name_value = text_of(args.get(1, "name") or UNKNOWN)
    return (target, name_value, args.get(2, "value") or UNKNOWN) if isinstance(name_value, str) else None


def monkeypatch(patches: Patches) -> Instance:
    """The `monkeypatch` fixture: what it changes is put back when the test is over."""
    out = Instance(Ext(PATCH))

    def native(name: str) -> Callable[[Callable[[Machine, Arguments], None]], None]:
        def register(action: Callable[[Machine, Arguments], None]) -> None:
            def run(machine: Machine, args: Arguments) -> AnyValue:
                action(machine, args)
                return NONE

            out.slots[name] = Native(name, run)

        return register

    @native("chdir")
    def chdir(machine: Machine, args: Arguments) -> None:
        text = path_text(args.get(0, "path") or UNKNOWN)
        if text is not None:
            machine.cwd = machine.absolute(text)

    def setenv(machine: Machine, name: AnyValue, value: AnyValue) -> None:
        key = text_of(name)
        if not isinstance(key, str):
            return
        earlier = machine.set_environ.get(key)

        def undo() -> None:
            if earlier is None:
                machine.set_environ.pop(key, None)
            else:
                machine.set_environ[key] = earlier

        patches.undo.append(undo)
        machine.set_environ[key] = value

    @native("setenv")
    def set_variable(machine: Machine, args: Arguments) -> None:
        setenv(machine, args.get(0, "name") or UNKNOWN, args.get(1, "value") or UNKNOWN)

    @native("delenv")
    def delete_variable(machine: Machine, args: Arguments) -> None:
        setenv(machine, args.get(0, "name") or UNKNOWN, NONE)

    @native("setattr")
    def set_attribute(machine: Machine, args: Arguments) -> None:
        found = _patch_target(machine, args)
        if found is None:
            return
        target, name, value = found
        if isinstance(target, ModuleV | ClassV | Instance):
            present = name in target.slots
            earlier = target.slots.get(name)

            def undo() -> None:
                if present:
                    machine.state.write(target.slots, name, earlier)
                else:
                    machine.state.erase(target.slots, name)

            patches.undo.append(undo)
            machine.state.write(target.slots, name, value)
        elif isinstance(target, Ext) and target.name == "sys" and name == "argv":
            earlier_argv = machine.argv
            patches.undo.append(lambda: setattr(machine, "argv", earlier_argv))
            machine.argv = value

    @native("setitem")
    def set_item(machine: Machine, args: Arguments) -> None:
        if len(args.pos) == 3:
            machine.set_item(args.pos[0], args.pos[1], args.pos[2])

    @native("syspath_prepend")
    def prepend(machine: Machine, args: Arguments) -> None:
        from taskgates.inference.models.testing import add_search_folder

        text = path_text(args.get(0, "path") or UNKNOWN)
        if text is not None:
            add_search_folder(machine, text)

    for name in ("delattr", "delitem", "undo"):
        native(name)(lambda machine, args: None)
    return out


def built_in(name: str, patches: Patches, base: str) -> AnyValue | None:
    """The value of a fixture that pytest or a common plugin of it provides; None for others."""
    place = PathV(f"{base}/test")
    if name in ("tmp_path", "tmpdir"):
        return place
    if name in ("tmp_path_factory", "tmpdir_factory"):
        factory = Instance(Ext("pytest.TempPathFactory"))
        for each in ("mktemp", "getbasetemp"):
            factory.slots[each] = Native(each, lambda machine, args: place)
        return factory
    if name == "monkeypatch":
        return monkeypatch(patches)
    if name == "benchmark":
        return Native("benchmark", lambda machine, args: machine.call(args.pos[0], Arguments(args.pos[1:], args.kw)))
    if name in _PROVIDED:
        return Unknown(f"the fixture {name}", "data")
    return None


_PROVIDED = frozenset(
    [
        "cache",
        "caplog",
        "capfd",
        "capfdbinary",
        "capsys",
        "capsysbinary",
        "doctest_namespace",
        "event_loop",
        "mocker",
        "pytestconfig",
        "pytester",
        "recwarn",
        "record_property",
        "record_testsuite_property",
        "record_xml_attribute",
        "subtests",
        "testdir",
    ]
)


# Running ----------------------------------------------------------------------------------------------------------------


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
                if not (isinstance(value, Instance) and isinstance(value.cls, Ext) and value.cls.name == FIXTURE):
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
                if isinstance(value, Instance) and isinstance(value.cls, Ext) and value.cls.name == FIXTURE:
                    if value.slots.get("autouse") == TRUE and isinstance(key, str):
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
            self.patches.undo.append(lambda: attempt(machine, args.pos[0]) and None if args.pos else None)
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
            if isinstance(entry, Instance) and entry.slots.get("marks", NONE) != NONE:
                if _skips(machine, _marks_in(entry.slots["marks"])) == TRUE:
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


def run_item(
    machine: Machine, func: FunctionV, owner: ClassV | None, module: ModuleV, conftests: Sequence[ModuleV], base: str
) -> None:
    """Run one test function or method, for every set of its parameters.

    Args:
        machine: the interpreter.
        func: the test.
        owner: its class, for a method.
        module: its module.
        conftests: the conftest modules that apply, nearest first.
        base: the folder of temporary folders.
    """
    found = [*_marks_in(func.slots.get(MARKS))]
    if owner is not None:
        found += _marks_in(attribute_of(owner, MARKS))
    found += _marks_in(module.slots.get(MARKS))
    skipped = _skips(machine, found)
    if skipped == TRUE:
        return
    machine.undecided += skipped is not None
    try:
        for parameters in _combinations(machine, found):
            _run_once(machine, func, owner, module, conftests, found, parameters, base)
    finally:
        machine.undecided -= skipped is not None


def _run_once(
    machine: Machine,
    func: FunctionV,
    owner: ClassV | None,
    module: ModuleV,
    conftests: Sequence[ModuleV],
    found: Sequence[Instance],
    parameters: dict[str, AnyValue],
    base: str,
) -> None:
    namespaces = [base_.slots for base_ in owner.mro if isinstance(base_, ClassV)] if owner is not None else []
    fixtures = Fixtures(machine, [*namespaces, module.slots, *(each.slots for each in conftests)], base)
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
            try:
                machine.call(func, Arguments(pos, kw))
            except AbstractRaise:
                pass

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
    try:
        _call_hook(machine, hook)
    except AbstractRaise:
        pass


__all__ = ["FIXTURE", "Fixtures", "Patches", "attempt_hook", "run_item"]
