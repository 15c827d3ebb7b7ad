"""Snakemake's workflow: what running a Snakefile defines.

The Snakefile is translated to Python (`taskgates.syntax.snakefile`) and run as a module. The calls that its blocks and
directives have become are answered here: they collect rules, whose jobs are worked out afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.frames import AbstractRaise, Frame
from taskgates.inference.models.files.formats import content_of, parsed_yaml
from taskgates.inference.models.pipelines.snakemake_lookups import branch, items_of, lookup, subpath
from taskgates.inference.models.pipelines.snakemake_objects import Entry, named_list
from taskgates.inference.models.pipelines.snakemake_rules import (
    Place,
    Rule,
    merge_config,
    opening_calls,
    plain,
    scatter_names,
    unpack,
)
from taskgates.inference.models.pipelines.snakemake_texts import Marks, file_text, flat_values
from taskgates.inference.models.test_runners.unittest_loading import add_search_folder
from taskgates.inference.objects import Arguments, DictObj, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.paths import join_paths, split_last
from taskgates.inference.text import parts_of
from taskgates.inference.values import (
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    Native,
    Partial,
    as_value,
    options,
    path_text,
    text_of,
)
from taskgates.model.access import Operation
from taskgates.syntax.snakefile import GLOBAL, HANDLER, RULE, SET, USE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike
    from taskgates.syntax import ir

RULES = 2_000
"""Rules of one workflow that are looked at."""

DEPTH = 20
"""How deep Snakefiles include each other."""

FLAGS = (
    "temp",
    "temporary",
    "protected",
    "directory",
    "touch",
    "ancient",
    "pipe",
    "service",
    "ensure",
    "report",
    "repeat",
    "update",
    "before_update",
    "local",
    "flag",
)
"""Functions that mark a file name and leave it as it is."""

_VARIABLES = {name: name for name in ("results", "stats", "reports", "temp", "resources", "logs", "benchmarks")}
_VARIABLE = re.compile(r"<([a-z][a-z0-9_]*)>")

_PLAIN = ("expand", "collect", "multiext", "glob_wildcards")
_FILES = ("input", "output", "log", "benchmark")


@dataclass
class _Import:
    """A module of a workflow: another workflow, and the names under which its rules are used.

    Attributes:
        entries: the arguments of its directives.
        workflow: the other workflow, once it is loaded.
    """

    entries: dict[str, Arguments] = field(default_factory=dict)
    workflow: Workflow | None = None


class Workflow:
    """The rules and settings that a Snakefile defines.

    Args:
        machine: the interpreter.
        overrides: what the command line says about the configuration.
    """

    def __init__(self, machine: Machine, overrides: Mapping[str, Any] | None = None) -> None:
        self.machine = machine
        self.overrides = dict(overrides or {})
        self.config = DictObj("dict", {Known(key): from_python(value) for key, value in self.overrides.items()})
        self.rules: list[Rule] = []
        self.names = DictObj("snakemake.Rules")
        self.checkpoints = DictObj("snakemake.Rules")
        self.place: Place | None = None
        self.configured = False
        self.marked: dict[str, set[str]] = {name: set() for name in FLAGS}
        self.marks = Marks()
        # Outputs that Snakemake itself has made, with nothing in them.
        self.empty: set[str] = set()
        self.constraints: dict[str, str] = {}
        self.variables: dict[str, str] = {}
        self.given_variables: dict[str, str] = {}
        self.order: list[list[str]] = []
        self.handlers: dict[str, AnyValue] = {}
        self.files: list[str] = []
        self.modules: dict[str, _Import] = {}
        self.scatter: dict[str, int] = {}
        self.run_checkpoint: Native | None = None
        self._places: dict[tuple[str, int], ir.Call] = {}
        self.main = ModuleV("__main__", "", "")
        self._current: Rule | _Import | None = None
        self._stack: list[str] = []

    # Loading

    def load(self, file: str) -> bool:
        """Run a Snakefile, given from the root; whether it ran to its end."""
        machine = self.machine
        self.main.slots.update(self._globals(f"{machine.root}/{file}"))
        add_search_folder(machine, join_paths(machine.root, split_last(file)[0]))
        return self._run(file)

    def _run(self, file: str) -> bool:
        machine = self.machine
        if len(self._stack) > DEPTH or file in self._stack:
            machine.opaque(f"the Snakefile {file} includes itself")
            return False
        machine.access(Operation.READ, Known(f"{machine.root}/{file}"), "snakemake")
        self.files.append(file)
        self._stack.append(file)
        module = self.main
        if self.main.file:
            # An included file has names of its own for reports, and the same globals.
            module = ModuleV("__main__", file, "")
            module.slots = self.main.slots
        module.file = file
        try:
            machine.run_module(module, "__main__")
        except AbstractRaise as error:
            machine.note_end(error)
            return False
        finally:
            self._stack.pop()
            self._places.update({(file, line): call for line, call in opening_calls(module.ir)})
            for name, value in list(self.main.slots.items()):
                if isinstance(name, str) and name.startswith(HANDLER):
                    self.handlers[name.removeprefix(HANDLER)] = value
        return True

    def _globals(self, file: str) -> dict[str, AnyValue]:
        found: dict[str, AnyValue] = {
            "config": self.config,
            "rules": self.names,
            "checkpoints": self.checkpoints,
            "workflow": self._workflow_object(file),
            "shell": Ext("snakemake.shell.shell"),
            "unpack": Native("snakemake.unpack", unpack),
            "lookup": Native("snakemake.lookup", lookup),
            "branch": Native("snakemake.branch", branch),
            "subpath": Native("snakemake.subpath", subpath),
            "exists": Ext("os.path.exists"),
            "access": self._patterns(),
            "srcdir": Native("snakemake.srcdir", self._source_path),
            "os": Ext("os"),
            "sys": Ext("sys"),
            "re": Ext("re"),
            "Path": Ext("pathlib.Path"),
            RULE: Native(RULE, self._open_rule),
            SET: Native(SET, self._directive(self._set)),
            USE: Native(USE, self._use),
            GLOBAL: Native(GLOBAL, self._directive(self._global)),
        }
        for name in ("input", "output", "params", "resources"):
            found[name] = items_of(name)
        for name in _PLAIN:
            found[name] = Ext(f"snakemake.io.{name}")
        for name in FLAGS:
            found[name] = Native(f"snakemake.{name}", self._marker(name))
        return found

    def _patterns(self) -> AnyValue:
        """`access.random(files)`: how files are read, which changes nothing here."""
        made = DictObj("snakemake.Rules")
        for name in ("random", "sequential", "multi"):
            made.slots[Known(name)] = Native(f"snakemake.{name}", self._marker("ancient"))
        return made

    def _workflow_object(self, file: str) -> Instance:
        made = Instance(Ext("snakemake.workflow.Workflow"))
        made.slots["snakefile"] = made.slots["main_snakefile"] = Known(file)
        made.slots["basedir"] = made.slots["current_basedir"] = as_value(split_last(file)[0])
        made.slots["cores"] = Known(1)
        made.slots["workdir_init"] = as_value(self.machine.cwd)
        made.slots["overwrite_configfiles"] = ListObj("list")
        made.slots["source_path"] = Native("snakemake.source_path", self._source_path)
        return made

    def _source_path(self, machine: Machine, args: Arguments) -> AnyValue:
        given = path_text(args.pos[0]) if args.pos else None
        return as_value(join_paths(f"{machine.root}/{self._folder()}", given)) if given is not None else UNKNOWN

    def _folder(self) -> str:
        return str(split_last(self._stack[-1])[0]) if self._stack else ""

    # What blocks and directives have become

    def _open_rule(self, machine: Machine, args: Arguments) -> AnyValue:
        kind, name, line = (each.value if isinstance(each, Known) else "" for each in args.pos[:3])
        if kind in ("module", "subworkflow"):
            self._current = self.modules[str(name)] = _Import()
            if kind == "subworkflow":
                machine.opaque(f"the subworkflow {name} is not followed")
            return TRUE
        if len(self.rules) >= RULES:
            machine.opaque(f"more than {RULES} rules in a workflow")
            self._current = None
            return TRUE
        rule = self._new_rule(machine, str(name) or f"{split_last(self._stack[-1])[1]}:{line}", int(line))
        rule.checkpoint = kind == "checkpoint"
        self._add(rule)
        return TRUE

    def _new_rule(self, machine: Machine, name: str, line: int) -> Rule:
        frame = machine.frame
        module = frame.module if frame is not None else self.main
        file = self._stack[-1]
        variables = self.path_variables
        return Rule(name, file, file, line, module, conditional=machine.conditional, variables=variables)

    def _add(self, rule: Rule) -> None:
        same = [each for each in self.rules if each.name == rule.name]
        # A definition that is repeated in an undecided loop is the same one; those of two branches are not.
        for each in same:
            if each.file == rule.file and each.line == rule.line:
                self.rules.remove(each)
        self.rules.append(rule)
        self._current = rule
        self._publish(rule)

    def _publish(self, rule: Rule) -> None:
        """Make a rule known as `rules.name`."""
        proxy = Instance(Ext("snakemake.rules.RuleProxy"))
        for directive in ("input", "output", "params", "log", "benchmark"):
            entries = self._entries(rule.entries.get(directive))
            if directive in rule.places:
                for entry in entries:
                    entry.values = [self._moved(rule, directive, value) for value in entry.values]
            proxy.slots[directive] = named_list(entries)
        proxy.slots["name"] = Known(rule.name)
        self.names.slots[Known(rule.name)] = proxy
        if rule.checkpoint:
            point = Instance(Ext("snakemake.checkpoints.Checkpoint"))
            point.slots["name"] = Known(rule.name)
            point.slots["get"] = Native("snakemake.checkpoint", self._checkpoint(rule))
            self.checkpoints.slots[Known(rule.name)] = point

    def _checkpoint(self, rule: Rule) -> Any:
        def get(machine: Machine, args: Arguments) -> AnyValue:
            if self.run_checkpoint is None:
                return UNKNOWN
            return self.run_checkpoint.run(machine, Arguments([Known(rule.name)], args.kw, args.star, args.kwstar))

        return get

    def _entries(self, args: Arguments | None) -> list[Entry]:
        if args is None:
            return []
        pairs: list[tuple[str | None, AnyValue]] = [(None, value) for value in args.pos]
        if args.star is not None:
            pairs.append((None, args.star))
        pairs.extend(args.kw.items())
        out: list[Entry] = []
        for name, value in pairs:
            values = flat_values(self.machine, value)
            several = not (len(values) == 1 and values[0] is value)
            out.append(Entry(name, values, several))
        return out

    def _directive(self, take: Callable[[Machine, str, Arguments], AnyValue]) -> Any:
        """The function that a directive has become: called with its name, it takes up its arguments."""

        def named(_: Machine, args: Arguments) -> AnyValue:
            name = str(args.pos[0].value) if args.pos and isinstance(args.pos[0], Known) else ""
            return Native(f"snakemake.{name}", lambda machine, given: take(machine, name, given))

        return named

    def _set(self, machine: Machine, directive: str, given: Arguments) -> AnyValue:
        """A directive of the block that is open."""
        current = self._current
        if current is None:
            return NONE
        if given.kwstar is not None and directive in _FILES:
            machine.opaque(f"the names in {directive} are not known")
        current.entries[directive] = given
        if isinstance(current, Rule):
            current.places.pop(directive, None)
            if self.place is not None and directive in _FILES:
                current.places[directive] = self.place
        if isinstance(current, _Import) and directive == "name":
            self.modules[str(text_of(given.pos[0]) if given.pos else "")] = current
        if isinstance(current, Rule):
            if directive == "name" and isinstance(text_of(given.pos[0]) if given.pos else None, str):
                current.name = str(text_of(given.pos[0]))
            self._publish(current)
        return NONE

    def _global(self, machine: Machine, directive: str, args: Arguments) -> AnyValue:
        """A directive at the top level."""
        given = args.pos
        match directive:
            case "configfile":
                # A module that is handed a configuration has no files of its own.
                for value in () if self.configured else given[:1]:
                    self.read_config(value)
            case "include":
                for value in given:
                    self._include(machine, value)
            case "workdir":
                text = path_text(given[0]) if given else None
                if text is not None:
                    machine.access(Operation.MKDIR, as_value(text), "snakemake")
                    machine.cwd = machine.absolute(text)
            case "wildcard_constraints":
                self.constraints.update(_texts(args.kw))
            case "pathvars":
                self.variables.update(_texts(args.kw))
            case "ruleorder":
                words = str(text_of(given[0])) if given else ""
                self.order.append([word.strip() for word in words.split(">")])
            case "scattergather":
                self.scatter.update({name: value.value for name, value in args.kw.items() if isinstance(value, Known)})
                self.main.slots["scatter"] = self.main.slots["gather"] = scatter_names(self.scatter)
            case "pepfile" | "pepschema":
                for value in given:
                    if path_text(value) is not None:
                        machine.access(Operation.READ, value, "snakemake")
            case _:
                pass
        return NONE

    # Other files

    def _include(self, machine: Machine, value: AnyValue) -> None:
        for option in options(value):
            text = path_text(option)
            place = machine.in_tree(join_paths(f"{machine.root}/{self._folder()}", text)) if text is not None else None
            if place is None or machine.tree.kind(place) != "file":
                machine.opaque(f"a Snakefile that is included is not in the repository: {text}", other_code=True)
                continue
            outer = self._current
            self._run(place)
            self._current = outer

    def read_config(self, value: AnyValue, *, overriding: bool = False) -> None:
        """Take over a configuration file; what the command line says stands above it."""
        machine = self.machine
        for option in flat_values(machine, value):
            if path_text(option) is None:
                machine.opaque("the name of a configuration file is not known")
                continue
            machine.access(Operation.READ, option, "snakemake")
            merge_config(machine, self.config, parsed_yaml(machine, content_of(machine, option)))
            if overriding:
                try:
                    found = to_python(self.config)
                    self.overrides = found if isinstance(found, dict) else self.overrides
                except NotKnown:
                    pass
        merge_config(machine, self.config, from_python(self.overrides))

    # Modules

    def _use(self, machine: Machine, args: Arguments) -> AnyValue:
        """`use rule a, b from module as name with:`."""
        wanted, module, exclude, name, line = (plain(each) for each in args.pos[:5])
        wanted = [str(each) for each in wanted] if isinstance(wanted, list) else []
        if module is None:
            sources: Sequence[Rule] = self.rules
            found = [rule for rule in sources if rule.name in wanted]
        else:
            other = self._module(machine, str(module))
            if other is None:
                return TRUE
            found = [
                rule
                for rule in other.rules
                if ("*" in wanted and rule.name not in (exclude or ())) or rule.name in wanted
            ]
            self.handlers.update({key: value for key, value in other.handlers.items() if key not in self.handlers})
            for key, texts in other.marked.items():
                self.marked[key] |= texts
        for rule in found:
            renamed = str(name).replace("*", rule.name) if name else rule.name
            copy = Rule(
                renamed, rule.file, self._stack[-1], rule.line, rule.module, dict(rule.entries), rule.checkpoint,
                machine.conditional, dict(rule.places), rule.runner(), rule.variables,
            )  # fmt: skip
            if any(each.name == renamed for each in self.rules):
                self.rules = [each for each in self.rules if each.name != renamed]
            self._add(copy)
        del line
        return TRUE

    def _module(self, machine: Machine, name: str) -> Workflow | None:
        given = self.modules.get(name)
        if given is None:
            machine.opaque(f"the module {name} of a workflow is not known")
            return None
        if given.workflow is not None:
            return given.workflow
        source = given.entries.get("snakefile")
        text = path_text(source.pos[0]) if source is not None and source.pos else None
        place = machine.in_tree(join_paths(f"{machine.root}/{self._folder()}", text)) if text is not None else None
        if place is None or machine.tree.kind(place) != "file":
            machine.opaque(f"the module {name} of a workflow is not in the repository", other_code=True)
            return None
        other = Workflow(machine, self.overrides)
        config = given.entries.get("config")
        if config is not None and config.pos and isinstance(config.pos[0], DictObj):
            other.config = config.pos[0]
            other.configured = True
        other._stack = list(self._stack)
        given_variables = given.entries.get("pathvars")
        other.given_variables = {
            **(self.path_variables() if given_variables is not None else self.given_variables),
            **(_texts(given_variables.kw) if given_variables is not None else {}),
        }
        changes = given.entries.get("replace_prefix")
        pairs = plain(changes.pos[0]) if changes is not None and changes.pos else None
        replaced = tuple((str(old), str(new)) for old, new in pairs.items()) if isinstance(pairs, dict) else ()
        prefix = given.entries.get("prefix")
        folder = text_of(prefix.pos[0]) if prefix is not None and prefix.pos else None
        outer = self.place.prefix if self.place is not None else ""
        inner = folder.rstrip("/") + "/" if isinstance(folder, str) and folder else ""
        other.place = Place(outer + inner, replaced) if outer + inner or replaced else None
        other.load(place)
        given.workflow = other
        self.main.slots.setdefault(name, other.main)
        return other

    # Flags

    def _marker(self, name: str) -> Any:
        def mark(machine: Machine, args: Arguments) -> AnyValue:
            value = args.pos[0] if args.pos else UNKNOWN
            for each in flat_values(machine, value):
                if path_text(each) is not None:
                    self.marked[name].add(self.encoded(each))
            return value

        return mark

    def path_variables(self) -> dict[str, str]:
        """The names that stand for parts of paths: what they mean by default, by directives, by the configuration."""
        known = dict(_VARIABLES)
        configured = self.config.slots.get(Known("pathvars"))
        pairs = configured.known() if isinstance(configured, DictObj) else ()
        said = _texts({str(key.value): value for key, value in pairs if isinstance(key, Known)})
        return {**known, **self.variables, **said, **self.given_variables}

    def _with_variables(self, rule: Rule, value: AnyValue) -> AnyValue:
        text = path_text(value)
        if text is None or not any("<" in part for part in parts_of(text) if isinstance(part, str)):
            return value
        known = rule.path_variables()
        plain_text = self.marks.encode(text)
        for _ in range(DEPTH):
            filled = _VARIABLE.sub(lambda match: known.get(match[1], match[0]), plain_text)
            if filled == plain_text:
                break
            plain_text = filled
        return as_value(self.marks.decode(plain_text))

    def placed(self, rule: Rule, directive: str, value: AnyValue) -> AnyValue:
        """A file of a rule where its module puts it, with the names in it that stand for parts of paths filled in."""
        value = self._with_variables(rule, value)
        place, text = rule.places.get(directive), path_text(value)
        return value if place is None or text is None else as_value(place.moved(text))

    def _moved(self, rule: Rule, directive: str, value: AnyValue) -> AnyValue:
        """What another rule sees of a file, or of the function that gives it."""
        if not isinstance(value, FunctionV | BoundMethod | Native | Partial):
            return self.placed(rule, directive, value)

        def run(machine: Machine, args: Arguments) -> AnyValue:
            found = flat_values(machine, machine.call(value, args))
            return ListObj("list", [self.placed(rule, directive, each) for each in found])

        return Native("snakemake.placed", run)

    def encoded(self, value: AnyValue) -> str:
        """A file name as a plain string."""
        return self.marks.encode(file_text(self.machine, value))

    def decoded(self, text: str) -> TextLike:
        """The file name behind a plain string."""
        return self.marks.decode(text)

    def place_of(self, rule: Rule) -> tuple[Frame, ir.Call | None]:
        """Where a rule stands, for reports."""
        return Frame(rule.module, rule.name, rule.module.slots, None), self._places.get((rule.file, rule.line))


def _texts(values: Mapping[str, AnyValue]) -> dict[str, str]:
    return {name: text for name, value in values.items() if isinstance(text := text_of(value), str)}


__all__ = ["FLAGS", "Workflow"]
