"""The programs `invoke` and `fab`: settings, the collection, and the tasks that a command line names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import from_python
from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.pipelines.doit_actions import parameters_of
from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.models.task_runners.invoke_tasks import (
    CALL,
    DRY,
    PREFIXES,
    dashed,
    found_in,
    from_module,
    is_task,
    new_context,
    texts_in,
)
from taskgates.inference.models.task_runners.launching import climb, known_text, read_yaml
from taskgates.inference.models.test_runners.unittest_loading import add_search_folder
from taskgates.inference.objects import Arguments, DictObj, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.paths import split_last
from taskgates.inference.values import FALSE, NONE, TRUE, AnyValue, Known, TupleV, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine

_VALUED = frozenset(
    ["-c", "--collection", "-r", "--search-root", "-f", "--config", "-D", "--list-depth", "-F", "--list-format", "-T",
     "--command-timeout", "-H", "--hosts", "-i", "--identity", "-S", "--ssh-config", "--hide",
     "--print-completion-script"]
)  # fmt: skip
_TASKS_DEEP = 40


@dataclass
class _Parameter:
    """One argument of a task on the command line."""

    name: str
    default: AnyValue | None
    kind: str
    short: str = ""


@dataclass
class _Wanted:
    """A task to run with its arguments."""

    task: Instance
    name: str
    pos: list[AnyValue] = field(default_factory=list)
    kw: dict[str, AnyValue] = field(default_factory=dict)


class Session:
    """One run of `invoke`, or of a program that is built like it.

    Args:
        machine: the interpreter.
        kind: `invoke` or `fabric`, after which files of settings are called.
        collection: the name of the module with tasks.
    """

    def __init__(self, machine: Machine, kind: str, collection: str) -> None:
        self.machine = machine
        self._kind = kind
        self._collection = collection
        self._line = LooseLine((), _VALUED)
        self._settings: list[AnyValue] = []
        self._done: list[tuple[Instance, list[AnyValue], dict[str, AnyValue]]] = []
        self._namespace: Instance | None = None

    def main(self, words: Sequence[AnyValue], namespace: Instance | None = None) -> None:
        """Carry out a command line, with the tasks of a collection or those that are found."""
        self._line = LooseLine(words, _VALUED, mixed=False)
        flags = self._line.flags
        if flags & {"-V", "--version"} or self._line.every("--print-completion-script"):
            return
        self._namespace = namespace or self._loaded()
        if self._namespace is None:
            return
        if flags & {"-l", "--list", "-h", "--help"}:
            return
        self._read_settings()
        if flags & {"-R", "--dry"}:
            self.machine.library[DRY] = TRUE
        if self._line.every("-H", "--hosts"):
            self.machine.opaque("what tasks do on other machines is not followed", other_code=True)
            return
        wanted = self._wanted(self._line.operands)
        for each in wanted or ():
            try:
                self._run(each, 0)
            except AbstractRaise as error:
                self.machine.note_end(error)
                return

    # Finding the tasks

    def _loaded(self) -> Instance | None:
        machine = self.machine
        name = self._line.text("-c", "--collection") or self._collection
        start = self._line.text("-r", "--search-root") or "."
        found = climb(machine, [f"{name}.py", f"{name}/__init__.py"], start)
        if found is None:
            machine.opaque(f"{self._kind}: there is no collection of tasks {name}", other_code=True)
            return None
        folder = str(split_last(found)[0])
        project = folder if not found.endswith("/__init__.py") else str(split_last(folder)[0])
        add_search_folder(machine, project)
        add_search_folder(machine, folder)
        self._project = project
        try:
            module = machine.import_module(name)
        except AbstractRaise as error:
            machine.note_end(error)
            return None
        if not isinstance(module, ModuleV):
            machine.opaque(f"{self._kind}: the module {name} cannot be imported", other_code=True)
            return None
        return from_module(machine, module)

    _project = "."

    def _read_settings(self) -> None:
        """Settings of the project, then those that the command line names."""
        machine = self.machine
        given = self._line.every("-f", "--config")
        for name in (f"{self._kind}.{ending}" for ending in ("yaml", "yml", "json", "py")):
            place = f"{self._project}/{name}"
            if machine.exists(place, "file") is True:
                self._read_file(str(machine.absolute(place)))
                break
        if given:
            place = machine.absolute(place_of(given[-1]))
            if isinstance(place, str):
                self._read_file(place)
            else:
                machine.opaque(f"{self._kind}: settings from a file that is not known")

    def _read_file(self, place: str) -> None:
        machine = self.machine
        if place.endswith((".yaml", ".yml", ".json")):
            data = read_yaml(machine, place, self._kind)
            if isinstance(data, dict):
                self._settings.append(from_python(data))
        elif place.endswith(".py") and known_text(machine, place) is not None:
            try:
                module = machine.import_module(str(split_last(place)[1]).removesuffix(".py"))
            except AbstractRaise:
                return
            if isinstance(module, ModuleV):
                names = {Known(key): item for key, item in module.slots.items() if not key.startswith("__")}
                self._settings.append(DictObj("dict", names))

    # The command line

    def _wanted(self, words: Sequence[AnyValue]) -> list[_Wanted] | None:
        assert self._namespace is not None
        rest = list(words)
        wanted: list[_Wanted] = []
        if not rest:
            task, _ = found_in(self._namespace, [])
            return [_Wanted(task, "")] if task is not None else []
        while rest:
            name = text_of(rest.pop(0))
            task = found_in(self._namespace, name.split("."))[0] if isinstance(name, str) else None
            if task is None or not isinstance(name, str):
                shown = name if isinstance(name, str) else "that is not known"
                self.machine.opaque(f"{self._kind} is told to run a task {shown}", other_code=True)
                return wanted
            each = _Wanted(task, name)
            wanted.append(each)
            parameters = self._parameters(task)
            if parameters is None:
                self.machine.opaque(f"{self._kind}: the parameters of the task {name} are not known")
                continue
            rest = self._filled(each, parameters, rest)
        return wanted

    def _parameters(self, task: Instance) -> list[_Parameter] | None:
        machine = self.machine
        body = task.slots.get("body")
        params = parameters_of(machine, body) if body is not None else None
        if params is None:
            return None
        defaults = body.defaults if isinstance(body, FunctionV) else {}
        lists, counts = (texts_in(machine, task.slots.get(name)) for name in ("iterable", "incrementable"))
        optional = texts_in(machine, task.slots.get("optional"))
        named = task.slots.get("positional")
        positional = texts_in(machine, named) if isinstance(named, ListObj | TupleV) else None
        made: list[_Parameter] = []
        taken: set[str] = set()
        for param in params[1:]:
            if param.kind in ("args", "kwargs"):
                continue
            default = defaults.get(param.name)
            if param.name in lists:
                kind = "list"
            elif param.name in counts:
                kind = "count"
            elif default in (TRUE, FALSE):
                kind = "flag"
            elif param.name in optional:
                kind = "optional"
            else:
                kind = "value"
            bare = param.name in positional if positional is not None else default is None
            short = next((letter for letter in param.name if letter not in taken and letter.isalpha()), "")
            taken.add(short)
            if bare and kind in ("value", "optional"):
                kind = "positional"
            made.append(_Parameter(param.name, default, kind, short))
        return made

    def _filled(self, each: _Wanted, parameters: list[_Parameter], rest: list[AnyValue]) -> list[AnyValue]:
        """Give a task the words that belong to it; the words of the next one."""
        words = list(rest)
        while words:
            text = text_of(words[0])
            if isinstance(text, str) and text.startswith("-") and len(text) > 1:
                words.pop(0)
                self._flag(each, parameters, text, words)
                continue
            missing = next((one for one in parameters if one.kind == "positional" and one.name not in each.kw), None)
            if missing is None:
                break
            each.kw[missing.name] = _typed(words.pop(0), missing.default)
        for parameter in parameters:
            if parameter.name not in each.kw:
                if parameter.kind == "list":
                    each.kw[parameter.name] = ListObj("list")
                elif parameter.default is not None:
                    each.kw[parameter.name] = parameter.default
        return words

    def _flag(self, each: _Wanted, parameters: list[_Parameter], text: str, words: list[AnyValue]) -> None:
        name, equals, value = text.partition("=")
        by_name = {f"--{dashed(one.name)}": one for one in parameters}
        by_short = {f"-{one.short}": one for one in parameters if one.short}
        found = by_name.get(name) if name.startswith("--") else by_short.get(name[:2])
        if found is None and name.startswith("--no-") and (off := by_name.get("--" + name[5:])) is not None:
            each.kw[off.name] = FALSE
            return
        if found is None:
            self.machine.opaque(f"{self._kind}: the task {each.name} has no option {name}")
            return
        attached = None if name.startswith("--") or len(name) <= 2 else text[2:]
        if found.kind in ("flag", "count"):
            if found.kind == "flag":
                each.kw[found.name] = TRUE
            else:
                before = each.kw.get(found.name, found.default)
                each.kw[found.name] = Known(_number(before) + 1)
            if attached is not None:
                self._flag(each, parameters, f"-{attached}", words)
            return
        if equals or attached is not None:
            given: AnyValue = Known(value if equals else attached)
        elif found.kind == "optional" and (not words or str(text_of(words[0])).startswith("-")):
            given = TRUE
        else:
            given = words.pop(0) if words else NONE
        given = _typed(given, found.default)
        if found.kind == "list":
            before = each.kw.get(found.name)
            each.kw[found.name] = ListObj("list", [*(before.items if isinstance(before, ListObj) else ()), given])
        else:
            each.kw[found.name] = given

    # Running

    def _run(self, each: _Wanted, depth: int) -> None:
        if depth > _TASKS_DEEP:
            self.machine.opaque(f"{self._kind}: tasks require each other without end")
            return
        done = any(one is each.task and pos == each.pos and kw == each.kw for one, pos, kw in self._done)
        if done and "--no-dedupe" not in self._line.flags:
            return
        self._done.append((each.task, each.pos, each.kw))
        for before in self._others(each.task, "pre"):
            self._run(before, depth + 1)
        self.machine.library[PREFIXES] = TupleV(())
        context = new_context(self.machine, [*self._configuration(each.name), *self._settings])
        self.machine.call(each.task.slots["body"], Arguments([context, *each.pos], dict(each.kw)))
        for after in self._others(each.task, "post"):
            self._run(after, depth + 1)

    def _configuration(self, name: str) -> list[AnyValue]:
        assert self._namespace is not None
        _, way = found_in(self._namespace, name.split(".") if name else [])
        return [one.slots["configuration"] for one in reversed(way)]

    def _others(self, task: Instance, which: str) -> list[_Wanted]:
        value = task.slots.get(which)
        made: list[_Wanted] = []
        for item in self.machine.iterate(value).items if value is not None and value != NONE else ():
            if not is_task(item):
                self.machine.opaque(f"{self._kind}: a task requires something that is not known", other_code=True)
            elif item.library_type == CALL:
                inner, given = item.slots["task"], item.slots["kwargs"]
                if is_task(inner):
                    keywords: dict[str, Any] = {str(key.value): value for key, value in given.known()}
                    made.append(_Wanted(inner, "", list(item.slots["args"].items), keywords))
            else:
                made.append(_Wanted(item, ""))
        return made


def _typed(value: AnyValue, default: AnyValue | None) -> AnyValue:
    """A word as the type that the default value has."""
    text = text_of(value)
    if isinstance(default, Known) and type(default.value) is int and isinstance(text, str):
        try:
            return Known(int(text))
        except ValueError:
            return value
    return value


def _number(value: AnyValue | None) -> int:
    return value.value if isinstance(value, Known) and isinstance(value.value, int) else 0


@program("invoke", "invoke.__main__", commands=["invoke", "inv"])
def invoke(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`invoke TASK...`."""
    Session(machine, "invoke", "tasks").main(args)


@program("fabric", "fabric.__main__", commands=["fab"])
def fab(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`fab TASK...`: without hosts, tasks run here."""
    Session(machine, "fabric", "fabfile").main(args)
