"""Programs that use getopt: the analyser must find exactly the files that a real run creates."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest
from unit.inference.models.command_lines import command_line_programs as programs

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
    import getopt
    import sys

    def main(argv):
        out, loud = "out", False
        parse = getopt.gnu_getopt if "--mixed" in argv else getopt.getopt
        try:
            options, names = parse(argv, "o:l", ["output=", "loud", "mixed"])
        except getopt.GetoptError as error:
            open("usage", "w")
            sys.exit(2)
        for option, value in options:
            if option in ("-o", "--output"):
                out = value
            elif option in ("-l", "--loud"):
                loud = True
        for name in names:
            open(f"{out}-{name}", "w")
        if loud:
            open("loud", "w")

    main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    "line", ["a b", "-l a", "-o x a", "-lox a", "--output=y --loud a b", "--out y a", "a -l", "--mixed a -l", "-- -l"]
)
def test_files_written(tmp_path: Path, line: str) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(PROGRAM))
    found = programs.analyse(tmp_path, "app.py", *line.split())
    assert not found.opaque
    assert programs.written(found) == programs.really_written(tmp_path, "app.py", *line.split())


def test_wrong_option_takes_the_handler(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(PROGRAM))
    found = programs.analyse(tmp_path, "app.py", "-z", "a")
    assert programs.written(found) == programs.really_written(tmp_path, "app.py", "-z", "a") == {"usage"}
    assert [reason.reason for reason in found.opaque] == ["the command line does not parse: option -z not recognized"]
