"""The abstract interpreter, put together from its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference import models
from taskgates.inference.attributes import Attributes
from taskgates.inference.calls import Calls
from taskgates.inference.classes import Classes
from taskgates.inference.expressions import Expressions
from taskgates.inference.imports import Imports
from taskgates.inference.items import Items
from taskgates.inference.iteration import Iteration
from taskgates.inference.library import Library
from taskgates.inference.locking import Locking
from taskgates.inference.log import Chain, EffectLog, RawSite
from taskgates.inference.managers import Managers
from taskgates.inference.matching import Matching
from taskgates.inference.objects import ListObj
from taskgates.inference.processes import Processes
from taskgates.inference.refine import Refinement
from taskgates.inference.relevance import Relevance
from taskgates.inference.statements import Statements
from taskgates.model.access import LOCK_FILE_PREFIX

if TYPE_CHECKING:
    from taskgates.inference.effects import EffectTable
    from taskgates.inference.limits import Limits
    from taskgates.inference.relevance import Mentions
    from taskgates.inference.sources import SourceStore
    from taskgates.model.finding import Problem
    from taskgates.tree.environment import Environment
    from taskgates.tree.modules import Module
    from taskgates.tree.tree import Tree

models.load()


class Interpreter(
    Statements,
    Expressions,
    Matching,
    Calls,
    Attributes,
    Items,
    Iteration,
    Managers,
    Locking,
    Classes,
    Imports,
    Refinement,
    Processes,
    Library,
):
    """One program (one process) of the analysed code.

    Args:
        tree: the repository.
        effects: what library calls do.
        root: absolute path of the root.
        environ: environment variables that are known.
        limits: bounds of the analysis.
        sources: gives the representation of a source file.
        environment: where installed packages are.
        follow: installed packages to analyse by source.
        log: where effects go.
        problems: where unparsable sources go.
    """

    def __init__(
        self,
        tree: Tree,
        effects: EffectTable,
        *,
        root: str,
        environ: dict[str, str],
        limits: Limits,
        sources: SourceStore,
        environment: Environment | None,
        follow: set[str],
        log: EffectLog,
        problems: dict[str, Problem],
        mentions: Mentions,
    ) -> None:
        self.mentions = mentions
        super().__init__(tree, effects, root=root, environ=environ, limits=limits)
        self.sources = sources
        self.environment = environment
        self.follow = follow
        self.log = log
        self.problems = problems
        self.shared_modules = None
        self.search = ListObj("list")
        self.search.owner = ("sys.path", "process")
        self.process_depth = 0

    def start_run(self, log: EffectLog, limits: Limits) -> None:
        """See `Program`."""
        super().start_run(log, limits)
        self.relevance = Relevance(self.mentions)
        self.making = []
        self.process_keys = set()
        self.process_ends = {}

    @property
    def python_version(self) -> tuple[int, int]:
        """Major and minor version of the environment's Python."""
        if self.environment is not None and self.environment.version is not None:
            return self.environment.version
        return (3, 11)

    def spawn(self, site: RawSite) -> Interpreter:
        """A fresh interpreter for a child process that shares the log and the tree."""
        child = type(self)(
            self.tree,
            self.effects,
            root=self.root,
            environ=self.environ,
            limits=self.limits,
            sources=self.sources,
            environment=self.environment,
            follow=set(self.follow),
            log=self.log,
            problems=self.problems,
            mentions=self.mentions,
        )
        child.chain = Chain(self.chain, site.file, site.pos, site.function)
        child.undecided = self.undecided
        # Memory is the parent's own; of a lock on a file it may be the child that is waited for.
        child.held = [name for name in self.held if name.startswith(LOCK_FILE_PREFIX)]
        child.closed = self.closed
        child.process_depth = self.process_depth + 1
        child.children = self.children + (self.frame is not None)
        child.process_keys = self.process_keys
        child.process_ends = self.process_ends
        child.steps = self.steps
        child.deadline = self.deadline
        return child

    def locate_module(self, name: str) -> Module | None:
        """Find a module; where its parent package is imported, in that package's folders."""
        parent = self.modules.get(name.rpartition(".")[0])
        return self.locate_child(parent, name)
