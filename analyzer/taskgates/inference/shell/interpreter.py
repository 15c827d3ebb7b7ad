"""The abstract interpreter of shell text: entries, scripts, functions, simple commands, and the talk with the host."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from taskgates.inference.shell.assignment import assign
from taskgates.inference.shell.commands import CommandTable, default_commands
from taskgates.inference.shell.control import Control
from taskgates.inference.shell.dispatch import Dispatcher
from taskgates.inference.shell.expansion import Expander
from taskgates.inference.shell.host import Host, ShellArray, ShellOptions, ShellState
from taskgates.inference.shell.machine import Changes, Frame, Jump, Outcome, Sink, Status, Stream
from taskgates.inference.shell.parsing import ShellParser
from taskgates.inference.shell.places import Place
from taskgates.inference.shell.redirection import output_file, redirect, remember_output
from taskgates.inference.shell.sources import Placeholders, Source
from taskgates.inference.shell.texts import (
    alternatives_of,
    covers,
    display,
    hole,
    join_path,
    normalise_path,
    outward,
    relative_to_root,
)
from taskgates.inference.text import Hole, Text, TextLike, concat
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taskgates.inference.shell import syntax_tree as syntax

_RECURSION = 4
_ATTRIBUTES = frozenset({"chmod", "chown", "setfacl", "touch"})
_SCRIPT_LIMIT = 4 * 1024 * 1024


class ShellInterpreter:
    """Interprets command lines, shell text and script files and tells a host what they do to files.

    Nothing is executed, nothing outside the tree is looked at, and every run ends: what a bound cuts is told as opaque.

    Args:
        host: the engine.
        options: bounds and known environment variables.
        commands: what commands do to files; the shipped table by default.

    Attributes:
        tree: the files of the repository.
        root: the absolute path of the root.
        changes: what the interpreted commands have changed so far.
        muted: when above zero, nothing is told to the host: loop bodies are tried out.
    """

    def __init__(self, host: Host, options: ShellOptions | None = None, commands: CommandTable | None = None) -> None:
        self.host = host
        self.tree = host.tree
        self.root = str(host.tree.root)
        self.options = options or ShellOptions()
        self.commands = commands if commands is not None else default_commands()
        self.placeholders = Placeholders()
        self.parser = ShellParser(self.placeholders)
        self.changes = Changes()
        self._dispatcher = Dispatcher(self)
        self._steps = 0
        self._control = Control(self)
        self.muted = 0
        self._locals: list[dict[str, tuple[TextLike | None, bool, ShellArray | None]]] = []
        self._active: list[str] = []
        self._pipes: dict[str, TextLike] = {}
        self._said: set[tuple[str, Place]] = set()

    # ---- entries -----------------------------------------------------------------------------------------------

    def run_text(
        self,
        text: TextLike,
        state: ShellState,
        *,
        file: str | None = None,
        line: int = 1,
        conditional: bool = False,
        stdin: TextLike | None = None,
    ) -> None:
        """Interpret shell text; `state` is changed as the text changes it.

        Args:
            text: a command string or the content of a script, known wholly or in part.
            state: variables, arguments and working directory.
            file: the script that the text is the content of, or stands in, relative to the root.
            line: the line of that file in which the text begins.
            conditional: whether an undecided condition stands before it.
            stdin: its standard input, None where it is not known.
        """
        stream = Stream(stdin) if stdin is not None else None
        source = Source(self.placeholders.encode(text), Place(line, 1, file), columns=line == 1)
        frame = Frame(source, conditional, stream)
        with self._bounded(frame):
            self.program(frame, state)

    def run_argv(
        self,
        argv: Sequence[TextLike],
        state: ShellState,
        place: Place,
        conditional: bool,
        stdin: TextLike | None = None,
    ) -> None:
        """Interpret one command given as its words, without any expansion; `stdin` is its standard input."""
        frame = Frame(Source("", place, fixed=True), conditional, Stream(stdin) if stdin is not None else None)
        with self._bounded(frame):
            self.run_words(list(argv), frame, state, place)

    def run_script(self, path: str, arguments: Sequence[TextLike], state: ShellState) -> None:
        """Interpret a script file of the repository as a new process.

        Args:
            path: relative to the root, or as seen from the working directory.
            arguments: `$1` and so on.
            state: the caller's; of its variables the exported ones are handed on.
        """
        frame = Frame(Source("", Place(1, 1, None), fixed=True))
        with self._bounded(frame):
            if not self.script(path, list(arguments), frame, state):
                self.opaque(f"script {path} is not in the repository", frame, frame.source.base)

    def output_of_text(
        self, text: TextLike, state: ShellState, *, conditional: bool = False, stdin: TextLike | None = None
    ) -> TextLike:
        """As `run_text`, with a known standard input; what the text prints on standard output is returned."""
        sink = Sink()
        stream = Stream(stdin) if stdin is not None else None
        frame = Frame(Source(self.placeholders.encode(text), Place()), conditional, stream, sink)
        with self._bounded(frame):
            self.program(frame, state)
        return outward(sink.text)

    def output_of_argv(
        self,
        argv: Sequence[TextLike],
        state: ShellState,
        place: Place,
        *,
        conditional: bool = False,
        stdin: TextLike | None = None,
    ) -> TextLike:
        """As `run_argv`, with a known standard input; what the command prints on standard output is returned."""
        sink = Sink()
        stream = Stream(stdin) if stdin is not None else None
        frame = Frame(Source("", place, fixed=True), conditional, stream, sink)
        with self._bounded(frame):
            self.run_words(list(argv), frame, state, place)
        return outward(sink.text)

    @property
    def sees_all(self) -> bool:
        """Whether a path that is not there, and that nothing was seen to make, is taken not to exist."""
        return self.options.closed and not self._said and not self.changes.foreign

    @contextmanager
    def _bounded(self, frame: Frame) -> Iterator[None]:
        """Counts steps afresh at the outermost entry; says so when the stack is used up."""
        outermost = self._control.nesting == 0
        if outermost:
            self._steps = 0
        nesting = self._control.nesting
        depths = len(self._locals), len(self._active), self.muted, self._control.guarded
        try:
            yield
        except RecursionError:
            self.muted = depths[2]
            self.opaque("the shell code nests too deeply", frame, frame.source.base)
        finally:
            self._control.nesting = nesting
            del self._locals[depths[0] :]
            del self._active[depths[1] :]
            self.muted, self._control.guarded = depths[2:]

    def execute(self, node: syntax.Node, frame: Frame, state: ShellState) -> Outcome:
        """Run one statement; the state changes in place."""
        return self._control.execute(node, frame, state)

    def declaration(self, node: syntax.Declaration, frame: Frame, state: ShellState) -> Outcome:
        """Run `export`, `local` and their relatives."""
        return self._dispatcher.declaration(node, frame, state)

    def program(self, frame: Frame, state: ShellState) -> Outcome:
        """Run the whole text of a frame as a process of its own: exit traps run at the end."""
        before = state.traps.pop("EXIT", None)
        outcome = self.execute(self.parser.parse(frame.source.text), frame, state)
        handler = state.traps.pop("EXIT", None)
        if handler is not None and handler != "":
            self.evaluate(handler, frame, state, frame.source.place(0))
        if before is not None:
            state.traps["EXIT"] = before
        return outcome.without(Jump.EXIT, Jump.RETURN, Jump.BREAK, Jump.CONTINUE)

    def evaluate(self, text: TextLike, frame: Frame, state: ShellState, place: Place) -> Outcome:
        """Run text made at run time (`eval`, traps); everything in it is said to stand at `place`."""
        if isinstance(text, Text) and text.is_blank:
            self.opaque("shell text is not known", frame, place)
            return Outcome(Status.UNKNOWN)
        if frame.depth >= self.options.depth:
            self.opaque("shell code nests too deeply", frame, place)
            return Outcome(Status.UNKNOWN)
        source = Source(self.placeholders.encode(text), place, fixed=True)
        inner = frame.nested(source)
        return self.execute(self.parser.parse(source.text), inner, state)

    # ---- telling the host --------------------------------------------------------------------------------------

    def full_path(self, path: TextLike, state: ShellState) -> TextLike:
        """A path as the root sees it: joined with the working directory, normalised, relative where it is below."""
        return relative_to_root(normalise_path(join_path(state.cwd, path)), self.root)

    def absolute(self, path: TextLike) -> TextLike:
        """The absolute form of a root-relative path."""
        text = str(path) if isinstance(path, str) else path.prefix
        if text.startswith(("/", "~")):
            return path
        if path == ".":
            return self.root
        return normalise_path(concat(self.root, "/", path))

    def access(  # noqa: PLR0917 - all of them belong to one command
        self, operation: Operation, path: TextLike, command: str, frame: Frame, state: ShellState, place: Place
    ) -> None:
        """Tell the host of one access; devices, pipes and temporary files are left out."""
        variants = alternatives_of([path, state.cwd], self.options.choices)
        for variant, cwd in variants:
            if variant == "" or is_no_file(variant):
                continue
            full = outward(relative_to_root(normalise_path(join_path(cwd, variant)), self.root))
            if is_no_file(full) or str(full).startswith(self.options.temporary):
                continue
            if operation is Operation.MKDIR:
                self.changes.add_folder(full)
            elif operation.is_write:
                gone = operation in (Operation.DELETE, Operation.RENAME)
                self.changes.add(full, gone=gone, same_content=command in _ATTRIBUTES)
            if not self.muted:
                self.host.access(operation, full, command, place, frame.conditional or len(variants) > 1)

    def opaque(self, reason: str, frame: Frame, place: Place) -> None:
        """Tell the host, once a place, of something that cannot be seen through."""
        if self.muted or (reason, place) in self._said:
            return
        self._said.add((reason, place))
        self.host.opaque(reason, place, frame.conditional)

    def _outward(self, word: TextLike) -> TextLike:
        """A word as the host knows it: temporary files under its own name for their folder."""
        word = outward(word)
        if isinstance(word, Text) and isinstance(word.parts[0], Hole) and word.parts[0].origin == "temporary":
            return concat(self.options.temporary, "/", Hole("random", False, "mktemp"), *word.parts[1:])
        return word

    def python(self, argv: Sequence[TextLike], frame: Frame, state: ShellState, place: Place) -> Status:
        """Hand a Python command line to the host; whether it succeeds."""
        self.changes.foreign = True
        if self.muted:
            if frame.sink is not None:
                frame.sink.unknown()
            return Status.LIKELY
        # A program in a loop over standard input seldom reads it; the loop goes on with what is left.
        stdin = outward(frame.stdin.rest) if frame.stdin is not None else None
        written = self._written_script(argv, state)
        if written is not None:
            position, stdin = written
            argv = [*argv[:position], "-", *argv[position + 1 :]]
        children = self._children(argv, state)
        several = len(children) > 1
        self.host.printed = None
        ends = {self.host.python(words, child, place, frame.conditional or several, stdin) for words, child in children}
        if frame.sink is not None:
            printed = None if several else self.host.printed
            if printed is None:
                frame.sink.unknown()
            else:
                frame.sink.write(printed)
        return (ends.pop() if len(ends) == 1 else None) or Status.LIKELY

    def _children(self, argv: Sequence[TextLike], state: ShellState) -> list[tuple[list[TextLike], ShellState]]:
        """The words and states of a child process, one for each combination of alternatives, as the host knows them."""
        exported = [name for name in sorted(state.exported) if isinstance(state.variables.get(name), Text)]
        texts = [*argv, state.cwd, *(state.variables.get(name) or "" for name in exported)]
        children: list[tuple[list[TextLike], ShellState]] = []
        for variant in alternatives_of(texts, self.options.choices):
            child = state.copy()
            child.cwd = outward(variant[len(argv)])
            child.variables = {name: None if one is None else outward(one) for name, one in state.variables.items()}
            child.variables.update(zip(exported, map(self._outward, variant[len(argv) + 1 :]), strict=True))
            children.append(([self._outward(word) for word in variant[: len(argv)]], child))
        return children

    def _written_script(self, argv: Sequence[TextLike], state: ShellState) -> tuple[int, TextLike] | None:
        """Place and text of a Python script that the shell text itself has written; it is handed on as input."""
        for position, word in enumerate(argv[1:], 1):
            if isinstance(word, str) and word.startswith("-"):
                if word[1:2] in ("c", "m") or word == "-":
                    return None
                continue
            text = self.changes.content(self.full_path(word, state))
            return None if text is None else (position, text)
        return None

    def foreign(self, name: str, argv: Sequence[TextLike], frame: Frame, state: ShellState, place: Place) -> bool:
        """Offer an unknown program to the host."""
        self.changes.foreign = True
        if self.muted:
            return True
        children = self._children(argv, state)
        known = True
        for words, child in children:
            conditional = frame.conditional or len(children) > 1
            known = self.host.program(name, words, child, place, conditional) and known
        return known

    def unsure(self, path: TextLike) -> bool:
        """Whether the tree's answer about a path may be out of date when the command runs."""
        if isinstance(path, str) and self.options.written_elsewhere is not None:
            return self.options.written_elsewhere(path)
        if self.options.written_paths is not None:
            if any(isinstance(one, Text) and covers(one, path) for one in self.options.written_paths()):
                return True
        elif self.changes.foreign:
            return True
        return isinstance(path, Text) and any(
            isinstance(written, Text) and self.changes.touches(path) for written in self.changes.written()
        )

    def is_made_folder(self, path: TextLike) -> bool:
        """Whether the program has made a folder at a root-relative path."""
        if self.changes.is_folder(path):
            return True
        made = self.options.made_folder
        return made is not None and isinstance(path, str) and made(path)

    def exists(self, path: TextLike) -> bool:
        """Whether a changed path is there now, as far as the interpreter can tell."""
        return self.changes.is_file(path) or self.changes.is_folder(path) or not self.changes.touches(path)

    def content(self, path: TextLike, state: ShellState) -> TextLike | None:
        """The content of a small text file: what the script wrote there, or the tree holds and nobody changes."""
        if isinstance(path, str) and path in self._pipes:
            return self._pipes[path]
        full = self.full_path(path, state)
        written = self.changes.content(full)
        if written is not None:
            return written
        data = self.data(path, state)
        if data is None or b"\0" in data:
            return None
        try:
            return data.decode()
        except UnicodeDecodeError:
            return None

    def data(self, path: TextLike, state: ShellState) -> bytes | None:
        """The bytes of a file of the tree that nobody changes, within the size limit."""
        full = self.full_path(path, state)
        if not isinstance(full, str) or full.startswith(("/", "~", "..")) or self.changes.touches(full):
            return None
        if self.options.written_elsewhere is not None and self.options.written_elsewhere(full):
            return None
        return self.tree.read_bytes(full, self.options.file_limit)

    # ---- scripts and substitutions -----------------------------------------------------------------------------

    def script(
        self, path: TextLike, arguments: list[TextLike], frame: Frame, state: ShellState, *, source: bool = False
    ) -> bool:
        """Run (or source) a script file of the tree. False when there is no such file.

        Args:
            path: as the command line spells it.
            arguments: of the script; with `source`, an empty list leaves the caller's.
            frame: the surroundings of the command that starts it.
            state: the caller's state.
            source: whether it runs in the caller's own process.
        """
        full = self.full_path(path, state)
        if not isinstance(full, str):
            return False
        written = self.changes.content(full)
        data = self.tree.read_bytes(full, _SCRIPT_LIMIT) if written is None else None
        if written is None and data is None:
            return False
        if frame.depth >= self.options.depth:
            self.opaque(f"scripts call each other too deeply at {full}", frame, frame.source.base)
            return True
        if self.options.on_script is not None and data is not None:
            self.options.on_script(full)
        content = written if data is None else data.decode("utf-8", "replace").replace("\r\n", "\n")
        text = self.placeholders.encode(content or "")
        inner = frame.nested(Source(text, Place(1, 1, full)))
        if source:
            saved = state.arguments
            if arguments:
                state.arguments = arguments
            self.execute(self.parser.parse(text), inner, state)
            state.arguments = saved
            return True
        child = self.child_state(state, path, arguments)
        child.script = full
        self.program(inner, child)
        return True

    def child_state(self, state: ShellState, name: TextLike, arguments: list[TextLike]) -> ShellState:
        """The state that a new shell process starts with."""
        variables = {key: value for key, value in state.variables.items() if key in state.exported}
        return ShellState(
            cwd=state.cwd, variables=variables, exported=set(state.exported), arguments=arguments, name=name
        )

    def capture(self, text: str, offset: int, frame: Frame, state: ShellState) -> TextLike:
        """What encoded text prints when it runs as a command substitution."""
        place = frame.source.place(offset)
        if frame.depth >= self.options.depth:
            self.opaque("command substitutions nest too deeply", frame, place)
            return hole("data")
        sink = Sink()
        inner = frame.nested(Source(text, place, fixed=frame.source.fixed)).with_streams(frame.stdin, sink)
        self.execute(self.parser.parse(text), inner, state.copy())
        return sink.text

    def pipe(self, text: str, offset: int, frame: Frame, state: ShellState, *, reads: bool) -> str:
        """Run a process substitution; with `reads` the command's output can be read at the name that is returned."""
        name = f"/dev/fd/{63 + len(self._pipes)}"
        self._pipes[name] = ""
        if frame.depth >= self.options.depth:
            self.opaque("process substitutions nest too deeply", frame, frame.source.place(offset))
            return name
        source = Source(text, frame.source.place(offset), fixed=frame.source.fixed)
        sink = Sink() if reads else None
        inner = frame.nested(source).with_streams(None if reads else Stream(hole("data")), sink)
        self.execute(self.parser.parse(text), inner, state.copy())
        self._pipes[name] = sink.text if sink is not None else hole("data")
        return name

    # ---- simple commands ---------------------------------------------------------------------------------------

    def simple(self, node: syntax.Simple, frame: Frame, state: ShellState) -> Outcome:
        """Run a simple command: expansions, redirections, assignments, then the command itself."""
        place = frame.source.place(node.offset)
        if not self.step(frame, place):
            return Outcome(Status.UNKNOWN, Jump.EXIT)
        expander = Expander(self, frame, state)
        if node.words and node.words[0].raw == "let":
            words = [expander.string(word.raw, word.offset) for word in node.words]
        else:
            words = [field for word in node.words for field in expander.fields(word)]
        if not words:
            for assignment in node.assignments:
                assign(assignment, expander)
            inner = redirect(self, node.redirects, frame, state)
            if frame.sink is not None and node.redirects and inner.stdin is not None and not node.words:
                frame.sink.write(inner.stdin.take_all())
            return Outcome()
        before = output_file(node.redirects, state, expander)
        inner = redirect(self, node.redirects, frame, state)
        saved: dict[str, tuple[TextLike | None, bool, bool]] = {}
        for assignment in node.assignments:
            name = assignment.name
            saved.setdefault(name, (state.variables.get(name), name in state.variables, name in state.exported))
            assign(assignment, expander)
            state.exported.add(name)
        outcome = self.run_words(words, inner, state, place)
        remember_output(self, before, inner)
        for name, (value, known, exported) in saved.items():
            if known:
                state.variables[name] = value
            else:
                state.variables.pop(name, None)
            if not exported:
                state.exported.discard(name)
        return outcome

    def step(self, frame: Frame, place: Place) -> bool:
        """Count one command; False once the bound is reached."""
        self._steps += 1
        if self._steps <= self.options.steps:
            return True
        if self._steps == self.options.steps + 1:
            muted, self.muted = self.muted, 0
            self.opaque(f"more than {self.options.steps} shell commands", frame, place)
            self.muted = muted
        return False

    def run_words(self, words: list[TextLike], frame: Frame, state: ShellState, place: Place) -> Outcome:
        """Run one command whose words are expanded."""
        if not self.step(frame, place):
            return Outcome(Status.UNKNOWN, Jump.EXIT)
        variants = alternatives_of(words[:1], self.options.choices)
        if len(variants) > 1:
            return self._control.branches(
                [
                    lambda inner, copy, first=variant[0]: self.run_words([first, *words[1:]], inner, copy, place)  # type: ignore[misc]
                    for variant in variants
                    if variant[0] != ""
                ],
                frame,
                state,
            )
        first = words[0] if words else ""
        if not words or first == "":
            return Outcome()
        if isinstance(first, str) and first in state.functions:
            return self.call(first, words[1:], frame, state, place)
        return self._dispatcher.run(words, frame, state, place)

    def call(self, name: str, arguments: list[TextLike], frame: Frame, state: ShellState, place: Place) -> Outcome:
        """Call a shell function."""
        if self._active.count(name) >= _RECURSION or frame.depth >= self.options.depth:
            self.opaque(f"function {name} calls itself too often", frame, place)
            return Outcome(Status.UNKNOWN)
        function = state.functions[name]
        saved = state.arguments
        state.arguments = list(arguments)
        self._active.append(name)
        self._locals.append({})
        inner = frame.nested(function.source)
        try:
            outcome = self.execute(function.body, inner, state)
        finally:
            for local, (value, known, array) in self._locals.pop().items():
                if known:
                    state.variables[local] = value
                else:
                    state.variables.pop(local, None)
                if array is not None:
                    state.arrays[local] = array
                else:
                    state.arrays.pop(local, None)
            self._active.pop()
            state.arguments = saved
        return outcome.without(Jump.RETURN, Jump.BREAK, Jump.CONTINUE)

    def make_local(self, name: str, state: ShellState) -> None:
        """Remember a variable's value so that it comes back when the function returns."""
        if self._locals:
            self._locals[-1].setdefault(
                name, (state.variables.get(name), name in state.variables, state.arrays.get(name))
            )
            state.arrays.pop(name, None)

    @property
    def in_function(self) -> bool:
        """Whether a function is being called."""
        return bool(self._locals)

    def describe(self, text: TextLike) -> str:
        """A text for a message, cut to a readable length."""
        shown = display(text)
        return shown if len(shown) <= 60 else shown[:57] + "..."


def is_no_file(path: TextLike) -> bool:
    """Whether a path names a device, a pipe or a temporary file rather than a file that others could share."""
    if isinstance(path, Text):
        first = path.parts[0]
        return (isinstance(first, Hole) and first.origin == "temporary") or path.prefix.startswith(("/dev/", "/proc/"))
    return path in ("/dev", "/proc") or path.startswith(("/dev/", "/proc/"))
