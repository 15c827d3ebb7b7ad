"""What every part of the interpreter shares: the program's state, budgets, frames, forks and the effect log."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from taskgates.config.model import InferenceBudgets
from taskgates.inference.interface import Interface
from taskgates.inference.log import Chain, EffectLog, RawSite
from taskgates.inference.paths import join_paths, normalise, relative_to_root, report_form
from taskgates.inference.state import State
from taskgates.inference.text import Hole, Text, TextLike, parts_of
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    Arguments,
    BoundMethod,
    ClassV,
    DictObj,
    Ext,
    FunctionV,
    Heap,
    Instance,
    Known,
    ListObj,
    ModuleV,
    PathV,
    TupleV,
    Union,
    Unknown,
    join,
    options,
    path_text,
    widen_texts,
)
from taskgates.model.access import Operation, SharedKind
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from taskgates.inference.effects import EffectTable
    from taskgates.tree.environment import Environment
    from taskgates.tree.tree import Tree

NORMAL, RETURN, BREAK, CONTINUE = 1, 2, 4, 8


_BUDGETS = InferenceBudgets()
"""The bounds that the configuration knows have their defaults there."""


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one analysis; what they cut is reported as opaque.

    Attributes:
        steps: statements and calls that one entry may run.
        seconds: how long one entry may take; 0 for no such bound, since a bound in seconds makes results depend on the
            machine.
        depth: how deep calls may nest.
        recursion: how often one function may be active at once.
        unroll: how many known elements a loop runs one by one.
        set_size: how many values one name may have before they are generalised.
        rounds: how often an undecided loop is repeated before it is widened.
        file_size: bytes of a source file that is parsed, and of a data file that is read.
        call_steps: steps of one call that can reach no effect.
        idle_steps: steps of all such calls together, before they are cut almost at once.
        effort: steps of any call without a new effect.
    """

    steps: int = _BUDGETS.steps
    seconds: float = _BUDGETS.seconds
    depth: int = _BUDGETS.depth
    recursion: int = 4
    unroll: int = _BUDGETS.unroll
    set_size: int = _BUDGETS.set_size
    rounds: int = 3
    file_size: int = 2_000_000
    call_steps: int = 5_000
    idle_steps: int = 40_000
    effort: int = 25_000


EXCUSED = 2
"""How much effort in calls that are cut does not count against the calls around them, in units of that of one call."""

_PATIENCE = (3, 2)
"""How many times longer than others the calls from the entry inwards may go on before they are cut."""


Place = ir.Call | ir.Attr | ir.Subscript | ir.Import | ir.ImportFrom
"""What gives effects a place: the last call, or the assignment or import under way."""


class BudgetExceeded(Exception):  # noqa: N818 - not an error of the program, a stop of the analysis
    """The step budget of the entry ran out."""


class Watch:
    """The effort that one call may cost before it is cut.

    Attributes:
        limit: the step count at which the call is looked at again.
        func: the function that was called.
        args: its arguments.
        idle: whether the call can reach no effect at all; None as long as nobody asked.
        size: how many effects had been logged when the watch was set.
        since: the step count at that time.
        excused: the steps of calls within it that were cut.
        carries: whether the code of another function runs within it: the body of a `with` statement or a loop.
    """

    __slots__ = ("args", "carries", "excused", "func", "idle", "limit", "since", "size")

    def __init__(self, limit: int, func: FunctionV, args: Arguments, *, size: int, since: int) -> None:
        self.limit = limit
        self.func = func
        self.args = args
        self.idle: bool | None = None
        self.size = size
        self.since = since
        self.excused = 0
        self.carries = False


class CallCut(Exception):  # noqa: N818 - a stop of one call
    """A call took long and reached no effect: it is not worth its result."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch


class AbstractRaise(Exception):  # noqa: N818 - the analysed program's exception, on its way
    """The analysed program certainly raises here."""

    def __init__(self, value: AnyValue) -> None:
        super().__init__(str(value))
        self.value = value
        self.place = ""


class Frame:
    """One activation of a function, class body, comprehension or module body."""

    __slots__ = (
        "args",
        "cls",
        "floor",
        "function",
        "globals",
        "locals",
        "module",
        "nonlocals",
        "on_yield",
        "parent",
        "qualname",
        "returns",
        "self_value",
        "slots",
        "yields",
    )

    def __init__(
        self,
        module: ModuleV,
        qualname: str,
        slots: dict[Any, Any],
        parent: Frame | None,
        function: FunctionV | None = None,
    ) -> None:
        self.module = module
        self.qualname = qualname
        self.slots = slots
        self.parent = parent
        self.function = function
        node = function.node if function is not None else None
        self.locals: frozenset[str] | None = frozenset(node.locals) if node is not None else None
        self.globals: frozenset[str] = frozenset(node.globals) if node is not None else frozenset()
        self.nonlocals: frozenset[str] = frozenset(node.nonlocals) if node is not None else frozenset()
        self.returns: list[AnyValue] = []
        self.yields: ListObj | None = None
        self.on_yield: Callable[[AnyValue], AnyValue] | None = None
        self.cls: ClassV | None = function.cls if function is not None else None
        self.self_value: AnyValue | None = None
        self.args: Arguments | None = None
        self.floor = 0


def place_of(node: Place | ir.Name | None, frame: Frame) -> int:
    """The identifier that stands for a node; that of the function where there is none."""
    if node is not None:
        return node.pos
    return frame.function.node.pos if frame.function is not None else 0


class TryContext:
    """The exceptions that may leave the body of a try statement that is being run."""

    __slots__ = ("anything", "kinds", "libraries", "names", "values")

    def __init__(self, kinds: Sequence[AnyValue | None] = ()) -> None:
        self.kinds = tuple(kinds)
        self.anything = False
        self.names: set[str] = set()
        self.libraries: set[str] = set()
        self.values: list[AnyValue] = []


class Worker(msgspec.Struct, frozen=True):
    """A thread or process that the program started, while what it does is being interpreted.

    Attributes:
        serial: the number of the start; 0 for one that is looked at again.
        depth: how many frames there were before its own.
        several: whether many of them run at a time.
    """

    serial: int
    depth: int
    several: bool = False


class Core(Interface):
    """State and services of one analysis; the parts of the interpreter are mixed in on top.

    Attributes:
        environment: where installed packages are; None where there is none.
    """

    environment: Environment | None = None

    def __init__(
        self,
        tree: Tree,
        effects: EffectTable,
        *,
        root: str,
        environ: dict[str, str],
        limits: Limits,
    ) -> None:
        self.tree = tree
        self.effects = effects
        self.root = root
        self.limits = limits
        self.state = State()
        self.log = EffectLog()
        self.modules: dict[str, ModuleV] = {}
        self.module_table: DictObj | None = None
        self.cwd: TextLike = root
        self.environ = environ
        self.set_environ: dict[str, AnyValue] = {}
        # What the program set in libraries that later calls depend on: a tracking address, a configuration's folder.
        self.library: dict[str, AnyValue] = {}
        self.argv: AnyValue = ListObj("list")
        self.undecided = 0
        self.threads = 0
        self.steps = 0
        self.deadline = time.monotonic() + limits.seconds if limits.seconds else 0.0
        self.starved = 0
        self.cut_at = limits.steps + 1
        self.spent = 0
        self.watches: list[Watch] = []
        self.fruitless: dict[int, int] = {}
        self.excused = 0
        self.closed = False
        self.ending = False
        self.held: list[str] = []
        self.worker: Worker | None = None
        self.workers = 0
        self.locks_made: dict[str, dict[int, int]] = {}
        self.chain: Chain | None = None
        self.frame: Frame | None = None
        self.call_node: Place | None = None
        self.active: list[tuple[int, tuple[AnyValue, ...] | None]] = []
        self.tries: list[TryContext] = []
        self.handling: list[AnyValue] = []
        self.entry = ""
        self.lent: dict[int, Heap] = {}
        self.again: list[tuple[AnyValue, Arguments]] = []
        self.at_exit: list[tuple[AnyValue, Arguments]] = []
        self.stdin: AnyValue | None = None
        self.stdin_stream: Instance | None = None
        self.contexts: list[AnyValue] = []

    # Budgets

    def restart(self) -> None:
        """Give the next entry its full budget."""
        self.steps = self.spent = self.excused = 0
        self.deadline = time.monotonic() + self.limits.seconds if self.limits.seconds else 0.0
        self.cut_at = self.limits.steps + 1
        self.watches = []

    def tick(self, amount: int = 1) -> None:
        """Count steps against the budget.

        Raises:
            BudgetExceeded: when it ran out.
        """
        self.steps += amount
        if self.deadline and time.monotonic() > self.deadline:
            self.opaque(f"the budget of {self.limits.seconds:g} seconds ran out; raise `seconds` to look further")
            raise BudgetExceeded
        if self.steps > self.cut_at:
            self.look_at_watches()
        if self.steps > self.limits.steps:
            self.opaque(f"the budget of {self.limits.steps} steps ran out; raise `steps` to look further")
            raise BudgetExceeded

    def look_at_watches(self) -> None:
        """Cut the innermost call that went on too long without an effect.

        The outermost calls are the program itself: each has more patience than the one that it calls, so that what is
        given up is the part that takes long and not the whole.

        Raises:
            CallCut: for that call.
        """
        for depth in range(len(self.watches) - 1, -1, -1):
            watch = self.watches[depth]
            if self.steps <= watch.limit:
                continue
            if watch.carries:
                watch.limit = self.limits.steps
                continue
            patience = self.limits.effort * (_PATIENCE[depth] if depth < len(_PATIENCE) else 1)
            if watch.idle is None:
                watch.idle = self.is_idle(watch.func, watch.args)
                if not watch.idle and self.fruitless.get(id(watch.func.node), 0) < self.limits.effort:
                    watch.limit += patience
                    continue
            if watch.idle:
                raise CallCut(watch)
            if self.log.size == watch.size:
                raise CallCut(self.culprit(depth))
            watch.size = self.log.size
            watch.since = self.steps
            watch.limit = self.steps + patience
        self.cut_at = min((watch.limit for watch in self.watches), default=self.limits.steps + 1)

    def culprit(self, depth: int) -> Watch:
        """The call to cut for one whose patience is at its end: the innermost that took nearly all of that time.

        What is given up should be as small as what makes it take long; what the outer one does after that may matter.
        """
        watch = self.watches[depth]
        early = watch.since + (self.steps - watch.since) // 8
        for inner in reversed(self.watches[depth + 1 :]):
            if inner.since <= early and not inner.carries and self.excused < EXCUSED * self.limits.effort:
                return inner
        return watch

    # Sites

    def site(self, call: str, node: ir.Call | ir.Attr | ir.Name | ir.Subscript | None = None) -> RawSite:
        """The present place in the program, as the log wants it."""
        frame = self.frame
        where = node if node is not None else self.call_node
        if frame is None:
            return RawSite(self.entry, 0, 0, "<module>", call, None, 1 if self.entry else 0, 1)
        start = where.start if isinstance(where, ir.Call) else -1
        return RawSite(frame.module.file, place_of(where, frame), start, frame.qualname, call, self.chain)

    @property
    def conditional(self) -> bool:
        """Whether some undecided condition stands before the present place."""
        return self.undecided > 0

    # Effects

    def absolute(self, text: TextLike) -> TextLike:
        """A path as the program means it, made absolute by the working directory and normalised."""
        head = text if isinstance(text, str) else text.prefix
        if head.startswith("file://"):
            text = head[7:] if isinstance(text, str) else text
        return normalise(join_paths(self.cwd, text))

    def access(self, operation: Operation, value: AnyValue, call: str, *, conditional: bool = False) -> None:
        """Note that the program does something to the path that a value names.

        Lists and tuples are taken element by element; None, open handles and buffers are no paths.
        """
        undecided = self.conditional or conditional
        for option in options(value):
            if isinstance(option, ListObj | TupleV):
                for item in option.items:
                    self.access(operation, item, call, conditional=conditional)
                if option.rest is not None:
                    self.access(operation, option.rest, call, conditional=conditional)
                continue
            text = path_text(option)
            if text is None:
                if isinstance(option, Instance):
                    text = self.fspath(option)
                    if text is None:
                        self.use_object(option, operation)
                        continue
                elif isinstance(option, Unknown):
                    if option.origin == "bound":
                        self.opaque(option.reason)
                    if option.origin not in ("stream", "descriptor", "bottom"):
                        self.log.access(operation, None, self.site(call), undecided)
                    continue
                else:
                    continue
            self.access_text(operation, text, call, undecided)

    def fspath(self, value: Instance) -> TextLike | None:
        """What `__fspath__` of an object gives; None when it is not path-like."""
        if isinstance(value.cls, ClassV):
            method = self.get_attr(value, "__fspath__") if self.has_attr(value, "__fspath__") else None
            if method is not None:
                return path_text(self.call(method, Arguments()))
            if any(isinstance(base, Ext) and base.name in ("builtins.str", "enum.StrEnum") for base in value.cls.mro):
                # A string by inheritance: an enumeration's member, or an object of a class over `str`.
                inner = value.slots.get("value") if "enum" in value.cls.traits else value.slots.get(("value",))
                return path_text(inner) if inner is not None else None
        elif value.cls.name == "os.DirEntry":
            return path_text(value.slots["path"])
        return None

    def has_attr(self, value: AnyValue, name: str) -> bool:
        """Whether a class of the analysed code defines an attribute."""
        if isinstance(value, Instance):
            if name in value.slots:
                return True
            return isinstance(value.cls, ClassV) and any(
                isinstance(cls, ClassV) and name in cls.slots for cls in value.cls.mro
            )
        return False

    def class_protocol(self, cls: ClassV, name: str) -> AnyValue | None:
        """A special method that a class has as an object: its metaclass's, bound to it; None where there is none."""
        if isinstance(cls.metaclass, ClassV):
            for base in cls.metaclass.mro:
                if isinstance(base, ClassV) and isinstance(base.slots.get(name), FunctionV):
                    return BoundMethod(base.slots[name], cls)
        return None

    def access_text(self, operation: Operation, text: TextLike, call: str, conditional: bool) -> None:
        """Note an access to a path given as a string."""
        head = text if isinstance(text, str) else text.prefix
        if "\0" in head or text == "":
            return
        if any("\ud800" <= char <= "\udfff" for part in parts_of(text) if isinstance(part, str) for char in part):
            # Such a name is no valid UTF-8: neither the tree nor a report can hold it.
            self.opaque("a path whose name is not valid UTF-8")
            return
        if isinstance(text, Text) and any(isinstance(part, Hole) and part.origin == "bottom" for part in text.parts):
            return
        scheme = head.split("://", 1)[0] if "://" in head else ""
        if scheme and scheme != "file" and scheme.replace("+", "").replace("-", "").isalnum():
            return
        path = self.absolute(text)
        if isinstance(path, str):
            if path in (
                "/dev/null",
                "/dev/stdin",
                "/dev/stdout",
                "/dev/stderr",
                "/dev/tty",
                "/dev/zero",
                "/dev/urandom",
            ):
                return
            if path.startswith(("/dev/fd/", "/proc/")):
                return
        elif path.prefix.startswith(TEMPORARY):
            return
        if isinstance(path, str) and path.startswith(TEMPORARY):
            return
        self.note(operation, path, self.site(call), conditional)

    def note(self, operation: Operation, path: TextLike, site: RawSite, conditional: bool) -> None:
        """Log an access to an absolute path, and remember what it means for later existence tests."""
        known = path if isinstance(path, str) else None
        place = self.in_tree(known) if known is not None else None
        if known is None and (self.below_file(path) or (operation is Operation.READ and self.nothing_below(path))):
            return
        if place is not None:
            kind = self.tree.kind(place)
            is_folder = kind == "folder" or (kind is None and self.made_folder(place))
            if is_folder and operation is Operation.READ:
                operation = Operation.LIST
            elif is_folder and operation is Operation.DELETE:
                # Files are what tasks share; those below a removed folder are logged on their own.
                self.log.folders.discard(str(known))
                return
            elif operation is Operation.DELETE and self.absent(place):
                return
        if operation is Operation.MKDIR:
            if known is not None:
                self.log.folders.add(known)
        elif operation is Operation.DELETE:
            if known is not None and not conditional:
                self.log.removed.add(known)
        elif operation.is_write:
            if known is not None:
                self.log.written.add(known)
                self.log.removed.discard(known)
            else:
                self.log.written_patterns.append(path)
        self.log.access(operation, path, site, conditional)

    def below_file(self, pattern: TextLike) -> bool:
        """Whether a pattern would lie below what is a file."""
        head = pattern if isinstance(pattern, str) else pattern.prefix
        folder = head.rpartition("/")[0]
        place = self.in_tree(folder) if folder else None
        return place is not None and self.tree.kind(place) == "file" and not self.deleted(place)

    def nothing_below(self, pattern: TextLike) -> bool:
        """Whether a pattern would lie below a folder that is certainly not there."""
        head = pattern if isinstance(pattern, str) else pattern.prefix
        place = self.in_tree(head.rpartition("/")[0]) if self.closed else None
        return (
            place is not None
            and (self.absent(place) or (isinstance(pattern, Text) and self.matches_nothing(pattern)))
            and not any(
                (matched.prefix.startswith(pattern.prefix) or pattern.prefix.startswith(matched.prefix))
                and (matched.suffix.endswith(pattern.suffix) or pattern.suffix.endswith(matched.suffix))
                for matched in self.log.written_patterns
                if isinstance(matched, Text) and isinstance(pattern, Text)
            )
        )

    def matches_nothing(self, pattern: Text) -> bool:
        """Whether no file of the tree, nor one that the program made, has a name of a pattern with a telling end."""
        last = pattern.parts[-1]
        if not isinstance(last, str) or self.log.ran_other_code:
            return False
        text, _ = report_form(pattern, self.root)
        if text is None or text.startswith(("/", "~", "../")) or "**" in re.sub(r"(?<![^/])\*\*(?![^/])", "", text):
            return False
        if any(isinstance(path, str) and matches_text(pattern, path) for path in self.log.written):
            return False
        return not self.tree.glob(text, hidden=True)

    def absent(self, place: str) -> bool:
        """Whether a root-relative path is certainly not there: the tree is complete and the program did not make it."""
        if not self.closed or (self.tree.kind(place) is not None and not self.deleted(place)):
            return False
        return not self.wrote(place) and not self.made_folder(place) and not self.log.ran_other_code

    def made_folder(self, place: str) -> bool:
        """Whether the program itself created a folder, or wrote below it."""
        base = str(normalise(join_paths(self.root, place)))
        return base in self.log.folders or any(
            (path if isinstance(path, str) else path.prefix).startswith(base + "/") for path in self.log.written
        )

    def opaque(self, reason: str, *, other_code: bool = False) -> None:
        """Note that something here could not be seen through; see `EffectLog.opaque`."""
        self.log.opaque(reason, self.site("", None), other_code=other_code)

    def shared(self, name: str, kind: SharedKind, access: str, node: Any = None, call: str = "") -> None:
        """Note a touch of state that outlives the call, under the locks held at present."""
        site = self.site(call or name, node)
        self.log.shared(name, kind, access, site, frozenset(self.held), thread=self.threads > 0)

    def mutated(self, obj: AnyValue, node: Any = None) -> None:
        """Note the in-place change of an object that a global, class or default argument holds."""
        if isinstance(obj, Heap) and obj.owner is not None and self.frame is not None:
            name, kind = obj.owner
            if self.frame.function is not None or self.threads or kind == SharedKind.PROCESS:
                self.shared(name, SharedKind(kind), "write", node)

    def is_private(self, value: AnyValue) -> bool:
        """Whether every thread has its own copy of what is in an object (`threading.local`)."""
        if not isinstance(value, Instance):
            return False
        classes = value.cls.mro if isinstance(value.cls, ClassV) else (value.cls,)
        return any(
            row.private for cls in classes if isinstance(cls, Ext) for row in self.effects.linearisation(cls.name)
        )

    # Files of the tree

    def in_tree(self, text: TextLike) -> str | None:
        """The root-relative form of a wholly known path inside the root, else None."""
        path = relative_to_root(self.absolute(text), self.root)
        if not isinstance(path, str) or path.startswith(("/", "~")):
            return None
        return path

    def wrote(self, path: str) -> bool:
        """Whether the program itself may have written a root-relative path already."""
        absolute = normalise(join_paths(self.root, path))
        if absolute in self.log.written:
            return True
        return any(matches_text(pattern, str(absolute)) for pattern in self.log.written_patterns)

    def exists(self, text: TextLike, kind: str | None = None) -> bool | None:
        """Existence as far as the tree can tell: True when there or written by the program.

        What is not there is False while the tree is taken to be complete (`closed`), else undecided, since some other
        task may create it.
        """
        path = self.in_tree(text)
        if path is None:
            return self.exists_outside(text, kind)
        found = self.tree.kind(path)
        if found is not None and not self.deleted(path):
            return kind is None or found == kind
        if self.wrote(path) and kind in (None, "file"):
            return None if self.deleted(path) else True
        return False if self.absent(path) else None

    def exists_outside(self, text: TextLike, kind: str | None) -> bool | None:
        """Existence outside the root, which is not looked at: a command line finds no settings there.

        The folders above the root are there. Other names in them, and below the home folder, are what programs look
        for when they climb in search of their settings; as with environment variables, these are taken as not given.
        """
        path = self.absolute(text)
        if not self.closed or not isinstance(path, str):
            return None
        place = self.installed(path)
        if place is not None:
            return place.is_dir() if kind == "folder" else place.is_file() if kind == "file" else place.exists()
        if path == "/" or self.root.startswith(path + "/"):
            return kind != "file"
        folder = path.rpartition("/")[0]
        if path in self.log.written or path in self.log.folders:
            return None
        if path.startswith("~/") or (folder and self.root.startswith(folder + "/")):
            return False
        return False if not folder and "." in path else None

    def deleted(self, path: str) -> bool:
        """Whether the program itself may have removed a root-relative path."""
        return str(normalise(join_paths(self.root, path))) in self.log.removed

    def content(self, text: TextLike) -> bytes | None:
        """The content of a file of the tree that the program has not written, within the size limit."""
        path = self.in_tree(text)
        if path is None:
            return self.installed_content(text)
        if self.wrote(path):
            return None
        return self.tree.read_bytes(path, self.limits.file_size)

    def installed(self, text: TextLike) -> Path | None:
        """A path among the installed modules, whose data files belong to their code; None elsewhere."""
        path = self.absolute(text)
        if self.environment is None or not isinstance(path, str) or path in self.log.written:
            return None
        place = Path(path)
        return place if any(place.is_relative_to(folder) for folder in self.environment.search_path) else None

    def installed_content(self, text: TextLike) -> bytes | None:
        """The content of a data file of an installed package, within the size limit."""
        place = self.installed(text)
        try:
            if place is None or place.stat().st_size > self.limits.file_size or not place.is_file():
                return None
            data = place.read_bytes()
        except OSError:
            return None
        self.log.modules[str(place)] = None
        return data

    # Exceptions

    def may_raise(self, *names: str) -> None:
        """Note exceptions that the present operation may raise; without names, any."""
        if self.tries:
            context = self.tries[-1]
            if names:
                context.names.update(names)
            else:
                context.anything = True

    def throw(self, name: str, message: str = "", args: TupleV | None = None) -> AbstractRaise:
        """A built-in exception that the program certainly raises.

        Args:
            name: its class.
            message: its one argument, if there is one.
            args: all its arguments, where there are more.
        """
        instance = Instance(Ext(f"builtins.{name}"))
        instance.slots["args"] = args if args is not None else TupleV([Known(message)] if message else [])
        if self.handling:
            instance.slots["__context__"] = self.handling[-1]
        error = AbstractRaise(instance)
        error.place = self.frame.qualname if self.frame is not None else ""
        return error

    # Forks

    def fork(
        self,
        runs: Sequence[Callable[[], int]],
        *,
        include_current: bool = False,
        usual: Callable[[], int] | None = None,
    ) -> int:
        """Run alternatives from the same state and join what they leave.

        Args:
            runs: each executes one branch and returns its bit set.
            include_current: whether "none of them" is an outcome too.
            usual: the one of the runs that is taken unless something exceptional happens: what it does is not marked
                as conditional.

        Raises:
            AbstractRaise: when every alternative certainly raises.
        """
        state = self.state
        mark = state.begin()
        flags = NORMAL if include_current else 0
        deltas = []
        raised: list[AnyValue] = []
        held = list(self.held)
        cwd = self.cwd
        cwds: list[TextLike] = [cwd] if include_current else []
        try:
            for run in runs:
                self.undecided += run is not usual
                try:
                    outcome = run()
                except AbstractRaise as error:
                    raised.append(error.value)
                    outcome = 0
                finally:
                    self.undecided -= run is not usual
                if outcome & NORMAL:
                    deltas.append(state.delta(mark))
                    cwds.append(self.cwd)
                flags |= outcome
                state.rollback(mark)
                self.held = list(held)
                self.cwd = cwd
            state.merge(deltas, include_current=include_current)
            if cwds:
                self.cwd = _join_texts(cwds)
        finally:
            state.end()
        if raised:
            if not flags:
                raise AbstractRaise(join(raised))
            if self.tries:
                self.tries[-1].values.extend(raised)
        return flags

    def choose(self, branches: Sequence[Callable[[], AnyValue]]) -> AnyValue:
        """Evaluate alternative expressions from the same state and join their values."""
        found: list[AnyValue] = []

        def runner(branch: Callable[[], AnyValue]) -> Callable[[], int]:
            def run() -> int:
                found.append(branch())
                return NORMAL

            return run

        self.fork([runner(branch) for branch in branches])
        return join(found)

    def each(self, value: AnyValue, action: Callable[[AnyValue], AnyValue]) -> AnyValue:
        """Apply an action to every alternative of a value and join the results."""
        if not isinstance(value, Union):
            return action(value)
        return self.choose([lambda option=option: action(option) for option in value.options])  # type: ignore[misc]

    @contextmanager
    def within(self, frame: Frame) -> Iterator[None]:
        """Make a frame the current one."""
        outer = self.frame
        self.frame = frame
        try:
            yield
        finally:
            self.frame = outer

    # Small conveniences

    def new_list(self, kind: str, items: Sequence[AnyValue] = (), rest: AnyValue | None = None) -> ListObj:
        """A fresh sequence object."""
        return ListObj(kind, items, rest)

    def dict_of(self, entries: dict[str, AnyValue]) -> DictObj:
        """A fresh dict with string keys."""
        return DictObj("dict", {Known(key): value for key, value in entries.items()})

    def env_value(self, name: str) -> AnyValue:
        """An environment variable: what the program set, what `--env` gave, None when unset."""
        if name in self.set_environ:
            return self.set_environ[name]
        if name in self.environ:
            return Known(self.environ[name])
        if name == "HOME":
            return Known("~")
        if name in ("PATH", "USER", "LOGNAME", "SHELL", "LANG", "PWD", "TERM", "HOSTNAME"):
            return Known(self.root) if name == "PWD" else Unknown(f"environment variable {name}", "environment")
        return NONE


TEMPORARY = "/\x00tmp"


def _join_texts(texts: list[TextLike]) -> TextLike:
    first = texts[0]
    if all(text == first for text in texts):
        return first
    return widen_texts(texts)


def matches_text(pattern: TextLike, path: str) -> bool:
    """Whether a partly known string may be the given one."""
    if isinstance(pattern, str):
        return pattern == path
    expression = "".join(
        re.escape(part) if isinstance(part, str) else (".*" if part.slash else "[^/]*") for part in pattern.parts
    )
    return re.fullmatch(expression, path, re.DOTALL) is not None


__all__ = [
    "BREAK",
    "CONTINUE",
    "NORMAL",
    "RETURN",
    "TEMPORARY",
    "UNKNOWN",
    "AbstractRaise",
    "BudgetExceeded",
    "Core",
    "Frame",
    "Hole",
    "Limits",
    "PathV",
    "Text",
    "TryContext",
    "matches_text",
    "place_of",
]
