"""DVC pipelines: every `dvc.yaml` of the repository, one task for each stage, and stages with a file of their own.

Format: https://dvc.org/doc/user-guide/project-structure/dvcyaml-files. Stages of a `foreach` or `matrix` become one
task for each item, `stage@item`. Below the root a stage is called `sub/dvc.yaml:stage`. A stage depends on the stages
whose outputs it declares as dependencies, as in DVC itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import islice, product
from math import prod
from typing import TYPE_CHECKING

import msgspec

from taskgates.manifests.dvc_stage_file import is_stage_file, joined, stage_of
from taskgates.manifests.dvc_template import Context, TemplateError, load_parameters, to_text
from taskgates.manifests.json_source import TextSyntaxError
from taskgates.manifests.reader import FILE_LIMIT, ReadResult, invalid, is_clean, unique_paths
from taskgates.manifests.yaml_source import YamlNode, parse_yaml
from taskgates.model.patterns import escape
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Command, DeclaredPath, Reference, Status, Task

if TYPE_CHECKING:
    from taskgates.model.finding import Problem
    from taskgates.tree.tree import Tree

FORMAT = "dvc"
FILE_NAME = "dvc.yaml"

_PARAMETERS = "params.yaml"
_PRIVATE = ".dvc/**"
_MAX_ITEMS = 10_000
_STAGE_KEYS = frozenset(
    {"cmd", "wdir", "deps", "outs", "params", "metrics", "plots", "vars", "desc", "meta", "frozen", "always_changed"}
    | {"foreach", "do", "matrix"}
)


class DvcReader:
    """Reads DVC's pipeline files."""

    name = FORMAT

    def find(self, tree: Tree) -> tuple[str, ...]:
        """Every `dvc.yaml` that is not ignored, and every stage with a file of its own."""
        return tuple(file for file in tree.walk() if file.rpartition("/")[2] == FILE_NAME or is_stage_file(tree, file))

    def read(self, tree: Tree, file: str) -> ReadResult:
        """Read one pipeline file."""
        data = tree.read_bytes(file, FILE_LIMIT)
        if data is None:
            message = f"the pipeline cannot be read (not permitted, or larger than {FILE_LIMIT >> 20} MB)"
            return ReadResult((), (invalid(message, SourceSpan(file)),))
        try:
            root = parse_yaml(file, data)
            builder = _PipelineBuilder(tree, file)
            if root is not None and file.rpartition("/")[2] != FILE_NAME:
                stage = stage_of(file, root, FORMAT)
                return ReadResult((stage,) if stage is not None else (), ())
            if root is not None:
                builder.build(root)
        except TextSyntaxError as error:
            return ReadResult((), (invalid(f"not a DVC pipeline: {error.message}", error.span),))
        return ReadResult(tuple(builder.tasks), tuple(builder.problems))

    def link(self, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        """Make each stage depend on the stages that make its inputs."""
        makers: dict[str, list[str]] = {}
        for task in tasks:
            for path in task.writes:
                makers.setdefault(path.path, []).append(task.id)
        outputs = sorted(makers)
        return tuple(_linked(task, makers, outputs) for task in tasks)


def _linked(task: Task, makers: Mapping[str, list[str]], outputs: list[str]) -> Task:
    found: dict[str, Reference] = {}
    for path in task.reads:
        for output in _overlapping(path.path, makers, outputs):
            for maker in makers[output]:
                if maker != task.id:
                    found.setdefault(maker, Reference(maker, path.span))
    return msgspec.structs.replace(task, depends_on=tuple(found.values())) if found else task


def _overlapping(path: str, makers: Mapping[str, list[str]], outputs: list[str]) -> Iterator[str]:
    """The outputs that are the path, hold it, or lie below it."""
    above = path
    while above and above != ".":
        if above in makers:
            yield above
        above = above.rpartition("/")[0]
    below = path + "/"
    for output in islice(outputs, bisect_left(outputs, below), None):
        if not output.startswith(below):
            break
        yield output


class _PipelineBuilder:
    """Makes the tasks of one file."""

    def __init__(self, tree: Tree, file: str) -> None:
        self._tree = tree
        self._folder = file.rpartition("/")[0]
        self._prefix = f"{file}:" if self._folder else ""
        self._default_parameters = joined(self._folder, _PARAMETERS)
        self._root: YamlNode | None = None
        self.tasks: list[Task] = []
        self.problems: list[Problem] = []

    def build(self, root: YamlNode) -> None:
        if root.kind == "scalar" and root.value is None:
            return
        if root.kind != "mapping":
            self._complain(f"a pipeline file must be a mapping, not {root.type_name}", root)
            return
        self._root = root
        context = Context()
        if self._tree.kind(self._default_parameters) == "file":
            context = self._with_file(context, self._default_parameters, (), root)
        context = self._with_vars(context, root.get("vars"), self._folder)
        stages = root.get("stages")
        if stages is None or (stages.kind == "scalar" and stages.value is None):
            return
        if stages.kind != "mapping":
            self._complain(f"stages must be a mapping, not {stages.type_name}", stages)
            return
        for name, (key, node) in stages.members.items():
            self._stages(name, key, node, context)
        shown = tuple(self._shown(root, context))
        if shown:
            self.tasks = [
                msgspec.structs.replace(task, runner_files=(*task.runner_files, *shown)) for task in self.tasks
            ]

    def _shown(self, root: YamlNode, context: Context) -> Iterator[str]:
        """The metrics, plots and parameters of the whole pipeline, less what is the output of a stage.

        DVC knows them without any stage that declares them: this is how DVCLive leaves its files.
        """
        outputs = [path.path for task in self.tasks for path in task.writes]
        for field in ("metrics", "plots", "params"):
            given = root.get(field)
            for text in dict.fromkeys(_named_files(given.value if given is not None else None)):
                try:
                    resolved = context.resolve_text(text)
                except TemplateError:
                    continue
                if not resolved.strip() or "\0" in resolved or not is_clean(resolved):
                    continue
                path = escape(joined(self._folder, resolved))
                if not any(_is_within(path, output) or _is_within(output, path) for output in outputs):
                    yield from (path, f"{path}/**")

    # ---- stages -------------------------------------------------------------------------------------------------

    def _stages(self, name: str, key: YamlNode, node: YamlNode, context: Context) -> None:
        if not name or not is_clean(name):
            self._complain("a stage must have a name", key)
            return
        if node.kind != "mapping":
            self._complain(f"a stage must be a mapping, not {node.type_name}", node, name)
            return
        for field, (field_key, _) in node.members.items():
            if field not in _STAGE_KEYS:
                self._complain(f"a stage has no field {field!r}", field_key, name)
        template = node
        names: list[tuple[str, dict[str, object]]] = [(name, {})]
        try:
            if "matrix" in node.members:
                names = self._matrix(name, node.members["matrix"][1], context)
            elif "foreach" in node.members:
                inner = node.get("do")
                if inner is None or inner.kind != "mapping":
                    self._complain("a stage with foreach must have a mapping under do", inner or key, name)
                    return
                template = inner
                names = self._foreach(name, node.members["foreach"][1], context)
        except TemplateError as error:
            self._complain(str(error), node.members["matrix" if "matrix" in node.members else "foreach"][1], name)
            return
        for stage, values in names:
            self._stage(stage, key, template, context.with_names(values))

    def _foreach(self, name: str, node: YamlNode, context: Context) -> list[tuple[str, dict[str, object]]]:
        given = node.value
        value = context.resolve_deeply(given)
        if isinstance(value, Mapping):
            items = [(str(key), {"key": str(key), "item": item}) for key, item in value.items()]
        elif isinstance(value, list):
            composite = any(isinstance(item, Mapping | list) for item in value)
            items = [
                (str(index) if composite else _word(item, given, index), {"item": item})
                for index, item in enumerate(value)
            ]
        else:
            raise TemplateError("foreach must be a list or a mapping")
        self._check_count(len(items))
        return [(f"{name}@{key}", dict(values)) for key, values in dict(items).items()]

    def _matrix(self, name: str, node: YamlNode, context: Context) -> list[tuple[str, dict[str, object]]]:
        given = node.value
        value = context.resolve_deeply(given)
        if not isinstance(value, Mapping) or not all(isinstance(axis, list) for axis in value.values()):
            raise TemplateError("matrix must be a mapping of names to lists")
        axes = {str(axis): items for axis, items in value.items() if isinstance(items, list)}
        self._check_count(prod(len(items) for items in axes.values()))
        found: dict[str, dict[str, object]] = {}
        for combination in product(*(enumerate(items) for items in axes.values())):
            item: dict[str, object] = {}
            words: list[str] = []
            for axis, (index, part) in zip(axes, combination, strict=True):
                item[axis] = part
                written = given.get(axis) if isinstance(given, Mapping) else None
                words.append(f"{axis}{index}" if isinstance(part, Mapping | list) else _word(part, written, index))
            key = "-".join(words)
            found[f"{name}@{key}"] = {"key": key, "item": item}
        return list(found.items())

    def _check_count(self, count: int) -> None:
        if count > _MAX_ITEMS:
            raise TemplateError(f"expands to {count:,} stages; no more than {_MAX_ITEMS:,} are read")

    def _stage(self, name: str, key: YamlNode, node: YamlNode, context: Context) -> None:
        folder = self._wdir(name, node, context)
        if folder is None:
            return
        context = self._with_vars(context, node.get("vars"), folder)
        reads = [*self._paths(name, node, "deps", folder, context), *self._parameter_files(name, node, folder, context)]
        writes = [
            path for field in ("outs", "metrics", "plots") for path in self._paths(name, node, field, folder, context)
        ]
        frozen = node.get("frozen")
        is_frozen = frozen is not None and frozen.value is True
        description = node.get("desc")
        self.tasks.append(
            Task(
                id=self._prefix + name,
                format=FORMAT,
                span=key.span,
                title=name,
                description=description.text if description is not None and is_clean(description.text) else "",
                status=Status.BLOCKED if is_frozen else Status.PENDING,
                raw_status="frozen" if is_frozen else "",
                command=self._command(name, key, node, folder, context),
                reads=unique_paths(reads),
                writes=unique_paths(writes),
                declares_reads=True,
                runner_files=tuple(
                    dict.fromkeys((_PRIVATE, *(joined(self._folder, own) for own in (_PRIVATE, FILE_NAME))))
                ),
                runner_reads=tuple(dict.fromkeys(self._templated(node, folder))),
            )
        )

    def _templated(self, node: YamlNode, folder: str) -> Iterator[str]:
        """The parameter files whose values DVC puts in the place of a stage's expressions, as far as it has any."""
        if "${" not in repr(node.value):
            return
        yield escape(self._default_parameters)
        for place, owner in ((self._folder, self._root), (folder, node)):
            given = owner.get("vars") if owner is not None else None
            for item in given.items if given is not None and given.kind == "sequence" else ():
                if item.kind == "scalar" and item.text:
                    yield escape(joined(place, item.text.partition(":")[0]))

    def _command(self, name: str, key: YamlNode, node: YamlNode, folder: str, context: Context) -> Command | None:
        command = node.get("cmd")
        if command is None:
            self._complain(f"the stage {name!r} has no cmd", key, name)
            return None
        lines: list[str] = []
        for part in command.items if command.kind == "sequence" else [command]:
            if part.kind != "scalar" or not part.text.strip() or "\0" in part.text or not is_clean(part.text):
                self._complain("cmd must be a command or a list of commands", part, name)
                return None
            try:
                lines.append(context.resolve_text(part.text, command=True))
            except TemplateError as error:
                self._complain(str(error), part, name)
                lines.append(part.text)
        # DVC runs the commands of a list one after another and stops at the first that fails.
        text = "\n".join(["set -e", *lines]) if len(lines) > 1 else "".join(lines)
        return Command(shell=text, cwd=folder or ".") if text else None

    # ---- paths --------------------------------------------------------------------------------------------------

    def _wdir(self, name: str, node: YamlNode, context: Context) -> str | None:
        wdir = node.get("wdir")
        if wdir is None or (wdir.kind == "scalar" and wdir.value is None):
            return self._folder
        path = self._path(name, wdir, wdir.text if wdir.kind == "scalar" else None, self._folder, context)
        if path is None:
            return None
        return "" if path == "." else path

    def _paths(self, name: str, node: YamlNode, field: str, folder: str, context: Context) -> Iterator[DeclaredPath]:
        """The paths of a list whose items are paths, or mappings of one path to its options."""
        for item in self._items(name, node, field):
            entry, text = item, item.text if item.kind == "scalar" else None
            if item.kind == "mapping" and len(item.members) == 1:
                text, (entry, _) = next(iter(item.members.items()))
            path = self._path(name, entry, text, folder, context)
            if path is not None:
                yield DeclaredPath(escape(path), entry.span)

    def _parameter_files(self, name: str, node: YamlNode, folder: str, context: Context) -> Iterator[DeclaredPath]:
        for item in self._items(name, node, "params"):
            if item.kind == "scalar":
                yield DeclaredPath(escape(joined(folder, _PARAMETERS)), item.span)
                continue
            for text, (entry, _) in item.members.items():
                path = self._path(name, entry, text, folder, context)
                if path is not None:
                    yield DeclaredPath(escape(path), entry.span)

    def _items(self, name: str, node: YamlNode, field: str) -> list[YamlNode]:
        found = node.get(field)
        if found is None or (found.kind == "scalar" and found.value is None):
            return []
        if found.kind != "sequence":
            self._complain(f"{field} must be a list, not {found.type_name}", found, name)
            return []
        return found.items

    def _path(self, name: str, node: YamlNode, text: str | None, folder: str, context: Context) -> str | None:
        """A path relative to the root, or as it is where it leads elsewhere (another disk, a URL)."""
        if text is None:
            self._complain(f"expected a path, not {node.type_name}", node, name)
            return None
        try:
            resolved = context.resolve_text(text)
        except TemplateError as error:
            self._complain(str(error), node, name)
            return None
        if not resolved.strip() or "\0" in resolved or not is_clean(resolved):
            self._complain("a declared path is empty or holds a character that no file name has", node, name)
            return None
        return joined(folder, resolved)

    # ---- variables ----------------------------------------------------------------------------------------------

    def _with_vars(self, context: Context, node: YamlNode | None, folder: str) -> Context:
        """The context with a `vars` section: files, some keys of files, or values given in place."""
        if node is None or (node.kind == "scalar" and node.value is None):
            return context
        if node.kind != "sequence":
            self._complain(f"vars must be a list, not {node.type_name}", node)
            return context
        for item in node.items:
            if item.kind == "mapping":
                value = item.value
                context = context.extended(value) if isinstance(value, dict) else context
            elif item.kind == "scalar" and item.text:
                file, _, keys = item.text.partition(":")
                wanted = tuple(key.strip() for key in keys.split(",") if key.strip())
                context = self._with_file(context, joined(folder, file), wanted, item)
            else:
                self._complain("vars must hold file names and mappings", item)
        return context

    def _with_file(self, context: Context, file: str, keys: tuple[str, ...], node: YamlNode) -> Context:
        try:
            values = load_parameters(self._tree, file)
            if keys:
                values = {key.partition(".")[0]: Context(values).select(key.partition(".")[0]) for key in keys}
        except TemplateError as error:
            self.problems.append(invalid(str(error), node.span))
            return context
        return context.extended(values)

    def _complain(self, message: str, node: YamlNode, *stages: str) -> None:
        self.problems.append(invalid(message, node.span, *(self._prefix + stage for stage in stages)))


def _named_files(given: object) -> Iterator[str]:
    """The files that a list of metrics, plots or parameters names: each entry, or what a plot draws."""
    entries = given if isinstance(given, list) else [given]
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        for name, options in entry.items() if isinstance(entry, Mapping) else ():
            drawn = options.get("y") if isinstance(options, Mapping) else None
            yield from (str(each) for each in (drawn if isinstance(drawn, Mapping) else (name,)))


def _is_within(path: str, folder: str) -> bool:
    """Whether a path is another one or lies below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _word(item: object, given: object, index: int) -> str:
    """An item in a stage's name: `true` where the list itself holds it, `True` where an expression brought it."""
    is_literal = isinstance(given, list) and isinstance(given[index], bool)
    return to_text(item) if is_literal else str(item)
