"""pre-commit: the hooks that a repository declares for itself run on the files that they are meant for."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from taskgates.inference.backtracking import affordable
from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.models.task_runners.launching import climb, known_text, line_of, read_yaml, run_text, run_words
from taskgates.inference.paths import split_last
from taskgates.inference.text import Hole, Text
from taskgates.inference.values import AnyValue, Known, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike

_VALUED = frozenset(
    ["-c", "--config", "--hook-stage", "--color", "--from-ref", "--to-ref", "-s", "-o", "--source", "--origin",
     "--commit-msg-filename", "--remote-branch", "--local-branch", "--remote-name", "--remote-url"]
)  # fmt: skip
_TYPES = {
    "python": (".py", ".pyi", ".pyw"), "pyi": (".pyi",), "yaml": (".yaml", ".yml"), "json": (".json",),
    "toml": (".toml",), "markdown": (".md", ".markdown"), "rst": (".rst",), "shell": (".sh", ".bash"),
    "javascript": (".js", ".mjs"), "ts": (".ts",), "css": (".css",), "html": (".html", ".htm"), "xml": (".xml",),
    "csv": (".csv",), "jupyter": (".ipynb",), "c": (".c", ".h"), "sql": (".sql",), "ini": (".ini", ".cfg"),
    "plain-text": (".txt",), "svg": (".svg",), "png": (".png",),
}  # fmt: skip
_BINARY = (".png", ".jpg", ".jpeg", ".gif", ".ico", ".zip", ".gz", ".tar", ".pdf", ".so", ".pyc", ".whl", ".parquet")
_EVERY = frozenset({"file", "text", "non-executable"})
_LOCAL = frozenset({"system", "unsupported", "script", "unsupported_script", "python", "pygrep", "fail"})


class Program:
    """One run of pre-commit."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._line = LooseLine((), _VALUED)

    def main(self, words: Sequence[AnyValue]) -> None:
        """Carry out a command line."""
        verb = text_of(words[0]) if words else "run"
        if isinstance(verb, str) and verb.startswith("-"):
            verb, words = "run", [Known("run"), *words]
        if verb in ("--version", "help", "sample-config", "validate-config", "validate-manifest"):
            return
        if verb != "run":
            self.machine.opaque(f"pre-commit {verb} changes hooks or environments", other_code=True)
            return
        self._line = LooseLine(words[1:], _VALUED, open_ended=("--files",))
        machine = self.machine
        named = self._line.last("-c", "--config")
        place = machine.absolute(place_of(named)) if named is not None else climb(machine, [".pre-commit-config.yaml"])
        if not isinstance(place, str) or machine.exists(place, "file") is not True:
            machine.opaque("pre-commit: there are no settings", other_code=True)
            return
        data = read_yaml(machine, place, "pre-commit")
        machine.access(Operation.READ, Known(".git/index"), "pre-commit")
        machine.access(Operation.READ, Known(".git/config"), "pre-commit")
        machine.access(Operation.READ, Known(".git/HEAD"), "pre-commit")
        if named is None:
            machine.cwd = split_last(place)[0]
        self._run_all(data if isinstance(data, dict) else {}, place)

    def _run_all(self, data: dict[str, Any], place: str) -> None:
        machine = self.machine
        text = known_text(machine, place) or ""
        stage = self._line.text("--hook-stage") or "pre-commit"
        for repository in data.get("repos") or ():
            if not isinstance(repository, dict):
                continue
            for hook in repository.get("hooks") or ():
                if not isinstance(hook, dict) or not self._is_wanted(hook, data, str(stage)):
                    continue
                if repository.get("repo") != "local":
                    if repository.get("repo") != "meta":
                        machine.opaque(f"pre-commit: the hook {hook.get('id')} comes from elsewhere", other_code=True)
                    continue
                self._run(hook, data, (machine.in_tree(place) or place, line_of(text, str(hook.get("entry", "")))))

    def _is_wanted(self, hook: dict[str, Any], data: dict[str, Any], stage: str) -> bool:
        hooks = {place_of(word) for word in self._line.operands}
        if hooks and not {hook.get("id"), hook.get("alias")} & hooks:
            return False
        stages = hook.get("stages") or data.get("default_stages") or [stage]
        return any(str(one).removeprefix("pre-") == stage.removeprefix("pre-") for one in stages)

    def _run(self, hook: dict[str, Any], data: dict[str, Any], place: tuple[str, int]) -> None:
        machine = self.machine
        language = str(hook.get("language", "system"))
        if language not in _LOCAL:
            machine.opaque(
                f"pre-commit: the hook {hook.get('id')} in the language {language} is not followed", other_code=True
            )
            return
        files = self._chosen(hook, data)
        if not files and not hook.get("always_run"):
            return
        if language in ("fail", "pygrep"):
            for file in files if language == "pygrep" else ():
                machine.access_text(Operation.READ, file, "pre-commit", False)
            return
        passed = files if hook.get("pass_filenames", True) is not False else []
        entry = str(hook.get("entry", ""))
        args = [str(one) for one in hook.get("args") or ()]
        if "\n" in entry.strip() and language == "system":
            run_text(machine, entry, place=place)
            return
        try:
            words = shlex.split(entry)
        except ValueError:
            machine.opaque(f"pre-commit: the entry of the hook {hook.get('id')} cannot be split into words")
            return
        run_words(machine, [*words, *args, *passed], place=place)

    def _chosen(self, hook: dict[str, Any], data: dict[str, Any]) -> list[TextLike]:
        """The files that a hook is given."""
        machine = self.machine
        if "--files" in self._line.flags:
            candidates: list[TextLike] = [place_of(word) for word in self._line.every("--files")]
        elif self._line.flags & {"-a", "--all-files"}:
            candidates = list(machine.tree.walk())
        else:
            # Which files are staged, nobody can know.
            return [Text((Hole("data", True),))]
        patterns = [(data.get("files"), True), (data.get("exclude"), False), (hook.get("files"), True),
                    (hook.get("exclude"), False)]  # fmt: skip
        try:
            compiled = [(re.compile(str(text)), wanted) for text, wanted in patterns if text]
        except re.error:
            machine.opaque(f"pre-commit: the files of the hook {hook.get('id')} are not known")
            return []
        return [file for file in candidates if not isinstance(file, str) or _is_meant(file, hook, compiled)]


def _is_meant(file: str, hook: dict[str, Any], patterns: list[tuple[re.Pattern[str], bool]]) -> bool:
    if any(
        affordable(pattern.pattern, len(file)) and (pattern.search(file) is not None) != wanted
        for pattern, wanted in patterns
    ):
        return False
    wanted_types = [str(one) for one in hook.get("types") or ("file",)]
    either = [str(one) for one in hook.get("types_or") or ()]
    return (
        all(_is_of(file, one) for one in wanted_types)
        and (not either or any(_is_of(file, one) for one in either))
        and not any(_is_of(file, str(one)) for one in hook.get("exclude_types") or ())
    )


def _is_of(file: str, kind: str) -> bool:
    if kind == "binary":
        return file.endswith(_BINARY)
    if kind in _EVERY:
        return kind != "text" or not file.endswith(_BINARY)
    return file.endswith(_TYPES.get(kind, (f".{kind}",)))


@program("pre_commit", "pre_commit.__main__", commands=["pre-commit"])
def precommit(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`pre-commit run`."""
    Program(machine).main(args)
