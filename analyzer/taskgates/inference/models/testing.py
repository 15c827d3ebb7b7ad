"""unittest: loading test cases, and running them as its runner does."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

from taskgates.inference.core import AbstractRaise
from taskgates.inference.models.paths import is_folder, members
from taskgates.inference.models.programs import CommandLine, UsageError, program
from taskgates.inference.models.registry import Machine, constant, function, method
from taskgates.inference.values import (
    BOOL,
    CONTENT,
    FALSE,
    INT,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Arguments,
    BoundMethod,
    ClassV,
    Descriptor,
    Ext,
    FunctionV,
    Instance,
    Known,
    ListObj,
    ModuleV,
    Native,
    TupleV,
    as_value,
    options,
    path_text,
    text_hole,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from taskgates.inference.text import TextLike

CASE = "unittest.TestCase"
SUITE = "unittest.TestSuite"
LOADER = "unittest.TestLoader"
RUNNER = "unittest.TextTestRunner"
RESULT = "unittest.TestResult"
SKIP = "__unittest_skip__"
CLEANUPS = ("cleanups",)
EXPECTATION = "unittest.case._AssertRaisesContext"
_MODULE_FILE = re.compile(r"[_a-z]\w*\.py\Z", re.IGNORECASE)


# Cases and suites -------------------------------------------------------------------------------------------------------


def is_case(value: AnyValue) -> bool:
    """Whether a class derives from a library's test case."""
    return isinstance(value, ClassV) and any(
        isinstance(base, Ext) and base.name.rpartition(".")[2].endswith("TestCase") for base in value.mro
    )


def attribute_of(cls: ClassV, name: str) -> AnyValue | None:
    """What the classes of the analysed code define under a name."""
    for base in cls.mro:
        if isinstance(base, ClassV) and name in base.slots:
            found = base.slots[name]
            return getattr(found, "value", found) if type(found).__name__ == "Maybe" else found  # type: ignore[no-any-return]
    return None


def method_names(cls: ClassV, prefix: str = "test") -> list[str]:
    """The names of a class's test methods, in the loader's order."""
    names = {
        name
        for base in cls.mro
        if isinstance(base, ClassV)
        for name, value in base.slots.items()
        if isinstance(name, str)
        and name.startswith(prefix)
        and isinstance(value, FunctionV | Descriptor | Native | BoundMethod)
    }
    return sorted(names)


def make_case(machine: Machine, cls: ClassV, name: str) -> Instance | None:
    """An object of a test case for one of its methods; None when it cannot be made."""
    try:
        made = machine.call(cls, Arguments([Known(name)]))
    except AbstractRaise:
        return None
    if not isinstance(made, Instance):
        return None
    machine.state.write(made.slots, "_testMethodName", Known(name))
    return made


def cases_of_class(machine: Machine, cls: ClassV) -> list[Instance]:
    """One object for every test method."""
    made = (make_case(machine, cls, name) for name in method_names(cls))
    return [case for case in made if case is not None]


def cases_of_module(machine: Machine, module: ModuleV) -> list[Instance]:
    """The test cases that a module defines or imports; its `load_tests` has the last word."""
    found: list[Instance] = []
    for name in sorted(key for key in module.slots if isinstance(key, str)):
        value = module.slots[name]
        if is_case(value):
            found.extend(cases_of_class(machine, value))
    hook = module.slots.get("load_tests")
    if isinstance(hook, FunctionV):
        try:
            chosen = machine.call(hook, Arguments([Instance(Ext(LOADER)), make_suite(found), Known("test*.py")]))
        except AbstractRaise:
            return []
        if isinstance(chosen, Instance) and chosen.slots.get("tests") is not None:
            return flatten(chosen)
    return found


def make_suite(tests: Iterable[AnyValue]) -> Instance:
    """A suite of cases and suites."""
    suite = Instance(Ext(SUITE))
    suite.slots["tests"] = ListObj("list", tests)
    return suite


def flatten(value: AnyValue) -> list[Instance]:
    """The cases in a case, a suite, or a sequence of them."""
    found: list[Instance] = []
    for option in options(value):
        if isinstance(option, Instance) and "tests" in option.slots:
            for item in option.slots["tests"].items:
                found.extend(flatten(item))
        elif isinstance(option, ListObj | TupleV):
            for item in option.items:
                found.extend(flatten(item))
        elif isinstance(option, Instance) and is_case(option.cls):
            found.append(option)
    return found


# Running ----------------------------------------------------------------------------------------------------------------


def attempt(machine: Machine, value: AnyValue | None, args: Sequence[AnyValue] = ()) -> bool:
    """Call something if it is there; whether it did not certainly raise."""
    if value is None:
        return True
    try:
        machine.call(value, Arguments(args))
    except AbstractRaise:
        return False
    return True


def run_cases(machine: Machine, cases: Sequence[Instance]) -> None:
    """Run test cases with the fixtures of their modules and classes around them."""
    module: ModuleV | None = None
    cls: ClassV | None = None
    module_ready = class_ready = True
    for case in cases:
        owner = case.cls
        assert isinstance(owner, ClassV)
        if owner is not cls:
            if cls is not None and class_ready:
                _class_fixture(machine, cls, "tearDownClass")
            if owner.module is not module:
                if module is not None and module_ready:
                    attempt(machine, module.slots.get("tearDownModule"))
                module = owner.module
                module_ready = attempt(machine, module.slots.get("setUpModule") if module is not None else None)
            cls = owner
            skipped = attribute_of(owner, SKIP) == TRUE
            class_ready = module_ready and not skipped and _class_fixture(machine, owner, "setUpClass")
        if class_ready:
            run_case(machine, case)
    if cls is not None and class_ready:
        _class_fixture(machine, cls, "tearDownClass")
    if module is not None and module_ready:
        attempt(machine, module.slots.get("tearDownModule"))


def _class_fixture(machine: Machine, cls: ClassV, name: str) -> bool:
    if attribute_of(cls, name) is None:
        return True
    return attempt(machine, machine.get_attr(cls, name))


def run_case(machine: Machine, case: Instance) -> None:
    """Run one test method: set up, the method, tear down, then what was registered for cleaning up."""
    cls = case.cls
    assert isinstance(cls, ClassV)
    name = str(text_of(case.slots["_testMethodName"]))
    func = attribute_of(cls, name)
    marks = [attribute_of(cls, SKIP), func.slots.get(SKIP) if isinstance(func, FunctionV) else None]
    if TRUE in marks or func is None:
        return
    undecided = BOOL in marks
    machine.undecided += undecided
    try:
        if all(_step(machine, case, step) for step in ("setUp", "asyncSetUp")):
            _step(machine, case, name)
            for step in ("asyncTearDown", "tearDown"):
                _step(machine, case, step)
        clean_up(machine, case)
    finally:
        machine.undecided -= undecided


def _step(machine: Machine, case: Instance, name: str) -> bool:
    assert isinstance(case.cls, ClassV)
    return attribute_of(case.cls, name) is None or attempt(machine, machine.get_attr(case, name))


@method(f"{CASE}.doCleanups")
def clean_up_method(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`case.doCleanups()`."""
    del args
    clean_up(machine, obj)
    return TRUE


def clean_up(machine: Machine, case: Instance) -> None:
    """Call what was registered with `addCleanup`, the last first."""
    pending = case.slots.get(CLEANUPS)
    if not isinstance(pending, ListObj):
        return
    machine.state.write(case.slots, CLEANUPS, ListObj("list"))
    for entry in reversed(pending.items):
        attempt(machine, entry)


# What test methods call -------------------------------------------------------------------------------------------------


@method(f"{CASE}.__init__", "unittest.IsolatedAsyncioTestCase.__init__")
def init_case(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`TestCase(methodName)`."""
    machine.state.write(obj.slots, "_testMethodName", args.get(0, "methodName") or Known("runTest"))
    return NONE


@method(f"{CASE}.addCleanup", f"{CASE}.addAsyncCleanup")
def add_cleanup(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`self.addCleanup(function, ...)`."""
    if args.pos:
        from taskgates.inference.values import Partial

        entry = Partial(args.pos[0], Arguments(args.pos[1:], args.kw, args.star, args.kwstar))
        pending = obj.slots.get(CLEANUPS)
        items = pending.items if isinstance(pending, ListObj) else ()
        machine.state.write(obj.slots, CLEANUPS, ListObj("list", [*items, entry]))
    return NONE


@method(f"{CASE}.enterContext", f"{CASE}.enterAsyncContext")
def enter_context(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`self.enterContext(manager)`: left when the test is over."""
    manager = args.pos[0] if args.pos else UNKNOWN
    value = machine.enter(manager)

    def leave(inner: Machine, given: Arguments) -> AnyValue:
        del given
        inner.leave(manager, None)
        return NONE

    add_cleanup(machine, obj, Arguments([Native("leave", leave)]))
    return value  # type: ignore[no-any-return]


@method(
    f"{CASE}.assertRaises",
    f"{CASE}.assertRaisesRegex",
    f"{CASE}.assertWarns",
    f"{CASE}.assertWarnsRegex",
    f"{CASE}.assertLogs",
    f"{CASE}.assertNoLogs",
)
def assert_raises(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with self.assertRaises(error):`, or the call of the function that is to raise."""
    del obj
    callables = (FunctionV, BoundMethod, ClassV, Native)
    index = next((i for i, value in enumerate(args.pos[1:], 1) if not isinstance(value, Known)), None)
    if index is not None and (isinstance(args.pos[index], callables) or index == 1):
        try:
            machine.call(args.pos[index], Arguments(args.pos[index + 1 :], args.kw))
        except AbstractRaise:
            pass
        return NONE
    return Instance(Ext(EXPECTATION))


@method(f"{CASE}.subTest")
def sub_test(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with self.subTest(...)`: a failure ends this part only."""
    del machine, obj, args
    return Instance(Ext(EXPECTATION))


@method(f"{EXPECTATION}.__enter__")
def expectation_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The manager itself."""
    del machine, args
    return obj


@method(f"{EXPECTATION}.__exit__")
def expectation_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """An expected exception goes no further."""
    del machine, obj
    return FALSE if not args.pos or args.pos[0] == NONE else TRUE


@method(f"{CASE}.skipTest")
def skip_test(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`self.skipTest(reason)` ends the test."""
    del machine, obj, args
    raise AbstractRaise(Instance(Ext("unittest.SkipTest")))


@method(f"{CASE}.fail")
def fail(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`self.fail()` ends the test."""
    del obj, args
    raise machine.throw("AssertionError")


@method(f"{CASE}.id", f"{CASE}.shortDescription")
def case_id(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The dotted name of the test."""
    del machine, args
    name = text_of(obj.slots.get("_testMethodName", NONE))
    if isinstance(obj.cls, ClassV) and isinstance(name, str):
        return Known(f"{obj.cls.qualname}.{name}")
    return text_hole("data")


def _skipping(outcome: AnyValue | None) -> Native:
    """A decorator that marks what it is given: certainly skipped, or perhaps."""

    def mark(machine: Machine, args: Arguments) -> AnyValue:
        value = args.pos[0] if args.pos else UNKNOWN
        if outcome is not None and isinstance(value, FunctionV | ClassV):
            machine.state.write(value.slots, SKIP, outcome)
        return value

    return Native("unittest.skip", mark)


@function("unittest.skip", "unittest.case.skip")
def skip(machine: Machine, args: Arguments) -> AnyValue:
    """`@unittest.skip(reason)`."""
    if args.pos and isinstance(args.pos[0], FunctionV | ClassV):
        return _skipping(TRUE).run(machine, args)
    return _skipping(TRUE)


@function("unittest.skipIf", "unittest.case.skipIf")
def skip_if(machine: Machine, args: Arguments) -> AnyValue:
    """`@unittest.skipIf(condition, reason)`."""
    decided = machine.truth(args.get(0, "condition") or UNKNOWN)
    return _skipping(None if decided is False else TRUE if decided else BOOL)


@function("unittest.skipUnless", "unittest.case.skipUnless")
def skip_unless(machine: Machine, args: Arguments) -> AnyValue:
    """`@unittest.skipUnless(condition, reason)`."""
    decided = machine.truth(args.get(0, "condition") or UNKNOWN)
    return _skipping(None if decided else TRUE if decided is False else BOOL)


# Loading ----------------------------------------------------------------------------------------------------------------


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


# Programs ---------------------------------------------------------------------------------------------------------------

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


__all__ = [
    "add_search_folder",
    "attempt",
    "attribute_of",
    "cases_of_class",
    "cases_of_module",
    "discover",
    "import_by_name",
    "is_case",
    "method_names",
    "run_case",
    "run_cases",
    "run_named",
]
