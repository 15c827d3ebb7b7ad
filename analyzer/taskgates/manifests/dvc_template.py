"""DVC's templating: `${name.key[0]}` in a `dvc.yaml`, answered from parameter files and `vars`.

Rules: https://dvc.org/doc/user-guide/project-structure/dvcyaml-files#templating. An expression is a path of keys and
list indices, nothing is computed. A string that is one expression takes the value's type, any other gets it as text.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from taskgates.manifests.json_source import TextSource, TextSyntaxError, parse_json
from taskgates.manifests.yaml_source import parse_yaml
from taskgates.tree.toml_source import load_toml

if TYPE_CHECKING:
    from taskgates.tree.tree import Tree

_EXPRESSION = re.compile(r"(?<!\\)\$\{(.*?)\}", re.DOTALL)
_PARAMETER_LIMIT = 4 << 20


class TemplateError(Exception):
    """An expression has no value, or none that fits where it stands."""


class Context:
    """The names that expressions can use.

    Args:
        values: nested data, as parameter files hold it.
    """

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        self._values: dict[str, object] = dict(values or {})

    def extended(self, values: Mapping[str, object]) -> Context:
        """A context with more values: tables are merged, everything else is replaced."""
        return Context(_merged(self._values, values))

    def with_names(self, names: Mapping[str, object]) -> Context:
        """A context in which some names are set, whatever they were before."""
        return Context({**self._values, **names})

    def select(self, expression: str) -> object:
        """The value of an expression without its braces.

        Raises:
            TemplateError: there is no such value.
        """
        found: object = self._values
        for key in expression.strip().replace("[", ".").replace("]", "").split("."):
            if isinstance(found, Mapping) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            else:
                raise TemplateError(f"${{{expression}}} has no value in the parameter files or vars")
        return found

    def resolve(self, text: str) -> object:
        """A string with its expressions replaced; the value itself where the string is one expression.

        Raises:
            TemplateError: an expression has no value.
        """
        whole = _EXPRESSION.fullmatch(text)
        if whole is not None and "${" not in whole[1]:
            return self.select(whole[1])
        return self.resolve_text(text)

    def resolve_text(self, text: str, *, command: bool = False) -> str:
        """The same, always as text; in a command a table becomes options.

        Raises:
            TemplateError: an expression has no value, or a list or table where there must be text.
        """

        def replace(match: re.Match[str]) -> str:
            value = self.select(match[1])
            if isinstance(value, Mapping) and command:
                return _options(value)
            if isinstance(value, Mapping | list):
                raise TemplateError(f"{match[0]} is a list or table where text is needed")
            return to_text(value)

        return _EXPRESSION.sub(replace, text).replace("\\${", "${")

    def resolve_deeply(self, value: object) -> object:
        """Data with the expressions in all its strings replaced.

        Raises:
            TemplateError: as in `resolve`.
        """
        if isinstance(value, str):
            return self.resolve(value)
        if isinstance(value, list):
            return [self.resolve_deeply(item) for item in value]
        if isinstance(value, Mapping):
            return {key: self.resolve_deeply(item) for key, item in value.items()}
        return value


def to_text(value: object) -> str:
    """A scalar as DVC writes it into text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def load_parameters(tree: Tree, file: str) -> dict[str, object]:
    """The data of a parameter file: YAML, JSON, TOML, or Python with literal assignments.

    Raises:
        TemplateError: the file is missing or cannot be read as a table.
    """
    data = tree.read_bytes(file, _PARAMETER_LIMIT)
    if data is None:
        raise TemplateError(f"the parameter file {file} does not exist or cannot be read")
    try:
        values = _parse_parameters(file, data)
    except TextSyntaxError as error:
        raise TemplateError(f"the parameter file {error.span} is broken: {error.message}") from None
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise TemplateError(f"the parameter file {file} is broken: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise TemplateError(f"the parameter file {file} must hold a table")
    return values


def _parse_parameters(file: str, data: bytes) -> object:
    if file.endswith(".json"):
        return parse_json(file, data).value
    if file.endswith(".toml"):
        return load_toml(TextSource.decode(file, data).text)
    if file.endswith(".py"):
        return _python_literals(TextSource.decode(file, data).text)
    node = parse_yaml(file, data)
    return None if node is None else node.value


def _python_literals(text: str) -> dict[str, object]:
    """The names that a module assigns a literal; the module is parsed, never run."""
    found: dict[str, object] = {}
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target: ast.expr = statement.targets[0]
            value: ast.expr | None = statement.value
        elif isinstance(statement, ast.AnnAssign):
            target, value = statement.target, statement.value
        else:
            continue
        if isinstance(target, ast.Name) and value is not None:
            try:
                found[target.id] = ast.literal_eval(value)
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                continue
    return found


def _merged(base: Mapping[str, object], more: Mapping[str, object]) -> dict[str, object]:
    result = dict(base)
    for key, value in more.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def _options(table: Mapping[str, object], prefix: str = "") -> str:
    """A table as command-line options: `--key value`, nested keys joined with a dot, true as a bare option."""
    words: list[str] = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            words.append(_options(value, name + "."))
        elif isinstance(value, bool):
            words += [f"--{name}"] if value else []
        elif isinstance(value, list):
            words += [f"--{name}", *(shlex.quote(item) if isinstance(item, str) else str(item) for item in value)]
        else:
            words += [f"--{name}", shlex.quote(value) if isinstance(value, str) else str(value)]
    return " ".join(word for word in words if word)
