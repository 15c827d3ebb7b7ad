"""Git: the files of its own store, and those of the working tree that a command certainly touches."""

from __future__ import annotations

from itertools import islice

from taskgates.inference.shell.call import Call, below
from taskgates.inference.shell.commands import parse_arguments
from taskgates.inference.shell.copying import move
from taskgates.inference.shell.editing import apply_difference
from taskgates.inference.shell.machine import Outcome, Status
from taskgates.inference.shell.patterns import remove_suffix
from taskgates.inference.shell.texts import basename, hole, join_path
from taskgates.inference.text import Hole, Text, TextLike, concat
from taskgates.model.access import Operation

_ALSO_READ = {"add": ("info/exclude",), "commit": ("index", "COMMIT_EDITMSG")}
"""Files of the store that a command reads beside those that tell where the store is and how it is set up."""
_ADDED = 100
"""Files of a folder that are named one by one; of more than that, the folder is named."""

_GIT_READS = frozenset(
    [
        "log",
        "show",
        "diff",
        "status",
        "rev-parse",
        "rev-list",
        "describe",
        "blame",
        "branch",
        "tag",
        "remote",
        "ls-files",
        "ls-tree",
        "cat-file",
        "shortlog",
        "grep",
        "for-each-ref",
        "name-rev",
        "reflog",
        "symbolic-ref",
        "merge-base",
        "show-ref",
        "var",
        "config",
        "count-objects",
        "diff-tree",
        "whatchanged",
        "check-ignore",
        "check-attr",
        "ls-remote",
        "fsck",
        "verify-commit",
        "range-diff",
        "cherry",
        "diff-index",
        "diff-files",
    ]
)
_GIT_TREE = frozenset(
    [
        "checkout",
        "switch",
        "merge",
        "rebase",
        "pull",
        "reset",
        "restore",
        "stash",
        "cherry-pick",
        "revert",
        "clean",
        "am",
        "bisect",
        "submodule",
        "sparse-checkout",
        "read-tree",
        "checkout-index",
        "lfs",
        "subtree",
        "filter-branch",
    ]
)
_GIT_UPDATES = frozenset(
    [
        "add",
        "commit",
        "fetch",
        "push",
        "gc",
        "prune",
        "repack",
        "notes",
        "update-index",
        "update-ref",
        "pack-refs",
        "maintenance",
        "hash-object",
        "write-tree",
        "commit-tree",
        "replace",
        "fast-import",
    ]
)
_GIT_VALUES = {
    "-m": "value", "--message": "value", "-F": "read", "--file": "read", "-b": "value", "-B": "value", "-C": "value",
    "-n": "value", "--format": "value", "--author": "value", "--date": "value", "--depth": "value", "--branch": "value",
    "-o": "value", "--output": "value", "--output-directory": "value", "--prefix": "value", "-c": "value",
    "-s": "value",
    "--source": "value", "--reference": "value", "--template": "value", "--since": "value", "--until": "value",
    "--directory": "value", "-p": "flag",
}  # fmt: skip


def git(call: Call) -> Outcome:
    """`git`: the repository's own files, and those of the working tree that a command certainly touches."""
    state = call.state
    folder = call.arguments.last("-C")
    operands = list(call.arguments.operands)
    if not operands or not isinstance(operands[0], str):
        return Outcome(call.status)
    verb, *words = operands
    inner = Call(call.machine, call.name, call.words, call.row, call.arguments, call.frame, call.state, call.place)
    if folder is not None:
        inner.state = state.copy()
        inner.state.cwd = call.full(folder)
    row = type(call.row)(options=_GIT_VALUES)
    inner.arguments = parse_arguments(row, words)
    inner.name = f"git {verb}"
    store = _git_folder(inner)
    if verb in ("clone", "init"):
        _git_new(inner, str(verb))
    elif verb != "apply" and _outside_repository(inner, store):
        return Outcome(Status.FAILURE)
    elif verb in ("mv", "rm"):
        _git_files(inner, str(verb), store)
    elif verb == "archive":
        inner.read(below(store))
        target = inner.arguments.last("-o", "--output")
        if target is not None:
            inner.overwrite(target)
    elif verb == "bundle" and words[:1] == ["create"] and len(words) > 1:
        inner.read(below(store))
        inner.overwrite(words[1])
    elif verb == "format-patch":
        inner.read(below(store))
        target = inner.arguments.last("-o", "--output-directory")
        inner.overwrite(join_path(target if target is not None else ".", Text((Hole("data", False), ".patch"))))
    elif verb == "apply":
        _git_apply(inner)
    elif verb == "worktree":
        _git_worktree(inner, store)
    elif verb in _GIT_TREE:
        _git_working_tree(inner, str(verb), store)
    elif verb in _GIT_UPDATES or (verb == "config" and len(inner.arguments.operands) > 1):
        for path in _added(inner) if verb == "add" else ():
            inner.read(path)
        for name in ("HEAD", "config", *_ALSO_READ.get(str(verb), ())):
            inner.read(concat(store, "/", name))
        for message in inner.arguments.values("-F", "--file"):
            inner.read(message)
        inner.access(Operation.UPDATE, below(store))
    elif verb in _GIT_READS:
        inner.read(below(store))
    elif verb not in ("help", "version", "--version"):
        inner.access(Operation.UPDATE, below(store))
        inner.opaque(f"git {verb} is not followed")
    if call.captured:
        inner.out(_git_output(inner, str(verb), words))
    return Outcome(Status.UNKNOWN if verb in ("diff", "grep", "ls-files", "show-ref", "rev-parse") else call.status)


def _added(call: Call) -> list[TextLike]:
    """What `git add` reads: of a folder, the files that are not ignored."""
    return [path for operand in call.arguments.operands for path in _files_of(call, operand)]


def _files_of(call: Call, operand: TextLike) -> list[TextLike]:
    if call.kind(operand) == "file":
        return [operand]
    machine, full = call.machine, call.full(operand)
    elsewhere = machine.options.written_paths() if machine.options.written_paths is not None else []
    written = [path for path in (*machine.changes.written(), *elsewhere) if not str(path).startswith(".git")]
    if not machine.options.closed or not isinstance(full, str) or written:
        return [below(operand)]
    files = list(islice(machine.tree.walk(full), _ADDED + 1))
    return [below(operand)] if len(files) > _ADDED else [concat(machine.root, "/", file) for file in files]


def _git_folder(call: Call) -> TextLike:
    given = call.outer.last("--git-dir") or call.arguments.last("--git-dir")
    if given is not None:
        return given
    cwd = call.state.cwd
    if isinstance(cwd, str) and cwd != "." and call.machine.tree.kind(f"{cwd}/.git") is None:
        return concat(call.machine.root, "/.git") if not cwd.startswith(("/", "~", "..")) else ".git"
    return ".git"


def _outside_repository(call: Call, store: TextLike) -> bool:
    """Whether there is certainly no repository around: git then does nothing but complain."""
    options = call.machine.options
    if not options.closed or not isinstance(store, str):
        return False
    made = options.made_folder is not None and options.made_folder(".git")
    return call.machine.tree.kind(".git") is None and not made and store.rpartition("/")[2] == ".git"


def _git_new(call: Call, verb: str) -> None:
    operands = call.arguments.operands
    if verb == "init":
        call.access(Operation.CREATE, below(join_path(operands[0] if operands else ".", ".git")))
        return
    if not operands:
        return
    url = operands[0]
    target = operands[1] if len(operands) > 1 else remove_suffix(basename(url), ".git", longest=False)
    call.access(Operation.CREATE, below(target))
    call.machine.changes.add_folder(call.full(target))


def _git_files(call: Call, verb: str, store: TextLike) -> None:
    if verb == "mv":
        call.row = type(call.row)()
        move(call)
    elif not call.arguments.has("--cached"):
        for operand in call.arguments.operands:
            tree = call.arguments.has("-r") and call.kind(operand) != "file"
            call.access(Operation.DELETE, below(operand) if tree else operand)
    call.access(Operation.UPDATE, below(store))


def _git_apply(call: Call) -> None:
    for operand in call.arguments.operands or ["-"]:
        call.read(operand)
        if not call.arguments.has("--check", "--stat", "--numstat"):
            apply_difference(call, call.content(operand), call.arguments.last("--directory") or ".", 1)


def _git_worktree(call: Call, store: TextLike) -> None:
    operands = call.arguments.operands
    call.access(Operation.UPDATE, below(store))
    if len(operands) > 1 and operands[0] == "add":
        call.access(Operation.CREATE, below(operands[1]))
    elif len(operands) > 1 and operands[0] == "remove":
        call.access(Operation.DELETE, below(operands[1]))


def _git_working_tree(call: Call, verb: str, store: TextLike) -> None:
    call.access(Operation.UPDATE, below(store))
    separated = call.arguments.separated
    paths = call.arguments.operands[separated:] if separated is not None else []
    if verb == "restore" and not paths:
        paths = call.arguments.operands
    if verb == "checkout" and not paths and call.arguments.has("-b", "-B", "--orphan"):
        return
    if verb == "reset" and not call.arguments.has("--hard", "--merge", "--keep"):
        return
    if verb == "stash" and call.arguments.operands[:1] in (["list"], ["show"], ["drop"]):
        return
    if paths and verb in ("checkout", "restore"):
        for path in paths:
            call.overwrite(path if call.kind(path) == "file" else below(path) if call.is_folder(path) else path)
        return
    call.machine.changes.foreign = True
    call.opaque(f"git {verb} changes files of the working tree that are not known")


def _git_output(call: Call, verb: str, words: list[TextLike]) -> TextLike:
    if verb == "rev-parse":
        if "--show-toplevel" in words:
            return concat(call.machine.root, "\n")
        return concat(Hole("data", "--abbrev-ref" in words, "git"), "\n")
    if verb in ("describe", "branch", "symbolic-ref"):
        return concat(Hole("data", True, "git"), "\n")
    if verb in ("log", "show") and any(str(word).startswith(("--format", "--pretty")) for word in words):
        return concat(Hole("data", True, "git"), "\n")
    return hole("data", "git")
