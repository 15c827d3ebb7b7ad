"""Parameter expansion: `$name` and everything between `${` and `}`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from taskgates.inference.shell.fields import Field
from taskgates.inference.shell.lexing import find_unquoted
from taskgates.inference.shell.patterns import remove_prefix, remove_suffix, replace
from taskgates.inference.shell.texts import choose, from_environment, hole, is_blank, may_hold_slash
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of

if TYPE_CHECKING:
    from taskgates.inference.shell.expansion import Expander
    from taskgates.inference.shell.host import ShellArray

_HEAD = re.compile(r"[A-Za-z_]\w*|\d+|[@*#?$!-]")
_SHORT = {
    "RANDOM": "random",
    "SRANDOM": "random",
    "SECONDS": "clock",
    "EPOCHSECONDS": "clock",
    "EPOCHREALTIME": "clock",
    "LINENO": "data",
    "PPID": "random",
    "BASHPID": "random",
    "UID": "environment",
    "EUID": "environment",
    "USER": "environment",
    "LOGNAME": "environment",
    "HOSTNAME": "environment",
    "HOSTTYPE": "environment",
    "MACHTYPE": "environment",
    "BASH_VERSION": "environment",
    "FUNCNAME": "data",
    "COLUMNS": "environment",
    "LINES": "environment",
    "$": "random",
    "!": "random",
    "?": "data",
    "-": "data",
}
_ALWAYS_SET = frozenset({"HOME", "PWD", "PATH", "SHELL", "IFS", "0", "#", *_SHORT})

Change = Callable[[TextLike], TextLike]


def special_value(expander: Expander, name: str) -> TextLike | None:
    """The value of a parameter that the shell itself sets; None when it is none of those."""
    state = expander.state
    if name.isdigit():
        index = int(name[:6])
        if index == 0:
            return state.name
        return state.arguments[index - 1] if index <= len(state.arguments) else None
    match name:
        case "#":
            return str(len(state.arguments))
        case "PWD":
            return expander.machine.absolute(state.cwd)
        case "HOME":
            return "~"
        case "IFS":
            return " \t\n"
        case "BASH_SOURCE":
            script = expander.frame.source.base.file or state.script
            return script if script is not None else ""
        case "SHELL":
            return "/bin/bash"
        case "PATH":
            return hole("environment", "PATH")
        case "OSTYPE":
            return hole("environment", "OSTYPE", slash=False)
        case _:
            return hole(_SHORT[name], name, slash=False) if name in _SHORT else None


def variable_value(expander: Expander, name: str) -> TextLike | None:
    """The value of a variable; None when it is known to be unset, a hole when the environment decides."""
    state = expander.state
    if name in state.variables:
        return state.variables[name]
    if name in state.arrays:
        array = state.arrays[name]
        first = next((value for key, value in array.items if key == "0"), None)
        if first is not None or array.complete:
            return first
        return hole("data", name)
    if name in expander.machine.options.environment:
        return expander.machine.options.environment[name]
    found = special_value(expander, name)
    if found is not None or not (name[:1].isalpha() or name[:1] == "_"):
        return found
    return hole("environment", name)


def _is_set(expander: Expander, name: str) -> bool:
    state = expander.state
    if name in ("@", "*"):
        return bool(state.arguments)
    if name in state.variables:
        return state.variables[name] is not None
    if name.isdigit():
        return int(name[:6]) <= len(state.arguments)
    return name in state.arrays or name in _ALWAYS_SET or name in expander.machine.options.environment


def expand_parameter(expander: Expander, body: str, offset: int, *, quoted: bool, fields: list[Field]) -> None:
    """Add the value of `${body}` to the fields."""
    _Parameter(expander, body, offset, quoted=quoted, fields=fields).expand()


class _Parameter:
    """One parameter expansion."""

    def __init__(self, expander: Expander, body: str, offset: int, *, quoted: bool, fields: list[Field]) -> None:
        self._expander = expander
        self._body = body
        self._offset = offset
        self._quoted = quoted
        self._fields = fields

    def expand(self) -> None:
        body = self._body
        if body.startswith("#") and len(body) > 1 and not (body[1] in ":-+=?%#/" and len(body) > 2):
            self._add(self._length(body[1:]))
            return
        indirect = body.startswith("!") and len(body) > 1 and (body[1].isalnum() or body[1] in "_#")
        found = _HEAD.match(body, 1 if indirect else 0)
        if found is None:
            self._add(hole("data"))
            return
        name = found.group()
        index = found.end()
        subscript: str | None = None
        if body[index : index + 1] == "[":
            end = find_unquoted(body, "]", index + 1)
            if end == -1:
                self._add(hole("data"))
                return
            subscript = body[index + 1 : end]
            index = end + 1
        operation = body[index:]
        if indirect:
            self._indirect(name, subscript, operation)
            return
        if name in ("@", "*") or subscript in ("@", "*"):
            self._list(name, subscript, operation, index)
            return
        value = self._element(name, subscript) if subscript is not None else variable_value(self._expander, name)
        is_set = _is_set(self._expander, name) if subscript is None else value is not None
        self._single(name, value, operation, index, is_set=is_set)

    def _add(self, text: TextLike) -> None:
        self._fields[-1].add(text, quoted=self._quoted, split=not self._quoted)

    def _add_list(self, values: list[TextLike], *, joined: bool) -> None:
        if joined and self._quoted:
            separator = self._expander.state.variables.get("IFS", " ")
            first = separator[:1] if isinstance(separator, str) else " "
            for number, value in enumerate(values):
                if number:
                    self._add(first)
                self._add(value)
            return
        for number, value in enumerate(values):
            if number:
                self._fields.append(Field())
            self._fields[-1].present = self._quoted or self._fields[-1].present
            self._add(value)

    # ---- arrays ------------------------------------------------------------------------------------------------

    def _array(self, name: str) -> ShellArray | None:
        return self._expander.state.arrays.get(name)

    def _key(self, array: ShellArray | None, subscript: str) -> TextLike | None:
        """A subscript's value; None when it is not known."""
        if array is not None and array.associative:
            key = self._expander.string(subscript, self._offset)
            return key if isinstance(key, str) else None
        number = self._expander.arithmetic(subscript)
        if number is None:
            return None
        if number < 0 and array is not None:
            return str(len(array.items) + number)
        return str(number)

    def _element(self, name: str, subscript: str) -> TextLike | None:
        if name == "BASH_SOURCE":
            return variable_value(self._expander, name)
        array = self._array(name)
        key = self._key(array, subscript)
        if array is None:
            if key == "0":
                return variable_value(self._expander, name)
            return hole("data", name) if name in _SHORT or name not in self._expander.state.variables else None
        if key is None:
            values = [value for _, value in array.items]
            return (
                choose(values, self._expander.machine.options.choices)
                if values and array.complete
                else hole("data", name)
            )
        found = next((value for one, value in reversed(array.items) if one == key), None)
        if found is not None or array.complete:
            return found
        return hole("data", name)

    def _values(self, name: str) -> list[TextLike]:
        if name in ("@", "*"):
            return list(self._expander.state.arguments)
        array = self._array(name)
        if array is None:
            value = variable_value(self._expander, name)
            return [] if value is None else [value]
        values = [value for _, value in array.items]
        return values if array.complete else [*values, hole("data", name)]

    def _list(self, name: str, subscript: str | None, operation: str, index: int) -> None:
        values = self._values(name)
        joined = name == "*" or subscript == "*"
        if operation.startswith((":-", "-", ":=", "=")) and not values:
            self._word(operation.lstrip(":")[1:], index)
            return
        if operation.startswith((":+", "+")):
            if values:
                self._word(operation.lstrip(":")[1:], index)
            return
        if operation.startswith(":") and operation[1:2] != "?":
            sliced = self._slice(operation[1:], name, values)
            self._add_list(sliced, joined=joined)
            return
        if operation and not operation.startswith((":", "-", "=", "?")):
            change = self._change(operation, index)
            values = [change(value) for value in values] if change is not None else [hole("data", name)]
        self._add_list(values, joined=joined)

    def _slice(self, bounds: str, name: str, values: list[TextLike]) -> list[TextLike]:
        first, _, length = bounds.partition(":")
        start = self._expander.arithmetic(first)
        count = self._expander.arithmetic(length) if length.strip() else len(values) + 1
        if start is None or count is None:
            return [choose(values, self._expander.machine.options.choices)] if values else []
        everything = [self._expander.state.name, *values] if name in ("@", "*") and start <= 0 else values
        begin = start - 1 if name in ("@", "*") and start > 0 else start
        end = begin + count if count >= 0 else len(everything) + count
        return everything[begin:end] if begin >= 0 else everything[begin:][: max(count, 0)]

    # ---- scalars -----------------------------------------------------------------------------------------------

    def _length(self, rest: str) -> TextLike:
        found = re.fullmatch(r"(\w+|[@*])(?:\[([^\]]*)\])?", rest)
        if found is None:
            return hole("data", slash=False)
        name, subscript = found.groups()
        if name in ("@", "*"):
            return str(len(self._expander.state.arguments))
        if subscript in ("@", "*"):
            array = self._array(name)
            if array is not None:
                return str(len(array.items)) if array.complete else hole("data", slash=False)
            return str(len(self._values(name)))
        value = self._element(name, subscript) if subscript else variable_value(self._expander, name)
        if value is None or from_environment(value):
            return "0"
        return str(len(value)) if isinstance(value, str) else hole("data", slash=False)

    def _indirect(self, name: str, subscript: str | None, operation: str) -> None:
        if subscript in ("@", "*"):
            array = self._array(name)
            keys: list[TextLike] = [key for key, _ in array.items] if array is not None else []
            if array is not None and not array.complete:
                keys.append(hole("data", name, slash=False))
            self._add_list(keys, joined=subscript == "*")
            return
        if operation in ("*", "@"):
            names = sorted(one for one in self._expander.state.variables if one.startswith(name))
            self._add_list(list(names), joined=operation == "*")
            return
        target = variable_value(self._expander, name)
        if isinstance(target, str) and re.fullmatch(r"\w+(?:\[[^\]]*\])?|[@*]", target):
            inner = _Parameter(
                self._expander, target + operation, self._offset, quoted=self._quoted, fields=self._fields
            )
            inner.expand()
        elif target is None or target == "":
            self._add("")
        else:
            self._add(hole("data", name))

    def _word(self, raw: str, index: int) -> None:
        if self._quoted:
            self._expander.scan(raw, 0, self._offset + index + 1, '"', self._fields)
            return
        # Outside quotes the word is split like any other expansion.
        fields = [Field()]
        self._expander.scan(raw, 0, self._offset + index + 1, "", fields)
        for number, field in enumerate(fields):
            if number:
                self._fields.append(Field())
            self._fields[-1].present = self._fields[-1].present or field.present
            for piece in field.pieces:
                self._fields[-1].add(piece.text, quoted=piece.quoted, split=not piece.quoted)

    def _single(self, name: str, value: TextLike | None, operation: str, index: int, *, is_set: bool) -> None:
        found = re.match(r":?[-=?+]", operation)
        if found is not None:
            self._default(name, value, operation, index, is_set=is_set)
            return
        if value is None:
            return
        if not operation:
            self._add(value)
            return
        change = self._change(operation, index)
        self._add(change(value) if change is not None else hole("data", name, slash=may_hold_slash(value)))

    def _default(self, name: str, value: TextLike | None, operation: str, index: int, *, is_set: bool) -> None:
        colon = operation.startswith(":")
        kind = operation[1] if colon else operation[0]
        word = operation[2:] if colon else operation[1:]
        index += 1 if colon else 0
        absent = not is_set or from_environment(value) or (colon and value in (None, ""))
        if kind == "+":
            if not absent:
                self._word(word, index)
            return
        if not absent and value is not None:
            self._add(value)
            return
        if kind == "?":
            # Without a value the script would end here; what follows runs only with one.
            self._add(hole("environment", name))
            return
        if kind == "=":
            result = self._expander.string(word, self._offset + index + 1)
            self._expander.state.variables[name] = result
            self._add(result)
            return
        self._word(word, index)

    def _change(self, operation: str, index: int) -> Change | None:
        """The function that an operator such as `%.*` applies to a value."""
        expander = self._expander
        offset = self._offset + index
        if operation[0] in "%#":
            longest = operation[:2] in ("%%", "##")
            pattern = expander.pattern(operation[2 if longest else 1 :], offset)
            remove = remove_suffix if operation[0] == "%" else remove_prefix
            return lambda value: remove(value, pattern, longest=longest)
        if operation[0] == "/":
            every = operation.startswith("//")
            rest = operation[2 if every else 1 :]
            anchor = rest[0] if not every and rest[:1] in ("#", "%") else ""
            rest = rest[len(anchor) :]
            cut = find_unquoted(rest, "/", 0 if anchor else 1) if rest else -1
            pattern = expander.pattern(rest if cut == -1 else rest[:cut], offset)
            replacement = expander.string(rest[cut + 1 :], offset) if cut != -1 else ""
            return lambda value: replace(value, pattern, replacement, every=every, anchor=anchor)
        if operation[0] in "^,":
            return _case_change(operation)
        if operation[0] == ":":
            return self._substring(operation[1:])
        if operation[0] == "@" and len(operation) == 2:
            return {"U": _upper, "L": _lower, "Q": _same, "E": _same, "P": _same, "u": _capital}.get(operation[1])
        return None

    def _substring(self, bounds: str) -> Change:
        first, _, second = bounds.partition(":")
        start = self._expander.arithmetic(first)
        length = self._expander.arithmetic(second) if ":" in bounds else None
        counted = ":" in bounds

        def cut(value: TextLike) -> TextLike:
            if start is None or (counted and length is None):
                return hole("data", slash=may_hold_slash(value))
            if isinstance(value, str):
                begin = max(0, len(value) + start) if start < 0 else start
                end = len(value) if length is None else (begin + length if length >= 0 else len(value) + length)
                return value[begin:end]
            return _cut_partial(value, start, length)

        return cut


def _cut_partial(value: Text, start: int, length: int | None) -> TextLike:
    head = value.prefix
    if start >= 0 and length is not None and 0 <= start + length <= len(head) and length >= 0:
        return head[start : start + length]
    if start >= 0 and length is None and start <= len(head):
        return make_text([head[start:], *value.parts[1 if head else 0 :]])
    if start < 0 and length is None and -start <= len(value.suffix):
        return value.suffix[start:]
    return hole(value.origin, slash=may_hold_slash(value))


def _upper(value: TextLike) -> TextLike:
    return _each_literal(value, str.upper)


def _lower(value: TextLike) -> TextLike:
    return _each_literal(value, str.lower)


def _capital(value: TextLike) -> TextLike:
    first, *rest = parts_of(value) or ("",)
    return concat(first[:1].upper() + first[1:] if isinstance(first, str) else first, make_text(rest))


def _same(value: TextLike) -> TextLike:
    return value


def _each_literal(value: TextLike, change: Callable[[str], str]) -> TextLike:
    return make_text(
        change(part) if isinstance(part, str) else Hole(part.origin, part.slash, part.name) for part in parts_of(value)
    )


def _case_change(operation: str) -> Change:
    every = operation[:2] in ("^^", ",,")
    if operation not in ("^", "^^", ",", ",,"):
        return lambda value: hole("data", slash=may_hold_slash(value)) if not is_blank(value) else value
    if operation[0] == "^":
        return _upper if every else _capital
    if every:
        return _lower
    return lambda value: (
        concat(value.prefix[:1].lower() + value.prefix[1:], make_text(value.parts[1:]))
        if isinstance(value, Text) and value.prefix
        else (value[:1].lower() + value[1:] if isinstance(value, str) else value)
    )
