"""What real command-line tools do beside plain file access, each as a small program that is run for real as well."""
# ruff: noqa: E501 - program texts stay as they are written

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from taskgates.inference.engine import Analyser, InferenceOptions
from taskgates.model.task import Command
from taskgates.tree.tree import Tree
from unit.inference.reality import Program, analyse, check, program, rows, write_tree

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = [
    program(
        "a lexer with settings of its own",
        """
import shlex
for line in ["# note\\n", "a.txt -I 'lib'\\n"]:
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.escape = ""
    for word in list(lexer)[:1]: open(word).close()
words = shlex.shlex("b = c")
while token := words.get_token():
    if token != "=": open(token + ".out", "w").close()
""",
        "read a.txt",
        "overwrite b.out",
        "overwrite c.out",
    ),
    program(
        "what functions and classes say of themselves",
        """
import inspect, re
def make(place):
    \'\'\'Make it.

        :param place: as in made.txt
    \'\'\'
class Kind:
    "kind.txt"
    def own(self):
        "own.txt"
for place in re.findall(r"as in (\\S+)", inspect.getdoc(make)): open(place, "w").close()
open(Kind.__doc__, "w").close()
open(Kind().own.__doc__, "w").close()
""",
        "overwrite kind.txt",
        "overwrite made.txt",
        "overwrite own.txt",
    ),
    program(
        "options that an undecided loop declares, and others behind them",
        """
import argparse
parser = argparse.ArgumentParser()
for name in open("names.txt").read().split():
    parser.add_argument("--" + name, action="store_true")
parser.add_argument("paths", nargs="+")
for path in parser.parse_args().paths: open(path, "w").close()
--- names.txt
fast
""",
        "read names.txt",
        "overwrite made",
        argv="python main.py made",
    ),
    program(
        "names that a function takes from the module that calls it",
        """
import inspect, sys
def rules(depth):
    frame = sys._getframe(depth)
    return {**frame.f_globals, **frame.f_locals}
def build(): return rules(2)
def of_caller(): return inspect.stack()[1].function, inspect.currentframe().f_back.f_code.co_name
rule_a = "a.out"
def rule_b(): open("b.out", "w").close()
found = build()
open(found["rule_a"], "w").close()
found["rule_b"]()
def outer():
    inner = "c.out"
    return build()["inner"], *of_caller()
for name in outer(): open(name, "w").close()
""",
        "overwrite a.out",
        "overwrite b.out",
        "overwrite c.out",
        "overwrite outer",
        "read main.py",
    ),
    program(
        "a long pattern of named alternatives",
        """
import re
names = ["WORD", *(f"N{number}" for number in range(60)), "BLANK"]
texts = {"WORD": "[a-z]+", "BLANK": "[ ]+"}
master = re.compile("|".join(f"(?P<{name}>{texts.get(name, name + '-literal')})" for name in names))
place = 0
text = open("words.txt").read().strip()
while place < len(text):
    found = master.match(text, place)
    place = found.end()
    if names[found.lastindex - 1] == "WORD": open(found.group() + ".out", "w").close()
--- words.txt
x  y
""",
        "read words.txt",
        "overwrite x.out",
        "overwrite y.out",
    ),
    program(
        "one of several alternatives cannot be unpacked",
        """
import time
index = len(time.strftime("%B")) % 2 + 1
kind, name = [None, ("k", "a"), ("k", "b")][index]
open("end", "w").close()
""",
        "overwrite end",
    ),
    program(
        "abstract base classes of plain values",
        """
import numbers
from collections.abc import Hashable, MutableSequence, Sized
for name, value, kind in (("a", "x", MutableSequence), ("b", [1], MutableSequence), ("c", 3, numbers.Number),
                          ("d", {}, Hashable), ("e", {}, Sized)):
    if isinstance(value, kind): open(name, "w").close()
""",
        "overwrite b",
        "overwrite c",
        "overwrite e",
    ),
    program(
        "kinds of parameters",
        """
import inspect
def func(a, *more, b): ...
for name, param in inspect.signature(func).parameters.items():
    if param.kind is param.VAR_POSITIONAL: open(name, "w").close()
    elif param.default is param.empty: open(name + ".out", "w").close()
""",
        "overwrite more",
        "overwrite a.out",
        "overwrite b.out",
    ),
    program(
        "a library is handed an object that opens its file when it is first read",
        """
import statistics
class Numbers:
    def __init__(self, name): self.name = name
    def __iter__(self): return iter([len(line) for line in open(self.name)])
statistics.fmean(Numbers("a.txt"))
""",
        "read a.txt",
    ),
    program(
        "optparse with groups, a subclassed option and defaults",
        """
import optparse
class Named(optparse.Option):
    ATTRS = optparse.Option.ATTRS + ["check"]
    def process(self, opt, value, values, parser):
        result = super().process(opt, value, values, parser)
        if self.check: setattr(values, self.dest, self.check(getattr(values, self.dest)))
        return result
class Parser(optparse.OptionParser):
    def __init__(self): super().__init__(option_class=Named, add_help_option=False)
parser = Parser()
group = parser.add_option_group("Output")
group.add_option("--out", dest="out", check=str.upper)
group.add_option("--title", dest="title", default="none")
options, names = parser.parse_args(["--out=made", "a.txt"])
open(options.out + "." + options.title, "w").close()
open(names[0]).close()
""",
        "overwrite MADE.none",
        "read a.txt",
    ),
    program(
        "settings files that are not there",
        """
import configparser
class Settings(configparser.RawConfigParser):
    def read(self, names):
        found = []
        for name in names: found += super().read(name, encoding="utf-8")
        return found
parser = Settings()
if parser.read(["no.cfg", "none.ini"]) or "tool" in parser or parser.has_section("tool"):
    open("bad", "w").close()
else:
    open("good", "w").close()
try:
    parser.get("tool", "name")
except configparser.NoSectionError:
    open("no section", "w").close()
parser.add_section("tool")
try:
    parser.get("tool", "name")
except configparser.NoOptionError:
    open("no option", "w").close()
""",
        "overwrite good",
        "overwrite no section",
        "overwrite no option",
    ),
    program(
        "an action of the program's own that takes no word",
        """
import argparse
class Mark(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None): setattr(namespace, self.dest, "given")
parser = argparse.ArgumentParser()
for letter in "xy": parser.add_argument("-" + letter, action=Mark, nargs=0, dest=letter, default="no")
parser.add_argument("name")
options = parser.parse_args(["-x", "w"])
open(f"{options.x}-{options.y}-{options.name}", "w").close()
""",
        "overwrite given-no-w",
    ),
    program(
        "variables of the environment that are not set, constants of the library",
        """
import codecs, os, sys
def encoding(data):
    if "TOOL_ENCODING" in os.environ: return os.environ["TOOL_ENCODING"]
    if data.startswith(codecs.BOM_UTF8): return "utf-8-sig"
    return "utf-8"
open(encoding(b"abc"), "w").close()
open("built in" if "marshal" in sys.builtin_module_names else "not", "w").close()
""",
        "overwrite utf-8",
        "overwrite built in",
    ),
    program(
        "modules that the program makes itself",
        """
import sys, types
made = types.SimpleNamespace(name="from a made module")
sys.modules["made_module"] = made
import made_module
open(made_module.name, "w").close()
""",
        "overwrite from a made module",
    ),
    program(
        "functions that are only looked at",
        """
import inspect
def never(name): open(name, "w").close()
for value in [never, never.__name__, inspect]:
    if inspect.isfunction(value) and not inspect.isabstract(value) and list(inspect.signature(value).parameters) == ["name"]:
        open(value.__name__ + " seen", "w").close()
""",
        "overwrite never seen",
    ),
    program(
        "the fields of a dataclass by its own attribute",
        """
from dataclasses import dataclass
@dataclass
class Options:
    name: str = "n"
    size: int = 1
for name in getattr(Options, "__dataclass_fields__", {}): open(name, "w").close()
""",
        "overwrite name",
        "overwrite size",
    ),
    program(
        "a tuple as a mark of what was not given",
        """
ABSENT = ("NO", "DEFAULT")
class Option:
    def __init__(self, default=ABSENT): self.default = default
for number, option in enumerate([Option(), Option("d")]):
    if option.default is not ABSENT: open(f"{number}{option.default}", "w").close()
""",
        "overwrite 1d",
    ),
    program(
        "settings are looked for in every folder above",
        """
import os
folder = os.getcwd()
while True:
    for name in (".toolrc", "tool.cfg"):
        if os.path.isfile(os.path.join(folder, name)): open("found", "w").close()
    above = os.path.dirname(folder)
    if above == folder: break
    folder = above
open("done", "w").close()
""",
        "overwrite done",
    ),
    program(
        "what None has as well as every object",
        """
found = None
kind = type(None) if found.__class__ is type(None) else str
open(kind.__name__, "w").close()
""",
        "overwrite NoneType",
    ),
    program(
        "the namespace of arguments as a mapping",
        """
import argparse, dataclasses
from pathlib import Path
@dataclasses.dataclass(kw_only=True)
class Options:
    folder: Path
    name: str = "none"
parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--name", default="made")
given = parser.parse_args(["."])
given.folder = Path(given.folder)
options = Options(**given.__dict__)
open(options.folder / options.name, "w").close()
""",
        "overwrite made",
    ),
    program(
        "the constructor of a library class, called through the class",
        """
import zipfile
class Wheel(zipfile.ZipFile):
    def __init__(self, file, mode="r"):
        self.title = file
        zipfile.ZipFile.__init__(self, file, mode, compression=zipfile.ZIP_DEFLATED)
class Named(dict):
    def __init__(self, name): dict.__init__(self, name=name)
with Wheel("made.whl", "w") as wheel: wheel.writestr("a", "b")
open(Named("b.txt")["name"], "w").close()
""",
        "overwrite made.whl",
        "overwrite b.txt",
    ),
    program(
        "a settings file that is executed as the bytes it is",
        """
from pathlib import Path
settings = {}
exec(compile(Path("conf.py").read_bytes(), "conf.py", "exec"), settings)
open(settings["OUT"], "w").close()
--- conf.py
OUT = "made"
""",
        "read conf.py",
        "overwrite made",
    ),
    program(
        "a pool that maps over files later",
        """
from functools import partial
from multiprocessing.pool import ThreadPool
def convert(name, suffix):
    if name.endswith(".css"): open(name + suffix, "w").close()
    else: open(name).close()
    return name + ".done"
def note(names):
    for name in names: open(name, "w").close()
with ThreadPool(2) as pool:
    pool.map_async(partial(convert, suffix=".min"), ["x.css", "a.txt"], callback=note).get()
    pool.close()
    pool.join()
""",
        "read a.txt",
        "overwrite x.css.min",
        "overwrite x.css.done",
        "overwrite a.txt.done",
    ),
    program(
        "an option that both branches declare",
        """
import random
import click
def shared(f):
    if random.random() > 2:
        f = click.option("-d", "--dialect", default="none")(f)
    else:
        f = click.option("-d", "--dialect", default="none")(f)
    return click.option("-t", "--templater")(f)
@click.command()
@shared
@click.argument("name")
def main(name, **options): open(name + "." + options["dialect"], "w").close()
main()
""",
        "overwrite x.ansi",
        argv="python main.py --dialect ansi x",
    ),
    program(
        "a group that keeps an unknown word as the argument of its default command",
        """
import click
class Default(click.Group):
    def get_command(self, ctx, name):
        if name not in self.commands:
            ctx.word = name
            name = "build"
        return super().get_command(ctx, name)
    def resolve_command(self, ctx, args):
        name, command, args = super().resolve_command(ctx, args)
        if hasattr(ctx, "word"):
            args.insert(0, ctx.word)
        return command.name, command, args
@click.group(cls=Default)
def main(): ...
@main.command()
@click.argument("name", default="none")
def build(name): open(name + ".built", "w").close()
main()
""",
        "overwrite none.built",
        argv="python main.py build",
    ),
    program(
        "templates from a loader of the program's own",
        """
import jinja2
class Loader(jinja2.BaseLoader):
    def get_source(self, environment, name):
        with open(name + ".j2") as file: return file.read(), name + ".j2", lambda: False
text = jinja2.Environment(loader=Loader()).get_template("page").render()
open("made", "w").write(text)
--- page.j2
{% include "part" %}
--- part.j2
made
""",
        "read page.j2",
        "read part.j2",
        "overwrite made",
    ),
    program(
        "settings that a cached function keeps",
        """
from functools import cache, lru_cache
class Settings:
    def __init__(self): self.name = "none"
@lru_cache(maxsize=1)
def settings(): return Settings()
@cache
def log(): return open("a.log", "a")
settings().name = "made"
open(settings().name, "w").close()
log().write("x")
log().write("y")
settings.cache_clear()
open(settings().name, "w").close()
""",
        "overwrite made",
        "overwrite none",
        "append a.log",
    ),
]


@pytest.mark.parametrize("case", PROGRAMS, ids=lambda case: case.name)
def test_program_does_what_inference_says(case: Program, tmp_path: Path) -> None:
    check(case, tmp_path)


def shell(root: Path, text: str) -> set[str]:
    """What inference says of shell text, without what is only read."""
    return rows(Analyser(Tree(root)).command(Command(shell=text)))


def test_standard_input_is_read_line_by_line(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        "import sys\nfor line in sys.stdin: open(line.strip(), 'w').close()\nopen('end' + sys.stdin.read(), 'w')",
    )
    assert shell(tmp_path, "printf 'x\\ny\\n' | python main.py") == {"overwrite x", "overwrite y", "overwrite end"}


def test_input_ends_with_standard_input(tmp_path: Path) -> None:
    code = "while True:\n    try: name = input()\n    except EOFError: break\n    open(name, 'w').close()\nopen('end', 'w')"
    write_tree(tmp_path, code)
    assert shell(tmp_path, "printf 'x\\ny\\n' | python main.py") == {"overwrite x", "overwrite y", "overwrite end"}


def test_command_interpreters_do_what_standard_input_says(tmp_path: Path) -> None:
    code = "import cmd\nclass Shell(cmd.Cmd):\n    def do_make(self, name): open(name, 'w').close()\n    def do_quit(self, _): return True\nShell().cmdloop()"
    write_tree(tmp_path, code)
    assert shell(tmp_path, "printf 'make x\\nquit\\nmake y\\n' | python main.py") == {"overwrite x"}


def test_a_console_runs_standard_input(tmp_path: Path) -> None:
    write_tree(tmp_path, "open('x', 'w').close()")
    assert shell(tmp_path, "python -m code < main.py") == {"read main.py", "overwrite x"}


def test_py_compile_takes_names_from_standard_input(tmp_path: Path) -> None:
    write_tree(tmp_path, "x = 1")
    found = shell(tmp_path, "echo main.py | python -m py_compile -")
    assert "read main.py" in found
    assert any(row.startswith("overwrite __pycache__/main.") for row in found)


def test_git_does_nothing_where_there_is_no_repository(tmp_path: Path) -> None:
    write_tree(tmp_path, "")
    found = shell(tmp_path, "git add . && touch added; touch done")
    assert not any(".git/" in row or row.endswith("added") for row in found)
    (tmp_path / ".git").mkdir()
    assert any(".git/" in row for row in shell(tmp_path, "git add a.txt"))


def test_patterns_that_match_no_file_are_not_read(tmp_path: Path) -> None:
    code = "import os, sys\nfor line in open('data/x.csv'):\n    for end in ('/none.cfg', '/x.csv'):\n        try: open(line.strip() + end).close()\n        except OSError: pass"
    write_tree(tmp_path, code)
    assert not any("none.cfg" in row for row in rows(analyse(tmp_path)))
    assert any("x.csv" in row for row in rows(analyse(tmp_path)))


def test_ignore_patterns_are_matched(tmp_path: Path) -> None:
    code = "import pathspec\nspec = pathspec.GitIgnoreSpec.from_lines(['*.csv', '!y.csv'])\nfor name in ('x.csv', 'y.csv', 'a.txt'):\n    if spec.match_file('data/' + name): open(name + '.hit', 'w').close()\nopen(''.join(spec.match_files(['a.csv', 'b.txt'])), 'w').close()"
    write_tree(tmp_path, code)
    assert rows(analyse(tmp_path)) == {"overwrite x.csv.hit", "overwrite a.csv"}


def installed(place: Path, files: dict[str, str]) -> InferenceOptions:
    """An environment with the given files, and the options that name it."""
    for name, text in {"pyvenv.cfg": "version = 3.11.0\n", "bin/python": "", **files}.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (place / "lib/python3.11/site-packages").mkdir(parents=True, exist_ok=True)
    return InferenceOptions(python=str(place))


def test_scripts_without_an_entry_point_are_run(tmp_path: Path) -> None:
    script = f"#!{tmp_path}/env/bin/python\nimport sys\nopen(sys.argv[1] + '.made', 'w').close()\n"
    options = installed(tmp_path / "env", {"bin/mark": script})
    write_tree(tmp_path / "tree", "")
    assert rows(analyse(tmp_path / "tree", "mark", "x", options=options)) == {"overwrite x.made"}


def test_data_files_of_an_installed_tool_are_known(tmp_path: Path) -> None:
    site = "lib/python3.11/site-packages"
    code = "import json, os\nPLACE = os.path.join(os.path.dirname(__file__), 'data.json')\ndef main():\n    if os.path.isfile(PLACE): open(json.load(open(PLACE))['name'], 'w').close()\n"
    files = {
        f"{site}/toolkit/__init__.py": code,
        f"{site}/toolkit/data.json": '{"name": "known"}',
        f"{site}/toolkit-1.0.dist-info/entry_points.txt": "[console_scripts]\nkit = toolkit:main\n",
    }
    options = installed(tmp_path / "env", files)
    write_tree(tmp_path / "tree", "")
    found = rows(analyse(tmp_path / "tree", "kit", options=options))
    assert {row for row in found if row.startswith("overwrite")} == {"overwrite known"}


def test_what_takes_long_is_given_up_within_the_program(tmp_path: Path) -> None:
    code = """
import sys
def slow(n):
    total = []
    for i in range(len(sys.argv) * 1000):
        total.append(slow(n - 1) if n else i)
        while len(total) > int(sys.argv[0][:1] or 3): total = [str(x) for x in total]
    open(str(total), 'w') if total == 'never' else None
    return total
def setup():
    for _ in range(200):
        for name in "abcdefghijklmnopqrst": helper(name)
def helper(name):
    one = name + "1"; two = one + "2"; three = two + "3"; four = three + "4"
    return four if four else open(four)
def main():
    setup()
    open('made', 'w').close()
main()
"""
    write_tree(tmp_path, code)
    assert "overwrite made" in rows(analyse(tmp_path))


SITE = "lib/python3.11/site-packages"


def tool(tmp_path: Path, code: str, files: dict[str, str], metadata: dict[str, str] | None = None) -> set[str]:
    """What a console script `kit` of an installed tool does in a tree with `a.txt`."""
    entries = "[console_scripts]\nkit = kit:main\n\n[kit.plugins]\nmark = kit_marks:Mark\n"
    options = installed(
        tmp_path / "env",
        {
            f"{SITE}/kit.py": code,
            f"{SITE}/kit-1.2.dist-info/entry_points.txt": entries,
            **{f"{SITE}/{name}": text for name, text in {**files, **(metadata or {})}.items()},
        },
    )
    write_tree(tmp_path / "tree", "")
    return rows(analyse(tmp_path / "tree", "kit", options=options))


def test_a_program_that_a_model_knows_is_not_followed_where_it_is_installed(tmp_path: Path) -> None:
    files = {f"{SITE}/luigi/__init__.py": "class Task: pass\n", f"{SITE}/luigi/__main__.py": "print(1)\n"}
    options = installed(tmp_path / "env", files)
    code = """
import luigi
class Mark(luigi.Task):
    def output(self): return luigi.LocalTarget("out/made")
    def run(self): open("ran", "w").close()
"""
    write_tree(tmp_path / "tree", code, data=False)
    line = ("python", "-m", "luigi", "--module", "main", "Mark", "--local-scheduler")
    assert rows(analyse(tmp_path / "tree", *line, options=options)) == {"overwrite ran"}


def test_all_packages_of_a_tool_are_analysed(tmp_path: Path) -> None:
    code = "import kit_core\ndef main(): kit_core.run('made')\n"
    record = "kit.py,,\nkit_core/__init__.py,,\n"
    files = {"kit_core/__init__.py": "def run(name): open(name, 'w').close()\n"}
    assert tool(tmp_path, code, files, {"kit-1.2.dist-info/RECORD": record}) == {"overwrite made"}


def test_small_requirements_of_a_tool_are_analysed(tmp_path: Path) -> None:
    code = "import small, large\ndef main():\n    small.save()\n    large.save()\n"
    files = {
        "small.py": "def save(): open('made', 'w').close()\n",
        "large.py": "def save(): open('never', 'w').close()\n",
    }
    metadata = {
        "kit-1.2.dist-info/RECORD": "kit.py,,\n",
        "kit-1.2.dist-info/METADATA": "Name: kit\nRequires-Dist: Small>=1\nRequires-Dist: large\n\ntext\n",
        "small-1.0.dist-info/RECORD": "small.py,sha256=x,40\n",
        "large-1.0.dist-info/RECORD": "large.py,sha256=x,4000000\n",
    }
    assert tool(tmp_path, code, files, metadata) == {"overwrite made"}


def test_plugins_are_found_by_their_entry_points(tmp_path: Path) -> None:
    code = """
from importlib import metadata
def main():
    points = metadata.entry_points(group="kit.plugins")
    for name in points.names: open("name-" + name, "w").close()
    points["mark"].load()("a")
    for point in metadata.entry_points().select(group="kit.plugins"): point.load()(point.name)
    open("version-" + metadata.version("kit"), "w").close()
"""
    files = {"kit_marks.py": "class Mark:\n    def __init__(self, name): open(name + '.mark', 'w').close()\n"}
    assert tool(tmp_path, code, files) == {
        "overwrite name-mark",
        "overwrite a.mark",
        "overwrite mark.mark",
        "overwrite version-1.2",
    }


def test_an_installed_submodule_is_there(tmp_path: Path) -> None:
    code = """
from importlib import import_module
def main():
    try:
        import_module("spread.part")
    except ImportError:
        raise SystemExit("spread.part is missing")
    open("made", "w").close()
"""
    assert tool(tmp_path, code, {"spread/part.py": "x = 1\n"}) == {"overwrite made"}


def test_a_library_may_call_what_specialises_its_classes(tmp_path: Path) -> None:
    code = """
import checker
class Collecting(checker.Reporter):
    def __init__(self): self.found = []
    def report(self, message): self.found.append(message)
def main():
    reporter = Collecting()
    checker.check("text", reporter)
    if reporter.found: open("found", "w").close()
"""
    assert "overwrite found" in tool(
        tmp_path, code, {"checker.py": "class Reporter: ...\ndef check(text, reporter): ...\n"}
    )


def test_the_modules_of_an_installed_package_are_walked(tmp_path: Path) -> None:
    code = """
import pkgutil
from importlib import import_module
import kit_rules
def main():
    for info in pkgutil.walk_packages(kit_rules.__path__, prefix="kit_rules."):
        if not info.ispkg: import_module(info.name).check()
"""
    rule = "def check(): open('%s', 'w').close()\n"
    files = {
        "kit_rules/__init__.py": "",
        "kit_rules/one.py": rule % "one",
        "kit_rules/more/__init__.py": "",
        "kit_rules/more/two.py": rule % "two",
    }
    found = tool(tmp_path, code, files, {"kit-1.2.dist-info/RECORD": "kit.py,,\nkit_rules/__init__.py,,\n"})
    assert found == {"overwrite one", "overwrite two"}


def test_what_an_installed_package_brings_is_listed_and_run(tmp_path: Path) -> None:
    code = """
import os, runpy
from importlib import resources
def main():
    try:
        kit = __import__("kit_parts", globals(), locals(), ["inner"])
        kit.inner.work()
        here = os.path.dirname(os.path.realpath(__file__))
        for name in os.listdir(os.path.join(here, "kit_parts", "plugins")):
            open("plugin-" + name, "w").close()
        open("version-" + runpy.run_path(os.path.join(here, "kit_version.py"))["version"], "w").close()
        if resources.files("kit_parts.texts").joinpath("page.md").is_file():
            open("page", "w").close()
        if not os.path.exists("settings.ini"):
            open("default", "w").close()
    except FileNotFoundError:
        open("missing", "w").close()
"""
    files = {
        "kit_parts/__init__.py": "",
        "kit_parts/inner.py": "def work(): open('worked', 'w').close()\n",
        "kit_parts/plugins/one.txt": "",
        "kit_parts/texts/page.md": "",
        "kit_version.py": "version = '3'\n",
    }
    found = tool(tmp_path, code, files, {"kit-1.2.dist-info/RECORD": "kit.py,,\nkit_parts/__init__.py,,\n"})
    made = {"worked", "plugin-one.txt", "version-3", "page", "default"}
    assert {f"overwrite {name}" for name in made} <= found


def test_an_unknown_expression_makes_no_files(tmp_path: Path) -> None:
    code = """
import sys
import os
def main():
    value = eval(sys.stdin.readline())
    name = "settings.ini"
    if os.path.exists(name): open(name).close()
    open("made", "w").close()
"""
    assert tool(tmp_path, code, {}) == {"overwrite made"}


def test_a_plain_name_of_a_file_is_told_where_it_is_handed_on(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("text\n")
    (tmp_path / "main.py").write_text("import elsewhere\nelsewhere.identify('LICENSE')\n")
    report = Analyser(Tree(tmp_path), InferenceOptions()).command(Command(argv=("python", "main.py")))
    assert "elsewhere.identify is not modelled and is handed a name" in {item.reason for item in report.opaque}


def test_a_script_that_is_seen_to_fail_says_so(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("raise RuntimeError('no')\nopen('made', 'w')\n")
    report = Analyser(Tree(tmp_path), InferenceOptions()).command(Command(argv=("python", "main.py")))
    assert any("seen to end with RuntimeError: no" in item.reason for item in report.opaque)


def test_a_temporary_file_beside_another(tmp_path: Path) -> None:
    code = """
import os, sys, tempfile
handle, place = tempfile.mkstemp(dir=os.path.dirname("a.txt"), prefix="a.txt", suffix=".new")
os.replace(place, "a.txt".encode(sys.getfilesystemencoding(), "surrogateescape").decode())
"""
    write_tree(tmp_path, code)
    assert rows(analyse(tmp_path)) == {"create a.txt*.new", "overwrite a.txt", "rename a.txt*.new"}
