"""The native format: `.claude/tasks/task-<id>.json`, one task a file.

Files in the wild differ: keys are missing or spelled otherwise, a difficulty is an object, notes are a list. What can
be read is read, what is wrong is reported at its place, and the rest of the task is kept.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from taskgates.manifests.json_source import JsonMember, JsonNode, TextSyntaxError, parse_json
from taskgates.manifests.reader import (
    FILE_LIMIT,
    ReadResult,
    invalid,
    is_clean,
    is_number,
    parse_path,
    parse_status,
    shown,
    unique_paths,
)
from taskgates.model.patterns import PathPattern
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Command, DeclaredPath, Reference, Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.model.finding import Problem
    from taskgates.tree.tree import Tree

FORMAT = "claude-tasks"
PATTERN = ".claude/tasks/*.json"

_FILE_NAME = re.compile(r"task[-_](.+)\.json", re.DOTALL)
_WILDCARD = re.compile(r"[*?\[]")
_TASK_KEYS = frozenset(
    {"id", "title", "description", "status", "difficulty", "dependencies", "files_affected", "subtasks"}
)
_DIFFICULTY_KEYS = ("score", "value", "difficulty", "level", "rating", "overall", "total")
_PATH_KEYS = ("path", "file")
_ID_KEYS = ("id", "task_id", "task")


class ClaudeTasksReader:
    """Reads the native task files."""

    name = FORMAT

    def find(self, tree: Tree) -> tuple[str, ...]:
        """The JSON files of the task folder; hidden ones (such as an id registry) are no tasks."""
        found = [path for path in tree.glob(PATTERN) if tree.kind(path) != "folder"]
        # Links out of the repository are absent from the listing; reading them tells the user so.
        found += [path for path in tree.escapes if fnmatchcase(path, PATTERN) and path not in found]
        return tuple(path for path in found if not tree.is_excluded(path))

    def link(self, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        """Dependencies are all declared: nothing to add."""
        return tasks

    def read(self, tree: Tree, file: str) -> ReadResult:
        """Read one task file."""
        data = tree.read_bytes(file, FILE_LIMIT)
        if data is None:
            reason = (
                "it is a link out of the repository"
                if file in tree.escapes
                else f"missing, no regular file, not permitted, or larger than {FILE_LIMIT >> 20} MB"
            )
            message = f"the task file cannot be read: {reason}"
            return ReadResult((), (invalid(message, SourceSpan(file)),))
        try:
            root = parse_json(file, data)
        except TextSyntaxError as error:
            return ReadResult((), (invalid(f"not a JSON task: {error.message}", error.span),))
        named = _FILE_NAME.fullmatch(file.rpartition("/")[2])
        if not isinstance(root.value, dict):
            message = f"a task must be an object, not {root.type_name}"
            return ReadResult((), (invalid(message, root.opening),))
        if named is None and "id" not in root.value and not _TASK_KEYS & root.value.keys():
            return ReadResult((), ())
        return _TaskBuilder(tree, file, root, named[1] if named else file.rpartition("/")[2][:-5]).build()


class _TaskBuilder:
    """Makes one task out of one object, gathering complaints on the way."""

    def __init__(self, tree: Tree, file: str, root: JsonNode, name: str) -> None:
        self._tree = tree
        self._file = file
        self._root = root
        self._name = name
        self._members = {member.key: member for member in root.members}
        self._problems: list[Problem] = []
        self._id = ""

    def build(self) -> ReadResult:
        self._id = self._identifier()
        if len(self._members) != len(self._root.members):
            for member in self._root.duplicates:
                self._complain(f"the key {shown(member.key)} stands here twice; the last one counts", member.key_span)
        difficulty, difficulty_span = self._difficulty()
        affected = self._paths("files_affected")
        reads = (*self._paths("reads"), *self._paths("inputs"))
        writes = (*affected, *self._paths("writes"), *self._paths("outputs"))
        command = self._command()
        sources = self._sources()
        if command is None and sources is None:
            sources = tuple(self._python_files(affected))
        raw_status, status = self._status()
        task = Task(
            id=self._id,
            format=FORMAT,
            span=self._root.opening,
            title=self._text("title"),
            description=self._text("description"),
            status=status,
            raw_status=raw_status,
            difficulty=difficulty,
            difficulty_span=difficulty_span,
            depends_on=self._references("dependencies", "depends_on"),
            parent=self._parent(),
            subtasks=self._references("subtasks"),
            command=command,
            sources=sources or (),
            edits=affected,
            reads=reads,
            writes=unique_paths(writes),
            declares_reads=any(self._is_list(key) for key in ("reads", "inputs")),
        )
        return ReadResult((task,), tuple(self._problems))

    # ---- fields -------------------------------------------------------------------------------------------------

    def _identifier(self) -> str:
        member = self._members.get("id")
        if member is None:
            message = f"the task has no id; taken from the file's name: {self._name!r}"
            self._problems.append(invalid(message, self._root.opening, self._name))
            return self._name
        found = _as_id(member.node)
        if found is None:
            node = member.node
            what = "empty" if isinstance(node.value, str) else node.type_name
            message = f"the task's id must be a string, it is {what}; taken from the file's name: {self._name!r}"
            self._problems.append(invalid(message, node.span, self._name))
            return self._name
        return found

    def _text(self, key: str) -> str:
        member = self._members.get(key)
        if member is None or member.node.value is None:
            return ""
        value = member.node.value
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            value = "\n".join(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = member.node.raw
        if not isinstance(value, str):
            self._wrong(member, "a string")
            return ""
        if not is_clean(value):
            self._complain(f"{key} holds half a surrogate pair, which is no character", member.node.span)
            return value.encode("utf-8", "replace").decode()
        return value

    def _status(self) -> tuple[str, Status]:
        text = self._text("status")
        return text, parse_status(text)

    def _difficulty(self) -> tuple[float | None, SourceSpan]:
        member = self._members.get("difficulty")
        if member is None:
            return None, self._root.opening
        node = member.node
        if isinstance(node.value, dict):
            inner = [part.node for key in _DIFFICULTY_KEYS for part in node.members if part.key == key]
            inner += [part.node for part in node.members]
            node = next((part for part in inner if is_number(part.value)), node)
        value = node.value
        if is_number(value):
            return float(str(value)), node.span
        if value is not None:
            text = value.strip() if isinstance(value, str) else ""
            self._complain(f"difficulty must be a number from 1 to 10, not {_described(node)}", node.span)
            if re.fullmatch(r"\d+(?:\.\d+)?", text):
                return float(text), node.span
        return None, node.span

    def _parent(self) -> Reference | None:
        for key in ("parent_task", "parent_id", "parent"):
            member = self._members.get(key)
            if member is None or member.node.value in (None, ""):
                continue
            return self._reference(member.node, key)
        return None

    def _references(self, *keys: str) -> tuple[Reference, ...]:
        found: dict[str, Reference] = {}
        for key in keys:
            for node in self._list(key, "task ids"):
                reference = self._reference(node, key)
                if reference is not None:
                    found.setdefault(reference.id, reference)
        return tuple(found.values())

    def _reference(self, node: JsonNode, key: str) -> Reference | None:
        inner = node
        if isinstance(node.value, dict):
            inner = next((member.node for name in _ID_KEYS for member in node.members if member.key == name), node)
        found = _as_id(inner)
        if found is None:
            self._complain(f"{key} must name a task by its id, not {_described(inner)}", inner.span)
            return None
        return Reference(found, inner.span)

    def _paths(self, key: str) -> tuple[DeclaredPath, ...]:
        found: list[DeclaredPath] = []
        for node in self._list(key, "paths"):
            inner = node
            if isinstance(node.value, dict):
                inner = next(
                    (member.node for name in _PATH_KEYS for member in node.members if member.key == name), node
                )
            if not isinstance(inner.value, str):
                self._complain(f"{key} must hold paths as strings, not {inner.type_name}", inner.span)
                continue
            path = parse_path(inner.value, inner.span)
            if isinstance(path, str):
                self._complain(path, inner.span)
            else:
                found.append(path)
        return unique_paths(tuple(found))

    def _command(self) -> Command | None:
        member = self._members.get("command")
        if member is None or member.node.value is None:
            return None
        value = member.node.value
        cwd = self._folder()
        if isinstance(value, str) and value.strip() and "\0" not in value and is_clean(value):
            return Command(shell=value, cwd=cwd)
        if isinstance(value, list) and value and value[0]:
            words = [item for item in value if isinstance(item, str) and "\0" not in item and is_clean(item)]
            if len(words) == len(value):
                return Command(argv=tuple(words), cwd=cwd)
        self._complain("command must be a shell command or a list of arguments that is not empty", member.node.span)
        return None

    def _folder(self) -> str:
        member = self._members.get("cwd")
        if member is None or member.node.value is None:
            return "."
        if not isinstance(member.node.value, str):
            self._wrong(member, "a folder")
            return "."
        path = parse_path(member.node.value, member.node.span)
        if isinstance(path, str):
            self._complain(path, member.node.span)
            return "."
        literal = PathPattern(path.path.rstrip("/")).literal
        return path.path.rstrip("/") if literal is None else literal

    def _sources(self) -> tuple[str, ...] | None:
        """The declared sources; None where there is no such key."""
        given: list[str] = []
        present = False
        for key in ("source", "sources"):
            member = self._members.get(key)
            if member is None or member.node.value is None:
                continue
            nodes = (member.node,) if isinstance(member.node.value, str) else member.node.items
            if not isinstance(member.node.value, str | list):
                self._wrong(member, "a file, module:function, or a list of them")
                continue
            present = True
            for node in nodes:
                source = self._source(node)
                if source is not None and source not in given:
                    given.append(source)
        return tuple(given) if present else None

    def _source(self, node: JsonNode) -> str | None:
        text = node.value
        if not isinstance(text, str):
            self._complain(f"a source must be a file or module:function, not {node.type_name}", node.span)
            return None
        if re.fullmatch(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*", text):
            return text
        path = parse_path(text, node.span)
        if isinstance(path, str):
            self._complain(path, node.span)
            return None
        literal = PathPattern(path.path).literal
        return path.path if literal is None else literal

    def _python_files(self, affected: tuple[DeclaredPath, ...]) -> Iterator[str]:
        """The Python files that exist among declared files, folders and patterns."""
        seen: set[str] = set()
        for declared in affected:
            for file in self._files_of(declared.path):
                if file.endswith(".py") and file not in seen:
                    seen.add(file)
                    yield file

    def _files_of(self, path: str) -> Iterator[str]:
        if path.endswith("/") or _WILDCARD.search(path):
            pattern = PathPattern(path)
            if pattern.literal is None:
                below = "/".join(pattern.literal_segments) or "."
                yield from (file for file in self._tree.walk(below) if pattern.matches(file))
                return
            path = pattern.literal
        if path.endswith(".py") and self._tree.kind(path) == "file":
            yield path

    # ---- complaints ---------------------------------------------------------------------------------------------

    def _list(self, key: str, what: str) -> tuple[JsonNode, ...]:
        """The items of a list; a single string is reported and taken as a list of one."""
        member = self._members.get(key)
        if member is None or member.node.value is None:
            return ()
        if isinstance(member.node.value, list):
            return member.node.items
        self._wrong(member, f"a list of {what}")
        return (member.node,) if isinstance(member.node.value, str) and member.node.value else ()

    def _is_list(self, key: str) -> bool:
        member = self._members.get(key)
        return member is not None and isinstance(member.node.value, list)

    def _wrong(self, member: JsonMember, expected: str) -> None:
        self._complain(f"{member.key} must be {expected}, not {member.node.type_name}", member.node.span)

    def _complain(self, message: str, span: SourceSpan) -> None:
        self._problems.append(invalid(message, span, self._id))


def _as_id(node: JsonNode) -> str | None:
    """An id given as a string or a number; None for anything else."""
    value = node.value
    if isinstance(value, str):
        return value.strip() if value.strip() and is_clean(value) and "\0" not in value else None
    return node.raw if is_number(value) else None


def _described(node: JsonNode) -> str:
    return shown(node.value) if isinstance(node.value, str) else node.type_name
