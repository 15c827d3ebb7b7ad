"""Formatters, import sorters and linters that look at one file after the other.

Whether a file's content changes is not worked out: that it is rewritten is said to depend on a condition. An empty file
has nothing to be changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.files.listings import is_folder
from taskgates.inference.models.source_tools.discovery import (
    CACHES,
    VERSION_CONTROL,
    Search,
    Tool,
    read_line,
    read_settings,
)
from taskgates.inference.models.system.programs import below, place_of, program
from taskgates.inference.paths import split_extension, split_last
from taskgates.inference.text import concat
from taskgates.inference.values import AnyValue, Known, as_value, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike

_PYPROJECT = "pyproject.toml"
_ENDING = frozenset({"-h", "--help", "--version", "-V", "--show-settings", "--show-config"})

BLACK = Tool(
    "black",
    settings=((_PYPROJECT, ("tool", "black")),),
    valued=frozenset(
        ["-c", "--code", "-l", "--line-length", "-t", "--target-version", "--python-cell-magics", "--line-ranges",
         "--enable-unstable-feature", "--required-version", "--exclude", "--extend-exclude", "--force-exclude",
         "--stdin-filename", "--include", "-W", "--workers", "--config", "--cache-dir"]
    ),
    endings=(".py", ".pyi"),
    excluded=(*VERSION_CONTROL[:3], *CACHES, "build", "dist", "venv"),
    patterns=("exclude", "extend-exclude", "force-exclude"),
    regular=True,
    ignore_files="always",
    writes=frozenset("*"),
    shows=frozenset(["--check", "--diff", "-c", "--code"]),
)  # fmt: skip
ISORT = Tool(
    "isort",
    settings=((".isort.cfg", ("settings", "isort")), (_PYPROJECT, ("tool", "isort")),
              ("setup.cfg", ("isort", "tool:isort")), ("tox.ini", ("isort", "tool:isort")),
              (".editorconfig", ("*", "*.py", "**.py"))),
    valued=frozenset(
        ["--sp", "--settings-path", "--settings-file", "--settings", "--cr", "--config-root", "--profile", "--skip",
         "-s", "--extend-skip", "--sg", "--skip-glob", "--extend-skip-glob", "--ext", "--extension", "--filename", "-a",
         "--add-import", "--rm", "--fs", "-i", "--indent", "--lbi", "--lai", "--lbt", "--le", "-m", "--multi-line",
         "--nsl", "-l", "-w", "--line-length", "--wl", "--wrap-length", "--sd", "-t", "--top", "--nlb", "--src",
         "--src-path", "-b", "-f", "-o", "-p", "--project", "--virtual-env", "--conda-env", "--py",
         "--python-version", "-j", "--jobs"]
    ),
    endings=(".py", ".pyi", ".pyx", ".pxd"),
    excluded=(*VERSION_CONTROL[:4], ".direnv", ".eggs", ".mypy_cache", ".nox", ".pants.d", ".tox", ".venv",
              "__pypackages__", "_build", "buck-out", "build", "dist", "node_modules", "venv"),
    patterns=("skip", "extend-skip", "skip-glob", "extend-skip-glob"),
    writes=frozenset("*"),
    shows=frozenset(["-c", "--check", "--check-only", "--df", "--diff", "-d", "--stdout", "--show-files"]),
    peeks=True,
)  # fmt: skip
YAPF = Tool(
    "yapf",
    settings=((".style.yapf", ("style",)), ("setup.cfg", ("yapf",)), (_PYPROJECT, ("tool", "yapf"))),
    valued=frozenset(["-l", "--lines", "-e", "--exclude", "--style"]),
    endings=(".py", ".pyi"),
    writes=frozenset(["-i", "--in-place"]),
    shows=frozenset(["-d", "--diff", "-q", "--quiet"]),
    recursive=frozenset(["-r", "--recursive"]),
)
AUTOPEP8 = Tool(
    "autopep8",
    settings=((_PYPROJECT, ("tool", "autopep8")), ("setup.cfg", ("pep8", "pycodestyle", "flake8")),
              ("tox.ini", ("pep8", "pycodestyle", "flake8")), (".pep8", ("pep8",)), (".flake8", ("flake8",))),
    valued=frozenset(
        ["--global-config", "-j", "--jobs", "-p", "--pep8-passes", "--exclude", "--ignore", "--select",
         "--max-line-length", "--line-range", "--range", "--indent-size"]
    ),
    endings=(".py", ".pyi"),
    excluded=(".*",),
    writes=frozenset(["-i", "--in-place"]),
    shows=frozenset(["-d", "--diff"]),
    recursive=frozenset(["-r", "--recursive"]),
)  # fmt: skip
DOCFORMATTER = Tool(
    "docformatter",
    settings=((_PYPROJECT, ("tool", "docformatter")), ("setup.cfg", ("docformatter",)), ("tox.ini", ("docformatter",))),
    valued=frozenset(
        ["-e", "--exclude", "-n", "--non-cap", "-s", "--style", "--rest-section-adorns", "--wrap-summaries",
         "--wrap-descriptions", "--tab-width", "--docstring-length", "--length", "--range", "--config"]
    ),
    excluded=(".*",),
    writes=frozenset(["-i", "--in-place"]),
    shows=frozenset(["-c", "--check", "-d", "--diff"]),
    recursive=frozenset(["-r", "--recursive"]),
)  # fmt: skip
AUTOFLAKE = Tool(
    "autoflake",
    settings=((_PYPROJECT, ("tool", "autoflake")), ("setup.cfg", ("autoflake",))),
    valued=frozenset(["--exclude", "--imports", "--stdin-display-name", "--config", "-j", "--jobs"]),
    endings=(".py", ".pyi"),
    writes=frozenset(["-i", "--in-place"]),
    shows=frozenset(["-c", "--check", "-cd", "--check-diff", "-s", "--stdout"]),
    recursive=frozenset(["-r", "--recursive"]),
)
PYUPGRADE = Tool(
    "pyupgrade",
    valued=frozenset(["--exit-zero-even-if-changed-value"]),
    writes=frozenset("*"),
    recursive=frozenset(["--none"]),
)
FLAKE8 = Tool(
    "flake8",
    settings=(("setup.cfg", ("flake8",)), ("tox.ini", ("flake8",)), (".flake8", ("flake8",))),
    valued=frozenset(
        ["--append-config", "--config", "--enable-extensions", "--require-plugins", "--color", "--exclude",
         "--extend-exclude", "--filename", "--stdin-display-name", "--format", "--ignore", "--extend-ignore",
         "--per-file-ignores", "--max-line-length", "--max-doc-length", "--indent-size", "--select", "--extend-select",
         "-j", "--jobs", "--max-complexity", "--builtins"]
    ),
    excluded=(*VERSION_CONTROL, "__pycache__", ".tox", ".nox", ".eggs", "*.egg"),
    reports=frozenset(["--output-file"]),
    here=True,
)  # fmt: skip
PYCODESTYLE = Tool(
    "pycodestyle",
    settings=(("setup.cfg", ("pycodestyle", "pep8")), ("tox.ini", ("pycodestyle", "pep8"))),
    valued=frozenset(["--exclude", "--filename", "--select", "--ignore", "--max-line-length", "--max-doc-length",
                      "--indent-size", "--format", "--config"]),
    excluded=(*VERSION_CONTROL, "__pycache__", ".tox"),
)  # fmt: skip
PYFLAKES = Tool("pyflakes", excluded=())
BANDIT = Tool(
    "bandit",
    settings=((".bandit", ("bandit",)),),
    valued=frozenset(["-a", "--aggregate", "-n", "--number", "-c", "--configfile", "-p", "--profile", "-t", "--tests",
                      "-s", "--skip", "-f", "--format", "--msg-template", "-x", "--exclude", "-b", "--baseline",
                      "--severity-level", "--confidence-level"]),
    excluded=(*VERSION_CONTROL, "__pycache__", ".tox", ".eggs", "*.egg"),
    reports=frozenset(["-o", "--output"]),
    recursive=frozenset(["-r", "--recursive"]),
)  # fmt: skip
RUFF = Tool(
    "ruff",
    settings=((".ruff.toml", ()), ("ruff.toml", ()), (_PYPROJECT, ("tool", "ruff"))),
    valued=frozenset(
        ["--output-format", "--target-version", "--extension", "--select", "--ignore", "--extend-select",
         "--per-file-ignores", "--extend-per-file-ignores", "--fixable", "--unfixable", "--extend-fixable", "--exclude",
         "--extend-exclude", "--cache-dir", "--stdin-filename", "--config", "--color", "--line-length", "--range"]
    ),
    endings=(".py", ".pyi", ".ipynb", "pyproject.toml"),
    excluded=(*VERSION_CONTROL[:4], ".git-rewrite", *CACHES, ".pants.d", ".pyenv", ".pytype", "dist", "node_modules",
              "site-packages", "venv"),
    ignore_files="repository",
    reports=frozenset(["-o", "--output-file"]),
    here=True,
)  # fmt: skip


class Run:
    """One run of a tool."""

    def __init__(self, machine: Machine, tool: Tool, args: Sequence[AnyValue]) -> None:
        self.machine = machine
        self.tool = tool
        self.line = read_line(tool, args)

    def run(self) -> None:
        """Read settings and files, and rewrite what is to be rewritten."""
        machine, tool, line = self.machine, self.tool, self.line
        if line.flags & _ENDING - tool.writes - tool.shows:
            return
        if not line.operands and not tool.here:
            return
        operands = line.operands or [Known(".")]
        settings, base = read_settings(machine, tool, line, self._start(operands[0]))
        if tool.ignore_files and machine.exists(f"{machine.root}/.gitignore", "file") is True:
            machine.access(Operation.READ, Known(f"{machine.root}/.gitignore"), tool.name)
        recursive = (
            not tool.recursive or bool(line.flags & tool.recursive) or settings.get("recursive") in (True, "true")
        )
        files = Search(machine, tool, line, settings, base).files(operands, recursive=recursive)
        writes = ("*" in tool.writes or bool(line.flags & tool.writes)) and not line.flags & tool.shows
        if settings.get("in-place", settings.get("in_place")) in (True, "true"):
            writes = True
        writes = writes and not line.every(*tool.shows)
        for file in files:
            self.look_at(file, writes=writes)
        self.report()

    def _start(self, operand: AnyValue) -> str:
        """Where settings are looked for: beside the first file, or here."""
        machine = self.machine
        if self.tool.name not in ("isort", "black", "ruff", "yapf"):
            return str(machine.absolute("."))
        place = machine.absolute(place_of(operand))
        if not isinstance(place, str) or machine.in_tree(place) is None:
            return str(machine.absolute("."))
        return place if is_folder(machine, place) else str(split_last(place)[0])

    def look_at(self, file: TextLike, *, writes: bool) -> None:
        """Read a file, and perhaps write it."""
        machine = self.machine
        machine.access(Operation.READ, as_value(file), self.tool.name)
        if not writes:
            return
        inner = machine.in_tree(file) if isinstance(file, str) else None
        if inner is not None and machine.tree.size(inner) == 0 and not machine.wrote(inner):
            return
        if self.tool.name == "isort":
            # The sorted text is made aside, and taken where it differs.
            aside = concat(split_extension(file)[0], split_extension(file)[1], ".isorted")
            machine.access(Operation.OVERWRITE, as_value(aside), self.tool.name)
        machine.access(Operation.OVERWRITE, as_value(file), self.tool.name, conditional=True)

    def report(self) -> None:
        """Write what the command line names."""
        for name in sorted(self.tool.reports):
            for value in self.line.every(name)[-1:]:
                self.machine.access(Operation.OVERWRITE, value, self.tool.name)


@program("ruff", "ruff.__main__", commands=["ruff"])
def ruff(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`ruff check`, `ruff format` and their kin."""
    words = list(args)
    verb = None
    for index, word in enumerate(words):
        text = text_of(word)
        if isinstance(text, str) and not text.startswith("-"):
            verb = text
            del words[index]
            break
    if verb not in ("check", "format"):
        if verb == "clean":
            machine.access(Operation.DELETE, below(".ruff_cache", "**"), "ruff")
        return
    run = Run(machine, RUFF, words)
    flags = run.line.flags
    writes = bool(flags & {"--fix", "--fix-only", "--add-noqa"}) if verb == "check" else not flags & {"--check"}
    if flags & {"-h", "--help", "--show-files", "--show-settings"}:
        writes = False
    if "--diff" in flags:
        writes = False
    operands = run.line.operands or [Known(".")]
    start = machine.absolute(".")
    settings, base = read_settings(machine, RUFF, run.line, str(start))
    if machine.exists(f"{machine.root}/.gitignore", "file") is True:
        machine.access(Operation.READ, Known(f"{machine.root}/.gitignore"), "ruff")
    if verb == "check" and settings.get("fix") is True and not flags & {"--no-fix", "--diff"}:
        writes = True
    if not flags & {"--show-files"}:
        for file in Search(machine, RUFF, run.line, settings, base).files(operands):
            run.look_at(file, writes=writes and not str(file).endswith("pyproject.toml"))
    cache = run.line.text("--cache-dir") or settings.get("cache-dir") or f"{base}/.ruff_cache"
    if not flags & {"-n", "--no-cache"}:
        place = machine.absolute(str(cache))
        if machine.exists(place, "folder") is True:
            machine.access(Operation.READ, below(place, "**"), "ruff", conditional=True)
        machine.access(Operation.OVERWRITE, below(place, "**"), "ruff")
    run.report()


def _program(tool: Tool) -> None:
    def run(machine: Machine, args: Sequence[AnyValue]) -> None:
        Run(machine, tool, args).run()

    run.__doc__ = f"`{tool.name} FILE...`."
    program(tool.name, f"{tool.name}.__main__", commands=[tool.name])(run)


for _tool in (BLACK, ISORT, YAPF, AUTOPEP8, DOCFORMATTER, AUTOFLAKE, PYUPGRADE, FLAKE8, PYCODESTYLE, PYFLAKES, BANDIT):
    _program(_tool)
