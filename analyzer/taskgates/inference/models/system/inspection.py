"""Programs that look at source code without, or besides, running it."""

from __future__ import annotations

import ast
import posixpath
from typing import TYPE_CHECKING

from taskgates.inference.models.files.listings import is_folder, members
from taskgates.inference.models.registry import function, method
from taskgates.inference.models.system.program_lines import CommandLine
from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.models.system.refactoring import Fixers
from taskgates.inference.models.test_runners.unittest_loading import add_search_folder, import_by_name
from taskgates.inference.objects import ClassV, FunctionV, ModuleV
from taskgates.inference.paths import join_paths, split_last
from taskgates.inference.text import Hole, TextLike, concat
from taskgates.inference.values import UNKNOWN, AnyValue, BoundMethod, Known, as_value, options, text_of
from taskgates.model.access import Operation
from taskgates.tree.modules import Module, iter_submodules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.objects import Arguments


@program("pydoc", commands=["pydoc", "pydoc3"])
def pydoc(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Documentation of modules, which are imported; `-w` writes one HTML file for each."""
    line = CommandLine(args, "bk:n:p:w")
    if line.has("b") or line.has("k") or line.has("p"):
        return
    add_search_folder(machine, ".")
    names: list[str] = []
    for word in line.operands:
        name = text_of(word)
        if not isinstance(name, str):
            machine.opaque("pydoc is told to describe a module that is not known")
        elif line.has("w") and "/" in name and machine.exists(name, "folder"):
            # Only a word with a slash is a path; any other names a module.
            names.extend(_modules_below(machine, name))
        elif name.endswith(".py") and "/" in name and machine.exists(name, "file"):
            folder, base = split_last(name)
            add_search_folder(machine, folder if folder != "" else ".")
            # Its first bytes tell whether it is byte code.
            machine.access(Operation.READ, Known(name), "pydoc")
            names.append(str(base).removesuffix(".py"))
        else:
            names.append(name)
    for name in names:
        owner = name
        while owner:
            found = machine.locate_module(owner)
            if found is not None:
                break
            # The last parts may name a class or function in the module.
            owner = owner.rpartition(".")[0]
        module = import_by_name(machine, owner) if owner else None
        if isinstance(module, ModuleV) and module.file and not module.file.startswith("/"):
            content = machine.tree.read_bytes(module.file, machine.limits.file_size)
            if content is None or _lacks_documentation(content):
                machine.access(Operation.READ, Known(f"{machine.root}/{module.file}"), "pydoc")
        if module is not None and line.has("w"):
            machine.access(Operation.OVERWRITE, Known(f"{name}.html"), "pydoc")


def _lacks_documentation(content: bytes) -> bool:
    """Whether something public in a source has no docstring: comments in front of it are looked for in its stead."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    if ast.get_docstring(tree) is None:
        return True
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            # Special methods inherit their documentation, other names with an underscore are left out.
            continue
        if ast.get_docstring(node) is None:
            return True
        if isinstance(node, ast.ClassDef):
            pending += node.body
    return False


def _modules_below(machine: Machine, folder: str) -> Iterator[str]:
    """The dotted names of the modules below a folder, which counts as a package of its own name."""
    place = machine.in_tree(folder)
    if place is None:
        return
    machine.access(Operation.LIST, Known(folder), "pydoc")
    pending = [Module("", "namespace", None, (place,))]
    while pending:
        parent = pending.pop(0)
        for name in iter_submodules(parent, machine.tree):
            dotted = f"{parent.name}.{name}" if parent.name else name
            yield dotted
            inner = f"{parent.folders[0]}/{name}"
            if machine.tree.kind(f"{inner}/__init__.py") == "file":
                pending.append(Module(dotted, "package", f"{inner}/__init__.py", (inner,)))


@program("inspect")
def inspect_program(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Prints the source of a module, or of something in it."""
    line = CommandLine(args, "h", ["details", "help"], mixed=True)
    for word in line.operands[:1]:
        name = text_of(word)
        if not isinstance(name, str):
            machine.opaque("inspect is told to describe a module that is not known")
            continue
        module = import_by_name(machine, name.partition(":")[0])
        if line.has("details") and ":" not in name:
            # A module's own details need no source.
            continue
        if isinstance(module, ModuleV) and module.file and not module.file.startswith("/"):
            machine.access(Operation.READ, Known(f"{machine.root}/{module.file}"), "inspect")


def read_source(machine: Machine, component: AnyValue, call: str) -> None:
    """Note that the file is read in which a class, function or method of the project stands."""
    for option in options(component):
        target: AnyValue = option.func if isinstance(option, BoundMethod) else option
        module = target.module if isinstance(target, ClassV | FunctionV) else target
        if isinstance(module, ModuleV) and module.file:
            file = module.file if module.file.startswith("/") else f"{machine.root}/{module.file}"
            machine.access(Operation.READ, Known(file), call)


@method("joblib.Memory.cache")
def joblib_cache(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`memory.cache(function)`: results are kept beside the function's text; the table says the rest."""
    del obj
    func = args.get(0, "func")
    if isinstance(func, FunctionV):
        read_source(machine, func, "joblib.Memory.cache")
    return None


@function("inspect.getsource", "inspect.getsourcelines", "inspect.findsource", "inspect.getcomments")
def source_of(machine: Machine, args: Arguments) -> AnyValue | None:
    """`inspect.getsource(object)`; the table says what comes out."""
    read_source(machine, args.get(0, "object") or UNKNOWN, "inspect.getsource")
    return None


@program("modulefinder")
def modulefinder(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Follows the import statements of a script without running anything."""
    line = CommandLine(args, "dmp:qx:")
    if not line.operands:
        return
    script = place_of(line.operands[0])
    folder = split_last(script)[0]
    add_search_folder(machine, folder if folder != "" else ".")
    for entry in line.every("p"):
        for piece in str(text_of(entry) or "").split(":"):
            if piece:
                add_search_folder(machine, piece)
    excluded = {str(text_of(value)) for value in line.every("x")}
    machine.access(Operation.READ, as_value(script), "modulefinder")
    seen: set[str] = set()
    pending: list[tuple[str, str]] = []
    place = machine.in_tree(script)
    if place is not None:
        pending.append((place, ""))
    modules = False
    for word in line.operands[1:]:
        name = text_of(word)
        if name == "-m":
            modules = True
        elif isinstance(name, str) and modules:
            pending.extend(_file_of(machine, name, seen, excluded))
        elif (other := machine.in_tree(place_of(word))) is not None:
            machine.access(Operation.READ, word, "modulefinder")
            pending.append((other, ""))
    while pending:
        file, package = pending.pop()
        for name in _imported(machine, file, package):
            pending.extend(_file_of(machine, name, seen, excluded))


def _file_of(machine: Machine, name: str, seen: set[str], excluded: set[str]) -> list[tuple[str, str]]:
    """The source files of a module and the packages around it that were not met before, each with its package."""
    found: list[tuple[str, str]] = []
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        dotted = ".".join(parts[:end])
        if dotted in seen:
            continue
        seen.add(dotted)
        module = machine.locate_module(dotted) if dotted not in excluded else None
        if module is None or module.installed:
            break
        if module.file is not None and not module.file.startswith("/") and module.kind != "extension":
            machine.access(Operation.READ, Known(f"{machine.root}/{module.file}"), "modulefinder")
            found.append((module.file, dotted if module.is_package else dotted.rpartition(".")[0]))
    return found


def _imported(machine: Machine, file: str, package: str) -> list[str]:
    """The absolute names that the import statements of a source may load."""
    content = machine.tree.read_bytes(file, machine.limits.file_size)
    try:
        tree = ast.parse(content or b"")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".") if node.level and package else []
            base = base[: len(base) - (node.level - 1)] if node.level else []
            head = ".".join([*base, *([node.module] if node.module else [])])
            if head:
                names.append(head)
                names.extend(f"{head}.{alias.name}" for alias in node.names if alias.name != "*")
    return names


_FIXER_OPTIONS = [
    "doctests_only",
    "fix=",
    "processes=",
    "nofix=",
    "list-fixes",
    "print-function",
    "exec-function",
    "verbose",
    "no-diffs",
    "write",
    "nobackups",
    "output-dir=",
    "write-unchanged-files",
    "add-suffix=",
    "help",
]


@program("lib2to3", "lib2to3.main", commands=["2to3"])
def fixer(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Rewrites Python 2 sources: in place, or below another folder."""
    line = CommandLine(
        args,
        "df:j:x:lpevwno:Wh",
        _FIXER_OPTIONS,
        mixed=True,
        names={"w": "write", "W": "write-unchanged-files", "n": "nobackups", "o": "output-dir", "l": "list-fixes"},
    )
    if line.has("help") or line.has("h") or line.has("list-fixes"):
        return
    unchanged = line.has("write-unchanged-files")
    fixers = Fixers(
        [str(text_of(value)) for name in ("f", "fix") for value in line.every(name)],
        [str(text_of(value)) for name in ("x", "nofix") for value in line.every(name)],
        {"print_function": line.has("p") or line.has("print-function"), "exec_function": line.has("e")},
    )
    base = posixpath.commonprefix([str(text_of(word) or "") for word in line.operands])
    if base and not base.endswith("/") and not is_folder(machine, base):
        base = base.rpartition("/")[0]
    output = line.last("output-dir")
    suffix = line.last("add-suffix")
    for word in line.operands:
        if text_of(word) == "-":
            continue
        for source in _sources(machine, place_of(word)):
            machine.access(Operation.READ, as_value(source), "lib2to3")
            if not line.has("write") and not unchanged:
                continue
            content = machine.content(source) if machine.closed else None
            decided = content is not None and not unchanged and not line.has("d")
            changes = fixers.change(content or b"", str(machine.absolute(source))) if decided else None
            if changes is False:
                continue
            target = source
            if output is not None and isinstance(source, str):
                target = join_paths(place_of(output), source[len(base) :].lstrip("/"))
            if suffix is not None:
                target = concat(target, place_of(suffix))
            # A source that needs no fixes stays as it is, unless asked for.
            doubtful = not unchanged and changes is None
            if not line.has("nobackups"):
                backup = as_value(concat(target, ".bak"))
                machine.access(Operation.RENAME, as_value(target), "lib2to3", conditional=doubtful)
                machine.access(Operation.CREATE, backup, "lib2to3", conditional=doubtful)
            machine.access(Operation.OVERWRITE, as_value(target), "lib2to3", conditional=doubtful)


def _sources(machine: Machine, place: TextLike) -> list[TextLike]:
    """A file, or the Python sources below a folder; a pattern where the folder's content is not known."""
    if not is_folder(machine, place):
        return [place]
    machine.access(Operation.LIST, as_value(place), "lib2to3")
    names = members(machine, place)
    if names is None:
        return [concat(place, "/", Hole("glob", True), ".py")]
    found: list[TextLike] = []
    for name in names:
        path = join_paths(place, name)
        if is_folder(machine, path):
            if not name.startswith("."):
                found.extend(_sources(machine, path))
        elif name.endswith(".py") and not name.startswith("."):
            found.append(path)
    return found


__all__ = ["fixer", "inspect_program", "modulefinder", "pydoc", "read_source", "source_of"]
