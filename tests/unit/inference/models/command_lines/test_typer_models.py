"""Typer programs; the expected files are those that real runs with Typer 0.29 created."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest
from unit.inference.models.command_lines import command_line_programs as programs

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION = """
    from enum import Enum
    from pathlib import Path
    from typing import List, Optional, Tuple
    from typing_extensions import Annotated
    import typer

    app = typer.Typer()
    sub = typer.Typer()
    app.add_typer(sub, name="sub")

    class Kind(str, Enum):
        small = "small"
        big = "big"

    @app.callback()
    def main(ctx: typer.Context, verbose: bool = False, log: Path = typer.Option(Path("log.txt"), "--log", "-L")):
        ctx.obj = {"log": log}
        if verbose:
            log.write_text("v")

    @app.command()
    def copy_file(src: Path, dst: Optional[Path] = None, times: int = 1, kind: Kind = Kind.small):
        dst = dst or src.with_suffix(".bak")
        for index in range(times):
            Path(f"{dst}.{index}.{kind.value}").write_text(src.read_text())

    @app.command("many")
    def many_files(
        ctx: typer.Context,
        files: List[Path] = typer.Argument(..., exists=True),
        tag: Annotated[Optional[List[str]], typer.Option("--tag", "-t")] = None,
        force: Annotated[bool, typer.Option("--force")] = False,
        pair: Tuple[str, int] = ("p", 1),
    ):
        for path in files:
            path.with_suffix(".seen").touch()
        for name in tag or ["none"]:
            open(name, "w")
        if force:
            open("forced", "w")
        open(f"{pair[0]}{pair[1] + 1}", "w")
        ctx.obj["log"].open("a")

    def shout(value: str):
        if value == "bad":
            raise typer.BadParameter("no")
        return value.upper()

    @sub.command()
    def go(
        name: str = typer.Argument("dflt", envvar="GO_NAME", callback=shout),
        out: typer.FileTextWrite = typer.Option("go.out"),
        level: int = typer.Option(0, "--level", "-l", count=True),
        sure: bool = typer.Option(True, "--sure/--unsure"),
    ):
        open(f"{name}-{level}-{sure}", "w")
        raise typer.Exit(code=0)
        open("never", "w")

    if __name__ == "__main__":
        app()
"""


@pytest.mark.parametrize(
    ("line", "environ", "expected"),
    [
        ("copy-file x.txt", {}, "x.bak.0.small"),
        (
            "--verbose -L l.txt copy-file x.txt --dst d --times 3 --kind big",
            {},
            "l.txt d.0.big d.1.big d.2.big",
        ),
        ("many x.txt y.txt", {}, "x.seen y.seen none p2 log.txt"),
        ("many x.txt -t a --tag b --force --pair q 4", {}, "x.seen a b forced q5 log.txt"),
        ("sub go", {}, "go.out DFLT-0-True"),
        ("sub go nm --out o2 -lll --unsure", {}, "o2 NM-3-False"),
        ("sub go", {"GO_NAME": "env"}, "go.out ENV-0-True"),
        ("sub go bad", {}, ""),
        ("", {}, ""),
    ],
)
def test_application(tmp_path: Path, line: str, environ: dict[str, str], expected: str) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(APPLICATION))
    for name in ("x.txt", "y.txt"):
        (tmp_path / name).write_text("1")
    found = programs.analyse(tmp_path, "app.py", *line.split(), environ=environ)
    assert not found.opaque
    assert programs.written(found) == set(expected.split())


@pytest.mark.parametrize(("line", "expected"), [("nm", "nm0 nm1"), ("nm --count 3 --out dd/o", "dd/nm0 dd/nm1 dd/nm2")])
def test_single_function(tmp_path: Path, line: str, expected: str) -> None:
    source = """
        from __future__ import annotations
        from pathlib import Path
        import typer

        def main(name: str, out: Path = Path("o.txt"), count: int = typer.Option(2, min=1)):
            for index in range(count):
                out.with_name(f"{name}{index}").write_text("x")

        typer.run(main)
        open("never", "w")
    """
    (tmp_path / "app.py").write_text(textwrap.dedent(source))
    found = programs.analyse(tmp_path, "app.py", *line.split())
    assert not found.opaque
    assert programs.written(found) == set(expected.split())


def test_source_without_main_guard_reaches_its_commands(tmp_path: Path) -> None:
    source = textwrap.dedent(APPLICATION).partition("if __name__")[0]
    (tmp_path / "app.py").write_text(source)
    found = programs.analyse_source(tmp_path, "app.py")
    assert {"go.out", "forced", "log.txt"} <= programs.written(found)
