"""Commands that run other commands: `env`, `sudo`, `timeout`, `xargs`, shells, and their like."""

from __future__ import annotations

import re

from taskgates.inference.shell.call import Call
from taskgates.inference.shell.machine import Outcome, Status, Stream
from taskgates.inference.shell.texts import as_member, generalise, hole, split_text, text_lines
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of
from taskgates.model.access import Operation

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def prefix(call: Call) -> Outcome:
    """Operands with the role `value` come first, then the command."""
    skip = sum(1 for role in call.row.operands if role == "value")
    call.perform_row()
    words = call.arguments.operands[skip:]
    if not words:
        return Outcome()
    return call.run(words)


def environment(call: Call) -> Outcome:
    """`env`: assignments, then the command; also `sudo`, which takes assignments too."""
    words = list(call.arguments.operands)
    state = call.state.copy()
    if call.arguments.has("-i", "--ignore-environment"):
        state.variables = dict.fromkeys(state.exported)
        state.exported = set()
    for name in call.arguments.values("-u", "--unset"):
        if isinstance(name, str):
            state.variables[name] = None
    folder = call.arguments.last("-C", "--chdir")
    if folder is not None:
        state.cwd = call.full(folder)
    for text in call.arguments.values("-S", "--split-string"):
        words = [*[piece for piece in split_text(text, " \t\n") if piece != ""], *words]
    while words:
        head = words[0] if isinstance(words[0], str) else words[0].prefix
        found = _ASSIGNMENT.match(head)
        if found is None:
            break
        word = words.pop(0)
        rest = head[found.end() :]
        state.variables[found.group()[:-1]] = make_text([rest, *parts_of(word)[1:]]) if isinstance(word, Text) else rest
        state.exported.add(found.group()[:-1])
    if not words:
        call.out(hole("environment"))
        return Outcome()
    return call.run(words, state=state)


def shell(call: Call) -> Outcome:
    """`bash`, `sh`: `-c text`, a script file, or text from standard input."""
    machine = call.machine
    words = list(call.words[1:])
    text_follows = False
    settings: set[str] = set()
    while words:
        word = words[0]
        if not isinstance(word, str) or not word.startswith(("-", "+")) or word == "-":
            break
        words.pop(0)
        if word == "--":
            break
        if word in ("--rcfile", "--init-file", "-O", "+O") and words:
            words.pop(0)
        elif not word.startswith("--"):
            text_follows = text_follows or "c" in word
            settings |= {"errexit"} if "e" in word and word.startswith("-") else set()
            if "o" in word and words:
                words.pop(0)
            if "s" in word:
                words = words[1:] if words[:1] == ["--"] else words
                return _shell_input(call, words)
    if text_follows:
        return _shell_text(call, words, settings)
    if words:
        if not machine.script(words[0], words[1:], call.frame, call.state):
            call.read(words[0])
            call.opaque(f"the script {machine.describe(words[0])} is not in the repository")
        return Outcome(Status.LIKELY)
    return _shell_input(call, [])


def _shell_input(call: Call, arguments: list[TextLike]) -> Outcome:
    """Commands from standard input."""
    machine = call.machine
    if call.frame.stdin is not None:
        child = machine.child_state(call.state, call.name, arguments)
        machine.evaluate(call.frame.stdin.take_all(), call.frame, child, call.place)
    else:
        call.opaque(f"{call.name} reads its commands from standard input")
    return Outcome(Status.LIKELY)


def _shell_text(call: Call, words: list[TextLike], settings: set[str]) -> Outcome:
    if not words:
        return Outcome(Status.FAILURE)
    name = words[1] if len(words) > 1 else call.name
    child = call.machine.child_state(call.state, name, list(words[2:]))
    child.settings |= settings
    outcome = call.machine.evaluate(words[0], call.frame, child, call.place)
    return Outcome(outcome.status if outcome.jump is None else Status.UNKNOWN)


def arguments_from_input(call: Call) -> Outcome:
    """`xargs`: the command runs with words, or with `-I` once a line, of standard input."""
    call.perform_row()
    words = list(call.arguments.operands) or ["echo"]
    replaced = call.arguments.last("-I", "-i", "--replace")
    if replaced is None and call.arguments.has("-i", "--replace"):
        replaced = "{}"
    source = call.arguments.last("-a", "--arg-file")
    content = call.content(source if source is not None else "-")
    if content is None:
        content = hole("data", "xargs")
    zero = call.arguments.has("-0", "--null")
    delimiter = call.arguments.last("-d", "--delimiter")
    if zero or delimiter is not None or replaced is not None:
        separator = "\n\0"
        items = [piece for piece in split_text(content, separator) if piece not in ("", "\n")]
    else:
        items = [_unquote(piece) for line in text_lines(content) for piece in split_text(line, " \t") if piece != ""]
    empty = call.frame.with_streams(Stream(""), call.frame.sink)
    inner = Call(call.machine, call.name, call.words, call.row, call.arguments, empty, call.state, call.place)
    if not items:
        return Outcome()
    if len(items) > call.machine.options.unroll:
        items = [generalise(items)]
    if replaced is not None and isinstance(replaced, str) and replaced:
        for item in items:
            inner.run(
                [substitute(word, replaced, as_member(item)) for word in words], conditional=isinstance(item, Text)
            )
        return Outcome(Status.LIKELY)
    size = call.arguments.last("-n", "--max-args")
    step = int(size) if isinstance(size, str) and size.isdigit() and 0 < len(size) < 6 and int(size) else len(items)
    for start in range(0, len(items), step):
        batch = items[start : start + step]
        inner.run([*words, *batch], conditional=all(isinstance(item, Text) for item in batch))
    return Outcome(Status.LIKELY)


def _unquote(text: TextLike) -> TextLike:
    if isinstance(text, str) and len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1]
    return text


def substitute(word: TextLike, placeholder: str, item: TextLike) -> TextLike:
    """The word with each occurrence of a placeholder in its known pieces replaced."""
    pieces: list[TextLike | Hole] = []
    for part in parts_of(word):
        if not isinstance(part, str):
            pieces.append(part)
            continue
        for number, chunk in enumerate(part.split(placeholder)):
            pieces += [item, chunk] if number else [chunk]
    return concat(*pieces)


def remote(call: Call) -> Outcome:
    """`ssh`: what runs elsewhere touches nothing here; keys and configuration are read."""
    for path in call.arguments.values("-i", "-F"):
        call.access(Operation.READ, path)
    return Outcome(call.status)
