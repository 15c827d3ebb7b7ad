"""doctest: the examples of docstrings and text files are run as the program would run them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise, Frame
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.system.program_lines import CommandLine
from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.models.test_runners.unittest_loading import add_search_folder, import_by_name
from taskgates.inference.objects import Arguments, DictObj, ModuleV
from taskgates.inference.paths import join_paths, split_last
from taskgates.inference.values import INT, NONE, AnyValue, Known, TupleV, as_value, path_text, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.text import TextLike

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def docstrings(source: str) -> list[str]:
    """The docstrings of a module, its functions, its classes and their methods, in the order of their names."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found: list[tuple[str, str]] = []
    pending: list[tuple[str, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]] = [("", tree)]
    while pending:
        name, node = pending.pop()
        text = ast.get_docstring(node, clean=False)
        if text:
            found.append((name, text))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending.extend((f"{name}.{child.name}", child) for child in node.body if isinstance(child, _DEFINITIONS))
    return [text for _, text in sorted(found)]


def run_examples(machine: Machine, text: str, slots: dict[object, object], name: str) -> None:
    """Run the examples in a text, one after the other, with the given globals."""
    import doctest

    from taskgates.inference.log import COMMAND_FILE

    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return
    if not examples:
        return
    module = ModuleV(name, COMMAND_FILE, "")
    module.slots.update(slots)
    frame = Frame(module, "<module>", module.slots, None)
    for example in examples:
        if example.options.get(doctest.SKIP):
            continue
        try:
            with machine.within(frame):
                machine.run_text(Known(example.source))
        except AbstractRaise:
            continue


def test_module(machine: Machine, module: ModuleV) -> None:
    """Run the examples of a module's docstrings."""
    if not module.file or module.file.startswith(("<", "/")):
        # An installed module's examples touch nothing of the repository.
        return
    machine.access(Operation.READ, Known(f"{machine.root}/{module.file}"), "doctest.testmod")
    content = machine.content(f"{machine.root}/{module.file}")
    for text in docstrings(content.decode("utf-8", "replace")) if content is not None else ():
        run_examples(machine, text, dict(module.slots), module.name)


def test_file(machine: Machine, place: TextLike, slots: dict[object, object]) -> None:
    """Run the examples of a text file."""
    machine.access(Operation.READ, as_value(place), "doctest.testfile")
    content = machine.content(place)
    if content is None:
        machine.opaque("the examples of a text file that is not known are run")
        return
    run_examples(machine, content.decode("utf-8", "replace"), {"__name__": Known("__main__"), **slots}, "__main__")


def _globals(value: AnyValue | None) -> dict[object, object]:
    if not isinstance(value, DictObj):
        return {}
    return {key.value: item for key, item in value.known() if isinstance(key, Known)}


@function("doctest.testmod")
def testmod(machine: Machine, args: Arguments) -> AnyValue:
    """`doctest.testmod(m)`: the main program when none is given."""
    module = args.get(0, "m")
    if module is None or module == NONE:
        module = machine.modules.get("__main__")
    if isinstance(module, ModuleV):
        test_module(machine, module)
    return TupleV([INT, INT])


@function("doctest.testfile")
def testfile(machine: Machine, args: Arguments) -> AnyValue:
    """`doctest.testfile(filename, module_relative=True)`."""
    name = path_text(args.get(0, "filename") or NONE)
    relative = args.get(1, "module_relative")
    if name is None:
        machine.opaque("the examples of a text file that is not known are run")
        return TupleV([INT, INT])
    if (relative is None or machine.truth(relative) is not False) and machine.frame is not None:
        file = machine.frame.module.file
        name = join_paths(f"{machine.root}/{file.rpartition('/')[0]}", name)
    test_file(machine, name, _globals(args.get(4, "globs")))
    return TupleV([INT, INT])


@program("doctest")
def doctest_program(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`python -m doctest FILE...`: modules by their docstrings, other files as text."""
    line = CommandLine(args, "vo:fh", ["verbose", "option=", "fail-fast", "help"], mixed=True)
    if line.has("h") or line.has("help"):
        return
    for file in line.operands:
        name = text_of(file)
        if isinstance(name, str) and name.endswith(".py"):
            folder, base = split_last(name)
            add_search_folder(machine, folder if folder != "" else ".")
            module = import_by_name(machine, str(base).removesuffix(".py"))
            if isinstance(module, ModuleV):
                test_module(machine, module)
        else:
            test_file(machine, place_of(file), {})


__all__ = ["docstrings", "run_examples", "test_file", "test_module"]
