"""pytest: decorators, built-in fixtures, and what else tests call."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.registry import Machine, constant, function, method
from taskgates.inference.models.test_runners.testing import EXPECTATION
from taskgates.inference.objects import Arguments, ClassV, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.recording import TEMPORARY
from taskgates.inference.text import Hole, concat
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    Descriptor,
    Ext,
    Native,
    PathV,
    TupleV,
    Unknown,
    path_text,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FIXTURE = "pytest.FixtureFunctionDefinition"
MARK = "pytest.MarkDecorator"
MARKS = "pytestmark"
PARAMETERS = "pytest.ParameterSet"
PATCH = "pytest.MonkeyPatch"


# Decorators


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
        machine.state.write(value.slots, MARKS, TupleV([*marks_in(earlier), obj]))
        return value
    return _mark(obj.slots["name"], args.pos, args.kw)


def marks_in(value: AnyValue | None) -> list[Instance]:
    """The marks in what `pytestmark` holds: one, or a list of them."""
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
        with contextlib.suppress(AbstractRaise):
            machine.call(args.pos[1], Arguments(args.pos[2:], args.kw))
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


# Built-in fixtures


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


def _chdir(patches: Patches, machine: Machine, args: Arguments) -> None:
    del patches
    text = path_text(args.get(0, "path") or UNKNOWN)
    if text is not None:
        machine.cwd = machine.absolute(text)


def _set_variable(patches: Patches, machine: Machine, args: Arguments) -> None:
    set_variable(patches, machine, args.get(0, "name"), args.get(1, "value") or UNKNOWN)


def _delete_variable(patches: Patches, machine: Machine, args: Arguments) -> None:
    set_variable(patches, machine, args.get(0, "name"), NONE)


def set_variable(patches: Patches, machine: Machine, name: AnyValue | None, value: AnyValue) -> None:
    """Set an environment variable until the patches are taken back; None unsets it."""
    key = text_of(name) if name is not None else None
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


def set_attribute(patches: Patches, machine: Machine, args: Arguments) -> None:
    """Set an attribute until the patches are taken back.

    Args:
        patches: where to remember what was there before.
        machine: the interpreter.
        args: the object, the name and the value, or a dotted name and the value.
    """
    found = _patch_target(machine, args)
    if found is None:
        return
    target, name, value = found
    if isinstance(target, ModuleV | ClassV | Instance):
        slots = target.slots
        present = name in slots
        earlier = slots.get(name)

        def undo() -> None:
            if present:
                machine.state.write(slots, name, earlier)
            else:
                machine.state.erase(slots, name)

        patches.undo.append(undo)
        machine.state.write(slots, name, value)
    elif isinstance(target, Ext) and target.name == "sys" and name == "argv":
        argv = machine.argv
        patches.undo.append(lambda: setattr(machine, "argv", argv))
        machine.argv = value
    elif isinstance(target, Ext):
        full = f"{target.name}.{name}"
        before = machine.replaced.get(full)
        patches.undo.append(lambda: machine.replace_external(full, before))
        machine.replace_external(full, value)


def _set_item(patches: Patches, machine: Machine, args: Arguments) -> None:
    del patches
    if len(args.pos) == 3:
        machine.set_item(args.pos[0], args.pos[1], args.pos[2])


def _prepend(patches: Patches, machine: Machine, args: Arguments) -> None:
    from taskgates.inference.models.test_runners.unittest_loading import add_search_folder

    del patches
    text = path_text(args.get(0, "path") or UNKNOWN)
    if text is not None:
        add_search_folder(machine, text)


def _nothing(patches: Patches, machine: Machine, args: Arguments) -> None:
    """What leaves no trace here."""
    del patches, machine, args


_PATCHES: dict[str, Callable[[Patches, Machine, Arguments], None]] = {
    "chdir": _chdir,
    "setenv": _set_variable,
    "delenv": _delete_variable,
    "setattr": set_attribute,
    "setitem": _set_item,
    "syspath_prepend": _prepend,
    "delattr": _nothing,
    "delitem": _nothing,
    "undo": _nothing,
}


def monkeypatch(patches: Patches) -> Instance:
    """The `monkeypatch` fixture: what it changes is put back when the test is over."""
    out = Instance(Ext(PATCH))
    for name, action in _PATCHES.items():

        def run(machine: Machine, args: Arguments, action: Any = action) -> AnyValue:
            action(patches, machine, args)
            return NONE

        out.slots[name] = Native(name, run)
    return out


def built_in(name: str, patches: Patches, base: str) -> AnyValue | None:
    """The value of a fixture that pytest or a common plugin of it provides; None for others."""
    # The folder is called after the test, with a number behind it.
    place = PathV(f"{base}/test" if base.startswith(TEMPORARY) else concat(base, "/", Hole("data", False)))
    if name in ("tmp_path", "tmpdir"):
        return place
    if name in ("tmp_path_factory", "tmpdir_factory"):
        factory = Instance(Ext("pytest.TempPathFactory"))

        def folder(machine: Machine, args: Arguments) -> AnyValue:
            del machine, args
            return place

        for each in ("mktemp", "getbasetemp"):
            factory.slots[each] = Native(each, folder)
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


__all__ = ["FIXTURE", "MARKS", "PARAMETERS", "Patches", "built_in", "marks_in"]
