"""unittest: finding test cases by folder and by name, suites, runners, and the program itself."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.files.listings import is_folder, members
from taskgates.inference.models.registry import Machine, constant, function, method
from taskgates.inference.models.system.program_lines import CommandLine, UsageError
from taskgates.inference.models.system.programs import program
from taskgates.inference.objects import CONTENT, Arguments, ClassV, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.values import (
    BOOL,
    INT,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    TupleV,
    as_value,
    options,
    path_text,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.text import TextLike

from taskgates.inference.models.test_runners.testing import (
    CASE,
    LOADER,
    RESULT,
    SUITE,
    case_id,
    cases_of_class,
    cases_of_module,
    flatten,
    is_case,
    make_case,
    make_suite,
    method_names,
    run_cases,
)

RUNNER = "unittest.TextTestRunner"
_MODULE_FILE = re.compile(r"[_a-z]\w*\.py\Z", re.IGNORECASE)


def add_search_folder(machine: Machine, folder: TextLike) -> None:
    """Put a folder in front of `sys.path`."""
    entry = as_value(machine.absolute(folder))
    search = machine.search
    if entry not in search.items:
        machine.state.write(search.slots, CONTENT, TupleV([entry, *search.items], search.rest))


def import_by_name(machine: Machine, name: str) -> AnyValue | None:
    """Import a module; None when that certainly fails."""
    try:
        return machine.import_module(name)  # type: ignore[no-any-return]
    except AbstractRaise:
        return None


def discover(machine: Machine, start: str, pattern: str = "test*.py", top: str | None = None) -> list[Instance]:
    """Find test cases as `unittest discover` does: modules of packages whose files match a pattern.

    Args:
        machine: the interpreter.
        start: the folder to search, or the name of a package.
        pattern: for file names, as `fnmatch` takes it.
        top: the folder that module names count from; the start folder when None.
    """
    if not is_folder(machine, start) and machine.locate_module(start) is not None:
        package = import_by_name(machine, start)
        if not isinstance(package, ModuleV) or not package.file:
            return []
        start = f"{machine.root}/{package.file.rpartition('/')[0]}"
        top = top or "."
    base = str(machine.absolute(top if top is not None else start))
    add_search_folder(machine, base)
    found: list[Instance] = []
    _discover(machine, str(machine.absolute(start)), base, pattern, found)
    return found


def _discover(machine: Machine, folder: str, top: str, pattern: str, found: list[Instance]) -> None:
    machine.access(Operation.LIST, Known(folder), "unittest.TestLoader.discover")
    names = members(machine, folder)
    if names is None:
        if machine.exists(folder) is not False:
            machine.opaque("tests are looked for in a folder whose content is not known")
        return
    for name in names:
        path = f"{folder}/{name}"
        dotted = path[len(top) :].strip("/").removesuffix(".py").replace("/", ".")
        if is_folder(machine, path):
            if not machine.exists(f"{path}/__init__.py"):
                continue
            package = import_by_name(machine, dotted)
            if isinstance(package, ModuleV):
                found.extend(cases_of_module(machine, package))
                if "load_tests" not in package.slots:
                    _discover(machine, path, top, pattern, found)
        elif _MODULE_FILE.fullmatch(name) and fnmatch.fnmatch(name, pattern):
            module = import_by_name(machine, dotted)
            if isinstance(module, ModuleV):
                found.extend(cases_of_module(machine, module))


def cases_by_name(machine: Machine, name: str, module: AnyValue | None = None) -> list[Instance]:
    """The cases behind `package.module.Class.method`, any prefix of it, or a file name."""
    if name.endswith(".py") and machine.exists(name, "file"):
        name = name.removesuffix(".py").removeprefix("./").replace("/", ".")
    parts = name.split(".")
    value: AnyValue | None = module
    if value is None:
        value = import_by_name(machine, parts.pop(0))
    owner: AnyValue | None = None
    for index, part in enumerate(parts):
        if value is None:
            return []
        owner = value
        if isinstance(value, ModuleV) and part not in value.slots:
            value = import_by_name(machine, f"{value.name}.{part}")
        elif isinstance(value, ClassV) and index == len(parts) - 1 and is_case(value):
            case = make_case(machine, value, part)
            return [case] if case is not None else []
        else:
            value = machine.get_attr(value, part)
    del owner
    if isinstance(value, ModuleV):
        return cases_of_module(machine, value)
    if is_case(value if value is not None else NONE):
        return cases_of_class(machine, value)  # type: ignore[arg-type]
    if isinstance(value, FunctionV):
        try:
            return flatten(machine.call(value, Arguments()))
        except AbstractRaise:
            return []
    return flatten(value) if value is not None else []


def _text(value: AnyValue | None, default: str) -> str:
    text = path_text(value) if value is not None else None
    return text if isinstance(text, str) else default


@function(LOADER, "unittest.loader.TestLoader")
def make_loader(machine: Machine, args: Arguments) -> AnyValue:
    """`TestLoader()`."""
    del machine, args
    return Instance(Ext(LOADER))


@constant("unittest.defaultTestLoader", "unittest.loader.defaultTestLoader")
def default_loader(machine: Machine) -> AnyValue:
    """The loader that is used when none is given."""
    del machine
    return Instance(Ext(LOADER))


@method(f"{LOADER}.discover")
def loader_discover(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`loader.discover(start_dir, pattern, top_level_dir)`."""
    del obj
    top = args.get(2, "top_level_dir")
    start = args.get(0, "start_dir") or UNKNOWN
    if not isinstance(path_text(start), str):
        machine.opaque("tests are looked for in a folder that is not known")
        return make_suite([])
    pattern = _text(args.get(1, "pattern"), "test*.py")
    folder = path_text(top) if top is not None else None
    found = discover(machine, str(path_text(start)), pattern, folder if isinstance(folder, str) else None)
    return make_suite(found)


@method(f"{LOADER}.loadTestsFromTestCase")
def load_from_case(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`loader.loadTestsFromTestCase(cls)`."""
    del obj
    classes = [option for option in options(args.get(0, "testCaseClass") or UNKNOWN) if isinstance(option, ClassV)]
    return make_suite([case for cls in classes for case in cases_of_class(machine, cls)])


@function("unittest.makeSuite", "unittest.loader.makeSuite")
def make_suite_function(machine: Machine, args: Arguments) -> AnyValue:
    """`unittest.makeSuite(cls)`."""
    return load_from_case(machine, Instance(Ext(LOADER)), args)


@method(f"{LOADER}.loadTestsFromModule")
def load_from_module(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`loader.loadTestsFromModule(module)`."""
    del obj
    modules = [option for option in options(args.get(0, "module") or UNKNOWN) if isinstance(option, ModuleV)]
    return make_suite([case for module in modules for case in cases_of_module(machine, module)])


@method(f"{LOADER}.loadTestsFromName")
def load_from_name(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`loader.loadTestsFromName(name, module)`."""
    del obj
    name = text_of(args.get(0, "name") or UNKNOWN)
    module = args.get(1, "module")
    if not isinstance(name, str):
        machine.opaque("tests are loaded by a name that is not known")
        return make_suite([])
    return make_suite(cases_by_name(machine, name, module if isinstance(module, ModuleV | ClassV) else None))


@method(f"{LOADER}.loadTestsFromNames")
def load_from_names(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`loader.loadTestsFromNames(names, module)`."""
    names = machine.iterate(args.get(0, "names") or UNKNOWN)
    return make_suite([load_from_name(machine, obj, Arguments([name, *args.pos[1:]])) for name in names.items])


@method(f"{LOADER}.getTestCaseNames")
def case_names(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`loader.getTestCaseNames(cls)`."""
    del machine, obj
    cls = args.get(0, "testCaseClass")
    return ListObj("list", [Known(name) for name in method_names(cls)] if isinstance(cls, ClassV) else ())


@function(SUITE, "unittest.suite.TestSuite")
def new_suite(machine: Machine, args: Arguments) -> AnyValue:
    """`TestSuite(tests)`."""
    tests = args.get(0, "tests")
    return make_suite(machine.iterate(tests).items if tests is not None else ())


@method(f"{SUITE}.addTest")
def add_test(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`suite.addTest(test)`."""
    machine.extend(obj.slots["tests"], TupleV(args.pos[:1]))
    return NONE


@method(f"{SUITE}.addTests")
def add_tests(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`suite.addTests(tests)`."""
    tests: AnyValue = args.get(0, "tests") or UNKNOWN
    if isinstance(tests, Instance) and "tests" in tests.slots:
        tests = tests.slots["tests"]
    machine.extend(obj.slots["tests"], machine.iterate(tests))
    return NONE


@method(f"{SUITE}.countTestCases")
def count_tests(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """How many tests there are."""
    del machine, obj, args
    return INT


@method(f"{SUITE}.__iter__")
def iterate_suite(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The tests of a suite."""
    del machine, args
    return ListObj("iterator", obj.slots["tests"].items, obj.slots["tests"].rest)


@function(RUNNER, "unittest.runner.TextTestRunner")
def make_runner(machine: Machine, args: Arguments) -> AnyValue:
    """`TextTestRunner(...)`."""
    del machine, args
    return Instance(Ext(RUNNER))


@method(f"{RUNNER}.run")
def runner_run(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`runner.run(test)`."""
    del obj
    run_cases(machine, flatten(args.get(0, "test") or UNKNOWN))
    return Instance(Ext(RESULT))


@method(f"{SUITE}.run", f"{SUITE}.debug")
def suite_run(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`suite.run(result)`."""
    del args
    run_cases(machine, flatten(obj))
    return Instance(Ext(RESULT))


@method(f"{CASE}.run", f"{CASE}.debug", f"{CASE}.__call__")
def case_run(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`case.run(result)`."""
    del args
    if isinstance(obj.cls, ClassV) and "_testMethodName" in obj.slots:
        run_cases(machine, [obj])
    return Instance(Ext(RESULT))


@method(f"{RESULT}.wasSuccessful")
def was_successful(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Whether all tests passed."""
    del machine, obj, args
    return BOOL


# Programs

_LONG = ["help", "verbose", "quiet", "locals", "failfast", "catch", "buffer", "durations="]
_DISCOVER_LONG = [*_LONG, "start-directory=", "pattern=", "top-level-directory="]


def run_named(machine: Machine, words: Sequence[AnyValue], module: ModuleV | None) -> None:
    """What unittest's command line does.

    Args:
        machine: the interpreter.
        words: the words behind the program's name.
        module: the module whose tests run when no names are given; None for discovery.

    Raises:
        UsageError: for options that unittest does not have.
    """
    first = text_of(words[0]) if words else None
    chosen: list[Instance] = []
    if first == "discover" or (not words and module is None):
        line = CommandLine(
            words[1:],
            "hvqfcbk:s:p:t:",
            _DISCOVER_LONG,
            mixed=True,
            names={"s": "start-directory", "p": "pattern", "t": "top-level-directory"},
        )
        given = [*line.operands, None, None, None]
        start = _text(line.last("start-directory") or given[0], ".")
        pattern = _text(line.last("pattern") or given[1], "test*.py")
        top = line.last("top-level-directory") or given[2]
        chosen = discover(machine, start, pattern, _text(top, ".") if top is not None else None)
    else:
        line = CommandLine(words, "hvqfcbk:", _LONG, mixed=True)
        if line.operands:
            for word in line.operands:
                name = text_of(word)
                if isinstance(name, str):
                    chosen.extend(cases_by_name(machine, name, module))
                else:
                    machine.opaque("unittest is given a test's name that is not known")
        elif module is not None:
            chosen = cases_of_module(machine, module)
        else:
            chosen = discover(machine, ".")
    if line.has("h") or line.has("help"):
        return
    wanted = [text for value in line.every("k") if isinstance(text := text_of(value), str)]
    if wanted:
        patterns = [text if "*" in text else f"*{text}*" for text in wanted]
        chosen = [
            case
            for case in chosen
            if any(fnmatch.fnmatchcase(str(text_of(case_id(machine, case, Arguments()))), each) for each in patterns)
        ]
    run_cases(machine, chosen)


@program("unittest")
def unittest(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`python -m unittest ...`."""
    run_named(machine, args, None)


@function("unittest.main", "unittest.TestProgram")
def unittest_main(machine: Machine, args: Arguments) -> AnyValue:
    """`unittest.main()`: the tests of the main program, then its end."""
    module = args.get(0, "module") or Known("__main__")
    name = text_of(module)
    owner = machine.modules.get(name) if isinstance(name, str) else module
    if owner is None and isinstance(name, str):
        owner = import_by_name(machine, name)
    argv = args.get(2, "argv")
    content = machine.iterate(machine.argv if argv is None or argv == NONE else argv)
    words = list(content.items[1:])
    default = args.get(1, "defaultTest")
    if not words and default is not None and isinstance(text_of(default), str):
        words = [default]
    if isinstance(owner, ModuleV) or owner == NONE:
        try:
            run_named(machine, words, owner if isinstance(owner, ModuleV) else None)
        except UsageError:
            raise machine.throw("SystemExit") from None
    leave = args.kw.get("exit")
    if leave is None or machine.truth(leave) is not False:
        raise machine.throw("SystemExit")
    return NONE


__all__ = ["add_search_folder", "cases_by_name", "discover", "import_by_name", "run_named", "unittest", "unittest_main"]
