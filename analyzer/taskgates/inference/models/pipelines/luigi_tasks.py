"""Luigi's tasks and parameters: how a task is made, what it requires and puts out, and whether it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.pipelines.luigi_intervals import interval
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance, ListObj
from taskgates.inference.text import Hole, Text
from taskgates.inference.values import (
    BOOL,
    FALSE,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Native,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TASK, EXTERNAL, WRAPPER, CONFIG = "luigi.Task", "luigi.ExternalTask", "luigi.WrapperTask", "luigi.Config"
SETTINGS = "luigi.settings"
"""Where the values lie that the command line and the settings files give to parameters of tasks by name."""

_KIND, _DEFAULT, _OPTIONS = ("kind",), ("default",), ("options",)
_KINDS = (
    "Parameter",
    "BoolParameter",
    "ChoiceParameter",
    "ChoiceListParameter",
    "DateHourParameter",
    "DateIntervalParameter",
    "DateMinuteParameter",
    "DateParameter",
    "DateSecondParameter",
    "DictParameter",
    "EnumListParameter",
    "EnumParameter",
    "FloatParameter",
    "IntParameter",
    "ListParameter",
    "MonthParameter",
    "NumericalParameter",
    "OptionalBoolParameter",
    "OptionalChoiceParameter",
    "OptionalDictParameter",
    "OptionalFloatParameter",
    "OptionalIntParameter",
    "OptionalListParameter",
    "OptionalParameter",
    "OptionalPathParameter",
    "OptionalStrParameter",
    "OptionalTupleParameter",
    "PathParameter",
    "StrParameter",
    "TaskParameter",
    "TimeDeltaParameter",
    "TupleParameter",
    "YearParameter",
)
_PARSERS = {
    "Int": "builtins.int",
    "Float": "builtins.float",
    "Path": "pathlib.Path",
    "Dict": "json.loads",
    "List": "json.loads",
    "Tuple": "json.loads",
    "Date": "datetime.date.fromisoformat",
}
_MOMENTS = {
    "DateHour": "%Y-%m-%dT%H",
    "DateMinute": "%Y-%m-%dT%H%M",
    "DateSecond": "%Y-%m-%dT%H%M%S",
    "Month": "%Y-%m",
    "Year": "%Y",
}


# Parameters ----------------------------------------------------------------------------------------------------------


def _parameter_model(kind: str) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        del machine
        made = Instance(Ext("luigi.Parameter"))
        made.slots[_KIND] = Known(kind)
        made.slots[_OPTIONS] = DictObj("dict", {Known(name): value for name, value in args.kw.items()})
        default = args.get(0, "default")
        if default is None and kind == "BoolParameter":
            default = FALSE
        if default is None and kind.startswith("Optional"):
            default = NONE
        if default is not None:
            made.slots[_DEFAULT] = default
        return made

    function(f"luigi.{kind}", f"luigi.parameter.{kind}")(model)


for _each in _KINDS:
    _parameter_model(_each)


def parameters_of(cls: ClassV) -> dict[str, Instance]:
    """The parameters of a task's class by name, those of its bases first."""
    found: dict[str, Instance] = {}
    for base in reversed(cls.mro):
        slots = base.slots if isinstance(base, ClassV) else {}
        found.update({name: each for name, each in slots.items() if isinstance(each, Instance) and _KIND in each.slots})
    return found


def is_flag(parameter: Instance) -> bool:
    """Whether a parameter is set by its option alone."""
    return text_of(parameter.slots[_KIND]) == "BoolParameter"


def parsed(machine: Machine, parameter: Instance, word: AnyValue) -> AnyValue:
    """The value that a word of the command line, or of a settings file, stands for."""
    kind = str(text_of(parameter.slots[_KIND])).removeprefix("Optional").removesuffix("Parameter")
    text = text_of(word)
    if kind == "Bool":
        known = isinstance(text, str) and text.lower() in ("true", "false")
        return Known(str(text).lower() == "true") if known else BOOL
    chosen = parameter.slots[_OPTIONS]
    members = chosen.slots.get(Known("enum")) if isinstance(chosen, DictObj) else None
    if kind == "Enum" and members is not None and isinstance(text, str):
        return machine.get_attr(members, text)  # type: ignore[no-any-return]
    if kind == "DateInterval" and isinstance(text, str):
        return interval(text)
    if kind in _MOMENTS:
        moment: AnyValue = machine.call(Ext("datetime.datetime.strptime"), Arguments([word, Known(_MOMENTS[kind])]))
        return machine.call(machine.get_attr(moment, "date"), Arguments()) if kind in ("Month", "Year") else moment
    if kind not in _PARSERS:
        return word
    value: AnyValue = machine.call(Ext(_PARSERS[kind]), Arguments([word]))
    return machine.call(Ext("builtins.tuple"), Arguments([value])) if kind in ("List", "Tuple") else value


def _value_of(machine: Machine, cls: ClassV, name: str, parameter: Instance) -> AnyValue:
    """What a parameter is where the program does not say."""
    given = machine.library.get(SETTINGS)
    if isinstance(given, DictObj):
        for base in cls.mro:
            word = given.slots.get(Known(f"{base.name}.{name}")) if isinstance(base, ClassV) else None
            if word is not None:
                return parsed(machine, parameter, word)
    default = parameter.slots.get(_DEFAULT)
    return default if default is not None else Text((Hole("argument", True, name),))


@method(f"{TASK}.__init__", f"{EXTERNAL}.__init__", f"{WRAPPER}.__init__", f"{CONFIG}.__init__")
def init_task(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`Task(*values, **values)`: positional arguments fill the parameters in the order of the class bodies."""
    if not isinstance(obj.cls, ClassV):
        return NONE
    known = parameters_of(obj.cls)
    positional = dict(zip((name for name in known if _is_positional(known[name])), args.pos, strict=False))
    for name, parameter in known.items():
        value = args.kw.get(name, positional.get(name))
        if value is None:
            value = args.kwstar if args.kwstar is not None else _value_of(machine, obj.cls, name, parameter)
        machine.state.write(obj.slots, name, value)
    return NONE


def _is_positional(parameter: Instance) -> bool:
    chosen = parameter.slots[_OPTIONS]
    return not isinstance(chosen, DictObj) or chosen.slots.get(Known("positional")) != FALSE


# Tasks ---------------------------------------------------------------------------------------------------------------


def is_task(value: AnyValue) -> bool:
    """Whether a value is an object of a task's class."""
    return isinstance(value, Instance) and isinstance(value.cls, ClassV) and is_task_class(value.cls)


def is_task_class(cls: ClassV) -> bool:
    """Whether a class is a task's."""
    return any(isinstance(base, Ext) and base.name.startswith("luigi.") for base in cls.mro)


def own(task: Instance, name: str) -> bool:
    """Whether the program's classes define a method of a task."""
    bases = task.cls.mro if isinstance(task.cls, ClassV) else ()
    return any(isinstance(base, ClassV) and name in base.slots for base in bases)


def flattened(machine: Machine, value: AnyValue) -> Iterator[AnyValue]:
    """The tasks or targets in nested lists, mappings and generators."""
    if value == NONE:
        return
    if isinstance(value, DictObj):
        for _, item in value.known():
            yield from flattened(machine, item)
        if value.rest is not None:
            yield from flattened(machine, value.rest)
    elif isinstance(value, Instance):
        yield value
    elif text_of(value) is None:
        content = machine.iterate(value)
        for item in (*content.items, *([content.rest] if content.rest is not None else [])):
            yield from flattened(machine, item)


def required(machine: Machine, task: Instance) -> AnyValue:
    """What `requires()` gives."""
    return machine.call(machine.get_attr(task, "requires"), Arguments()) if own(task, "requires") else ListObj("list")


def put_out(machine: Machine, task: Instance) -> AnyValue:
    """What `output()` gives."""
    return machine.call(machine.get_attr(task, "output"), Arguments()) if own(task, "output") else ListObj("list")


def is_done(machine: Machine, task: Instance) -> bool | None:
    """Whether a task is complete: it says so itself, or all its targets are there; None where that is open."""
    if own(task, "complete"):
        return machine.truth(machine.call(machine.get_attr(task, "complete"), Arguments()))  # type: ignore[no-any-return]
    if _has_base(task, "WrapperTask"):
        answers = [is_done(machine, each) for each in _instances(machine, required(machine, task))]
    else:
        answers = [
            machine.truth(machine.call(machine.get_attr(target, "exists"), Arguments()))
            for target in flattened(machine, put_out(machine, task))
        ]
        if not answers:
            return False
    return False if False in answers else (None if None in answers else True)


def is_external(machine: Machine, task: Instance) -> bool:
    """Whether a task only stands for what others put there: it has no `run`."""
    if own(task, "run"):
        return bool(machine.get_attr(task, "run") == NONE)
    return _has_base(task, "ExternalTask")


def _instances(machine: Machine, value: AnyValue) -> list[Instance]:
    return [each for each in flattened(machine, value) if isinstance(each, Instance) and is_task(each)]


def _has_base(task: Instance, name: str) -> bool:
    bases = task.cls.mro if isinstance(task.cls, ClassV) else ()
    return any(isinstance(base, Ext) and base.name.endswith(f".{name}") for base in bases)


def _outputs(machine: Machine, value: AnyValue) -> AnyValue:
    """The structure of `requires()` with the output of each task in its place."""
    if isinstance(value, Instance) and is_task(value):
        return put_out(machine, value)
    if isinstance(value, DictObj):
        rest = _outputs(machine, value.rest) if value.rest is not None else None
        return DictObj("dict", {key: _outputs(machine, item) for key, item in value.known()}, rest)
    if isinstance(value, Instance) or text_of(value) is not None or value == NONE:
        return UNKNOWN
    content = machine.iterate(value)
    rest = _outputs(machine, content.rest) if content.rest is not None else None
    return ListObj("list", [_outputs(machine, item) for item in content.items], rest)


def clone(machine: Machine, task: Instance, cls: AnyValue, given: Mapping[str, AnyValue]) -> AnyValue:
    """Another task with those values that both have a parameter for."""
    if not isinstance(cls, ClassV):
        return UNKNOWN
    values = {name: task.slots[name] for name in parameters_of(cls) if name in task.slots and name not in given}
    return machine.call(cls, Arguments([], {**values, **given}))  # type: ignore[no-any-return]


def _methods(kind: str) -> None:
    @method(f"{kind}.input")
    def inputs(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        del args
        return _outputs(machine, required(machine, obj))

    @method(f"{kind}.requires", f"{kind}.output", f"{kind}.deps")
    def nothing(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        del machine, obj, args
        return ListObj("list")

    @method(f"{kind}.run", f"{kind}.on_success", f"{kind}.on_failure", f"{kind}.set_status_message")
    def silent(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        del machine, obj, args
        return NONE

    @method(f"{kind}.complete")
    def complete(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        del args
        targets = list(flattened(machine, put_out(machine, obj)))
        answers = [machine.truth(machine.call(machine.get_attr(each, "exists"), Arguments())) for each in targets]
        return BOOL if None in answers else Known(bool(answers) and all(answers))

    @method(f"{kind}.clone")
    def cloned(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        given = {name: value for name, value in args.kw.items() if name != "cls"}
        return clone(machine, obj, args.get(0, "cls") or obj.cls, given)

    del inputs, nothing, silent, complete, cloned


for _each in (TASK, EXTERNAL, WRAPPER, CONFIG):
    _methods(_each)


# Decorators ----------------------------------------------------------------------------------------------------------


def _with_parameters(cls: ClassV, others: list[AnyValue]) -> None:
    """Give a class the parameters of others that it does not have."""
    for other in others:
        for name, parameter in parameters_of(other).items() if isinstance(other, ClassV) else ():
            cls.slots.setdefault(name, parameter)


@function("luigi.util.inherits")
def inherits(machine: Machine, args: Arguments) -> AnyValue:
    """`@inherits(*tasks)`: the parameters of other tasks."""
    del machine
    others = [*args.pos, *args.kw.values()]

    def decorate(_: Machine, given: Arguments) -> AnyValue:
        cls = given.pos[0] if given.pos else UNKNOWN
        if isinstance(cls, ClassV):
            _with_parameters(cls, others)
        return cls

    return Native("luigi.util.inherits", decorate)


@function("luigi.util.requires")
def requires(machine: Machine, args: Arguments) -> AnyValue:
    """`@requires(*tasks)`: their parameters, and a `requires` that gives them with these values."""
    inner = inherits(machine, args)

    def needed(inner_machine: Machine, given: Arguments) -> AnyValue:
        task = given.pos[0] if given.pos else UNKNOWN
        if not isinstance(task, Instance):
            return UNKNOWN
        made = [clone(inner_machine, task, cls, {}) for cls in args.pos]
        if args.kw:
            return DictObj("dict", {Known(name): clone(inner_machine, task, cls, {}) for name, cls in args.kw.items()})
        return made[0] if len(made) == 1 else ListObj("list", made)

    def decorate(outer: Machine, given: Arguments) -> AnyValue:
        cls: AnyValue = outer.call(inner, given)
        if isinstance(cls, ClassV):
            cls.slots["requires"] = Native("method:requires", needed)
        return cls

    return Native("luigi.util.requires", decorate)


# Targets -------------------------------------------------------------------------------------------------------------


@method("luigi.LocalTarget.exists")
def target_exists(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`target.exists()`."""
    del args
    return machine.call(Ext("os.path.exists"), Arguments([machine.get_attr(obj, "path")]))  # type: ignore[no-any-return]


__all__ = [
    "SETTINGS",
    "clone",
    "flattened",
    "is_done",
    "is_external",
    "is_flag",
    "is_task",
    "is_task_class",
    "own",
    "parameters_of",
    "parsed",
    "put_out",
    "required",
]
