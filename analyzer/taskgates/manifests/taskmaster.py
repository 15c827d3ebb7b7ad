"""Taskmaster's task list: `.taskmaster/tasks/tasks.json`, one file with one list of tasks for each tag.

Ids are `1` for a task and `1.2` for its subtask, with `tag/` in front where the file has several tags. Taskmaster keeps
the complexity of tasks in reports beside the list; it is read from there as the difficulty.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.manifests.json_source import JsonNode, TextSyntaxError, parse_json
from taskgates.manifests.reader import FILE_LIMIT, ReadResult, invalid, is_clean, is_number, parse_path, parse_status
from taskgates.model.spans import SourceSpan
from taskgates.model.task import DeclaredPath, Reference, Task

if TYPE_CHECKING:
    from taskgates.model.finding import Problem
    from taskgates.tree.tree import Tree

FORMAT = "taskmaster"
FILES = (".taskmaster/tasks/tasks.json", "tasks/tasks.json")
"""Where the list is, and where older versions kept it."""

_REPORTS = (".taskmaster/reports/task-complexity-report", "scripts/task-complexity-report")
_LOCAL_ID = re.compile(r"[^./\s]+")

Scores = dict[str, JsonNode]
"""Complexity by task id."""


class TaskmasterReader:
    """Reads Taskmaster's lists."""

    name = FORMAT

    def find(self, tree: Tree) -> tuple[str, ...]:
        """The task list."""
        return tuple(file for file in FILES if tree.kind(file) == "file" and not tree.is_excluded(file))

    def link(self, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        """Dependencies are all declared: nothing to add."""
        return tasks

    def read(self, tree: Tree, file: str) -> ReadResult:
        """Read one list with all its tags."""
        data = tree.read_bytes(file, FILE_LIMIT)
        if data is None:
            message = f"the task list cannot be read (not permitted, or larger than {FILE_LIMIT >> 20} MB)"
            return ReadResult((), (invalid(message, SourceSpan(file)),))
        is_legacy = file != FILES[0]
        try:
            root = parse_json(file, data)
        except TextSyntaxError as error:
            # A file of that name outside `.taskmaster` need not be Taskmaster's.
            problems = () if is_legacy else (invalid(f"not a JSON task list: {error.message}", error.span),)
            return ReadResult((), problems)
        lists = _lists_of(root)
        if not lists:
            message = "no task list: expected an object with a list under the key 'tasks', or such objects by tag"
            return ReadResult((), () if is_legacy else (invalid(message, root.opening),))
        tasks: list[Task] = []
        problems_found: list[Problem] = []
        for tag, node in lists:
            builder = _ListBuilder(f"{tag}/" if len(lists) > 1 else "", _scores(tree, tag))
            builder.build(node)
            tasks.extend(builder.tasks)
            problems_found.extend(builder.problems)
        return ReadResult(tuple(tasks), tuple(problems_found))


def _lists_of(root: JsonNode) -> list[tuple[str, JsonNode]]:
    """The lists of tasks by tag; the untagged list of older versions has an empty tag."""
    found: list[tuple[str, JsonNode]] = []
    for member in root.members:
        if member.key == "tasks" and isinstance(member.node.value, list):
            return [("", member.node)]
        inner = member.node.get("tasks")
        if inner is not None and isinstance(inner.node.value, list):
            found.append((member.key, inner.node))
    return found


def _scores(tree: Tree, tag: str) -> Scores:
    """The complexity report of a tag; a report that cannot be read says nothing."""
    suffix = "" if tag in ("", "master") else f"_{tag}"
    for report in _REPORTS:
        file = f"{report}{suffix}.json"
        data = tree.read_bytes(file, FILE_LIMIT) if tree.kind(file) == "file" else None
        if data is None:
            continue
        try:
            analysis = parse_json(file, data).get("complexityAnalysis")
        except TextSyntaxError:
            continue
        scores: Scores = {}
        for item in analysis.node.items if analysis is not None else ():
            identifier, score = item.get("taskId"), item.get("complexityScore")
            if identifier is not None and score is not None and is_number(score.node.value):
                scores[_text_of(identifier.node)] = score.node
        return scores
    return {}


class _ListBuilder:
    """Makes the tasks of one list."""

    def __init__(self, prefix: str, scores: Scores) -> None:
        self._prefix = prefix
        self._scores = scores
        self.tasks: list[Task] = []
        self.problems: list[Problem] = []

    def build(self, node: JsonNode) -> None:
        for item in node.items:
            identifier = self._identifier(item, "task")
            if identifier is None:
                continue
            task_id = self._prefix + identifier
            subtasks = item.get("subtasks")
            parts: list[tuple[str, JsonNode]] = []
            if subtasks is not None and subtasks.node.value is not None:
                if not isinstance(subtasks.node.value, list):
                    self._complain(f"subtasks must be a list, not {subtasks.node.type_name}", subtasks.node, task_id)
                for part in subtasks.node.items:
                    local = self._identifier(part, f"subtask of task {identifier!r}")
                    if local is not None:
                        parts.append((local.removeprefix(identifier + "."), part))
            references = tuple(Reference(f"{task_id}.{local}", part.opening) for local, part in parts)
            self.tasks.append(self._task(item, task_id, references, None, frozenset()))
            siblings = frozenset(local for local, _ in parts)
            for local, part in parts:
                parent = Reference(task_id, item.opening)
                self.tasks.append(self._task(part, f"{task_id}.{local}", (), parent, siblings))

    def _identifier(self, node: JsonNode, what: str) -> str | None:
        if not isinstance(node.value, dict):
            self._complain(f"a {what} must be an object, not {node.type_name}", node)
            return None
        member = node.get("id")
        if member is None:
            self.problems.append(invalid(f"a {what} has no id, so nothing can refer to it", node.opening))
            return None
        text = _text_of(member.node)
        if not text or not is_clean(text):
            self._complain(f"the id of a {what} must be a number or a string", member.node)
            return None
        return text

    def _task(
        self,
        node: JsonNode,
        identifier: str,
        subtasks: tuple[Reference, ...],
        parent: Reference | None,
        siblings: frozenset[str],
    ) -> Task:
        status = self._text(node, "status", identifier)
        score = self._score(node, identifier)
        edits, reads = self._files(node, identifier)
        return Task(
            id=identifier,
            format=FORMAT,
            span=node.opening,
            title=self._text(node, "title", identifier),
            description=self._text(node, "description", identifier) or self._text(node, "details", identifier),
            status=parse_status(status),
            raw_status=status,
            difficulty=None if score is None else float(str(score.value)),
            difficulty_span=node.opening if score is None else score.span,
            depends_on=self._dependencies(node, identifier, parent, siblings),
            parent=parent,
            subtasks=subtasks,
            edits=edits,
            reads=reads,
            writes=edits,
        )

    def _score(self, node: JsonNode, identifier: str) -> JsonNode | None:
        for key in ("complexityScore", "complexity"):
            member = node.get(key)
            if member is not None and is_number(member.node.value):
                return member.node
        return self._scores.get(identifier.removeprefix(self._prefix))

    def _dependencies(
        self, node: JsonNode, identifier: str, parent: Reference | None, siblings: frozenset[str]
    ) -> tuple[Reference, ...]:
        """Ids of the same tag; a plain id in a subtask means its sibling where there is one of that id."""
        member = node.get("dependencies")
        if member is None or member.node.value is None:
            return ()
        if not isinstance(member.node.value, list):
            self._complain(f"dependencies must be a list of ids, not {member.node.type_name}", member.node, identifier)
            return ()
        found: dict[str, Reference] = {}
        for item in member.node.items:
            text = _text_of(item)
            if not text or not is_clean(text):
                self._complain(f"a dependency must be a number or a string, not {item.type_name}", item, identifier)
                continue
            name = self._prefix + text
            if parent is not None and text in siblings and _LOCAL_ID.fullmatch(text):
                name = f"{parent.id}.{text}"
            found.setdefault(name, Reference(name, item.span))
        return tuple(found.values())

    def _files(self, node: JsonNode, identifier: str) -> tuple[tuple[DeclaredPath, ...], tuple[DeclaredPath, ...]]:
        """The files to edit and the files to read, where the task lists its relevant files."""
        edits: dict[str, DeclaredPath] = {}
        reads: dict[str, DeclaredPath] = {}
        metadata = node.get("metadata")
        holders = [node] if metadata is None else [node, metadata.node]
        for holder in holders:
            member = holder.get("relevantFiles")
            for item in member.node.items if member is not None else ():
                inner = item.get("path") if isinstance(item.value, dict) else None
                place = item if inner is None else inner.node
                if not isinstance(place.value, str):
                    self._complain(f"a relevant file must have a path, not {place.type_name}", place, identifier)
                    continue
                path = parse_path(place.value, place.span)
                action = item.get("action")
                if isinstance(path, str):
                    self._complain(path, place, identifier)
                elif action is not None and action.node.value == "reference":
                    reads.setdefault(path.path, path)
                else:
                    edits.setdefault(path.path, path)
        return tuple(edits.values()), tuple(reads.values())

    def _text(self, node: JsonNode, key: str, identifier: str) -> str:
        member = node.get(key)
        if member is None or member.node.value is None:
            return ""
        value = member.node.value
        if not isinstance(value, str):
            self._complain(f"{key} must be a string, not {member.node.type_name}", member.node, identifier)
            return ""
        return value if is_clean(value) else value.encode("utf-8", "replace").decode()

    def _complain(self, message: str, node: JsonNode, *tasks: str) -> None:
        self.problems.append(invalid(message, node.span, *tasks))


def _text_of(node: JsonNode) -> str:
    """An id as text: a string as it is, a number as it is written."""
    if isinstance(node.value, str):
        return node.value.strip()
    return node.raw if is_number(node.value) else ""
