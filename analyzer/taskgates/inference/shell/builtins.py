"""Commands that the shell carries out itself because they change its own state or decide its course."""

from __future__ import annotations

from collections.abc import Callable

from taskgates.inference.shell import printing, variables
from taskgates.inference.shell.call import Call
from taskgates.inference.shell.conditions import evaluate_arguments
from taskgates.inference.shell.expansion import Expander
from taskgates.inference.shell.machine import Jump, Outcome, Status
from taskgates.inference.shell.texts import hole, normalise_path
from taskgates.inference.text import TextLike, concat

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
    if base.endswith("/bin/activate"):
        _activate(call, path)
        return Outcome(Status.LIKELY)
    if base.endswith(("/etc/profile", ".bashrc", ".profile")):
        return Outcome(Status.LIKELY)
    known = call.machine.script(path, words[1:], call.frame, call.state, source=True)
    if not known or not base.endswith((".sh", ".bash")):
        call.read(path)
    if not known:
        call.opaque(f"the sourced file {call.machine.describe(path)} is not in the repository")
    return Outcome(Status.LIKELY)


def _activate(call: Call, script: TextLike) -> None:
    """Activate a virtual environment: its Python is the one that runs from now on."""
    full = call.full(script)
    if not isinstance(full, str) or full.startswith(("/", "~")):
        return
    if call.machine.tree.kind(full) == "file" or call.machine.unsure(full):
        call.read(script)
    call.state.variables["VIRTUAL_ENV"] = full.removesuffix("/bin/activate")
    call.state.exported.add("VIRTUAL_ENV")


def _deactivate(call: Call) -> Outcome:
    """Leave the virtual environment: a function that its script defines."""
    call.state.variables.pop("VIRTUAL_ENV", None)
    return Outcome()


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
    "deactivate": _deactivate,
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
    "coproc": _command,
    "builtin": _command,
    "trap": _trap,
    "set": _set,
    "shopt": _shopt,
    "shift": _shift,
    "getopts": variables.getopts,
    "test": _test,
    "[": _test,
    "let": _let,
    "cd": _cd,
    "chdir": _cd,
    "pushd": _pushd,
    "popd": _popd,
    "dirs": _folder_stack,
    "pwd": _pwd,
    "unset": variables.unset,
    "export": variables.export,
    "local": variables.export,
    "declare": variables.export,
    "readonly": variables.export,
    "typeset": variables.export,
    "read": variables.read,
    "mapfile": variables.map_file,
    "readarray": variables.map_file,
    "echo": printing.echo,
    "printf": printing.printf,
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
