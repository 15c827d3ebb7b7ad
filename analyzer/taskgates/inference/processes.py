"""Child processes, scripts and code given as text: what a command line starts is analysed in turn."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from taskgates.inference.archived import member_names
from taskgates.inference.code_execution import CodeExecution
from taskgates.inference.effects import ArgForm, Row
from taskgates.inference.exceptions import catches, exception_text
from taskgates.inference.exit_status import exit_status
from taskgates.inference.frames import AbstractRaise, Frame
from taskgates.inference.limits import PROCESS_DEPTH
from taskgates.inference.models.reading import handle_content
from taskgates.inference.models.system.program_lines import OPTIMISATION
from taskgates.inference.models.system.programs import run_program
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj, ModuleV
from taskgates.inference.paths import join_paths, normalise, relative_to_root
from taskgates.inference.renderings import render
from taskgates.inference.shell.host import ShellOptions, ShellState
from taskgates.inference.shell.interpreter import ShellInterpreter
from taskgates.inference.shell.machine import Status
from taskgates.inference.shell.places import Place
from taskgates.inference.shell_host import ShellHost
from taskgates.inference.text import Hole, Text, TextLike
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    TupleV,
    Union,
    Unknown,
    as_value,
    options,
    path_text,
    text_of,
)
from taskgates.model.access import Operation
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


SMALL_LIBRARY = 800_000
"""Bytes of source up to which a library that a program requires, and that no table describes, is analysed too."""


_GIVEN = (
    *(Ext(f"builtins.{name}") for name in ("OSError", "EOFError", "SystemExit", "KeyboardInterrupt")),
    Ext("getopt.GetoptError"),
)
"""Exceptions that a program may well end with for what it was given: its files, its input, its arguments."""


class Processes(CodeExecution):
    """Programs within the program."""

    search: ListObj
    process_depth: int
    process_keys: set[tuple[object, ...]]
    process_ends: dict[tuple[object, ...], tuple[Status, tuple[TextLike, ...]]]
    follow: set[str]

    # Launching

    def launch_process(self, row: Row, bound: dict[str, AnyValue], args: Arguments, call: str) -> None:
        """Analyse the child process that a library call starts."""
        launch = row.launch
        assert launch is not None
        if not launch.stdout or bound.get(launch.stdout) is None:
            # The child may print as well.
            self.printed = None
        words = self.launch_words(row, bound)
        if launch.program and launch.program in bound:
            given = bound[launch.program]
            if path_text(given) is not None and words is not None:
                words = [given, *words[1:]]
        shell = launch.shell if isinstance(launch.shell, bool) else None
        if isinstance(launch.shell, str):
            flag = bound.get(launch.shell) or args.kw.get(launch.shell)
            shell = self.truth(flag) if flag is not None else False
        cwd = self.cwd
        place = bound.get(launch.cwd) if launch.cwd else None
        if place is not None and (text := path_text(place)) is not None:
            cwd = self.absolute(text)
        elif isinstance(place, Unknown):
            cwd = self.absolute(Text((Hole(place.origin, True),)))
        state = ShellState(cwd=relative_to_root(cwd, self.root))
        self.launch_environment(bound.get(launch.env) if launch.env else None, state)
        if words is None:
            self.opaque(f"{call} with a command that is not known", other_code=True)
            return
        single = words[0] if words else NONE
        stdin = self.launch_input(bound.get(launch.stdin) if launch.stdin else None, bound.get("input"))
        if shell or (shell is None and len(words) == 1):
            self.run_shell(single, state, stdin)
            return
        if not words:
            return
        for alternative in _alternatives(words):
            self.shell().run_argv(alternative, state, Place(), self.conditional, stdin)

    def launch_input(self, stream: AnyValue | None, given: AnyValue | None) -> TextLike | None:
        """The standard input of a child process, where it is known: a text that it is handed, or an open file."""
        if given is None and isinstance(stream, Instance):
            given = handle_content(self, stream)
        if isinstance(given, Known) and isinstance(given.value, bytes):
            return given.value.decode("utf-8", "replace")
        return text_of(given) if isinstance(given, Known) else None

    def launch_words(self, row: Row, bound: dict[str, AnyValue]) -> list[AnyValue] | None:
        """The words of a child's command line; None when they are not known."""
        launch = row.launch
        assert launch is not None
        words: list[AnyValue] = []
        for arg in launch.argv:
            if arg.piece is None:
                return None
            value = bound.get(arg.piece.name)
            if value is None:
                value = Known(row.defaults[arg.piece.name]) if arg.piece.name in row.defaults else None
            if value is None:
                continue
            for option in options(value)[:1] if not isinstance(value, Union) else [value]:
                if isinstance(option, Union):
                    lists = [o for o in option.options if isinstance(o, ListObj | TupleV)]
                    if lists:
                        option = lists[0]  # noqa: PLW2901
                if isinstance(option, ListObj | TupleV):
                    words.extend(option.items)
                    if option.rest is not None:
                        rest = option.rest
                        words.append(rest if not isinstance(rest, Unknown) else Text((Hole(rest.origin, True),)))
                elif isinstance(option, Unknown):
                    return None
                elif arg.form in (ArgForm.STAR, ArgForm.ELEMENT):
                    content = self.iterate(option)
                    words.extend(content.items)
                else:
                    words.append(option)
        return words

    def launch_environment(self, env: AnyValue | None, state: ShellState) -> None:
        """Hand the environment that a child is given to its shell state."""
        entries: list[tuple[AnyValue, AnyValue]] = [(Known(name), value) for name, value in self.set_environ.items()]
        if isinstance(env, DictObj):
            entries = env.known()
        for key, value in entries:
            text = text_of(value)
            if isinstance(key, Known) and isinstance(key.value, str) and text is not None:
                state.variables[key.value] = text
                state.exported.add(key.value)

    def shell(self) -> ShellInterpreter:
        """The shell interpreter, hosted by this machine."""
        options_ = ShellOptions(
            environment=dict(self.environ),
            on_script=self.note_script,
            written_elsewhere=self.written_text,
            written_paths=self.written_paths,
            made_folder=self.made_folder,
            closed=self.closed,
            on_copy=self.copied_by_shell,
            locking=self.locked_by_shell,
            file_limit=min(self.limits.file_size, 256 * 1024),
        )
        return ShellInterpreter(ShellHost(self), options_)  # type: ignore[arg-type]

    @contextmanager
    def locked_by_shell(self, path: TextLike, place: Place, waits: bool) -> Iterator[None]:
        """A command that holds the lock on a file."""
        name = self.file_lock(as_value(normalise(join_paths(self.root, path))))
        if name is not None:
            site = ShellHost(self).site(place, name) if waits and self.held else None  # type: ignore[arg-type]
            self.take_lock(name, site)
        try:
            yield
        finally:
            if name is not None:
                self.give_lock(name)

    def copied_by_shell(self, source: TextLike, target: TextLike) -> None:
        """A command copied or renamed a file, given from the root."""
        self.note_copy(join_paths(self.root, source), join_paths(self.root, target))

    def note_script(self, path: str) -> None:
        """A shell script of the repository is run: it is code, not data."""
        self.log.imports[path] = None

    def written_text(self, text: TextLike) -> bool:
        """Whether the program may have written a path."""
        return isinstance(text, str) and self.wrote(text)

    def written_paths(self) -> list[TextLike]:
        """What the program has written so far, relative to the root."""
        every = (*self.log.written, *self.log.written_patterns)
        return [relative_to_root(path, self.root) for path in every]

    def run_shell(self, command: AnyValue, state: ShellState, stdin: TextLike | None = None) -> None:
        """Analyse shell text."""
        for option in options(command):
            if isinstance(option, ListObj | TupleV):
                option = option.items[0] if option.items else NONE  # noqa: PLW2901
            text = path_text(option)
            if text is None:
                self.opaque("a shell command that is not known", other_code=True)
                continue
            self.shell().run_text(text, state.copy(), conditional=self.conditional, stdin=stdin)

    # Python as a program

    def run_python(self, argv: list[AnyValue], stdin: AnyValue | None = None) -> Status:
        """Analyse `python ARG...`: a script, `-m module`, `-c code`; whether it succeeds."""
        key = (tuple(argv), self.cwd)
        if self.process_depth > PROCESS_DEPTH or key in self.process_keys:
            return Status.LIKELY
        # The same program once more, where nothing has changed since, does the same.
        again = (*key, stdin, tuple(sorted(self.environ.items())), *self.set_environ.items(), self.log.size)
        if again not in self.process_ends:
            self.process_keys.add(key)
            try:
                self.start_python(argv, stdin)
            finally:
                self.process_keys.discard(key)
            ended = self.ended if self.closed else None
            status = Status.LIKELY if ended is None else exit_status(ended, self.left, doubted=self.end_doubted)
            self.process_ends[again] = (status, tuple(self.printed or ()))
        status, said = self.process_ends[again]
        self.printed = list(said) or None
        return status

    def start_python(self, argv: list[AnyValue], stdin: AnyValue | None) -> None:
        """Run what the words of a Python command line name."""
        self.read_environment(argv[0] if argv else NONE)
        words = argv[1:]
        index = 0
        interactive = False
        while index < len(words):
            text = path_text(words[index])
            if not isinstance(text, str):
                break
            if text in ("-W", "-X", "--check-hash-based-pycs"):
                index += 2
                continue
            if text.startswith("-") and len(text) > 1 and not text.startswith("--"):
                letters = text[1:]
                position = next((i for i, letter in enumerate(letters) if letter in "mcWX"), None)
                if position is None:
                    if letters.strip("V") == "":
                        return
                    interactive = interactive or "i" in letters
                    if "O" in letters:
                        self.library[OPTIMISATION] = Known(letters.count("O"))
                    index += 1
                    continue
                letter = letters[position]
                rest = letters[position + 1 :]
                if letter in "WX":
                    index += 1
                    continue
                value: AnyValue = Known(rest) if rest else (words[index + 1] if index + 1 < len(words) else NONE)
                following = words[index + 1 :] if rest else words[index + 2 :]
                if letter == "m":
                    self.run_dash_m(value, following)
                else:
                    self.set_program(Known("-c"), following, "")
                    self.run_text(value)
                    interactive = interactive or "i" in letters[:position]
                if interactive:
                    self.go_on(stdin)
                return
            if text.startswith("--"):
                return
            break
        if index >= len(words) or words[index] == Known("-"):
            if stdin is not None:
                self.set_program(Known("-"), words[index + 1 :], "")
                self.run_text(stdin)
            return
        self.run_script(words[index], words[index + 1 :])
        if interactive:
            self.go_on(stdin)

    def go_on(self, stdin: AnyValue | None) -> None:
        """Run what stands on standard input where an interactive program has ended."""
        module = self.modules.get("__main__")
        if stdin is not None and isinstance(module, ModuleV):
            with self.within(Frame(module, "<module>", module.slots, None)):
                self.run_text(stdin)

    def read_environment(self, interpreter: AnyValue) -> None:
        """The interpreter of a virtual environment below the root reads the settings of that environment."""
        text = path_text(interpreter)
        if isinstance(text, str) and "/" not in text:
            # That of the environment that is active, if one is.
            active = text_of(self.set_environ.get("VIRTUAL_ENV", NONE))
            text = (
                f"{self.root}/{active}/bin/python" if isinstance(active, str) and active[:1] not in ("", "/") else None
            )
        if isinstance(text, str) and "/" in text:
            place = self.in_tree(join_paths(text.rpartition("/")[0], "../pyvenv.cfg"))
            if place is not None and (self.wrote(place) or self.tree.kind(place) == "file"):
                self.access(Operation.READ, Known(f"{self.root}/{place}"), "python")

    def set_program(self, name: AnyValue, args: Sequence[AnyValue], folder: TextLike) -> None:
        """Set `sys.argv` and the first entry of `sys.path`."""
        self.argv = ListObj("list", [name, *args])
        entries: list[AnyValue] = [as_value(self.absolute(folder) if folder != "" else self.cwd)]
        path = self.env_value("PYTHONPATH")
        text = text_of(path)
        if isinstance(text, str):
            entries.extend(as_value(self.absolute(piece)) for piece in text.split(":") if piece)
        self.search.slots.update(ListObj("list", entries).slots)

    def run_script(self, script: AnyValue, args: Sequence[AnyValue]) -> None:
        """Analyse a script, or a folder with a `__main__.py`, as `python SCRIPT ARG...` runs it."""
        text = path_text(script)
        place = self.in_tree(text) if text is not None else None
        if place is None:
            if isinstance(text, str) and text.startswith("/"):
                self.run_file(text, script, args)
                return
            self.opaque(f"the script {render(script)} is not in the repository", other_code=True)
            return
        if self.tree.kind(place) == "folder":
            inner = f"{place}/__main__.py" if place != "." else "__main__.py"
            if self.tree.kind(inner) == "file":
                self.set_program(script, args, f"{self.root}/{place}")
                self.execute_main(inner, "")
                return
        made = self.log.archives.get(place)
        if made is not None and (made.start or "__main__.py" in made.members):
            self.set_program(script, args, f"{self.root}/{place}")
            if made.start:
                self.run_text(Known(made.start))
                self.finish()
            else:
                self.execute_main(made.members["__main__.py"], "")
            return
        origin = self.copied_from(place) if self.wrote(place) else None
        if origin is not None:
            self.set_program(script, args, f"{self.root}/{place.rpartition('/')[0]}")
            self.execute_main(origin, "", by_name=False)
            return
        if self.tree.kind(place) != "file":
            self.opaque(f"the script {place} does not exist")
            return
        if not place.endswith(".py") and "__main__.py" in member_names(self.tree, place, self.limits.file_size):
            self.set_program(script, args, f"{self.root}/{place}")
            self.execute_main(f"{place}/__main__.py", "")
            return
        self.run_file(place, script, args)

    def run_file(self, file: str, script: AnyValue, args: Sequence[AnyValue]) -> None:
        """Run a source file as the main program."""
        folder = file.rpartition("/")[0]
        self.set_program(script, args, folder if file.startswith("/") else f"{self.root}/{folder}")
        self.execute_main(file, "", by_name=False)

    def execute_main(self, file: str, package: str, described: str = "", *, by_name: bool = True) -> None:
        """Run a module's body as `__main__`, then what it left to the end of the program; see `run_module`.

        Args:
            file: the module's file.
            package: the package that it belongs to.
            described: the library module that it is.
            by_name: whether it was found by the import system; a script that is named by its file belongs to nothing.
        """
        module = ModuleV("__main__", file, package)
        if not by_name:
            module.slots.update({"__package__": NONE, "__spec__": NONE})
        self.modules["__main__"] = module
        self.entry = self.entry or file
        try:
            self.run_module(module, "__main__", described)
        except AbstractRaise as error:
            self.note_end(error)
            self.report_end(error.value)
        self.finish()

    def report_end(self, error: AnyValue) -> None:
        """Call what the program put in the place of `sys.excepthook` for an exception that nothing caught."""
        hook = self.library.get("sys.excepthook")
        if hook is None or not isinstance(error, Instance) or error.cls == Ext("builtins.SystemExit"):
            return
        try:
            self.call(hook, Arguments([self.type_of(error), error, UNKNOWN]))
        except AbstractRaise:
            return

    def see_end(self, error: AbstractRaise) -> None:
        """See a program end with an exception; for the call graph."""

    def note_end(self, error: AbstractRaise) -> None:
        """Say that the program was seen to end with an exception: what stands behind it was not looked at."""
        self.see_end(error)
        self.ended = error.value
        for option in options(error.value):
            name = option.cls.name.removeprefix("builtins.") if isinstance(option, Instance) else "an exception"
            if name != "SystemExit":
                message = exception_text(option, render) if isinstance(option, Instance) else None
                detail = f": {message}" if message else ""
                place = f" in {error.place}" if error.place else ""
                self.opaque(f"the program is seen to end with {name}{detail}{place}")
        doubted = len(self.log.stops)
        self.note_stop(error)
        self.end_doubted = len(self.log.stops) > doubted

    def note_stop(self, error: AbstractRaise) -> None:
        """Keep the statement that ended a program, unless what it was given may be the reason, or it says `raise`.

        What an installed library raises is still doubted: it would not be used if it did.
        """
        origin = error.origin
        if origin is None or (isinstance(origin, ir.Raise | ir.Assert) and "/site-packages/" not in error.file):
            return
        if not any(catches(kind, option) is not False for option in options(error.value) for kind in _GIVEN):
            self.log.stops.append(origin)

    def finish(self) -> None:
        """Run what waited for input that came later, then the handlers that were registered for the end."""
        self.ending = True
        self.run_waiting()
        while self.at_exit:
            handlers, self.at_exit = self.at_exit, []
            for func, args in handlers:
                try:
                    self.call(func, args)
                except AbstractRaise:
                    continue

    def run_waiting(self) -> None:
        """Run workers that waited for input once more; those that still wait go on doing so."""
        again, self.again = self.again, []
        for func, args in again:
            starved = self.starved
            try:
                with self.working(again=True):
                    self.call(func, args)
            except AbstractRaise:
                continue
            if self.starved > starved and not self.ending:
                self.again.append((func, args))

    def run_dash_m(self, name: AnyValue, args: Sequence[AnyValue]) -> None:
        """Analyse `python -m NAME ARG...`."""
        text = text_of(name)
        if not isinstance(text, str):
            self.opaque("python -m with a module that is not known", other_code=True)
            return
        self.set_program(name, args, "")
        followed = self.follow
        self.follow = {*followed, *self.program_modules(text)}
        found = self.locate_module(text)
        package = text.rpartition(".")[0]
        if found is None and package and self.log.archives:
            # In an archive that the program made only packages are found by their names.
            with suppress(AbstractRaise):
                self.import_module(package)
            found = self.locate_module(text)
        if found is None or found.installed:
            # What a model knows is not followed, so that the program's own imports of it mean the model too.
            following, self.follow = self.follow, followed
            if self.run_known_module(text, args):
                return
            self.follow = following
        if found is None:
            self.opaque(f"the module {text} was not found", other_code=True)
            return
        if found.is_package:
            try:
                self.import_module(text)
            except AbstractRaise as error:
                self.opaque(f"the package {text} cannot be imported")
                self.note_stop(error)
                return
            inner = self.locate_module(f"{text}.__main__")
            if inner is None or inner.file is None:
                self.opaque(f"the package {text} has no __main__")
                return
            self.set_argv0(inner.file)
            self.execute_main(inner.file, text)
            return
        if found.file is None or found.kind == "extension":
            self.opaque(f"the module {text} has no source", other_code=True)
            return
        if package:
            try:
                self.import_module(package)
            except AbstractRaise:
                self.opaque(f"the package {package} cannot be imported")
        self.set_argv0(found.file)
        described = text if found.installed and self.effects.is_module(text) else ""
        self.execute_main(found.file, package, described)

    def set_argv0(self, file: str) -> None:
        """`sys.argv[0]` of a module run by `-m` is its file."""
        assert isinstance(self.argv, ListObj)
        full = file if file.startswith("/") else f"{self.root}/{file}"
        self.argv = ListObj("list", [Known(full), *self.argv.items[1:]])

    def run_known_module(self, name: str, args: Sequence[AnyValue]) -> bool:
        """Run a module that a model knows as a program; one in the repository is analysed by its source instead."""
        if run_program(self, name, args):
            self.finish()
            return True
        shell = self.shell()
        if name in sys.stdlib_module_names or shell.commands.find(name) is None:
            return False
        # Its console script is a command that the tables describe (`python -m pip`).
        words = [text if (text := path_text(word)) is not None else render(word) for word in args]
        state = ShellState(cwd=relative_to_root(self.cwd, self.root))
        shell.run_argv([name, *words], state, Place(), self.conditional)
        return True

    def program_modules(self, name: str, *, script: bool = False) -> set[str]:
        """The top-level modules that a program is made of: its own, what is installed with it, and small requirements.

        Of a library that is required and that no table describes, only its source can tell what it does.

        Args:
            name: the program's module, or the name of the script that is installed for it.
            script: whether it is a script.
        """
        top = name if script else name.split(".", 1)[0]
        if self.environment is None or top in sys.stdlib_module_names:
            return {top}
        required = self.environment.requirements(top, SMALL_LIBRARY)
        return {
            top,
            *self.environment.companions(top),
            *(module for module in required if not self.effects.is_module(module) and not self.has_members(module)),
        }

    def run_entry_point(self, target: str, argv: list[AnyValue]) -> None:
        """Analyse a console script: `module:function` called without arguments."""
        key = (target, tuple(argv), self.cwd)
        if self.process_depth > PROCESS_DEPTH or key in self.process_keys:
            return
        self.process_keys.add(key)
        module_name, _, attribute = target.partition(":")
        self.set_program(argv[0] if argv else NONE, argv[1:], "")
        self.follow = {*self.follow, *self.program_modules(module_name)}
        try:
            value = self.import_module(module_name)
            for part in attribute.split(".") if attribute else ():
                value = self.get_attr(value, part)
            if attribute:
                self.call(value, Arguments())
        except AbstractRaise as error:
            self.note_end(error)
        self.finish()


def _alternatives(words: list[AnyValue]) -> list[list[TextLike]]:
    """The command lines that partly alternative words stand for."""
    found: list[list[TextLike]] = [[]]
    for word in words:
        texts: list[TextLike] = []
        for option in options(word):
            text = path_text(option)
            if isinstance(option, Ext):
                text = Text((Hole("environment", True),))
            texts.append(text if text is not None else render(option))
        if len(found) * len(texts) > 32:
            texts = texts[:1]
        found = [[*head, text] for head in found for text in texts]
    return found
