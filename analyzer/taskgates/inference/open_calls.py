"""The call graph of code that others call: every function of some files is an entry.

A library has no command line that reaches all of it. Its modules are imported, and every function that they define is
then taken to be called by someone whom the graph does not show: with objects of the classes that annotations name, and
else with arguments of which nothing is known. A method is called on an object of its class, or of one that inherits it.
The bodies below `if __name__ == "__main__"` are run as well. What is not known stands for objects of the program as in
the second pass of `exploration`, whose means serve here from the start.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from taskgates.inference.exploration import SWEEPS, ExploringInterpreter
from taskgates.inference.frames import AbstractRaise, Frame
from taskgates.inference.limits import BudgetExceeded
from taskgates.inference.objects import Arguments, ClassV, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.public import module_name
from taskgates.inference.resumption import LOOKS
from taskgates.inference.shared_modules import COMMAND_LINE
from taskgates.inference.values import AnyValue, Known, Unknown, join
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.tree.tree import Tree


class EntryNotFoundError(ValueError):
    """What an entry names is not there."""


class Entry:
    """A file whose functions are entries.

    Attributes:
        file: the file, relative to the root.
        name: the function, or the class whose methods are meant; empty for all that the file defines.
    """

    __slots__ = ("file", "name")

    def __init__(self, file: str, name: str = "") -> None:
        self.file = file
        self.name = name

    def holds(self, func: FunctionV) -> bool:
        """Whether a function is meant."""
        if func.module.file != self.file:
            return False
        return not self.name or func.qualname == self.name or func.qualname.startswith(f"{self.name}.")


def find_entries(tree: Tree, places: Iterable[str]) -> list[Entry]:
    """The files that are meant by `FOLDER`, `FILE` and `FILE:NAME`, relative to the root.

    Raises:
        EntryNotFoundError: there is no such file, or no Python file in a folder.
    """
    entries: list[Entry] = []
    for place in places:
        path, _, name = place.partition(":")
        kind = tree.kind(path)
        if kind == "folder" and not name:
            files = [file for file in tree.walk(path) if file.endswith(".py")]
            if not files:
                raise EntryNotFoundError(f"{place}: there is no Python file below this folder")
            entries.extend(Entry(file) for file in files)
        elif kind == "file" and path.endswith(".py"):
            entries.append(Entry(path, name))
        else:
            raise EntryNotFoundError(f"{place}: there is no Python file of this name")
    return entries


class OpenInterpreter(ExploringInterpreter):
    """An interpreter of call graphs that enters functions without a caller."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._defined: dict[int, FunctionV] = {}
        self._classes: dict[int, ClassV] = {}
        self._receivers: dict[ClassV, Instance] = {}

    def define_function(self, node: ir.Function, frame: Frame) -> AnyValue:
        """Keep every function that is defined."""
        function = super().define_function(node, frame)
        if isinstance(function, FunctionV):
            self._defined.setdefault(id(node), function)
        return function

    def define_class(self, node: ir.ClassDef, frame: Frame) -> AnyValue:
        """Keep every class that is defined."""
        cls = super().define_class(node, frame)
        if isinstance(cls, ClassV):
            self._classes.setdefault(id(node), cls)
        return cls

    def enter_all(self, entries: Iterable[Entry]) -> None:
        """Import the files of entries, then call what they define until that shows no more edges.

        Raises:
            EntryNotFoundError: a file does not define what an entry names.
        """
        entries = tuple(entries)
        modules = {entry.file: self.import_file(entry.file) for entry in entries}
        self.set_out(share=1, rounds=2)
        with self.few_values(), suppress(BudgetExceeded, RecursionError):
            for sweep in range(1, SWEEPS + 1):
                self.sweep = sweep
                size = self.log.size
                for module in modules.values():
                    if module is not None:
                        self.enter_guarded(module)
                gone: set[int] = set()
                while fresh := [key for key in self._defined if key not in gone]:
                    for key in fresh:
                        gone.add(key)
                        func = self._defined[key]
                        if any(entry.holds(func) for entry in entries):
                            self.venture(partial(self.call_from_outside, func))
                self.revisit_lost()
                if self.log.size == size:
                    break
        for entry in entries:
            if entry.name and not any(entry.holds(func) for func in self._defined.values()):
                raise EntryNotFoundError(f"{entry.file}:{entry.name}: the file defines no such function or class")

    def names(self) -> dict[str, str]:
        """What modules are called in the graph, where that is not the name that they are imported by.

        A file in folders that are no packages has their names before its own, as a script in them has.
        """
        found: dict[str, str] = {}
        for module in self.modules.values():
            if isinstance(module, ModuleV) and module.file.endswith(".py") and not module.file.startswith("/"):
                parts = module.file.removesuffix(".py").removesuffix("/__init__").split("/")
                path = ".".join(parts[1:] if parts[0] == "src" and len(parts) > 1 else parts)
                if path != module.name:
                    found[module.name] = path
        return found

    def import_file(self, file: str) -> ModuleV | None:
        """Import a file under its dotted name, beyond what it is seen to end with."""
        name, _, folder = module_name(self.tree, file)
        self.set_program(Known(file), [], f"{self.root}/{folder}")
        self.argv = ListObj("list", [Known(file)], COMMAND_LINE)
        for _ in range(LOOKS):
            try:
                self.import_module(name)
            except BudgetExceeded:
                break
            except AbstractRaise as error:
                if error.origin is None or error.origin in self.passed_over:
                    break
                self.pass_over((*self.passed_over, error.origin))
                self.modules.pop(name, None)
            else:
                break
        module = self.modules.get(name)
        return module if isinstance(module, ModuleV) else None

    def enter_guarded(self, module: ModuleV) -> None:
        """Run what a module does when it is the program."""
        source = module.ir
        if source is None or not source.has_main_guard:
            return
        frame = Frame(module, "<module>", module.slots, None)
        for stmt in source.body:
            if isinstance(stmt, ir.If) and _names_main(stmt.test):
                self.venture(partial(self.run_block, stmt.body, frame))

    def run_block(self, body: list[ir.Stmt], frame: Frame) -> None:
        """Execute statements of a module."""
        with self.within(frame):
            self.block(body, frame)

    def call_from_outside(self, func: FunctionV) -> None:
        """Call a function with whatever its callers may hand it."""
        params = func.node.params
        pos: list[AnyValue] = []
        kw: dict[str, AnyValue] = {}
        cls = self.owner(func)
        for index, param in enumerate(params):
            if param.kind in ("positional", "normal"):
                receiver = self.receiver(func, cls) if index == 0 and cls is not None else None
                pos.append(receiver if receiver is not None else self.parameter(func, param))
            elif param.kind == "keyword":
                kw[param.name] = self.parameter(func, param)
        unknown = Unknown("a parameter", "argument")
        self.frame = None
        args = Arguments(pos, kw, unknown, unknown)
        if func.node.is_generator:
            self.run_generator(func, args)
        else:
            self.run_function(func, args, None, None)

    def owner(self, func: FunctionV) -> ClassV | None:
        """The class in whose body a function stands."""
        return func.cls if func.frame is not None and func.frame.function is None else None

    def receiver(self, func: FunctionV, cls: ClassV) -> AnyValue | None:
        """What a method is called on: an object of its class, or of one that inherits it; the classes themselves."""
        name = func.node.name
        decorators = {_last(each) for each in func.node.decorators}
        if "staticmethod" in decorators:
            return None
        classes = [cls, *(sub for sub in self.deriving(cls) if _finds(sub, name, cls))]
        if "classmethod" in decorators or name in ("__new__", "__init_subclass__", "__class_getitem__"):
            return join([*classes])
        return join([self.some_object(each) for each in classes])

    def deriving(self, cls: ClassV) -> list[ClassV]:
        """The classes of the program that derive from another."""
        return [other for other in self._classes.values() if other is not cls and cls in other.mro]

    def some_object(self, cls: ClassV) -> Instance:
        """An object that stands for all of its class."""
        found = self._receivers.get(cls)
        if found is None:
            found = self._receivers[cls] = Instance(cls)
            self._made[cls] = None
        return found

    def parameter(self, func: FunctionV, param: ir.Param) -> AnyValue:
        """What a caller may hand a function for a parameter."""
        unknown = Unknown(f"parameter {param.name} of {func.qualname}", "argument")
        found = self.annotated_class(func, param.annotation)
        default = func.defaults.get(param.name)
        value = self.some_object(found) if found is not None else unknown
        return value if default is None else join([default, value])

    def annotated_class(self, func: FunctionV, annotation: Any) -> ClassV | None:
        """The class of the program that an annotation names; None where it names none."""
        if annotation is None or func.frame is None:
            return None
        if isinstance(annotation, ir.Subscript):
            return self.annotated_class(func, annotation.index) if _last(annotation.obj) == "Optional" else None
        if isinstance(annotation, ir.Binary) and annotation.op == "|":
            return self.annotated_class(func, annotation.left) or self.annotated_class(func, annotation.right)
        if isinstance(annotation, ir.Const) and isinstance(annotation.value, str):
            name = annotation.value.strip("'\" ")
            value: Any = func.module.slots.get(name)
        elif isinstance(annotation, ir.Name | ir.Attr):
            with suppress(AbstractRaise), self.within(func.frame):
                value = self.eval(annotation, func.frame)
                return value if isinstance(value, ClassV) else None
            return None
        else:
            return None
        return value if isinstance(value, ClassV) else None


def _finds(cls: ClassV, name: str, holder: ClassV) -> bool:
    """Whether a class has a method from another."""
    return next((base for base in cls.mro if isinstance(base, ClassV) and name in base.slots), None) is holder


def _last(expr: Any) -> str:
    """The last component of a name."""
    if isinstance(expr, ir.Call):
        expr = expr.func
    if isinstance(expr, ir.Attr):
        return expr.name
    return expr.id if isinstance(expr, ir.Name) else ""


def _names_main(test: ir.Expr) -> bool:
    """Whether a condition asks for the name of the main program."""
    if isinstance(test, ir.Compare):
        return any(isinstance(each, ir.Name) and each.id == "__name__" for each in (test.left, *test.rights))
    return False
