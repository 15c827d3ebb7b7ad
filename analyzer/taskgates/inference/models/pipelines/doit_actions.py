"""doit's actions: command lines, functions, and the objects that stand for either; and the up-to-date checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.pipelines.doit_tasks import TASK, Task, is_result_dep
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Instance, ListObj
from taskgates.inference.operators import arithmetic
from taskgates.inference.text import concat
from taskgates.inference.values import (
    DATA,
    FALSE,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    Partial,
    TupleV,
    as_value,
    options,
    path_text,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from taskgates.inference.models.pipelines.doit_records import Earlier
    from taskgates.inference.text import TextLike
    from taskgates.syntax import ir

    Groups = Mapping[str, Collection[str]]

COMMAND = "doit.action.CmdAction"
PYTHON = "doit.action.PythonAction"
CHECK = "doit.tools.check"
ONCE = "doit.tools.run_once"
FORMATS = ("old", "new", "both")

ATTRIBUTES = (
    "basename", "name", "actions", "file_dep", "task_dep", "uptodate", "calc_dep", "targets", "setup", "clean",
    "teardown", "doc", "params", "pos_arg", "verbosity", "io", "getargs", "title", "watch", "meta",
)  # fmt: skip
"""What the description of a task may hold."""

_RESERVED = ("task", "targets", "dependencies", "changed")


@dataclass
class Outcome:
    """What an action did to its task.

    Attributes:
        failed: whether it certainly failed.
        values: what it returned for other tasks.
    """

    failed: bool = False
    values: DictObj = field(default_factory=DictObj)


def run_action(machine: Machine, action: AnyValue, task: Task, formatting: str) -> Outcome:
    """Run one action of a task.

    Args:
        machine: the interpreter.
        action: what the task's description says.
        task: the task.
        formatting: how command lines are filled in: one of `FORMATS`.
    """
    try:
        outcomes = [_run(machine, option, task, formatting) for option in options(action)]
    except AbstractRaise as error:
        machine.note_end(error)
        return Outcome(failed=True)
    values = DictObj()
    for outcome in outcomes:
        machine.merge_into(values, outcome.values)
    return Outcome(bool(outcomes) and all(outcome.failed for outcome in outcomes), values)


def _run(machine: Machine, action: AnyValue, task: Task, formatting: str) -> Outcome:
    if text_of(action) is not None:
        return _command(machine, action, task, formatting, {"shell": TRUE})
    if isinstance(action, ListObj):
        return _command(machine, action, task, formatting, {"shell": FALSE})
    if isinstance(action, TupleV):
        func, args, keywords = [*action.items[:3], NONE, NONE, NONE][:3]
        return _python(machine, func, args, keywords, task)
    if isinstance(action, Instance):
        return _object(machine, action, task, formatting)
    if action == NONE:
        return Outcome()
    return _python(machine, action, NONE, NONE, task)


def _object(machine: Machine, action: Instance, task: Task, formatting: str) -> Outcome:
    bases = action.cls.mro if isinstance(action.cls, ClassV) else (action.cls,)
    names = {base.name for base in bases if isinstance(base, Ext)}
    if machine.has_attr(action, "execute"):
        machine.set_attr(action, "task", task_object(task))
        machine.call(machine.get_attr(action, "execute"), Arguments())
        return Outcome()
    if COMMAND in names and isinstance(action.cls, Ext):
        made = action.slots["action"]
        given = action.slots["keywords"]
        assert isinstance(given, DictObj)
        keywords = {str(key.value): value for key, value in given.known() if isinstance(key, Known)}
        if text_of(made) is None and not isinstance(made, ListObj):
            func, args, kwargs = (
                [*made.items[:3], NONE, NONE, NONE][:3] if isinstance(made, TupleV) else (made, NONE, NONE)
            )
            made = _call(machine, func, args, kwargs, task)
        outcome = _command(machine, made, task, formatting, {"shell": action.slots["shell"], **keywords})
        saved = text_of(action.slots["save_out"])
        if isinstance(saved, str):
            outcome.values.slots[Known(saved)] = DATA
        return outcome
    if PYTHON in names and isinstance(action.cls, Ext):
        return _python(machine, action.slots["callable"], action.slots["args"], action.slots["kwargs"], task)
    if isinstance(action.cls, ClassV) and machine.has_attr(action, "__call__"):
        return _python(machine, action, NONE, NONE, task)
    machine.opaque(f"an action of the task {task.name} is of a kind that is not known", other_code=True)
    return Outcome()


# Command lines


def _command(
    machine: Machine, command: AnyValue, task: Task, formatting: str, keywords: dict[str, AnyValue]
) -> Outcome:
    if text_of(command) is not None:
        command = _filled(machine, command, task, formatting)
    machine.call_external("subprocess.Popen", Arguments([command], keywords), None)
    return Outcome()


def _joined(texts: Sequence[TextLike]) -> AnyValue:
    out: TextLike = ""
    for index, text in enumerate(texts):
        out = concat(out, " ", text) if index else text
    return as_value(out)


def _filled(machine: Machine, command: AnyValue, task: Task, formatting: str) -> AnyValue:
    """A command line with the task's files and options in it."""
    entries = {
        "targets": _joined(task.targets),
        "dependencies": _joined(task.file_dep),
        "changed": _joined(task.file_dep),
        **(task.options or {}),
    }
    positional = text_of(task.get("pos_arg"))
    if isinstance(positional, str):
        entries[positional] = _joined(
            [text for value in task.positional or () if (text := path_text(value)) is not None]
        )
    if formatting in ("new", "both"):
        command = machine.call_method(command, "format", Arguments((), dict(entries)), None)
    if formatting in ("old", "both"):
        text = text_of(command)
        if isinstance(text, str) and "%" not in text:
            return command
        filled = arithmetic("%", command, machine.dict_of(entries))
        command = filled if filled is not None else UNKNOWN
    return command


# Functions


def _python(machine: Machine, func: AnyValue, args: AnyValue, keywords: AnyValue, task: Task) -> Outcome:
    result = _call(machine, func, args, keywords, task)
    values = DictObj()
    for option in options(result):
        if isinstance(option, DictObj):
            machine.merge_into(values, option)
    return Outcome(result == FALSE, values)


def _call(machine: Machine, func: AnyValue, args: AnyValue, keywords: AnyValue, task: Task) -> AnyValue:
    """Call a function of a task with what doit puts in by name: the task's files and options."""
    given: list[AnyValue] = []
    star: AnyValue | None = None
    if isinstance(args, ListObj | TupleV):
        given, star = list(args.items), args.rest
    named = (
        {str(key.value): value for key, value in keywords.known() if isinstance(key, Known)}
        if isinstance(keywords, DictObj)
        else {}
    )
    parameters = parameters_of(machine, func)
    if parameters is not None:
        extra: dict[str, AnyValue] = {
            "targets": ListObj("list", [as_value(text) for text in task.targets]),
            "dependencies": ListObj("list", [as_value(text) for text in task.file_dep]),
            "changed": ListObj("list", [as_value(text) for text in task.file_dep]),
            "task": task_object(task),
            **(task.options or {}),
        }
        positional = text_of(task.get("pos_arg"))
        if isinstance(positional, str):
            extra[positional] = ListObj("list", task.positional or ())
        names = [param.name for param in parameters if param.kind in ("positional", "normal")]
        accepted = {param.name for param in parameters if param.kind in ("positional", "normal", "keyword")}
        takes_any = any(param.kind == "kwargs" for param in parameters)
        for name, value in extra.items():
            if (name in accepted and name not in named and name not in names[: len(given)]) or (
                takes_any and name not in _RESERVED and name not in named and name not in accepted
            ):
                named[name] = value
    return machine.call(func, Arguments(given, named, star))  # type: ignore[no-any-return]


def parameters_of(machine: Machine, func: AnyValue) -> list[ir.Param] | None:
    """The parameters that a call may fill; None where they are not known."""
    if isinstance(func, FunctionV):
        return func.node.params
    if isinstance(func, BoundMethod):
        inner = parameters_of(machine, func.func)
        return inner[1:] if inner is not None else None
    if isinstance(func, Partial):
        inner = parameters_of(machine, func.func)
        if inner is None:
            return None
        return [param for param in inner[len(func.args.pos) :] if param.name not in func.args.kw]
    if isinstance(func, Instance) and isinstance(func.cls, ClassV) and machine.has_attr(func, "__call__"):
        return parameters_of(machine, machine.get_attr(func, "__call__"))
    return None


def task_object(task: Task) -> Instance:
    """The task as functions see it."""
    made = Instance(Ext(TASK))
    made.slots.update(task.attributes)
    made.slots.update(
        {
            "name": Known(task.name),
            "targets": ListObj("list", [as_value(text) for text in task.targets]),
            "file_dep": ListObj("set", [as_value(text) for text in task.file_dep]),
            "task_dep": ListObj("list", [Known(name) for name in task.task_dep]),
            "options": DictObj("dict", {Known(name): value for name, value in (task.options or {}).items()}),
            "values": task.values,
            "value_savers": ListObj("list"),
            "valid_attr": DictObj("dict", {Known(name): UNKNOWN for name in ATTRIBUTES}),
            "doc": task.get("doc"),
        }
    )
    return made


# Up-to-date checks


def needs_run(
    machine: Machine, task: Task, *, fresh: bool, earlier: Earlier | None = None, groups: Groups | None = None
) -> bool | None:
    """Whether a task runs, as its checks, targets and dependencies say; None where that is undecided.

    Args:
        machine: the interpreter.
        task: the task.
        fresh: whether no earlier run is known, so that every dependency counts as changed.
        earlier: what is known of earlier runs.
        groups: the sub-tasks of each group of tasks.
    """
    results: list[bool | None] = []
    checks = task.get("uptodate")
    if isinstance(checks, ListObj | TupleV):
        for check in (*checks.items, *([checks.rest] if checks.rest is not None else [])):
            if check == NONE:
                continue
            saved = _saved(check, task, earlier, groups or {}) if earlier is not None else None
            results.append(_check(machine, check, task, fresh=fresh) if saved is None else saved)
            if results[-1] is False:
                return True
    for other in task.sources:
        known = earlier.has_result(task, other, (groups or {}).get(other)) if earlier is not None else None
        results.append(False if fresh else known)
    if False in results:
        return True
    if not task.file_dep and not results:
        return True
    present = [machine.exists(target) for target in task.targets]
    if any(found is False for found in present):
        return True
    if task.file_dep:
        if fresh:
            return True
        results.append(earlier.unchanged(machine, task) if earlier is not None else None)
        if results[-1] is False:
            return True
    return None if None in present or None in results else False


def _saved(check: AnyValue, task: Task, earlier: Earlier, groups: Groups) -> bool | None:
    """What a check of doit itself says, which compares with what an earlier run saved; None where that is open."""
    if check == Ext(ONCE):
        return earlier.ran_once(task)
    if is_result_dep(check):
        other = text_of(check.slots["task"])
        return earlier.has_result(task, other, groups.get(other)) if isinstance(other, str) else None
    if isinstance(check, Instance) and check.cls == Ext(CHECK) and "config" in check.slots:
        return earlier.is_configured(task, check.slots["config"])
    return None


def _check(machine: Machine, check: AnyValue, task: Task, *, fresh: bool) -> bool | None:
    if isinstance(check, Known) and not isinstance(check.value, str):
        return bool(check.value)
    if text_of(check) is not None:
        machine.call_external("subprocess.call", Arguments([check], {"shell": TRUE}), None)
        return None
    if is_result_dep(check) or (isinstance(check, Instance) and isinstance(check.cls, Ext)) or isinstance(check, Ext):
        # The checks of doit itself compare with what an earlier run saved.
        return False if fresh else None
    args: list[AnyValue] = []
    func: AnyValue = check
    keywords: AnyValue = NONE
    if isinstance(check, TupleV):
        func, given, keywords = [*check.items[:3], NONE, NONE, NONE][:3]
        args = list(given.items) if isinstance(given, ListObj | TupleV) else []
    names = [param.name for param in parameters_of(machine, func) or ()]
    magic: list[AnyValue] = []
    if names[:1] == ["task"]:
        magic.append(task_object(task))
        if names[1:2] == ["values"]:
            magic.append(DictObj("dict"))
    named: dict[str, AnyValue] = {}
    if isinstance(keywords, DictObj):
        named = {str(key.value): value for key, value in keywords.known() if isinstance(key, Known)}
    try:
        result = machine.call(func, Arguments([*magic, *args], named))
    except AbstractRaise as error:
        machine.note_end(error)
        return None
    return None if result == NONE else machine.truth(result)


# What dodo files call


def _command_action(machine: Machine, args: Arguments) -> AnyValue:
    """`CmdAction(action, task, save_out, shell, ...)`: the other keywords go to the child process."""
    del machine
    made = Instance(Ext(COMMAND))
    own = ("action", "task", "save_out", "shell", "encoding", "decode_error", "buffering")
    made.slots["action"] = args.get(0, "action") or UNKNOWN
    made.slots["save_out"] = args.get(2, "save_out") or NONE
    made.slots["shell"] = args.get(3, "shell") or TRUE
    rest = {Known(name): value for name, value in args.kw.items() if name not in own}
    made.slots["keywords"] = DictObj("dict", rest)
    return made


for _name in (
    "doit.tools.LongRunning",
    "doit.tools.InteractiveAction",
    "doit.tools.Interactive",
    "doit.tools.CmdAction",
):
    function(_name)(_command_action)
function(COMMAND)(_command_action)


@function(PYTHON, "doit.tools.PythonAction", "doit.tools.PythonInteractiveAction")
def python_action(machine: Machine, args: Arguments) -> AnyValue:
    """`PythonAction(callable, args, kwargs)`."""
    del machine
    made = Instance(Ext(PYTHON))
    made.slots["callable"] = args.get(0, "py_callable") or UNKNOWN
    made.slots["args"] = args.get(1, "args") or NONE
    made.slots["kwargs"] = args.get(2, "kwargs") or NONE
    return made


@function("doit.tools.create_folder")
def create_folder(machine: Machine, args: Arguments) -> AnyValue:
    """`create_folder(path)`."""
    folder = args.get(0, "dir_path")
    if folder is not None:
        machine.access(Operation.MKDIR, folder, "doit.tools.create_folder")
    return NONE


@function("doit.tools.config_changed")
def config_changed(machine: Machine, args: Arguments) -> AnyValue:
    """`config_changed(config)`: whether a text or mapping is that of the last success."""
    del machine
    made = Instance(Ext(CHECK))
    made.slots["config"] = args.get(0, "config") or UNKNOWN
    return made


@function("doit.tools.timeout", "doit.tools.check_timestamp_unchanged")
def saved_check(machine: Machine, args: Arguments) -> AnyValue:
    """A check against what an earlier run saved; the one of a file's time looks at that file."""
    del machine, args
    return Instance(Ext(CHECK))


@function(ONCE)
def run_once(machine: Machine, args: Arguments) -> AnyValue:
    """`run_once(task, values)`, called by hand."""
    del machine, args
    return FALSE


__all__ = ["COMMAND", "FORMATS", "PYTHON", "Outcome", "needs_run", "run_action", "task_object"]
