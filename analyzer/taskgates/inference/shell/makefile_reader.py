"""Reading a Makefile line by line: continuations, conditionals, definitions, rules with their recipes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.shell.makefile_text import outside_references, split_arguments, split_inline, without_comment

if TYPE_CHECKING:
    from taskgates.inference.shell.makefiles import Makefile

ASSIGNMENT = re.compile(r"^(?:(override|export|private)\s+)*([\w.\-]+)\s*(::=|:=|\?=|\+=|!=|=)\s*(.*)$", re.DOTALL)


class MakefileReader:
    """Reads one Makefile line by line."""

    def __init__(self, makefile: Makefile, content: str) -> None:
        self._makefile = makefile
        self._lines = content.replace("\r\n", "\n").split("\n")
        self._index = 0
        self._skipping: list[tuple[bool, bool]] = []

    @property
    def _active(self) -> bool:
        return all(active for active, _ in self._skipping)

    def read(self) -> None:
        """Read everything, carrying out assignments and adding rules."""
        while self._index < len(self._lines):
            line, number = self._logical()
            plain = line.strip()
            if not plain or plain.startswith("#") or self._conditional(plain):
                continue
            if plain.startswith("define "):
                self._define(plain)
                continue
            if not self._active or line.startswith("\t"):
                continue
            self._statement(without_comment(plain), number)

    def _logical(self) -> tuple[str, int]:
        """The next line with its continuations, and its number."""
        number = self._index + 1
        pieces: list[str] = []
        while self._index < len(self._lines):
            line = self._lines[self._index]
            self._index += 1
            if line.endswith("\\") and not line.endswith("\\\\"):
                pieces.append(line[:-1].rstrip() if not line.startswith("\t") else line[:-1])
                continue
            pieces.append(line.lstrip() if pieces else line)
            break
        return " ".join(pieces), number

    def _conditional(self, line: str) -> bool:
        word = re.match(r"[a-z]+", line)
        keyword = word.group() if word is not None else ""
        if keyword in ("ifeq", "ifneq", "ifdef", "ifndef"):
            active = self._active and self._decide(keyword, line[len(keyword) :].strip())
            self._skipping.append((active, active))
            return True
        if keyword == "else" and self._skipping:
            _, seen = self._skipping.pop()
            rest = line[4:].strip()
            active = not seen and self._active
            if active and rest:
                inner = rest.split(None, 1)
                active = self._decide(inner[0], inner[1] if len(inner) > 1 else "")
            self._skipping.append((active, seen or active))
            return True
        if keyword == "endif" and self._skipping:
            self._skipping.pop()
            return True
        return False

    def _decide(self, keyword: str, rest: str) -> bool:
        if keyword in ("ifdef", "ifndef"):
            return (self._makefile.value(rest.strip()) != "") == (keyword == "ifdef")
        if rest.startswith("("):
            left, right = [*split_arguments(rest[1:].rpartition(")")[0], 2), ""][:2]
        else:
            quoted = re.findall(r"\"([^\"]*)\"|'([^']*)'", rest)
            both = [one or other for one, other in quoted]
            left, right = [*both, "", ""][:2]
        equal = self._makefile.expand(left.strip()) == self._makefile.expand(right.strip())
        return equal == (keyword == "ifeq")

    def _define(self, line: str) -> None:
        name = line.split()[1] if len(line.split()) > 1 else ""
        body: list[str] = []
        while self._index < len(self._lines):
            text = self._lines[self._index]
            self._index += 1
            if text.strip() == "endef":
                break
            body.append(text)
        if self._active:
            self._makefile.assign(name, "=", "\n".join(body))

    def _statement(self, line: str, number: int) -> None:
        makefile = self._makefile
        found = re.match(r"(-?include|sinclude)\s+(.*)$", line)
        if found is not None:
            for path in makefile.words(makefile.expand(found.group(2))):
                makefile.include(path, required=found.group(1) == "include")
            return
        assignment = ASSIGNMENT.match(line)
        if assignment is not None:
            makefile.assign(assignment.group(2), assignment.group(3), assignment.group(4))
            if line.startswith("export"):
                makefile.export([assignment.group(2)])
            return
        if re.match(r"(un)?export\b", line):
            if line.startswith("export"):
                makefile.export(line.split()[1:])
            return
        if line.startswith("vpath "):
            pattern, *folders = makefile.words(makefile.expand(line.removeprefix("vpath ").replace(":", " "))) or [""]
            if isinstance(pattern, str) and folders:
                makefile.search(pattern, folders)
            return
        if line.startswith(("unexport", "undefine ", "override ")):
            return
        if ":" not in outside_references(line):
            makefile.expand(line)
            return
        head, inline = split_inline(line)
        lines = self._recipe()
        target_variable = re.match(r"^[^:=]*:\s*[\w.-]+\s*[:?+]?=", outside_references(head))
        if target_variable is not None:
            return
        makefile.add_rule(head, inline, lines, number)

    def _recipe(self) -> list[tuple[str, int]]:
        lines: list[tuple[str, int]] = []
        while self._index < len(self._lines):
            line = self._lines[self._index]
            if line.startswith("\t"):
                start = self._index + 1
                pieces = [line[1:]]
                while pieces[-1].endswith("\\") and self._index + 1 < len(self._lines):
                    self._index += 1
                    following = self._lines[self._index]
                    pieces.append(following.removeprefix("\t"))
                lines.append(("\n".join(pieces), start))
                self._index += 1
            elif not line.strip() or line.lstrip().startswith("#"):
                self._index += 1
            elif re.match(r"(ifeq|ifneq|ifdef|ifndef|else|endif)\b", line.strip()) and self._in_recipe():
                self._conditional(line.strip())
                self._index += 1
                while not self._active and self._index < len(self._lines):
                    inner = self._lines[self._index].strip()
                    self._index += 1
                    self._conditional(inner)
            else:
                break
        return lines

    def _in_recipe(self) -> bool:
        """Whether a recipe goes on behind a conditional line."""
        return self._index + 1 < len(self._lines) and self._lines[self._index + 1].startswith("\t")
