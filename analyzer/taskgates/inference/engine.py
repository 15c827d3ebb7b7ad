"""The entry of the engine: a command line, a task or a source in, an access set out."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload

import msgspec

from taskgates.inference.call_graph import CALLEES, CONSTANTS, CallGraph, CallLog
from taskgates.inference.effects import EffectTable, load_effects
from taskgates.inference.exploration import ExploringInterpreter
from taskgates.inference.frames import AbstractRaise
from taskgates.inference.interpreter import Interpreter
from taskgates.inference.limits import BudgetExceeded, Limits
from taskgates.inference.locate import Locator
from taskgates.inference.log import EffectLog, RawSite
from taskgates.inference.open_calls import OpenInterpreter, find_entries
from taskgates.inference.paths import normalise
from taskgates.inference.public import PublicEntries
from taskgates.inference.relevance import Mentions
from taskgates.inference.resumption import LOOKS, LOOKS_BEYOND, ResumingInterpreter
from taskgates.inference.shell.host import ShellState
from taskgates.inference.shell.places import Place
from taskgates.inference.sources import SourceStore
from taskgates.inference.values import (
    OBJECTS,
    SET_SIZE,
    Known,
)
from taskgates.model.access import AccessSet
from taskgates.model.finding import Problem
from taskgates.syntax import ir
from taskgates.tree.cache import NullCache, ResultCache
from taskgates.tree.environment import Environment, find_environment
from taskgates.tree.evidence import Evidence
from taskgates.tree.tree import Tree, content_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from taskgates.model.task import Command, Task

M = TypeVar("M", bound=ResumingInterpreter)

ENGINE_VERSION = "5"
"""Changes whenever the same input may give another result; results of other versions are not reused."""


class _Record(msgspec.Struct, frozen=True):
    """A result and what it rests on."""

    evidence: Evidence
    access: AccessSet
    problems: tuple[Problem, ...]
    installed: tuple[tuple[str, int, int], ...]


def _stamps(files: Iterable[str]) -> tuple[tuple[str, int, int], ...]:
    """Modification time and size of files outside the root."""
    out = []
    for file in sorted(set(files)):
        try:
            status = Path(file).stat()
        except OSError:
            continue
        out.append((file, status.st_mtime_ns, status.st_size))
    return tuple(out)


def _unchanged(stamps: tuple[tuple[str, int, int], ...]) -> bool:
    return _stamps(file for file, _, _ in stamps) == stamps


class InferenceOptions(msgspec.Struct, frozen=True):
    """What an analysis depends on besides the tree.

    Attributes:
        environ: environment variables that are known (`--env`).
        python: the interpreter or environment whose packages count; found by itself when None.
        follow: installed packages to analyse by their source.
        effect_files: the user's own effect tables.
        limits: bounds of one entry.
    """

    environ: dict[str, str] = {}
    python: str | None = None
    follow: tuple[str, ...] = ()
    effect_files: tuple[str, ...] = ()
    limits: Limits = Limits()


class Analyser:
    """Infers access sets; one instance serves many tasks of one repository and shares what it parsed.

    Args:
        tree: the repository.
        options: see `InferenceOptions`.
        cache: records of earlier runs.

    Raises:
        EnvironmentNotFoundError: when `options.python` names no environment.
        EffectTableError: when a table of the user is faulty.
    """

    def __init__(self, tree: Tree, options: InferenceOptions | None = None, cache: ResultCache | None = None) -> None:
        self.tree = tree
        self.options = options or InferenceOptions()
        self.cache = cache or NullCache()
        self.root = str(tree.root)
        self.environment: Environment = find_environment(tree.root, self.options.python)
        self.effects: EffectTable = load_effects([Path(name) for name in self.options.effect_files], root=tree.root)
        self.sources = SourceStore(tree, self.cache, self.options.limits.file_size)
        self._problems: dict[str, Problem] = {}
        self._mentions = Mentions(self.effects)
        self._entries = PublicEntries(tree, self._machine, self._mentions)
        self._version = content_digest(
            msgspec.json.encode(
                [
                    ENGINE_VERSION,
                    msgspec.to_builtins(self.options),
                    self.effects.user_digest,
                    self.environment.fingerprint(),
                ]
            )
        )

    @property
    def problems(self) -> list[Problem]:
        """Sources that could not be parsed (TG902), each once."""
        return [self._problems[file] for file in sorted(self._problems)]

    def command(self, command: Command) -> AccessSet:
        """What a command line or shell text does in the tree as it is now: a file that is not there is not there."""
        return self._run(
            str(command),
            lambda machine: self._command(machine, command, closed=True),
            kind=f"command {command.cwd} {'shell' if command.argv is None else 'argv'}",
        )

    def task(self, task: Task) -> AccessSet | None:
        """What a task does when it runs; None when there is no code to look at."""
        if task.command is not None:
            command = task.command
            # Another task may create what is not there yet.
            return self._run(
                str(command),
                lambda machine: self._command(machine, command, closed=False),
                kind=f"task {command.cwd} {'shell' if command.argv is None else 'argv'}",
            )
        sources = tuple(source for source in task.sources if ":" in source or self.tree.kind(source) == "file")
        if not sources:
            return None
        return self._run(", ".join(sources), lambda _: None, sources)

    def calls(self, command: Command) -> CallGraph:
        """The call graph that is reachable from a command."""
        log = CallLog()
        passed_over: tuple[ir.Stmt, ...] = ()
        steps = 0
        with self._room_to_run():
            SET_SIZE.set(max(self.options.limits.set_size, CONSTANTS))
            OBJECTS.set(CALLEES)
            for _ in range(LOOKS):
                machine = self._machine(log, ExploringInterpreter)
                machine.pass_over(passed_over)
                try:
                    self._command(machine, command, closed=True)
                except AbstractRaise:
                    pass
                except (BudgetExceeded, RecursionError):
                    log.leave(str(command))
                    break
                steps += machine.steps
                if machine.stopped_by is None or steps > self.options.limits.steps:
                    break
                passed_over = (*passed_over, machine.stopped_by)
            machine.explore()
        return log.graph()

    def library_calls(self, places: Iterable[str]) -> CallGraph:
        """The call graph of code that others call.

        Args:
            places: `FOLDER` or `FILE`, whose functions are all taken to be called, or `FILE:NAME` for one function or
                the methods of one class; relative to the root.

        Raises:
            EntryNotFoundError: one of them is not there.
        """
        entries = find_entries(self.tree, places)
        log = CallLog()
        with self._room_to_run():
            SET_SIZE.set(max(self.options.limits.set_size, CONSTANTS))
            OBJECTS.set(CALLEES)
            machine = self._machine(log, OpenInterpreter)
            machine.enter_all(entries)
        return log.graph(machine.names())

    @contextmanager
    def _room_to_run(self) -> Iterator[None]:
        """Make room for an analysis, and bind its bound on sets.

        Python's recursion limit is raised, since the interpreter is recursive itself, and the cycle collector kept out:
        an analysis allocates much and frees most of it at its end; looking for cycles in between costs a fifth of the
        time.
        """
        limit, collecting = sys.getrecursionlimit(), gc.isenabled()
        sys.setrecursionlimit(max(limit, 20_000))
        gc.disable()
        bound, objects = SET_SIZE.set(self.options.limits.set_size), OBJECTS.set(0)
        try:
            yield
        finally:
            SET_SIZE.reset(bound)
            OBJECTS.reset(objects)
            sys.setrecursionlimit(limit)
            if collecting:
                gc.enable()

    # Entries

    @overload
    def _machine(self, log: EffectLog) -> Interpreter: ...

    @overload
    def _machine(self, log: EffectLog, kind: type[M]) -> M: ...

    def _machine(self, log: EffectLog, kind: type[Interpreter] = Interpreter) -> Interpreter:
        return kind(
            self.tree,
            self.effects,
            root=self.root,
            environ=dict(self.options.environ),
            limits=self.options.limits,
            sources=self.sources,
            environment=self.environment,
            follow=set(self.options.follow),
            log=log,
            problems=self._problems,
            mentions=self._mentions,
        )

    def _run(
        self, target: str, entry: Callable[[Interpreter], None], sources: tuple[str, ...] = (), *, kind: str = "command"
    ) -> AccessSet:
        """Analyse one entry, or take the result of an earlier run whose every answer from the tree still holds."""
        key = content_digest(msgspec.json.encode([self._version, kind, target, sources]))
        stored = self.cache.get("access", key)
        if stored is not None:
            try:
                record = msgspec.msgpack.decode(stored, type=_Record)
            except (msgspec.DecodeError, msgspec.ValidationError):
                record = None
            if record is not None and record.evidence.holds(self.tree) and _unchanged(record.installed):
                self.tree.replay(record.evidence)
                for problem in record.problems:
                    self._problems[problem.span.file] = problem
                return record.access
        known = set(self._problems)
        with self.tree.recording() as evidence:
            access, log = self._analyse(target, entry, sources)
        record = _Record(
            evidence,
            access,
            tuple(problem for file, problem in self._problems.items() if file in log.imports or file not in known),
            _stamps(file for file in log.modules if file.startswith("/")),
        )
        self.cache.put("access", key, msgspec.msgpack.encode(record))
        return access

    def _analyse(
        self, target: str, entry: Callable[[Interpreter], None], sources: tuple[str, ...]
    ) -> tuple[AccessSet, EffectLog]:
        log = EffectLog()
        with self._room_to_run():
            self._look(self._machine(log), partial(self._sources, log, sources) if sources else entry, *sources[:1])
            passed_over: tuple[ir.Stmt, ...] = ()
            while log.stops and not sources and len(passed_over) < LOOKS_BEYOND:
                # The earlier ones are passed over, so that these are others.
                passed_over = (*passed_over, *log.stops)
                log = log.again()
                machine = self._machine(log, ResumingInterpreter)
                machine.pass_over(passed_over)
                self._look(machine, entry)
        locator = Locator(self.sources)
        mutable = self.sources.mutated_names(log.modules)
        return log.access_set(target, self.root, locator.site, lambda name: name in mutable), log

    def _look(self, machine: Interpreter, entry: Callable[[Interpreter], object], file: str = "") -> None:
        """Interpret an entry as far as it goes."""
        try:
            entry(machine)
        except (BudgetExceeded, AbstractRaise):
            pass
        except RecursionError:
            file = machine.entry or file
            place = RawSite(file, 0, 0, "<module>", "", None, int(bool(file)), 1)
            machine.log.opaque("the program nests deeper than the analysis can follow", place)

    def _command(self, machine: Interpreter, command: Command, *, closed: bool) -> None:
        machine.cwd = normalise(f"{self.root}/{command.cwd}")
        machine.closed = closed
        state = ShellState(cwd=command.cwd)
        if command.argv is not None:
            argv = list(command.argv)
            head = argv[0].rsplit("/", 1)[-1] if argv else ""
            if head.startswith("python") and head[6:].replace(".", "").isdigit() | (head == "python"):
                machine.run_python([Known(word) for word in argv])
                return
            machine.shell().run_argv(argv, state, Place(), False)
        elif command.shell is not None:
            machine.shell().run_text(command.shell, state)

    def _sources(self, log: EffectLog, sources: tuple[str, ...], machine: Interpreter) -> None:
        """The sources of a task, each by itself."""
        del machine
        for source in sources:
            self._source(log, source)

    def _source(self, log: EffectLog, source: str) -> None:
        """A task's source: a file as a script with unknown arguments, and everything public in it."""
        file, _, name = source.partition(":")
        if name:
            self._entries.callable(log, file, name)
            return
        lowered = self.sources.get(file)
        guarded = isinstance(lowered, ir.Module) and lowered.has_main_guard
        if guarded:
            self._entries.script(log, file)
        self._entries.public(log, file)
        if log.set_up and not guarded:
            # To change the state of other modules may be what the file is there for.
            self._entries.script(log, file)
