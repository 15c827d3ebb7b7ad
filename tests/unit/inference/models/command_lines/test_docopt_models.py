"""Programs that use docopt; the expected files are those that real runs with docopt 0.6.2 created."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest
from taskgates.inference.models.command_lines import docopt_grammar
from unit.inference.models.command_lines import command_line_programs as programs

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = '''
    """Ships.

    Usage:
      app.py ship new <name>...
      app.py ship <name> move <x> <y> [--speed=<kn>]
      app.py mine (set|remove) <x> <y> [--moored | --drifting]
      app.py run [options] [-v]... FILE [OUT]
      app.py -h | --help
      app.py --version

    Options:
      -h --help     Show this screen.
      --version     Show version.
      --speed=<kn>  Speed in knots [default: 10].
      --moored      Moored (anchored) mine.
      --drifting    Drifting mine.
      -o FILE --output=FILE  Where to write [default: def.txt]
      -q, --quiet   Say nothing.
    """
    from docopt import docopt

    def main():
        a = docopt(__doc__, version="1")
        if a["ship"] and a["new"]:
            for name in a["<name>"]:
                open("new" + name, "w")
        elif a["ship"]:
            open(f"{a['<name>'][0]}-{a['<x>']}-{a['<y>']}-{a['--speed']}", "w")
        elif a["mine"]:
            open(f"{a['set']}-{a['remove']}-{a['--moored']}-{a['--drifting']}", "w")
        elif a["run"]:
            open(f"{a['--output']}-{a['-v']}-{a['FILE']}-{a['OUT']}-{a['--quiet']}", "w")

    if __name__ == "__main__":
        main()
'''


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ship new a b", "newa newb"),
        ("ship n move 1 2", "n-1-2-10"),
        ("ship n move 1 2 --speed=5", "n-1-2-5"),
        ("mine set 1 2 --moored", "True-False-True-False"),
        ("mine remove 1 2", "False-True-False-False"),
        ("run f", "def.txt-0-f-None-False"),
        ("run f g -vv -o out -q", "out-2-f-g-True"),
        ("run --out x f -v", "x-1-f-None-False"),
        ("--help", ""),
        ("--version", ""),
    ],
)
def test_program(tmp_path: Path, line: str, expected: str) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(PROGRAM))
    found = programs.analyse(tmp_path, "app.py", *line.split())
    assert not found.opaque
    assert programs.written(found) == set(expected.split())


@pytest.mark.parametrize("line", ["bad", "run", "mine set 1 2 --moored --drifting", "run f --unheard"])
def test_words_that_do_not_match_are_reported(tmp_path: Path, line: str) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(PROGRAM))
    found = programs.analyse(tmp_path, "app.py", *line.split())
    assert len(found.opaque) == 1
    assert found.opaque[0].reason.startswith("the command line does not parse: ")
    assert not programs.written(found)


def test_unknown_command_line_takes_defaults_and_anything(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(PROGRAM))
    names = programs.written(programs.analyse_source(tmp_path, "app.py"))
    assert any(name.startswith("def.txt-") for name in names)
    assert "new**" in names


@pytest.mark.parametrize(
    ("usage", "words", "expected"),
    [
        ("Usage: p [--] <a>...", ["--", "-x"], {"--": True, "<a>": ["-x"]}),
        ("Usage: p (a b)... [c]", ["a", "b", "a", "b", "c"], {"a": 2, "b": 2, "c": True}),
        ("usage: p [<a> <b>]", ["1"], {"<a>": "1", "<b>": None}),
        ("Usage: p -a -b B <c>\n\n-a  one\n-b B  two", ["-ab1", "x"], {"-a": True, "-b": "1", "<c>": "x"}),
        ("Usage:\n  p one\n  p two <x>", ["two", "3"], {"one": False, "two": True, "<x>": "3"}),
    ],
)
def test_grammar(usage: str, words: list[str], expected: dict[str, object]) -> None:
    grammar = docopt_grammar.read(usage)
    assert docopt_grammar.match(grammar, docopt_grammar.split(words, grammar)) == expected


@pytest.mark.parametrize("doc", ["no such section", "Usage:", "Usage: p [a", "Usage: p (a | b"])
def test_unreadable_help_texts(doc: str) -> None:
    with pytest.raises(docopt_grammar.UsageMismatch):
        docopt_grammar.read(doc)
