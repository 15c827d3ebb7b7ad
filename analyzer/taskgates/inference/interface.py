"""What the parts of the interpreter call of each other: the declarations, which the parts themselves define."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from taskgates.inference.effects import Row
    from taskgates.inference.frames import AbstractRaise, Frame
    from taskgates.inference.interpreter import Interpreter
    from taskgates.inference.log import RawSite
    from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Instance, ListObj, ModuleV
    from taskgates.inference.values import AnyValue, TupleV
    from taskgates.model.access import Operation
    from taskgates.syntax import ir
    from taskgates.tree.modules import Module


class Interface:
    """Every method that one part of the interpreter calls and another defines."""

    def apply_by_name(self, row: Row, args: Arguments, obj: AnyValue) -> AnyValue:
        """Carry out a method of an object whose type is not known."""
        raise NotImplementedError

    def apply_special(self, obj: Instance, type_name: str, name: str, values: Sequence[AnyValue]) -> AnyValue | None:
        """Carry out the row of a special method of a library object; None where no row has it."""
        raise NotImplementedError

    def augmented(self, op: str, left: AnyValue, right: AnyValue) -> AnyValue:
        """`left op= right`."""
        raise NotImplementedError

    def block(self, body: Sequence[ir.Stmt], frame: Frame) -> int:
        """Execute statements; a bit set of the ways in which the block may end."""
        raise NotImplementedError

    def bound(self, value: AnyValue, obj: AnyValue, cls: AnyValue | None) -> AnyValue:
        """Bind a class attribute; see the calling part."""
        raise NotImplementedError

    def build_class(self, node: ir.ClassDef, cls: ClassV, keywords: dict[str, AnyValue]) -> AnyValue:
        """Finish a class: what its bases and metaclass make of it (enum members, dataclass fields, ...)."""
        raise NotImplementedError

    def call(self, func: AnyValue, args: Arguments, node: ir.Call | None = None) -> AnyValue:
        """Call a value."""
        raise NotImplementedError

    def call_back(self, args: Arguments) -> None:
        """See the calling part."""
        raise NotImplementedError

    def call_hooks(self, library: str, args: Arguments) -> None:
        """See the calling part."""
        raise NotImplementedError

    def call_external(self, name: str, args: Arguments, node: ir.Call | None) -> AnyValue:
        """Call a library callable by qualified name."""
        raise NotImplementedError

    def call_method(self, obj: AnyValue, name: str, args: Arguments, node: ir.Call | None) -> AnyValue:
        """Call a method that the models know."""
        raise NotImplementedError

    def call_unknown(self, func: AnyValue, args: Arguments) -> AnyValue:
        """See the calling part."""
        raise NotImplementedError

    def call_with_unknowns(self, func: AnyValue) -> AnyValue:
        """See the calling part."""
        raise NotImplementedError

    def class_attr(self, obj: ClassV, name: str, node: ir.Attr | None = None) -> AnyValue:
        """An attribute of a class."""
        raise NotImplementedError

    def construct_special(self, cls: ClassV, args: Arguments) -> AnyValue | None:
        """Instances of classes with a library base that is constructed in its own way; None for all others."""
        raise NotImplementedError

    def decorate(self, decorator: AnyValue, value: AnyValue, node: ir.Expr) -> AnyValue:
        """Apply a decorator."""
        raise NotImplementedError

    def define_class(self, node: ir.ClassDef, frame: Frame) -> AnyValue:
        """Execute a class statement."""
        raise NotImplementedError

    def define_function(self, node: ir.Function, frame: Frame) -> AnyValue:
        """Make a function object."""
        raise NotImplementedError

    def delete_item(self, obj: AnyValue, index: AnyValue, node: Any = None) -> None:
        """`del obj[index]`."""
        raise NotImplementedError

    def enter(self, manager: AnyValue, site: RawSite | None = None) -> AnyValue:
        """`__enter__`."""
        raise NotImplementedError

    def eval(self, node: ir.Expr, frame: Frame) -> AnyValue:
        """Evaluate one expression."""
        raise NotImplementedError

    def execute_code(self, row: Row, bound: dict[str, AnyValue], call: str) -> AnyValue | None:
        """Analyse code that runs in the same interpreter; see the process part."""
        raise NotImplementedError

    def extend(self, target: ListObj, value: AnyValue, *, distinct: bool = False) -> None:
        """Append all elements of a value to a list in place."""
        raise NotImplementedError

    def external_attribute(self, obj: Instance, type_name: str, name: str) -> AnyValue | None:
        """An attribute of a library object that the effect tables list."""
        raise NotImplementedError

    def external_context(self, obj: Instance, type_name: str) -> AnyValue:
        """What `with` binds for a library object."""
        raise NotImplementedError

    def external_item(self, obj: Instance, type_name: str) -> AnyValue:
        """What subscripting a library object gives."""
        raise NotImplementedError

    def external_iter(self, obj: Instance, type_name: str) -> TupleV:
        """What iterating over a library object gives."""
        raise NotImplementedError

    def generate(self, func: AnyValue, args: Arguments, on_yield: Callable[[AnyValue], AnyValue]) -> None:
        """Run a generator function, handing every yielded value to a callback."""
        raise NotImplementedError

    def generator_manager(self, manager: AnyValue) -> tuple[AnyValue, Arguments] | None:
        """The generator function and arguments behind a `contextlib.contextmanager` object."""
        raise NotImplementedError

    def get_attr(self, obj: AnyValue, name: str, node: ir.Attr | None = None) -> AnyValue:
        """`obj.name`."""
        raise NotImplementedError

    def get_item(self, obj: AnyValue, index: AnyValue) -> AnyValue:
        """`obj[index]`."""
        raise NotImplementedError

    def has_members(self, module: str) -> bool:
        """Whether the tables or the models know members of a module."""
        raise NotImplementedError

    def import_module(self, name: str, frame: Frame | None = None) -> AnyValue:
        """Import an absolute module name and return that module."""
        raise NotImplementedError

    def import_names(self, stmt: ir.Import | ir.ImportFrom, frame: Frame) -> None:
        """Execute an import statement."""
        raise NotImplementedError

    def init_external(self, instance: Instance, name: str, args: Arguments) -> None:
        """The `__init__` of a library base class."""
        raise NotImplementedError

    def init_fields(self, instance: Instance, cls: ClassV, args: Arguments) -> None:
        """The generated `__init__` of a dataclass."""
        raise NotImplementedError

    def inner(self, obj: Instance, type_name: str) -> AnyValue:
        """The built-in value inside an object of a class over a built-in type."""
        raise NotImplementedError

    def opens_names(self, module: ModuleV) -> bool:
        """Whether a star import of a library gave a module names that nobody here knows."""
        raise NotImplementedError

    def prepared_for(self, name: str) -> bool:
        """Whether a handler around the present place would take an exception."""
        raise NotImplementedError

    def listed_value(self, name: str) -> AnyValue | None:
        """The value of a library attribute that the tables list."""
        raise NotImplementedError

    def use_object(self, value: Instance, operation: Operation) -> None:
        """What a library does with an open file of the analysed code's own making."""
        raise NotImplementedError

    def own(self, value: AnyValue, label: str, kind: str) -> None:
        """Label an object by the variable that holds it."""
        raise NotImplementedError

    def is_idle(self, func: FunctionV, args: Arguments) -> bool:
        """Whether a call can reach no effect."""
        raise NotImplementedError

    def is_lock(self, value: Instance) -> bool:
        """Whether an object is a lock; see the part about locks."""
        raise NotImplementedError

    def new_lock(self, lock: Instance, paths: Iterable[AnyValue], bound: Mapping[str, AnyValue]) -> None:
        """Prepare a lock object."""
        raise NotImplementedError

    def lock_call(self, lock: Instance, what: str, bound: Mapping[str, AnyValue]) -> None:
        """`acquire` and `release`."""
        raise NotImplementedError

    def enter_lock(self, lock: Instance, site: RawSite | None) -> None:
        """`with lock:`."""
        raise NotImplementedError

    def file_lock(self, path: AnyValue) -> str | None:
        """The name of a lock on a file; None when the file is not exactly known."""
        raise NotImplementedError

    def take_lock(self, name: str, site: RawSite | None) -> None:
        """Hold a lock from now on; with a site, the program may have to wait for it there."""
        raise NotImplementedError

    def give_lock(self, name: str) -> None:
        """No longer hold a lock."""
        raise NotImplementedError

    def working(
        self, *, again: bool = False, several: bool = False, thread: bool = False, handle: AnyValue | None = None
    ) -> AbstractContextManager[None]:
        """What runs in a thread or process of its own."""
        raise NotImplementedError

    def plain_attr(self, obj: Instance, name: str) -> AnyValue:
        """An attribute past the class's own `__getattribute__`."""
        raise NotImplementedError

    def is_instance(self, value: AnyValue, kinds: AnyValue) -> bool | None:
        """`isinstance`; None where it is undecided."""
        raise NotImplementedError

    def iterate(self, value: AnyValue) -> TupleV:
        """The elements that iterating over a value gives: known first ones, then a summary."""
        raise NotImplementedError

    def launch_process(self, row: Row, bound: dict[str, AnyValue], args: Arguments, call: str) -> None:
        """Analyse a child process; see the process part."""
        raise NotImplementedError

    def leave(self, manager: AnyValue, error: AnyValue | None) -> bool | None:
        """`__exit__`; whether it swallows the exception."""
        raise NotImplementedError

    def swallows(self, manager: AnyValue, error: AnyValue) -> bool:
        """Leave a manager with an exception, and say whether the program may go on behind its block."""
        raise NotImplementedError

    def delete_attr(self, obj: AnyValue, name: str) -> None:
        """`del obj.name`."""
        raise NotImplementedError

    def locate_module(self, name: str) -> Module | None:
        """Find a module; its parent's folders first."""
        raise NotImplementedError

    def lock_name(self, value: Instance) -> str:
        """The name of a lock."""
        raise NotImplementedError

    def match_pattern(self, pattern: ir.Pattern, subject: AnyValue, frame: Frame) -> bool | None:
        """Match a case pattern and bind its names."""
        raise NotImplementedError

    def touch_attr(self, obj: AnyValue, name: str, node: ir.Attr | None = None) -> None:
        """Note that an attribute of an object is changed."""
        raise NotImplementedError

    def type_names(self, name: str) -> list[str]:
        """A library type and its bases."""
        raise NotImplementedError

    def as_mapping(self, value: Instance) -> DictObj | None:
        """The entries of an object that behaves like a mapping; None when it does not."""
        raise NotImplementedError

    def note_function(self, func: AnyValue) -> None:
        """See the calling part."""
        raise NotImplementedError

    def note_special(self, name: str) -> None:
        """See the calling part."""
        raise NotImplementedError

    def make_object(self, cls: ClassV, args: Arguments) -> AnyValue:
        """What `type.__call__` does; see the calling part."""
        raise NotImplementedError

    def merge_into(self, target: DictObj, value: AnyValue) -> None:
        """`dict.update` with one mapping."""
        raise NotImplementedError

    def note_end(self, error: AbstractRaise) -> None:
        """See what starts programs."""
        raise NotImplementedError

    def put(self, target: DictObj, key: AnyValue, value: AnyValue) -> None:
        """Store under a key that may be unknown."""
        raise NotImplementedError

    def refine(self, test: ir.Expr, outcome: bool, frame: Frame) -> None:
        """Narrow variables by the outcome of a test."""
        raise NotImplementedError

    def run_module(self, value: ModuleV, dunder_name: str, described: str = "") -> None:
        """See the import part."""
        raise NotImplementedError

    def set_attr(self, obj: AnyValue, name: str, value: AnyValue) -> None:
        """`obj.name = value`."""
        raise NotImplementedError

    def set_item(self, obj: AnyValue, index: AnyValue, value: AnyValue, node: Any = None) -> None:
        """`obj[index] = value`."""
        raise NotImplementedError

    def spawn(self, site: RawSite) -> Interpreter:
        """A fresh interpreter for a child process that shares the log and the tree."""
        raise NotImplementedError

    def store(self, target: ir.Expr, value: AnyValue, frame: Frame) -> None:
        """Assign to a target; see the statement half."""
        raise NotImplementedError

    def store_name(self, name: str, value: AnyValue, frame: Frame, node: ir.Name | None = None) -> None:
        """Bind a name; see the statement part."""
        raise NotImplementedError

    def submodule(self, module: ModuleV, name: str) -> AnyValue | None:
        """A submodule that has been imported, or that the package's folder holds."""
        raise NotImplementedError

    def type_of(self, value: AnyValue) -> AnyValue:
        """`type(value)`."""
        raise NotImplementedError

    def replace_external(self, name: str, value: AnyValue | None) -> None:
        """Put a callable in the place of a library function; see the library part."""
        raise NotImplementedError

    def condition(self, node: ir.Expr, frame: Frame) -> bool | None:
        """The truth of a test; see the expression part."""
        raise NotImplementedError

    def truth(self, value: AnyValue) -> bool | None:
        """See the expression part."""
        raise NotImplementedError
