"""Runs a Python program and writes down what its functions do with state that outlives a call.

    python -m accuracy.state_tracer OUTPUT SCRIPT [ARGUMENT]...

The program is run in the working directory; its modules are those of the files below it. State is what its modules,
classes, functions (default arguments, enclosed variables, attributes) and, once it starts threads, the local variables
that these are handed hold: the bindings themselves, and the containers and objects that can be reached from them. Three
things are watched:

- byte code that loads, stores or deletes a global or an enclosed variable, through `sys.settrace`;
- expressions that look into an object (attributes, subscripts, iteration, membership, truth, built-in functions), which
  are wrapped when a module is compiled;
- the contents of everything reachable, which are compared after each line: what differs was written by the line that
  ran.

Each touch is noted with the locks of the `threading` module that its thread holds. Two touches race when neither comes
before the other by the start or end of a thread, or a future that was waited for, one writes, and no lock is held at
both.

What a module's body does with its own variables, and everything that happens while another module than the main program
is imported, is initialisation: it takes part in races, and is no touch.

OUTPUT is JSON: `touches`, a list of access, name and the locks that were held every time; `races`, names; and `error`.
State is named `module.variable`, `module.Class.attribute` or `module.function.variable`, a lock by the variable that
holds it, or `?`.
"""

from __future__ import annotations

import ast
import asyncio
import atexit
import builtins
import collections
import concurrent.futures
import concurrent.futures.thread
import dis
import functools
import importlib.machinery
import json
import multiprocessing.process
import os
import sys
import threading
import types
from pathlib import Path
from typing import Any

from accuracy.state_memory import ROOT, Place, Worker, contents_of, current_task, differences_in, fields_of, is_object
from accuracy.state_wrapping import CELLS, LOOK, Wrapper
from accuracy.traced_program import TracedProgram

PASSING = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
READING = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF"}
WRITING = {"STORE_GLOBAL", "DELETE_GLOBAL", "STORE_DEREF", "DELETE_DEREF"}


class Lock:
    """Stands for a lock of the program and keeps account of who holds it."""

    def __init__(self, tracer: Tracer, inner: Any, *, shared: Lock | None = None, exclusive: bool = True) -> None:
        self.tracer, self.inner, self.exclusive = tracer, inner, exclusive
        self.identity: Lock = shared.identity if shared is not None else self

    def acquire(self, *args: Any, **options: Any) -> Any:
        got = self.inner.acquire(*args, **options)
        if got:
            self._hold()
        return got

    def release(self, *args: Any) -> None:
        self._drop()
        self.inner.release(*args)

    def _hold(self) -> None:
        self.tracer.compare()
        if self.exclusive:
            self.tracer.held().append(self.identity)

    def _drop(self) -> None:
        self.tracer.compare()
        if self.exclusive and self.identity in self.tracer.held():
            self.tracer.held().remove(self.identity)

    def __enter__(self) -> Any:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    async def __aenter__(self) -> None:
        await self.inner.acquire()
        self._hold()

    async def __aexit__(self, *_: object) -> None:
        self.release()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Tracer:
    """What one run has shown so far.

    Args:
        root: the folder whose files are the program.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.modules: list[types.ModuleType] = []
        self.parents: dict[types.CodeType, types.CodeType | None] = {}
        self.instructions: dict[types.CodeType, dict[int, tuple[str, str]]] = {}
        self.noted: dict[tuple[str, str], list[frozenset[Lock]]] = {}
        self.passed_on: dict[tuple[str, str], list[frozenset[Lock]]] = {}
        self.places: dict[Any, Place] = {}
        self.owned: dict[int, tuple[Any, str, Any]] = {}
        self.locals: list[tuple[str, Any]] = []
        self.cells: dict[types.FrameType, dict[str, int]] = {}
        self.kept: list[Any] = []
        self.workers = threading.local()
        self.last: tuple[Worker, types.FrameType] | None = None
        self.main = Worker({})
        self.workers.current = self.main
        self.busy = False
        self.main_thread = threading.get_ident()

    # Compiling

    def compile(self, source: str | bytes, path: str) -> types.CodeType:
        """The code of a module of the program, wrapped."""
        enclosed: dict[tuple[str, int], tuple[str, ...]] = {}
        pending = [compile(source, path, "exec", dont_inherit=True)]
        while pending:
            plain = pending.pop()
            enclosed[plain.co_name, plain.co_firstlineno] = tuple(set(plain.co_freevars) - {"__class__"})
            pending += [each for each in plain.co_consts if isinstance(each, types.CodeType)]
        tree = ast.fix_missing_locations(Wrapper(enclosed).visit(ast.parse(source, path)))
        code = compile(tree, path, "exec", dont_inherit=True)
        self._adopt(code, None)
        return code

    def _adopt(self, code: types.CodeType, parent: types.CodeType | None) -> None:
        self.parents[code] = parent
        self.instructions[code] = {i.offset: (i.opname, str(i.argval)) for i in dis.get_instructions(code)}
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                self._adopt(inner, code)

    # Names

    def name_of(self, code: types.CodeType, module: str) -> str:
        """The dotted name of a function."""
        parts: list[str] = []
        current: types.CodeType | None = code
        while current is not None and current.co_name != "<module>":
            if current.co_name not in PASSING:
                parts.append(current.co_name)
            current = self.parents.get(current)
        return ".".join([module, *reversed(parts)])

    def variable(self, code: types.CodeType, module: str, name: str) -> str:
        """The dotted name of an enclosed variable that code uses."""
        current: types.CodeType | None = code
        while current is not None and name not in current.co_cellvars:
            current = self.parents.get(current)
        return f"{self.name_of(current or code, module)}.{name}"

    def current(self) -> Worker:
        """The strand that runs."""
        worker = getattr(self.workers, "current", None)
        if worker is None:
            worker = self.workers.current = Worker({})
        return worker

    def held(self) -> list[Lock]:
        """The locks that the running strand holds."""
        task = current_task()
        if task is None:
            return self.current().held
        if not hasattr(task, "held_locks"):
            task.held_locks = []
        return task.held_locks  # type: ignore[no-any-return]

    # What is reachable

    def _roots(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for module in self.modules:
            name = _module(module.__dict__)
            for key, value in list(vars(module).items()):
                if not key.startswith("__") and not isinstance(value, types.ModuleType):
                    found.append((f"{name}.{key}", value))
        return found + self.locals

    def discover(self) -> dict[int, tuple[Any, str, Any]]:
        """Every object that holds shared state: with its name, and its contents as they are now."""
        found: dict[int, tuple[Any, str, Any]] = {}
        seen: set[int] = set()
        level = self._roots()
        for module in self.modules:
            variables = {k: v for k, v in vars(module).items() if k[:2] != "__" and not isinstance(v, types.ModuleType)}
            found[id(vars(module))] = (vars(module), _module(vars(module)), ("fields", variables))
        while level:
            following: list[tuple[str, Any]] = []
            for name, value in level:
                if id(value) in seen or isinstance(value, str | bytes | int | float | Lock | Worker | type(None)):
                    continue
                seen.add(id(value))
                contents = contents_of(value)
                if contents is not None:
                    found[id(value)] = (value, name, contents)
                following += self._children(name, value)
            level = following
        return found

    def _children(self, name: str, value: Any) -> list[tuple[str, Any]]:
        if isinstance(value, dict):
            return [(name, each) for each in value.values()]
        if isinstance(value, list | tuple | set | frozenset | collections.deque):
            return [(name, each) for each in value]
        if isinstance(value, types.FunctionType):
            return self._of_function(value)
        if isinstance(value, staticmethod | classmethod):
            return [(name, value.__func__)]
        if isinstance(value, property):
            return [(name, value.fget), (name, value.fset)]
        if isinstance(value, types.MethodType):
            return [(name, value.__self__), (name, value.__func__)]
        if isinstance(value, functools.partial):
            return [(name, value.func), (name, value.args), (name, value.keywords)]
        if isinstance(value, type):
            if value.__module__ in {module.__name__ for module in self.modules}:
                own = f"{_module({'__name__': value.__module__})}.{value.__qualname__}".replace(".<locals>", "")
                return [(f"{own}.{key}", each) for key, each in vars(value).items() if not key.startswith("__")] + [
                    (own, each) for key, each in vars(value).items() if isinstance(each, types.FunctionType)
                ]
            return []
        if is_object(value):
            return [*((name, each) for each in fields_of(value).values()), (name, type(value))]
        return []

    def _of_function(self, value: types.FunctionType) -> list[tuple[str, Any]]:
        code = value.__code__
        module = _module(value.__globals__)
        found: list[tuple[str, Any]] = []
        if hasattr(value, "__wrapped__"):
            found.append(("", value.__wrapped__))
        if code not in self.parents:
            return found
        own = self.name_of(code, module)
        positional = code.co_varnames[: code.co_argcount]
        if value.__defaults__:
            pairs = zip(positional[-len(value.__defaults__) :], value.__defaults__, strict=True)
            found += [(f"{own}.{key}", each) for key, each in pairs]
        found += [(f"{own}.{key}", each) for key, each in (value.__kwdefaults__ or {}).items()]
        for key, cell in zip(code.co_freevars, value.__closure__ or (), strict=True):
            try:
                found.append((self.variable(code, module, key), cell.cell_contents))
            except ValueError:
                continue
        found += [(own, each) for key, each in vars(value).items() if key != "__wrapped__"]
        return found

    # Noting

    def note(
        self, access: str, name: str, place: Any, frame: types.FrameType, worker: Worker, *, weak: bool = False
    ) -> None:
        """Note a touch of a place by a strand."""
        where = self.places.setdefault(place, Place(name))
        if not weak:
            where.touch(worker, write=access == "write")
        if not self._initialising(name, frame):
            held = self.held() if worker is self.current() else worker.held
            noted = self.passed_on if weak else self.noted
            noted.setdefault((access, name), []).append(frozenset(held))

    def _initialising(self, name: str, frame: types.FrameType | None) -> bool:
        first = True
        while frame is not None:
            code = frame.f_code
            if code in self.parents:
                if code.co_name == "<module>":
                    module = _module(frame.f_globals)
                    if frame.f_globals["__name__"] != "__main__":
                        return True
                    return first and name.startswith(f"{module}.")
                if not (code.co_name in PASSING or not code.co_flags & 1):
                    first = False
            frame = frame.f_back
        return False

    def compare(self) -> None:
        """Lay what has changed since the last time to the charge of what ran since."""
        if self.busy:
            return
        self.busy = True
        try:
            now = self.discover()
            if self.last is not None:
                worker, frame = self.last
                for key, (value, name, contents) in now.items():
                    before = self.owned.get(key)
                    if before is None or before[0] is not value:
                        continue
                    for part in differences_in(before[2], contents):
                        holder = isinstance(value, type) or (contents[0] == "fields" and isinstance(value, dict))
                        self.note("write", f"{name}.{part[1]}" if holder else name, (key, part), frame, worker)
            self.owned = now
        finally:
            self.busy = False

    def see_cells(self, closure: types.FunctionType) -> None:
        """A function starts whose enclosed variables these are."""
        cells = dict(zip(closure.__code__.co_freevars, closure.__closure__ or (), strict=True))
        self.kept += cells.values()
        self.cells[sys._getframe(1)] = {name: id(cell) for name, cell in cells.items()}

    def look(self, value: Any, attribute: str) -> Any:
        """An expression of the program looks into a value."""
        if self.busy:
            return value
        frame, worker = sys._getframe(1), self.current()
        if isinstance(value, types.ModuleType):
            if value in self.modules and attribute in vars(value):
                self._load(
                    f"{_module(vars(value))}.{attribute}",
                    vars(value)[attribute],
                    frame,
                    (id(vars(value)), ("attribute", attribute)),
                )
            return value
        if attribute:
            self._look_at_class(value, attribute, frame, worker)
        known = self.owned.get(id(value))
        if known is not None and known[0] is value:
            fields = fields_of(value) if is_object(value) else None
            if fields is None or (attribute in fields and not isinstance(fields[attribute], Lock)):
                part = ("attribute", attribute) if fields is not None else None
                self.note("read", known[1], (id(value), part), frame, worker)
        return value

    def _look_at_class(self, value: Any, attribute: str, frame: types.FrameType, worker: Worker) -> None:
        kinds = value.__mro__ if isinstance(value, type) else type(value).__mro__
        if not isinstance(value, type) and is_object(value) and attribute in fields_of(value):
            return
        for kind in kinds:
            if attribute in vars(kind):
                found = vars(kind)[attribute]
                known = self.owned.get(id(kind))
                plain = (not callable(found) and not hasattr(type(found), "__get__")) or contents_of(found) is not None
                if known is not None and plain and not hasattr(type(found), "__get__"):
                    self.note("read", f"{known[1]}.{attribute}", (id(kind), ("attribute", attribute)), frame, worker)
                return

    def _load(self, name: str, value: Any, frame: types.FrameType, place: Any) -> None:
        known = self.owned.get(id(value))
        if known is not None and known[0] is value and not isinstance(value, type):
            self.note("read", known[1], (id(value), None), frame, self.current(), weak=True)
            if known[1] == name:
                self.places.setdefault(place, Place(name)).touch(self.current(), write=False)
        elif not isinstance(value, type | types.FunctionType | types.ModuleType | types.BuiltinFunctionType):
            self.note("read", name, place, frame, self.current())

    # Events

    def trace(self, frame: types.FrameType, event: str, _: Any) -> Any:
        """A function of the program starts."""
        code = frame.f_code
        if code not in self.parents:
            return None
        frame.f_trace_opcodes = True
        module = sys.modules.get(frame.f_globals.get("__name__", ""))
        if module is not None and module not in self.modules:
            # The main program comes last: what it imports by name belongs to the module that made it.
            self.modules.insert(0, module) if module.__name__ != "__main__" else self.modules.append(module)
        self.step(frame, event, None)
        return self.step

    def step(self, frame: types.FrameType, event: str, _: Any) -> Any:
        """The program goes on by a line, an instruction, or the end of a function."""
        if self.busy:
            return self.step
        if event != "opcode":
            self.compare()
        self.last = (self.current(), frame)
        if event == "opcode":
            operation, argument = self.instructions[frame.f_code][frame.f_lasti]
            if operation in READING or operation in WRITING:
                self._instruction(frame, operation, argument)
        return self.step

    def _instruction(self, frame: types.FrameType, operation: str, name: str) -> None:
        worker, code, module = self.current(), frame.f_code, _module(frame.f_globals)
        if "DEREF" in operation:
            own = self.variable(code, module, name)
            place = ("cell", self.cells.get(frame, {}).get(name, own))
            enclosed = name in code.co_freevars
            if operation in WRITING and enclosed:
                self.note("write", own, place, frame, worker)
            elif operation in READING and name != "__class__" and name in frame.f_locals:
                value = frame.f_locals[name]
                if enclosed or own in {touched for _, touched in [*self.noted, *self.passed_on]}:
                    self._load(own, value, frame, place)
            return
        if operation in WRITING:
            self.note("write", f"{module}.{name}", (id(frame.f_globals), ("attribute", name)), frame, worker)
        elif name in frame.f_globals and (
            operation == "LOAD_GLOBAL" or name not in frame.f_locals or code.co_name == "<module>"
        ):
            self._load(f"{module}.{name}", frame.f_globals[name], frame, (id(frame.f_globals), ("attribute", name)))

    # Running

    def report(self, error: str) -> dict[str, Any]:
        """Everything seen; state that only was read is left out."""
        written = {name for access, name in self.noted if access == "write"}
        names = {id(value): name for name, value in reversed(self._lock_names())}
        touches = []
        for (access, name), held in sorted({**self.passed_on, **self.noted}.items()):
            if name in written:
                common = frozenset.intersection(*held)
                touches.append([access, name, sorted(names.get(id(lock), "?") for lock in common)])
        races = sorted({place.name for place in self.places.values() if place.racing})
        return {"touches": touches, "races": races, "error": error}

    def _lock_names(self) -> list[tuple[str, Any]]:
        found = []
        for module in self.modules:
            own = _module(vars(module))
            for key, value in vars(module).items():
                if isinstance(value, Lock):
                    found.append((f"{own}.{key}", value))
                elif isinstance(value, type) and value.__module__ == module.__name__:
                    found += [(f"{own}.{key}.{k}", v) for k, v in vars(value).items() if isinstance(v, Lock)]
        return found

    def install(self) -> None:
        """Compile the program's modules wrapped, watch its threads and locks, and listen."""
        plain = importlib.machinery.SourceFileLoader.source_to_code

        def source_to_code(loader: Any, data: Any, path: Any, **options: Any) -> Any:
            return self.compile(data, path) if path.startswith(self.root) else plain(loader, data, path, **options)

        importlib.machinery.SourceFileLoader.source_to_code = source_to_code  # type: ignore[method-assign, assignment]
        setattr(builtins, LOOK, self.look)
        setattr(builtins, CELLS, self.see_cells)
        self._watch_locks()
        self._watch_threads()
        self._watch_pools()
        threading.settrace(self.trace)
        sys.setswitchinterval(1000)

    def _watch_locks(self) -> None:
        def replace(module: Any, name: str, make: Any, *, exclusive: bool = True) -> None:
            def factory(*args: Any, **options: Any) -> Any:
                if sys._getframe(1).f_code not in self.parents:
                    return make(*args, **options)
                shared = next((each for each in args if isinstance(each, Lock)), None)
                plain = [each.inner if isinstance(each, Lock) else each for each in args]
                single = exclusive or (not args and not options) or args[:1] == (1,) or options.get("value") == 1
                return Lock(self, make(*plain, **options), shared=shared, exclusive=single)

            setattr(module, name, factory)

        for name in ("Lock", "RLock", "Condition"):
            replace(threading, name, getattr(threading, name))
        semaphore = threading.Semaphore
        for name in ("Semaphore", "BoundedSemaphore"):
            replace(threading, name, semaphore, exclusive=False)
        replace(asyncio, "Lock", asyncio.Lock)

    def _hand_over(self, handed: Any) -> None:
        """Local variables whose values a worker is handed are shared from now on."""
        reached: set[int] = set()
        level = [handed]
        while level:
            value = level.pop()
            if id(value) in reached or isinstance(value, type | types.ModuleType | Lock):
                continue
            reached.add(id(value))
            level += [each for _, each in self._children("", value)]
        frame: types.FrameType | None = sys._getframe(1)
        while frame is not None:
            code = frame.f_code
            if code in self.parents and code.co_name != "<module>":
                for key, value in frame.f_locals.items():
                    if id(value) in reached and id(value) not in self.owned and not callable(value):
                        name = f"{self.name_of(code, _module(frame.f_globals))}.{key}"
                        self.locals.append((name, value))
            frame = frame.f_back
        self.compare()

    def _watch_threads(self) -> None:
        start, join = threading.Thread.start, threading.Thread.join
        run = threading.Thread._bootstrap  # type: ignore[attr-defined]
        workers: dict[threading.Thread, Worker] = {}

        def started(thread: Any) -> None:
            self._hand_over(
                [getattr(thread, "_target", None), getattr(thread, "_args", ()), getattr(thread, "_kwargs", {})]
            )
            self._hand_over([getattr(thread, "function", None), getattr(thread, "args", ())])
            self.compare()
            workers[thread] = Worker(self.current().forked())
            start(thread)

        def running(thread: threading.Thread) -> None:
            self.workers.current = workers[thread]
            run(thread)

        def joined(thread: Any, timeout: float | None = None) -> None:
            self.compare()
            join(thread, timeout)
            if not thread.is_alive() and thread in workers:
                self.current().joined(workers[thread].clock)

        threading.Thread.start = started  # type: ignore[method-assign, assignment]
        threading.Thread._bootstrap = running  # type: ignore[attr-defined]
        threading.Thread.join = joined  # type: ignore[assignment, method-assign]

    def _watch_pools(self) -> None:
        submit = concurrent.futures.ThreadPoolExecutor.submit
        result = concurrent.futures.Future.result

        def submitted(pool: Any, function: Any, /, *args: Any, **options: Any) -> Any:
            self._hand_over([function, args, options])
            clock = self.current().forked()
            ended: list[Worker] = []
            alone = pool._max_workers == 1

            def work(*args: Any, **options: Any) -> Any:
                outer = self.current()
                worker = Worker({**clock, **outer.clock} if alone else clock)
                self.workers.current = worker
                try:
                    return function(*args, **options)
                finally:
                    self.compare()
                    outer.joined(worker.clock)
                    self.workers.current = outer
                    ended.append(worker)

            future: Any = submit(pool, work, *args, **options)
            future.ended = ended
            return future

        def waited(future: Any, timeout: float | None = None) -> Any:
            try:
                return result(future, timeout)
            finally:
                for worker in getattr(future, "ended", ()):
                    self.current().joined(worker.clock)

        concurrent.futures.Future.result = waited  # type: ignore[assignment, method-assign]
        concurrent.futures.ThreadPoolExecutor.submit = submitted  # type: ignore[method-assign]


def _module(names: dict[str, Any]) -> str:
    name = str(names.get("__name__", "?"))
    return Path(sys.modules["__main__"].__dict__["__file__"]).stem if name == "__main__" else name


def main(output: str, script: str, arguments: list[str]) -> None:
    """Run a script as the main program and write what was seen to a file, whatever its end."""
    tracer = Tracer(ROOT)
    program = TracedProgram(script, arguments)
    owner = os.getpid()

    failures: list[str] = []

    def write() -> None:
        sys.settrace(None)
        tracer.compare()
        where = output if os.getpid() == owner else f"{output}.{os.getpid()}"
        Path(where).write_text(json.dumps(tracer.report(program.error or next(iter(failures), ""))), encoding="utf-8")

    atexit.register(write)
    bootstrap = multiprocessing.process.BaseProcess._bootstrap  # type: ignore[attr-defined]

    def in_child(process: Any, *args: Any, **options: Any) -> Any:
        try:
            return bootstrap(process, *args, **options)
        finally:
            write()

    multiprocessing.process.BaseProcess._bootstrap = in_child  # type: ignore[attr-defined]
    threading.excepthook = lambda args: failures.append(f"{type(args.exc_value).__name__}: {args.exc_value}")
    tracer.install()
    program.run(tracer.compile, lambda: sys.settrace(tracer.trace))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
