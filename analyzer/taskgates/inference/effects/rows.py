"""From the TOML table of one row to a `Row`, with every fault reported at its line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from taskgates.inference.effects.errors import EffectProblem, GrammarError
from taskgates.inference.effects.grammar import (
    REFERENCES,
    is_identifier,
    is_qualified,
    parse_arg,
    parse_params,
    parse_path,
    parse_piece,
    parse_returns,
)
from taskgates.inference.effects.model import (
    UNKNOWN,
    Arg,
    Callback,
    Condition,
    ConditionTest,
    Effect,
    Executes,
    Kind,
    Launch,
    OpenRule,
    Params,
    PathExpr,
    Piece,
    ReturnForm,
    Returns,
    Row,
    Scalar,
    Unlisted,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_T = TypeVar("_T")

_OPERATIONS = tuple(operation.value for operation in Operation)
_CALL_KEYS = frozenset(_OPERATIONS) | {
    "calls",
    "database",
    "defaults",
    "ends",
    "executes",
    "ignore",
    "launch",
    "lock",
    "none",
    "open",
    "origin",
    "params",
    "process",
    "reads_process",
    "returns",
    "stores",
    "suffix",
    "when",
}
_TYPE_KEYS = {
    "attributes",
    "bases",
    "callable",
    "context",
    "item",
    "iter",
    "keep",
    "private",
    "connection",
    "thread_safe",
    "unlisted",
}
KEYS = {
    Kind.CALLABLE: _CALL_KEYS,
    Kind.TYPE: _CALL_KEYS | _TYPE_KEYS,
    Kind.MODULE: frozenset({"unlisted"}),
    Kind.VALUE: frozenset({"returns", "constant", "reads_process"}),
}
"""The keys that a row of each kind may have, besides `kind`."""
_TESTS = (ConditionTest.GIVEN, ConditionTest.ABSENT, ConditionTest.STRING, ConditionTest.PATH)
_ORIGINS = ("clock", "random", "environment", "data", "argument")


class RowParser:
    """Reads one row.

    Args:
        name: the row's qualified name.
        file: the table's file, for messages.
        text: the row's own lines, the header first, to find the line of a key.
        line: the header's line in the file.
    """

    def __init__(self, name: str, file: str, text: str, line: int) -> None:
        self.name = name
        self.problems: list[EffectProblem] = []
        self._file = file
        self._text = text
        self._line = line
        self._params: Params | None = None
        self._params_failed = False

    def parse(self, table: Mapping[str, Any]) -> Row | None:
        """Read the row; None when it has a fault, which is then in `problems`."""
        name = self.name.removesuffix(".*") if "alias" in table else self.name.removeprefix("?.")
        if not is_qualified(name):
            self._fault("", f"`{self.name}` is not a qualified name")
        row = self._alias(table) if "alias" in table else self._row(table)
        return None if self.problems else row

    def _alias(self, table: Mapping[str, Any]) -> Row:
        for key in table:
            if key != "alias":
                self._fault(key, f"an alias has no other keys: remove `{key}`")
        target = self._text_of(table, "alias")
        if target and (not is_qualified(target) or target == self.name):
            self._fault("alias", f"`{target}` is not the qualified name of something else")
        return Row(self.name, self._file, self._line, alias=target)

    def _row(self, table: Mapping[str, Any]) -> Row:
        kind = self._kind(table)
        for key in table:
            if key not in KEYS[kind] and key != "kind":
                known = ", ".join(sorted(KEYS[kind]))
                self._fault(key, f"unknown key `{key}` in the row of a {kind}; there are {known}")
        table = {key: value for key, value in table.items() if key in KEYS[kind]}
        params = table.get("params")
        if params is not None:
            self._params = self._grammar("params", lambda: parse_params(self._strings("params", params)))
            self._params_failed = self._params is None
        when = self._conditions("when", table.get("when", {}))
        return Row(
            name=self.name,
            file=self._file,
            line=self._line,
            kind=kind,
            params=self._params,
            defaults=self._defaults(table),
            effects=_in_order(self._effects(table, when)),
            open=self._open(table, when),
            suffix=self._suffix(table),
            ignore=self._ignore(table),
            returns=self._returned(table),
            origin=self._choice(table, "origin", _ORIGINS),
            calls=tuple(self._calls(table, when)),
            stores=tuple(self._known_param("stores", name) for name in self._strings_of(table, "stores")),
            launch=self._launch(table),
            executes=self._executes(table),
            process=self._strings_of(table, "process"),
            reads_process=self._strings_of(table, "reads_process"),
            ends=self._flag(table, "ends"),
            lock=self._lock(table, kind),
            thread_safe=self._flag(table, "thread_safe"),
            private=self._flag(table, "private"),
            connection=self._flag(table, "connection"),
            database=self._param_of(table, "database"),
            bases=self._qualified_of(table, "bases"),
            keep=tuple(self._known_param("keep", name) for name in self._strings_of(table, "keep")),
            unlisted=self._unlisted(table, kind),
            item=self._returns(table, "item"),
            iter=self._returns(table, "iter"),
            call=self._returns(table, "callable"),
            context=self._returns(table, "context"),
            attributes=self._attributes(table),
            constant=self._constant(table, kind),
            none=tuple(self._known_param("none", name) for name in self._strings_of(table, "none")),
        )

    # Faults and lines

    def _fault(self, key: str, message: str) -> None:
        self.problems.append(EffectProblem(self._file, self._line_of(key), f"[{self.name}] {message}"))

    def _line_of(self, key: str) -> int:
        if key:
            match = re.search(rf"^\s*{re.escape(key)}\s*[=.]", self._text, re.MULTILINE)
            if match is None:
                match = re.search(rf"^\[.*\b{re.escape(key)}\"?\]", self._text, re.MULTILINE)
            if match is not None:
                start = match.start() + len(match[0]) - len(match[0].lstrip())
                return self._line + self._text.count("\n", 0, start)
        return self._line

    def _grammar(self, key: str, parse: Callable[[], _T]) -> _T | None:
        try:
            return parse()
        except GrammarError as error:
            self._fault(key, f"`{key}`: {error}")
            return None

    # Plain values

    def _kind(self, table: Mapping[str, Any]) -> Kind:
        text = self._choice(table, "kind", tuple(kind.value for kind in Kind))
        return Kind(text) if text else Kind.CALLABLE

    def _text_of(self, table: Mapping[str, Any], key: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            self._fault(key, f"`{key}` must be a string")
            return ""
        return value

    def _choice(self, table: Mapping[str, Any], key: str, choices: Iterable[str]) -> str:
        text = self._text_of(table, key)
        if key in table and text not in choices:
            self._fault(key, f"`{key}` is {text!r}; it must be one of {', '.join(choices)}")
            return ""
        return text

    def _flag(self, table: Mapping[str, Any], key: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            self._fault(key, f"`{key}` must be true or false")
            return False
        return value

    def _strings(self, key: str, value: object) -> list[str]:
        if isinstance(value, str):
            return [value]
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            return value
        self._fault(key, f"`{key}` must be a string or a list of strings")
        return []

    def _strings_of(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        return tuple(self._strings(key, table[key])) if key in table else ()

    def _qualified_of(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        names = self._strings_of(table, key)
        for name in names:
            if not is_qualified(name):
                self._fault(key, f"`{key}`: `{name}` is not a qualified name")
        return names

    def _table(self, key: str, value: object) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._fault(key, f"`{key}` must be a table")
        return {}

    def _scalar(self, key: str, value: object) -> Scalar:
        if isinstance(value, (str, int, float, bool)):
            return value
        self._fault(key, f"`{key}` must hold strings, numbers or true/false")
        return ""

    # References

    def _known_param(self, key: str, name: str) -> str:
        if self._params_failed:
            return name
        if self._params is None or name not in self._params.names:
            self._fault(key, f"`{key}` speaks of `{name}`, which is not among `params`")
        return name

    def _param_of(self, table: Mapping[str, Any], key: str) -> str:
        text = self._text_of(table, key)
        return self._known_param(key, text) if text else ""

    def _check_piece(self, key: str, piece: Piece | None) -> None:
        if piece is not None and piece.name not in REFERENCES:
            self._known_param(key, piece.name)

    def _check_path(self, key: str, path: PathExpr | None) -> None:
        if path is not None:
            for part in path.parts:
                if isinstance(part, Piece):
                    self._check_piece(key, part)
                    for step in part.steps:
                        if step.name == "into" and step.argument not in (None, "self"):
                            self._known_param(key, step.argument)

    def _check_returns(self, key: str, returns: Returns | None) -> None:
        if returns is not None:
            self._check_piece(key, returns.piece)
            self._check_path(key, returns.path)
            for arg in returns.args:
                self._check_returns(key, arg)

    def _path(self, key: str, text: object) -> PathExpr | None:
        if not isinstance(text, str):
            self._fault(key, f"`{key}` must hold path expressions")
            return None
        path = self._grammar(key, lambda: parse_path(text))
        self._check_path(key, path)
        return path

    def _piece(self, key: str, text: object) -> Piece | None:
        if not isinstance(text, str):
            self._fault(key, f"`{key}` must name a parameter or something of `self`")
            return None
        piece = self._grammar(key, lambda: parse_piece(text, attributes=True))
        self._check_piece(key, piece)
        return piece

    def _arg(self, key: str, text: object) -> Arg:
        if isinstance(text, str):
            arg = self._grammar(key, lambda: parse_arg(text))
            if arg is not None:
                self._check_piece(key, arg.piece)
                return arg
        else:
            self._fault(key, f"`{key}`: arguments are strings")
        return parse_arg("?")

    def _returns(self, table: Mapping[str, Any], key: str) -> Returns | None:
        return self._returns_of(key, table[key]) if key in table else None

    def _returned(self, table: Mapping[str, Any]) -> Returns | None:
        entries = table.get("returns")
        if not isinstance(entries, list):
            return self._returns(table, "returns")
        members: list[Returns] = []
        for entry in entries:
            choice = {"value": entry} if isinstance(entry, str) else self._table("returns", entry)
            for key in choice.keys() - {"value", "when"}:
                self._fault("returns", f"unknown key `{key}` in `returns`; there are value, when")
            when = self._conditions("returns", choice.get("when", {}))
            members.append(msgspec.structs.replace(self._returns_of("returns", choice.get("value")), when=when))
        if not members or members[-1].when:
            self._fault("returns", "the last entry of `returns` must be a value without conditions")
        return Returns(ReturnForm.UNION, args=tuple(members))

    def _returns_of(self, key: str, text: object) -> Returns:
        if not isinstance(text, str):
            self._fault(key, f"`{key}` must be the name of a type, or `none`, `self`, `unknown`, `=param`, ...")
            return UNKNOWN
        returns = self._grammar(key, lambda: parse_returns(text))
        self._check_returns(key, returns)
        return returns or UNKNOWN

    # Parts of a row

    def _conditions(self, key: str, value: object) -> tuple[Condition, ...]:
        out: list[Condition] = []
        for name, wanted in self._table(key, value).items():
            if not name.startswith("self."):
                self._known_param(key, name)
            if isinstance(wanted, dict):
                out.append(self._match(key, name, wanted))
            elif wanted in _TESTS:
                out.append(Condition(name, ConditionTest(wanted)))
            else:
                values = wanted if isinstance(wanted, list) else [wanted]
                out.append(Condition(name, ConditionTest.EQUAL, tuple(self._scalar(key, each) for each in values)))
        return tuple(out)

    def _match(self, key: str, name: str, test: Mapping[str, Any]) -> Condition:
        for unknown in test.keys() - {"matches"}:
            self._fault(key, f"unknown test `{unknown}` of `{name}`; there is matches")
        patterns = self._strings(key, test.get("matches"))
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                self._fault(key, f"`{pattern}` is not a regular expression: {error}")
        return Condition(name, ConditionTest.MATCHES, tuple(patterns))

    def _defaults(self, table: Mapping[str, Any]) -> Mapping[str, Scalar]:
        defaults = self._table("defaults", table.get("defaults", {}))
        return {
            self._known_param("defaults", name): self._scalar("defaults", value) for name, value in defaults.items()
        }

    def _effects(self, table: Mapping[str, Any], when: tuple[Condition, ...]) -> Iterable[Effect]:
        for operation in Operation:
            entries = table.get(operation.value, ())
            for entry in [entries] if isinstance(entries, (str, dict)) else entries:
                conditions = when
                text = entry
                if isinstance(entry, dict):
                    for key in entry.keys() - {"path", "when"}:
                        self._fault(operation.value, f"unknown key `{key}` in `{operation}`; there are path, when")
                    text = entry.get("path")
                    conditions = (*when, *self._conditions(operation.value, entry.get("when", {})))
                path = self._path(operation.value, text)
                if path is not None:
                    yield Effect(operation, path, conditions)

    def _open(self, table: Mapping[str, Any], when: tuple[Condition, ...]) -> OpenRule | None:
        if "open" not in table:
            return None
        rule = self._table("open", table["open"])
        for key in rule.keys() - {"path", "mode", "flags", "default", "modes", "when"}:
            self._fault("open", f"unknown key `{key}` in `open`; there are path, mode, flags, default, modes, when")
        path = self._path("open", rule.get("path"))
        modes: dict[str, tuple[Operation, ...]] = {}
        for mode, operations in self._table("open", rule.get("modes", {})).items():
            names = self._strings("open", operations)
            for name in names:
                if name not in _OPERATIONS:
                    self._fault("open", f"`{name}` is no operation; there are {', '.join(_OPERATIONS)}")
            modes[mode] = tuple(Operation(name) for name in names if name in _OPERATIONS)
        conditions = (*when, *self._conditions("open", rule.get("when", {})))
        if path is None:
            return None
        opened = OpenRule(
            path,
            self._param_of(rule, "mode"),
            self._param_of(rule, "flags"),
            self._text_of(rule, "default") or "r",
            modes,
            conditions,
        )
        if not opened.operations(None):
            self._fault("open", f"the default mode {opened.default!r} is not a mode")
        return opened

    def _suffix(self, table: Mapping[str, Any]) -> Mapping[str, str]:
        suffixes = self._table("suffix", table.get("suffix", {}))
        for name, value in suffixes.items():
            self._known_param("suffix", name)
            if not isinstance(value, str) or not value.startswith((".", "?.")):
                self._fault("suffix", "`suffix` maps parameters to endings such as `.npz` or `?.png`")
        return {name: str(value) for name, value in suffixes.items()}

    def _ignore(self, table: Mapping[str, Any]) -> Mapping[str, tuple[Scalar, ...]]:
        out: dict[str, tuple[Scalar, ...]] = {}
        for name, value in self._table("ignore", table.get("ignore", {})).items():
            values = value if isinstance(value, list) else [value]
            out[self._known_param("ignore", name)] = tuple(self._scalar("ignore", each) for each in values)
        return out

    def _executes(self, table: Mapping[str, Any]) -> Executes | None:
        if "executes" not in table:
            return None
        executes = self._table("executes", table["executes"])
        names = ("code", "script", "module")
        for key in executes.keys() - set(names):
            self._fault("executes", f"unknown key `{key}` in `executes`; there are {', '.join(names)}")
        return Executes(**{name: self._param_of(executes, name) for name in names})

    def _calls(self, table: Mapping[str, Any], when: tuple[Condition, ...]) -> Iterable[Callback]:
        calls = table.get("calls", ())
        for entry in [calls] if isinstance(calls, dict) else calls:
            call = self._table("calls", entry)
            known = {"function", "args", "kwargs", "thread", "process", "later", "when"}
            for key in call.keys() - known:
                self._fault("calls", f"unknown key `{key}` in `calls`; there are {', '.join(sorted(known))}")
            function = self._piece("calls", call.get("function"))
            kwargs = call.get("kwargs", {})
            spread = self._piece("calls", kwargs) if isinstance(kwargs, str) else None
            named = {} if isinstance(kwargs, str) else self._table("calls", kwargs)
            args = call.get("args", [])
            if not isinstance(args, list):
                self._fault("calls", "`args` must be a list")
                args = []
            if function is not None:
                yield Callback(
                    function,
                    tuple(self._arg("calls", arg) for arg in args),
                    {name: self._arg("calls", arg) for name, arg in named.items()},
                    spread,
                    self._flag(call, "thread"),
                    self._flag(call, "process"),
                    self._flag(call, "later"),
                    (*when, *self._conditions("calls", call.get("when", {}))),
                )

    def _launch(self, table: Mapping[str, Any]) -> Launch | None:
        if "launch" not in table:
            return None
        launch = self._table("launch", table["launch"])
        streams = ("program", "cwd", "env", "stdin", "stdout", "stderr")
        for key in launch.keys() - {"argv", "shell", "replaces", *streams}:
            self._fault(
                "launch", f"unknown key `{key}` in `launch`; there are argv, shell, replaces, {', '.join(streams)}"
            )
        argv = self._strings("launch", launch.get("argv"))
        shell = launch.get("shell", False)
        if isinstance(shell, str):
            self._known_param("launch", shell)
        elif not isinstance(shell, bool):
            self._fault("launch", "`shell` must be a parameter or true/false")
        return Launch(
            tuple(self._arg("launch", word) for word in argv),
            shell=shell,
            replaces=self._flag(launch, "replaces"),
            **{name: self._param_of(launch, name) for name in streams},
        )

    def _lock(self, table: Mapping[str, Any], kind: Kind) -> str:
        value = table.get("lock", "")
        if value is True and kind is Kind.TYPE:
            return "lock"
        if value in ("", False) or (value in ("acquire", "release") and kind is Kind.CALLABLE):
            return value or ""
        self._fault("lock", "`lock` must be true on a type, `acquire` or `release` on a method")
        return ""

    def _unlisted(self, table: Mapping[str, Any], kind: Kind) -> Unlisted | None:
        text = self._text_of(table, "unlisted")
        if not text:
            if kind is Kind.MODULE and "unlisted" not in table:
                return Unlisted(row=self.name)
            return None
        if text == "opaque":
            return Unlisted(row=self.name)
        if text in ("pure", "unknown"):
            return Unlisted(False, UNKNOWN, self.name)
        returns = self._returns_of("unlisted", text)
        if returns.form not in (ReturnForm.TYPE, ReturnForm.SELF) or (
            returns.form is ReturnForm.SELF and kind is Kind.MODULE
        ):
            self._fault(
                "unlisted", "`unlisted` must be `opaque`, `unknown`, `pure`, a type's name, or `self` on a type"
            )
        return Unlisted(False, returns, self.name)

    def _attributes(self, table: Mapping[str, Any]) -> Mapping[str, Returns]:
        attributes = self._table("attributes", table.get("attributes", {}))
        for name in attributes:
            if not is_identifier(name):
                self._fault("attributes", f"`{name}` is not an attribute's name")
        return {name: self._returns_of("attributes", value) for name, value in attributes.items()}

    def _constant(self, table: Mapping[str, Any], kind: Kind) -> Scalar | None:
        if kind is Kind.VALUE and "constant" not in table and "returns" not in table:
            self._fault("", "a value row needs `returns` or `constant`")
        return self._scalar("constant", table["constant"]) if "constant" in table else None


def _in_order(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """Effects as they count one after the other: what a call makes for itself is read afterwards."""
    found = tuple(effects)
    created = {effect.path for effect in found if effect.operation is Operation.CREATE}
    if not created:
        return found
    return tuple(sorted(found, key=lambda effect: effect.operation is Operation.READ and effect.path in created))
