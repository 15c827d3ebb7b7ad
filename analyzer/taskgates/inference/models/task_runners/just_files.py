"""justfiles: settings, variables and recipes as they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ASSIGNMENT = re.compile(r"^(export\s+|unexport\s+|eager\s+|lazy\s+)*([A-Za-z_][\w-]*)\s*:=\s*(.*)$", re.DOTALL)
_SETTING = re.compile(r"^set\s+([\w-]+)\s*(?::=\s*(.*))?$", re.DOTALL)
_ALIAS = re.compile(r"^alias\s+([\w-]+)\s*:=\s*([\w:-]+)")
_IMPORT = re.compile(r"^import(\?)?\s+[\"'](.+?)[\"']")
_MODULE = re.compile(r"^mod(\?)?\s+([\w-]+)(?:\s+[\"'](.+?)[\"'])?")
_ATTRIBUTE = re.compile(r"^\[(.+)\]\s*$")
_PARAMETER = re.compile(r"\s*([*+]?)(\$?)([A-Za-z_][\w-]*)")


@dataclass
class Parameter:
    """A parameter of a recipe.

    Attributes:
        name: its name.
        default: the text of its default, up to the end of the header; None without one.
        variadic: whether it takes what is left.
        exported: whether it is an environment variable too.
    """

    name: str
    default: str | None = None
    variadic: str = ""
    exported: bool = False


@dataclass
class Recipe:
    """A recipe.

    Attributes:
        name: its name.
        parameters: what it takes.
        dependencies: the text behind the colon.
        body: the lines, without their common indentation, and the number of the first.
        attributes: what stands in brackets in front of it.
    """

    name: str
    parameters: list[Parameter]
    dependencies: str
    file: str
    line: int = 0
    body: list[str] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)

    def attribute(self, name: str) -> str | None:
        """The argument of an attribute, empty where it has none; None where the recipe does not have it."""
        for text in self.attributes:
            key, _, rest = text.replace("(", ":", 1).partition(":")
            if key.strip() == name:
                return rest.strip().rstrip(")").strip().strip("\"'")
        return None


@dataclass
class Justfile:
    """What justfiles declare.

    Attributes:
        variables: texts of expressions by name, in order.
        exported: names of variables that are environment variables too.
        recipes: by name, in order.
        aliases: other names.
        settings: texts of expressions by name; None for one that is only switched on.
        imports: files to read too, and whether each may be missing.
        modules: names of modules with recipes of their own.
    """

    variables: dict[str, str] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str | None] = field(default_factory=dict)
    imports: list[tuple[str, bool]] = field(default_factory=list)
    modules: list[tuple[str, str]] = field(default_factory=list)
    first: str | None = None

    def read(self, text: str, file: str) -> None:
        """Add what a file declares.

        Args:
            text: its content.
            file: its path relative to the root, for places.
        """
        self.imports = []
        attributes: list[str] = []
        recipe: Recipe | None = None
        lines = text.splitlines()
        index = 0
        while index < len(lines):
            line, number = lines[index], index + 1
            index += 1
            if recipe is not None and (not line.strip() or line[0] in " \t"):
                if recipe.body or line.strip():
                    recipe.line = recipe.line or number
                    recipe.body.append(line)
                continue
            recipe = None
            if not line.strip() or line.startswith("#"):
                continue
            while _is_open(line) and index < len(lines):
                line += "\n" + lines[index]
                index += 1
            found = _ATTRIBUTE.match(line)
            if found is not None:
                attributes += [part.strip() for part in found[1].split(",")]
                continue
            recipe = self._declaration(line, file, attributes)
            attributes = []

    def _declaration(self, line: str, file: str, attributes: list[str]) -> Recipe | None:
        if (found := _SETTING.match(line)) is not None:
            self.settings[found[1]] = found[2]
        elif (found := _ALIAS.match(line)) is not None:
            self.aliases[found[1]] = found[2]
        elif (found := _IMPORT.match(line)) is not None:
            self.imports.append((found[2], bool(found[1])))
        elif (found := _ASSIGNMENT.match(line)) is not None:
            self.variables[found[2]] = found[3]
            if line.startswith("export"):
                self.exported.add(found[2])
        elif (found := _MODULE.match(line)) is not None and ":" not in line:
            self.modules.append((found[2], found[3] or ""))
        else:
            return self._recipe(line, file, attributes)
        return None

    def _recipe(self, line: str, file: str, attributes: list[str]) -> Recipe | None:
        head, colon, rest = _split_header(line)
        name = head.lstrip("@").split(None, 1)[0] if head.lstrip("@").split() else ""
        if not colon or not re.fullmatch(r"[A-Za-z_][\w-]*", name):
            return None
        if any(system in attributes for system in ("windows", "macos", "openbsd")) and not (
            {"linux", "unix"} & set(attributes)
        ):
            return Recipe(name, [], "", file)
        made = Recipe(name, _parameters(head.lstrip("@")[len(name) :]), rest, file, attributes=attributes)
        self.recipes[name] = made
        self.first = self.first or name
        return made


def _is_open(line: str) -> bool:
    """Whether a string of several lines, or a bracket of an assignment, goes on behind the line's end."""
    if line.rstrip().endswith("\\"):
        return True
    if any(line.count(mark) % 2 for mark in ("'''", '"""', "```")):
        return True
    return ":=" in line and (line.count("(") > line.count(")") or line.count("[") > line.count("]"))


def _split_header(line: str) -> tuple[str, str, str]:
    """The text in front of the first colon that stands in no string, and what stands behind it."""
    quote = ""
    depth = 0
    for index, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'`":
            quote = char
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == ":" and depth == 0:
            return line[:index], ":", line[index + 1 :]
    return line, "", ""


def _parameters(text: str) -> list[Parameter]:
    made: list[Parameter] = []
    position = 0
    while (found := _PARAMETER.match(text, position)) is not None:
        parameter = Parameter(found[3], variadic=found[1], exported=bool(found[2]))
        position = found.end()
        if text[position : position + 1] == "=":
            start = position + 1
            position = _term_end(text, start)
            parameter.default = text[start:position]
        made.append(parameter)
    return made


def _term_end(text: str, start: int) -> int:
    """Where a default ends: at the first blank outside strings and parentheses."""
    quote = ""
    depth = 0
    for index in range(start, len(text)):
        char = text[index]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'`":
            quote = char
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char.isspace() and depth == 0:
            return index
    return len(text)
