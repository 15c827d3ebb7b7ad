"""Commands that the shell carries out itself because they change its own state or decide its course."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from taskgates.inference.shell.assignment import assign
from taskgates.inference.shell.call import Call
from taskgates.inference.shell.conditions import evaluate_arguments
from taskgates.inference.shell.expansion import Expander, unescape_ansi
from taskgates.inference.shell.host import ShellArray
from taskgates.inference.shell.machine import Frame, Jump, Outcome, Status
from taskgates.inference.shell.syntax_tree import Assignment, Declaration, Word
from taskgates.inference.shell.texts import hole, normalise_path, split_text, text_lines
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of

if TYPE_CHECKING:
    from taskgates.inference.shell.host import ShellState
    from taskgates.inference.shell.interpreter import ShellInterpreter

Builtin = Callable[[Call], Outcome]

_SET_LETTERS = {
    "e": "errexit",
    "u": "nounset",
    "x": "xtrace",
    "f": "noglob",
    "a": "allexport",
    "n": "noexec",
    "o": "",
    "C": "noclobber",
}
_DIRECTIVE = re.compile(r"%(?:%|(\([^)]*\)T)|[-+ #0]*(\*|\d*)(?:\.(?:\*|\d*))?([diouxXfeEgGcsbq]))")


def _expander(call: Call) -> Expander:
    return Expander(call.machine, call.frame, call.state)


# ---- the course of the script ----------------------------------------------------------------------------------------


def _true(_call: Call) -> Outcome:
    return Outcome(Status.SUCCESS)


def _false(_call: Call) -> Outcome:
    return Outcome(Status.FAILURE)


def _code(call: Call) -> Status:
    if len(call.words) < 2:
        return Status.LIKELY
    word = call.words[1]
    if isinstance(word, str):
        return Status.SUCCESS if word == "0" else Status.FAILURE
    return Status.UNKNOWN


def _exit(call: Call) -> Outcome:
    return Outcome(_code(call), Jump.EXIT)


def _return(call: Call) -> Outcome:
    return Outcome(_code(call), Jump.RETURN)


def _levels(call: Call) -> int:
    word = call.words[1] if len(call.words) > 1 else "1"
    return int(word) if isinstance(word, str) and word.isdigit() and 0 < len(word) < 4 else 1


def _break(call: Call) -> Outcome:
    return Outcome(Status.SUCCESS, Jump.BREAK, _levels(call))


def _continue(call: Call) -> Outcome:
    return Outcome(Status.SUCCESS, Jump.CONTINUE, _levels(call))


def _eval(call: Call) -> Outcome:
    pieces: list[TextLike] = []
    for word in call.words[1:]:
        pieces += [" ", word] if pieces else [word]
    return call.machine.evaluate(concat(*pieces), call.frame, call.state, call.place)


def _source(call: Call) -> Outcome:
    words = call.words[1:]
    if words and words[0] == "--":
        words = words[1:]
    if not words:
        return Outcome(Status.FAILURE)
    path = words[0]
    base = path if isinstance(path, str) else path.suffix
    if base.endswith(("/bin/activate", "/etc/profile", ".bashrc", ".profile")):
        return Outcome(Status.LIKELY)
    known = call.machine.script(path, words[1:], call.frame, call.state, source=True)
    if not known or not base.endswith((".sh", ".bash")):
        call.read(path)
    if not known:
        call.opaque(f"the sourced file {call.machine.describe(path)} is not in the repository")
    return Outcome(Status.LIKELY)


def _exec(call: Call) -> Outcome:
    words = call.words[1:]
    while words and isinstance(words[0], str) and words[0].startswith("-") and words[0] != "--":
        words = words[2 if words[0] == "-a" else 1 :]
    if not words:
        return Outcome()
    outcome = call.run(words)
    return Outcome(outcome.status, Jump.EXIT)


def _command(call: Call) -> Outcome:
    words = call.words[1:]
    while words and isinstance(words[0], str) and words[0].startswith("-"):
        if "v" in words[0] or "V" in words[0]:
            call.out(concat(hole("environment", "which"), "\n"))
            return Outcome(Status.UNKNOWN)
        words = words[1:]
    if not words:
        return Outcome()
    saved = dict(call.state.functions)
    if isinstance(words[0], str):
        call.state.functions.pop(words[0], None)
    outcome = call.run(words)
    call.state.functions = {**saved, **call.state.functions}
    return outcome


def _trap(call: Call) -> Outcome:
    words = [word for word in call.words[1:] if word != "--"]
    if len(words) < 2 or words[0] in ("-l", "-p"):
        return Outcome()
    handler = words[0]
    for signal in words[1:]:
        name = "EXIT" if signal == "0" else str(signal).upper().removeprefix("SIG")
        if handler in ("-", ""):
            call.state.traps.pop(name, None)
        elif name == "EXIT":
            call.state.traps["EXIT"] = handler
        else:
            frame = call.frame.within()
            call.machine.evaluate(handler, frame, call.state.copy(), call.place)
    return Outcome()


def _set(call: Call) -> Outcome:
    words = list(call.words[1:])
    while words:
        word = words[0]
        if word == "--" or not isinstance(word, str) or not word.startswith(("-", "+")) or len(word) < 2:
            break
        words.pop(0)
        on = word.startswith("-")
        for letter in word[1:]:
            setting = _SET_LETTERS.get(letter, letter)
            if letter == "o":
                if not words:
                    break
                name = words.pop(0)
                setting = name if isinstance(name, str) else ""
            if on:
                call.state.settings.add(setting)
            else:
                call.state.settings.discard(setting)
    if words:
        call.state.arguments = words[1:] if words[0] == "--" else words
    return Outcome()


def _shopt(call: Call) -> Outcome:
    names = {word for word in call.words[1:] if isinstance(word, str)}
    settings = {name for name in names if not name.startswith("-")}
    if "-s" in names:
        call.state.settings |= settings
    elif "-u" in names:
        call.state.settings -= settings
    return Outcome()


def _shift(call: Call) -> Outcome:
    count = call.words[1] if len(call.words) > 1 else "1"
    if not isinstance(count, str) or not count.isdigit() or len(count) > 6:
        return Outcome(Status.UNKNOWN)
    if int(count) > len(call.state.arguments):
        return Outcome(Status.FAILURE)
    call.state.arguments = call.state.arguments[int(count) :]
    return Outcome()


def _getopts(call: Call) -> Outcome:
    if len(call.words) < 3 or not isinstance(call.words[1], str) or not isinstance(call.words[2], str):
        return Outcome(Status.UNKNOWN)
    specification, name = call.words[1].lstrip(":"), call.words[2]
    arguments = list(call.words[3:]) or list(call.state.arguments)
    state = call.state
    position = state.variables.get("OPTIND") or "1"
    # `OPTIND` and the letter reached inside a combined word.
    letter_text = state.variables.get("_getopts_letter") or "1"
    if not isinstance(position, str) or not isinstance(letter_text, str):
        return Outcome(Status.UNKNOWN)
    index, letter = int(position) if position.isdigit() else 1, int(letter_text)
    word = arguments[index - 1] if 0 < index <= len(arguments) else None
    head = "" if word is None else word if isinstance(word, str) else word.prefix
    if word is None or not head.startswith("-") or head in ("-", "--"):
        state.variables[name] = "?"
        if word == "--":
            state.variables["OPTIND"] = str(index + 1)
        return Outcome(Status.FAILURE)
    option = head[letter : letter + 1]
    found = specification.find(option) if option else -1
    state.variables[name] = option if found >= 0 else "?"
    state.variables["OPTARG"] = None
    letter += 1
    rest = make_text([head[letter:], *parts_of(word)[1:]])
    if found >= 0 and specification[found + 1 : found + 2] == ":":
        if rest != "":
            state.variables["OPTARG"] = rest
        else:
            index += 1
            state.variables["OPTARG"] = arguments[index - 1] if index <= len(arguments) else None
        index, letter = index + 1, 1
    elif rest == "":
        index, letter = index + 1, 1
    state.variables["OPTIND"] = str(index)
    state.variables["_getopts_letter"] = str(letter)
    return Outcome(Status.SUCCESS)


def _test(call: Call) -> Outcome:
    words = call.words[1:]
    if call.name == "[" and words and words[-1] == "]":
        words = words[:-1]
    return Outcome(Status.of(evaluate_arguments(_expander(call), words, call.place)))


def _let(call: Call) -> Outcome:
    value: int | None = 0
    for word in call.words[1:]:
        value = _expander(call).arithmetic(call.machine.placeholders.encode(word))
    return Outcome(Status.of(None if value is None else value != 0))


# ---- folders -----------------------------------------------------------------------------------------------------


def _change_folder(call: Call, path: TextLike) -> None:
    state = call.state
    state.variables["OLDPWD"] = call.machine.absolute(state.cwd)
    state.cwd = normalise_path(call.machine.full_path(path, state))


def _cd(call: Call) -> Outcome:
    words = [word for word in call.words[1:] if word not in ("-P", "-L", "-e", "--")]
    if not words:
        home = call.state.variables.get("HOME")
        _change_folder(call, home if home is not None else "~")
    elif words[0] == "-":
        old = call.state.variables.get("OLDPWD")
        _change_folder(call, old if old is not None else hole("environment", "OLDPWD"))
    elif words[0] != "":
        _change_folder(call, words[0])
    return Outcome(Status.LIKELY)


def _pushd(call: Call) -> Outcome:
    words = [word for word in call.words[1:] if word != "-n"]
    old = call.state.cwd
    if not words:
        if call.state.stack:
            target = call.state.stack.pop()
            call.state.stack.append(old)
            call.state.cwd = target
        return Outcome(Status.LIKELY)
    call.state.stack.append(old)
    _change_folder(call, words[0])
    return Outcome(Status.LIKELY)


def _popd(call: Call) -> Outcome:
    if not call.state.stack:
        return Outcome(Status.FAILURE)
    call.state.cwd = call.state.stack.pop()
    return Outcome(Status.LIKELY)


def _pwd(call: Call) -> Outcome:
    call.out(concat(call.machine.absolute(call.state.cwd), "\n"))
    return Outcome()


# ---- variables -----------------------------------------------------------------------------------------------------


def declare(machine: ShellInterpreter, node: Declaration, frame: Frame, state: ShellState) -> Outcome:
    """`export`, `local`, `declare`, `readonly`, `typeset` with their flags."""
    expander = Expander(machine, frame, state)
    local = machine.in_function and node.keyword in ("local", "declare", "typeset")
    exported = node.keyword == "export"
    associative = indexed = integer = removed = False
    for item in node.items:
        if isinstance(item, Word) and item.raw.startswith(("-", "+")):
            flags = item.raw[1:]
            associative |= "A" in flags
            indexed |= "a" in flags and node.keyword != "export"
            integer |= "i" in flags
            exported |= "x" in flags and item.raw.startswith("-")
            removed |= "n" in flags and node.keyword == "export"
            local &= not ("g" in flags and node.keyword != "export")
    for item in node.items:
        if isinstance(item, Word) and item.raw.startswith(("-", "+")):
            continue
        for assignment in _declared(item, expander):
            _declare_one(
                machine, assignment, expander, local=local, associative=associative, indexed=indexed, integer=integer
            )
            if removed:
                state.exported.discard(assignment.name)
            elif exported:
                state.exported.add(assignment.name)
    return Outcome()


def _declared(item: Word | Assignment, expander: Expander) -> list[Assignment]:
    if isinstance(item, Assignment):
        return [item]
    out: list[Assignment] = []
    for field in expander.fields(item):
        name, equals, _ = (field if isinstance(field, str) else field.prefix).partition("=")
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            continue
        if equals:
            value = field[len(name) + 1 :] if isinstance(field, str) else _behind(field, len(name) + 1)
            expander.state.variables[name] = value
        out.append(Assignment(name, item.offset))
    return out


def _behind(text: Text, length: int) -> TextLike:
    return make_text([text.prefix[length:], *text.parts[1:]])


def _declare_one(
    machine: ShellInterpreter,
    assignment: Assignment,
    expander: Expander,
    *,
    local: bool,
    associative: bool,
    indexed: bool,
    integer: bool,
) -> None:
    state = expander.state
    name = assignment.name
    has_value = assignment.value is not None or assignment.elements is not None
    if local:
        value: TextLike | None = None
        if assignment.value is not None:
            value = expander.string(assignment.value.raw, assignment.value.offset)
        machine.make_local(name, state)
        if not has_value:
            state.variables[name] = None
        elif assignment.value is not None and assignment.subscript is None:
            state.variables[name] = value
    if integer:
        state.settings.add(f"integer:{name}")
    if associative or indexed:
        state.arrays.setdefault(name, ShellArray(associative=associative))
        state.variables.pop(name, None)
    if has_value and (not local or assignment.elements is not None):
        assign(assignment, expander)


def _unset(call: Call) -> Outcome:
    for word in call.words[1:]:
        if not isinstance(word, str) or word.startswith("-"):
            continue
        name = word.partition("[")[0]
        if "[" in word and name in call.state.arrays:
            array = call.state.arrays[name]
            key = word[len(name) + 1 : -1]
            items = tuple(item for item in array.items if item[0] != key)
            call.state.arrays[name] = ShellArray(items, array.complete, array.associative)
            continue
        if "-f" in call.words:
            call.state.functions.pop(name, None)
            continue
        call.state.arrays.pop(name, None)
        call.state.variables[name] = None
    return Outcome()


def _assigning(call: Call) -> Outcome:
    """`export` and its relatives where they are not written as declarations."""
    items = tuple(Word(call.machine.placeholders.encode(word), 0) for word in call.words[1:])
    expander = _expander(call)
    for item, word in zip(items, call.words[1:], strict=True):
        head = word if isinstance(word, str) else word.prefix
        name, equals, _ = head.partition("=")
        if equals and re.fullmatch(r"[A-Za-z_]\w*", name):
            call.state.variables[name] = (
                word[len(name) + 1 :] if isinstance(word, str) else _behind(word, len(name) + 1)
            )
        elif item.raw.startswith("-"):
            continue
        if call.name == "export" and re.fullmatch(r"[A-Za-z_]\w*", name):
            expander.state.exported.add(name)
    return Outcome()


def _read(call: Call) -> Outcome:
    names: list[str] = []
    array: str | None = None
    words = list(call.words[1:])
    while words:
        word = words.pop(0)
        if not isinstance(word, str):
            continue
        if word.startswith("-"):
            if word[-1] in "dinNptu" and words:
                words.pop(0)
            elif word[-1] == "a" and words:
                name = words.pop(0)
                array = name if isinstance(name, str) else None
            continue
        names.append(word)
    stream = call.frame.stdin
    many = stream.at_many if stream is not None else False
    line = stream.take_line() if stream is not None else hole("data", "read")
    status = Status.UNKNOWN if many or stream is None else Status.SUCCESS
    if line is None:
        for name in names or ["REPLY"]:
            call.state.variables[name] = ""
        return Outcome(Status.FAILURE)
    separators = call.state.variables.get("IFS", " \t\n")
    separators = separators if isinstance(separators, str) else " \t\n"
    if array is not None:
        pieces = [piece for piece in split_text(line, separators or "\n") if piece != ""]
        items = tuple((str(number), piece) for number, piece in enumerate(pieces))
        call.state.arrays[array] = ShellArray(items, not many)
        return Outcome(status)
    _assign_fields(call, names or ["REPLY"], line, separators if names else "")
    return Outcome(status)


def _assign_fields(call: Call, names: list[str], line: TextLike, separators: str) -> None:
    if len(names) == 1 or not separators:
        text = _strip(line) if separators.strip() != separators or separators == " \t\n" else line
        call.state.variables[names[0]] = text if separators else line
        for name in names[1:]:
            call.state.variables[name] = ""
        return
    blank = not separators.strip()
    pieces = split_text(line, separators)
    if blank:
        pieces = [piece for piece in pieces if piece != ""]
    unknown = isinstance(line, Text)
    for number, name in enumerate(names):
        if number >= len(pieces):
            call.state.variables[name] = hole("data", name) if unknown else ""
        elif number == len(names) - 1:
            rest: list[TextLike] = []
            for piece in pieces[number:]:
                rest += [separators[0], piece] if rest else [piece]
            call.state.variables[name] = concat(*rest)
        else:
            call.state.variables[name] = pieces[number]


def _strip(text: TextLike) -> TextLike:
    parts = list(parts_of(text))
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip(" \t\n")
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip(" \t\n")
    return make_text(parts)


def _mapfile(call: Call) -> Outcome:
    names = [word for word in call.words[1:] if isinstance(word, str) and not word.startswith("-")]
    name = names[-1] if names else "MAPFILE"
    stream = call.frame.stdin
    if stream is None:
        call.state.arrays[name] = ShellArray((), complete=False)
        return Outcome(Status.LIKELY)
    lines = list(text_lines(stream.take_all()))
    known = all(isinstance(line, str) for line in lines)
    items = tuple((str(number), line) for number, line in enumerate(lines[: call.machine.options.words * 4]))
    call.state.arrays[name] = ShellArray(items, known)
    return Outcome(Status.LIKELY)


# ---- output ----------------------------------------------------------------------------------------------------------


def _echo(call: Call) -> Outcome:
    words = list(call.words[1:])
    newline, escapes = True, False
    while words and isinstance(words[0], str) and re.fullmatch(r"-[neE]+", words[0]):
        flag = str(words.pop(0))
        newline = newline and "n" not in flag
        escapes = "e" in flag or escapes
    if call.captured:
        pieces: list[TextLike] = []
        for word in words:
            pieces += [" ", word] if pieces else [word]
        text = concat(*pieces, "\n" if newline else "")
        if escapes:
            text = make_text(unescape_ansi(part) if isinstance(part, str) else part for part in parts_of(text))
        call.out(text)
    return Outcome()


def _printf(call: Call) -> Outcome:
    words = list(call.words[1:])
    target: str | None = None
    while words and isinstance(words[0], str) and words[0].startswith("-"):
        flag = words.pop(0)
        if flag == "-v" and words:
            name = words.pop(0)
            target = name if isinstance(name, str) else None
        elif flag == "--":
            break
    if not words:
        return Outcome()
    if target is None and not call.captured:
        return Outcome()
    text = format_text(words[0], words[1:], call.machine.options.words)
    if target is not None:
        call.state.variables[target] = text
    else:
        call.out(text)
    return Outcome()


def format_text(form: TextLike, values: list[TextLike], bound: int) -> TextLike:
    """What `printf` makes of a format and its arguments; the format repeats while arguments are left."""
    if not isinstance(form, str):
        return hole("data")
    pieces: list[TextLike | Hole] = []
    queue = list(values)
    for _ in range(bound):
        consumed = _format_once(form, queue, pieces)
        if not queue or not consumed:
            break
    return concat(*pieces)


def _format_once(form: str, queue: list[TextLike], pieces: list[TextLike | Hole]) -> bool:
    position = 0
    consumed = False
    for found in _DIRECTIVE.finditer(form):
        pieces.append(unescape_ansi(form[position : found.start()]))
        position = found.end()
        directive = found.group()
        if directive == "%%":
            pieces.append("%")
            continue
        consumed = True
        if found.group(1):
            if queue:
                queue.pop(0)
            pieces.append(Hole("clock", "/" in found.group(1), "date"))
            continue
        if "*" in directive:
            pieces.append(Hole("data", False))
            del queue[: 1 + directive.count("*")]
            continue
        value = queue.pop(0) if queue else ""
        pieces.append(_format_value(directive, found.group(3), value))
    pieces.append(unescape_ansi(form[position:]))
    return consumed


def _format_value(directive: str, kind: str, value: TextLike) -> TextLike | Hole:
    width = re.search(r"\d+", directive)
    if width is not None and len(width.group()) > 3:
        return Hole("data")
    if kind in "diouxXfeEgG":
        if not isinstance(value, str):
            return Hole("data", False)
        try:
            number = float(value or 0) if kind in "feEgG" else int(value or "0", 0 if value[:1] != "0" else 10)
            return directive.replace("i", "d").replace("u", "d") % number
        except (ValueError, TypeError, OverflowError):
            return Hole("data", False)
    if isinstance(value, Text):
        return value
    if kind == "b":
        return unescape_ansi(value)
    if kind == "c":
        return value[:1]
    if kind == "q":
        return value
    return directive % value


def _hash(_call: Call) -> Outcome:
    return Outcome(Status.LIKELY)


def _type(call: Call) -> Outcome:
    call.out(hole("environment"))
    return Outcome(Status.UNKNOWN)


def _alias(call: Call) -> Outcome:
    return Outcome(Status.SUCCESS if len(call.words) > 1 else Status.UNKNOWN)


def _folder_stack(call: Call) -> Outcome:
    call.out(concat(call.machine.absolute(call.state.cwd), "\n"))
    return Outcome()


def _caller(call: Call) -> Outcome:
    call.out(hole("data"))
    return Outcome()


BUILTINS: dict[str, Builtin] = {
    ":": _true,
    "true": _true,
    "false": _false,
    "exit": _exit,
    "return": _return,
    "break": _break,
    "continue": _continue,
    "eval": _eval,
    "source": _source,
    ".": _source,
    "exec": _exec,
    "command": _command,
    "builtin": _command,
    "trap": _trap,
    "set": _set,
    "shopt": _shopt,
    "shift": _shift,
    "getopts": _getopts,
    "test": _test,
    "[": _test,
    "let": _let,
    "cd": _cd,
    "chdir": _cd,
    "pushd": _pushd,
    "popd": _popd,
    "dirs": _folder_stack,
    "pwd": _pwd,
    "unset": _unset,
    "export": _assigning,
    "local": _assigning,
    "declare": _assigning,
    "readonly": _assigning,
    "typeset": _assigning,
    "read": _read,
    "mapfile": _mapfile,
    "readarray": _mapfile,
    "echo": _echo,
    "printf": _printf,
    "hash": _hash,
    "umask": _hash,
    "ulimit": _hash,
    "wait": _hash,
    "jobs": _hash,
    "fg": _hash,
    "bg": _hash,
    "disown": _hash,
    "times": _hash,
    "type": _type,
    "alias": _alias,
    "unalias": _true,
    "caller": _caller,
    "enable": _true,
    "bind": _true,
    "complete": _true,
    "compgen": _type,
}
