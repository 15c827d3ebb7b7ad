"""unittest.mock: objects that do nothing, and what is put in the place of functions and attributes for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.exceptions import is_exception
from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.reading import TEXT
from taskgates.inference.models.registry import FUNCTIONS, Machine, function, method
from taskgates.inference.models.test_runners.pytest_names import Patches, set_attribute, set_variable
from taskgates.inference.models.values.iterators import next_
from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.values import (
    BOOL,
    FALSE,
    INT,
    NONE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    Native,
    Unknown,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LIBRARY = "unittest.mock"
MOCK = f"{LIBRARY}.Mock"
PATCHER = f"{LIBRARY}._patch"
PATCHES = ("patches",)
"""The slot of a patcher for what it has changed."""
ACTION = ("action",)
"""The slot of a patcher for what it does when it is entered."""
ALIASES = ("mock", LIBRARY)


def _names(name: str) -> list[str]:
    return [f"{library}.{name}" for library in ALIASES]


# Mocks


def make_mock(keywords: dict[str, AnyValue]) -> Instance:
    """A mock with the given attributes."""
    out = Instance(Ext(MOCK))
    out.slots.update({name: value for name, value in keywords.items() if name not in _SETTINGS})
    return out


_SETTINGS = ("spec", "spec_set", "wraps", "name", "unsafe", "autospec", "new_callable")
_QUESTIONS: dict[str, AnyValue] = {
    "called": BOOL,
    "call_count": INT,
    "call_args": Unknown("the arguments of a mock", "data"),
    "call_args_list": Unknown("the arguments of a mock", "data"),
    "mock_calls": Unknown("the calls of a mock", "data"),
    "method_calls": Unknown("the calls of a mock", "data"),
}


def _mock(machine: Machine, args: Arguments) -> AnyValue:
    """`Mock(...)`."""
    del machine
    return make_mock(dict(args.kw))


for _name in ("Mock", "MagicMock", "AsyncMock", "NonCallableMock", "NonCallableMagicMock", "PropertyMock"):
    for _full in _names(_name):
        FUNCTIONS[_full] = _mock
for _full in _names("create_autospec"):
    FUNCTIONS[_full] = lambda _, args: make_mock(dict(args.kw))


@method(f"{MOCK}.__getattr__")
def attribute(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """An attribute that nobody set: another mock, the same one each time; assertions do nothing."""
    name = text_of(args.pos[0]) if args.pos else None
    if not isinstance(obj, Instance) or not isinstance(name, str):
        return UNKNOWN
    if name in _QUESTIONS:
        return _QUESTIONS[name]
    if name.startswith(("assert_", "reset_mock", "configure_mock", "attach_mock")):
        return Native(name, lambda _, __: NONE)
    made = make_mock({})
    machine.state.write(obj.slots, name, made)
    return made


@method(f"{MOCK}.__call__")
def call_mock(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """A call of a mock: its side effect, else what it is set to return."""
    if not isinstance(obj, Instance):
        return UNKNOWN
    effect = obj.slots.get("side_effect", NONE)
    if isinstance(effect, ClassV | Ext) and is_exception(effect):
        raise AbstractRaise(machine.call(effect, Arguments()))
    if isinstance(effect, Instance) and is_exception(effect.cls):
        raise AbstractRaise(effect)
    if isinstance(effect, ListObj):
        return next_(machine, Arguments([effect]))
    if isinstance(effect, FunctionV | Native | BoundMethod):
        return machine.call(effect, args)  # type: ignore[no-any-return]
    if "return_value" not in obj.slots:
        machine.state.write(obj.slots, "return_value", make_mock({}))
    return obj.slots["return_value"]  # type: ignore[no-any-return]


@method(f"{MOCK}.__enter__")
def enter_mock(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`with mock as value`."""
    del machine, args
    return obj.slots.get("entered", make_mock({})) if isinstance(obj, Instance) else UNKNOWN


@method(f"{MOCK}.__exit__")
def exit_mock(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """The end of such a block."""
    del machine, obj, args
    return FALSE


@function(*_names("mock_open"))
def mock_open(machine: Machine, args: Arguments) -> AnyValue:
    """`mock_open(read_data=text)`: takes the place of `open`."""
    del machine
    data = args.get(1, "read_data") or Known("")

    def opened(machine: Machine, inner: Arguments) -> AnyValue:
        del machine, inner
        out = Instance(Ext("io.TextIOWrapper"))
        out.slots["name"] = Unknown("a mock of an open file", "stream")
        out.slots[TEXT] = data
        return out

    return make_mock({"side_effect": Native("open", opened)})


# Patches


def _patcher(action: Callable[[Machine, Patches], AnyValue], *, hands_over: bool) -> Instance:
    out = Instance(Ext(PATCHER))
    out.slots[ACTION] = action
    out.slots["hands over"] = Known(hands_over)
    return out


def _replacement(args: Arguments, index: int) -> tuple[AnyValue, bool]:
    """What is put in place, and whether it is a mock that decorated functions are handed."""
    given = args.get(index, "new")
    if given is not None and given != Ext(f"{LIBRARY}.DEFAULT"):
        return given, False
    return make_mock(dict(args.kw)), True


def _put(target: Arguments, value: AnyValue) -> Callable[[Machine, Patches], AnyValue]:
    def action(machine: Machine, patches: Patches) -> AnyValue:
        set_attribute(patches, machine, Arguments([*target.pos, value]))
        return value

    return action


@function(*_names("patch"))
def patch(machine: Machine, args: Arguments) -> AnyValue:
    """`patch("module.name", new)`."""
    del machine
    value, made = _replacement(args, 1)
    target = args.get(0, "target") or UNKNOWN
    return _patcher(_put(Arguments([target]), value), hands_over=made)


@function(*_names("patch.object"))
def patch_object(machine: Machine, args: Arguments) -> AnyValue:
    """`patch.object(target, "name", new)`."""
    del machine
    value, made = _replacement(args, 2)
    target, name = args.get(0, "target") or UNKNOWN, args.get(1, "attribute") or UNKNOWN
    return _patcher(_put(Arguments([target, name]), value), hands_over=made)


@function(*_names("patch.multiple"))
def patch_multiple(machine: Machine, args: Arguments) -> AnyValue:
    """`patch.multiple(target, name=new, ...)`."""
    del machine
    target = args.get(0, "target") or UNKNOWN

    def action(machine: Machine, patches: Patches) -> AnyValue:
        for name, value in args.kw.items():
            if name not in _SETTINGS:
                set_attribute(patches, machine, Arguments([target, Known(name), value]))
        return DictObj()

    return _patcher(action, hands_over=False)


@function(*_names("patch.dict"))
def patch_dict(machine: Machine, args: Arguments) -> AnyValue:
    """`patch.dict(mapping, values, clear=False)`."""
    del machine
    target, values = args.get(0, "in_dict") or UNKNOWN, args.get(1, "values")

    def action(machine: Machine, patches: Patches) -> AnyValue:
        entries = list(values.known()) if isinstance(values, DictObj) else []
        entries += [(Known(name), value) for name, value in args.kw.items() if name not in ("values", "clear")]
        mapping = target
        if isinstance(text_of(target), str):
            module, _, name = str(text_of(target)).rpartition(".")
            mapping = machine.get_attr(machine.import_module(module), name)
        for key, value in entries:
            if isinstance(mapping, Ext) and mapping.name == "os.environ":
                set_variable(patches, machine, key, value)
            else:
                machine.set_item(mapping, key, value)
        return mapping

    return _patcher(action, hands_over=False)


@method(f"{PATCHER}.__enter__", f"{PATCHER}.start")
def enter_patch(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The patch begins."""
    del args
    patches = Patches()
    obj.slots[PATCHES] = patches
    return obj.slots[ACTION](machine, patches)  # type: ignore[no-any-return]


@method(f"{PATCHER}.__exit__", f"{PATCHER}.stop")
def exit_patch(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The patch ends."""
    del machine, args
    patches = obj.slots.get(PATCHES)
    if isinstance(patches, Patches):
        patches.restore()
    return FALSE


@method(f"{PATCHER}.__call__")
def decorate(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`@patch(...)`: the decorated function runs with the patch, and is handed the mock that takes the place."""
    del machine
    decorated = args.pos[0] if args.pos else UNKNOWN
    if isinstance(decorated, ClassV | ModuleV):
        return decorated
    hands_over = obj.slots["hands over"] == Known(True)

    def run(machine: Machine, inner: Arguments) -> AnyValue:
        value = enter_patch(machine, obj, Arguments())
        handed = [*inner.pos, value] if hands_over else inner.pos
        try:
            return machine.call(decorated, Arguments(handed, inner.kw, inner.star, inner.kwstar))  # type: ignore[no-any-return]
        finally:
            exit_patch(machine, obj, Arguments())

    return Native("method:patched", run)


__all__ = ["MOCK", "make_mock"]
