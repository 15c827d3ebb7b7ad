"""Click programs: the analyser must find exactly the files that a real run creates."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest
from unit.inference.models.command_lines import command_line_programs as programs

if TYPE_CHECKING:
    from pathlib import Path

PARAMETERS = """
    import functools
    from pathlib import Path
    import click

    def common(f):
        @click.option("--out", default="o", envvar=["MY_OUT", "OTHER_OUT"])
        @click.option("-q/-l", "--quiet/--loud", default=True)
        @functools.wraps(f)
        def wrapper(*args, **kwargs):
            return f(*args, **kwargs)
        return wrapper

    _shared = [click.option("--one", type=int, default=3), click.option("--two", default=lambda: "zwei")]

    def shared(f):
        for decorator in reversed(_shared):
            f = decorator(f)
        return f

    class Listed(click.ParamType):
        name = "listed"
        def convert(self, value, param, ctx):
            if not value:
                self.fail("empty", param, ctx)
            return value if isinstance(value, list) else value.split(",")

    def shout(ctx, param, value):
        if "bad" in value:
            raise click.BadParameter("no")
        return value.upper() + param.name

    @click.group(context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "APP"})
    @click.option("--debug/--no-debug", default=False)
    @click.version_option("1.0")
    @click.pass_context
    def cli(ctx, debug):
        ctx.obj = {"root": "r"}
        if debug:
            open("debug.log", "w").close()

    @cli.command()
    @common
    @click.argument("names", nargs=-1)
    def first(names, out, quiet):
        for name in names:
            Path(f"{out}-{name}.txt").write_text("x")
        if not quiet:
            open("loud.txt", "w")

    @cli.command("second-one")
    @shared
    @click.option("--fmt", type=click.Choice(["json", "yaml"], case_sensitive=False), default="json")
    @click.option("--pair", nargs=2, type=(str, int), multiple=True)
    @click.option("-v", "--verbose", count=True)
    @click.option("--color", is_flag=False, flag_value="auto", default="never")
    @click.pass_obj
    def second(obj, one, two, fmt, pair, verbose, color):
        open(f"{obj['root']}-{one}-{two}-{color}.{fmt}", "w")
        for name, number in pair:
            open(f"{name}{number + 1}", "w")
        for index in range(verbose):
            open(f"v{index}", "w")

    @cli.command()
    @click.option("--items", type=Listed(), default="p,q")
    @click.option("--upper", "mode", flag_value="upper", default="upper")
    @click.option("--lower", "mode", flag_value="lower")
    @click.argument("word", callback=shout)
    def third(items, mode, word):
        for item in items:
            open(f"{item}.{mode}.{word}", "w")

    @cli.command()
    @click.argument("target", type=click.File("w"), default="-")
    @click.option("--where", type=click.Path(path_type=Path, file_okay=False), default=Path("w"))
    @click.pass_context
    def fourth(ctx, target, where):
        target.write("x")
        where.mkdir(exist_ok=True)
        (where / "x.txt").write_text("s")
        ctx.invoke(second, one=7)
        ctx.forward(fifth, extra="forwarded")
        ctx.exit(0)
        open("never", "w")

    @cli.command()
    @click.option("--extra", default="five")
    @click.option("--where")
    @click.argument("target", required=False)
    def fifth(extra, where, target):
        open(extra, "w")

    if __name__ == "__main__":
        cli()
        open("never", "w")
"""

GROUPS = """
    import click
    from click.testing import CliRunner

    class Store:
        def __init__(self, root="store"):
            self.root = root

    pass_store = click.make_pass_decorator(Store, ensure=True)

    class Abbreviating(click.Group):
        def get_command(self, ctx, name):
            found = click.Group.get_command(self, ctx, name)
            if found is not None:
                return found
            matches = [other for other in self.list_commands(ctx) if other.startswith(name)]
            if len(matches) != 1:
                return None
            return super().get_command(ctx, matches[0])

    class Logged(click.Command):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.params.insert(0, click.Option(("--log",), default="base.log"))

        def invoke(self, ctx):
            open(ctx.params.pop("log"), "w").close()
            return super().invoke(ctx)

    @click.group(cls=Abbreviating, invoke_without_command=True)
    @click.pass_context
    def main(ctx):
        if ctx.invoked_subcommand is None:
            open("alone", "w")
        ctx.call_on_close(lambda: open("closed", "w"))

    @main.command(cls=Logged)
    @click.option("--target", "-t", multiple=True, default=["t1", "t2"])
    @pass_store
    def build(store, target):
        for name in target:
            open(f"{store.root}-{name}", "w")

    @main.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    @click.pass_context
    def through(ctx):
        for word in ctx.args:
            open("arg" + word, "w")

    @main.group(chain=True)
    def pipe():
        pass

    @pipe.result_callback()
    def collect(results):
        for name in results:
            open(name, "w")

    @pipe.command("one")
    @click.option("-n", default=1)
    def pipe_one(n):
        return f"one-{n}"

    @pipe.command("two")
    @click.argument("x")
    def pipe_two(x):
        return f"two-{x}"

    @main.command()
    def testing():
        result = CliRunner().invoke(through, ["a", "b"])
        if result.exit_code == 0:
            open("ok", "w")
        through.main(["-c"], standalone_mode=False)
        open("after", "w")

    if __name__ == "__main__":
        main(obj=None)
"""

SETTINGS = """
    import enum
    from pathlib import Path
    import click

    class Mode(str, enum.Enum):
        A = "a"
        B = "b"

    DEFAULTS = {"one": {"level": 4, "names": ["m1", "m2"]}, "inner": {"deep": {"value": "mapped"}}}

    @click.group(context_settings={"default_map": DEFAULTS})
    @click.option("--base", default="base")
    @click.pass_context
    def cli(ctx, base):
        pass

    @cli.command()
    @click.option("--level", type=int, default=1)
    @click.option("--names", multiple=True)
    @click.option("--out-file", "-o", "outfile", default=Path("of"))
    @click.option("--mode", type=click.Choice([m.value for m in Mode]), default="a", callback=lambda c, p, v: Mode(v))
    @click.argument("pair", nargs=2)
    @click.pass_context
    def one(ctx, level, names, outfile, mode, pair):
        open(f"{ctx.parent.params['base']}-{level}-{mode.name}", "w")
        for name in names:
            open(name, "w")
        open(str(outfile), "w")
        open("_".join(pair), "w")
        open(ctx.info_name + ctx.command.name + ctx.find_root().params["base"], "w")

    @cli.group("inner")
    @click.pass_context
    def group(ctx):
        ctx.obj = ctx.parent.params

    @group.command("deep")
    @click.option("--value", default="unmapped")
    @click.argument("files", nargs=-1, envvar="FILES", type=click.Path(path_type=Path))
    @click.pass_obj
    def deep(obj, value, files):
        open(value, "w")
        with click.progressbar(files, label="x") as bar:
            for path in bar:
                path.with_suffix(".done").write_text(obj["base"])
        with click.progressbar(length=2) as bar:
            for index in range(2):
                bar.update(1)
                open(f"p{index}", "w")
        with click.open_file("opened", "w") as handle:
            click.echo("x", file=handle)

    @cli.command()
    @click.option("--name", prompt="Your name", default="nobody")
    def ask(name):
        open("asked" + name, "w")

    if __name__ == "__main__":
        try:
            cli(standalone_mode=False)
        except click.ClickException as error:
            error.show()
            open("error", "w")
        except click.Abort:
            open("abort", "w")
        open("end", "w")
"""

CASES = [
    (PARAMETERS, "first a b", {}),
    (PARAMETERS, "--debug first --out q --loud a", {}),
    (PARAMETERS, "first a", {"OTHER_OUT": "env"}),
    (PARAMETERS, "first a", {"APP_DEBUG": "1"}),
    (PARAMETERS, "second-one", {}),
    (PARAMETERS, "second-one --one 5 --fmt YAML --pair a 1 --pair b 2 -vvv --two=d --color", {}),
    (PARAMETERS, "second-one --color=always", {"APP_SECOND_ONE_ONE": "9"}),
    (PARAMETERS, "third w", {}),
    (PARAMETERS, "third --items x,y,z --lower w", {}),
    (PARAMETERS, "third bad", {}),
    (PARAMETERS, "fourth", {}),
    (PARAMETERS, "fourth out.txt --where ww", {}),
    (PARAMETERS, "--version first a", {}),
    (PARAMETERS, "first --help", {}),
    (PARAMETERS, "", {}),
    (GROUPS, "", {}),
    (GROUPS, "build", {}),
    (GROUPS, "bui -t q --log l", {}),
    (GROUPS, "through --a b -c", {}),
    (GROUPS, "pipe one -n 3 two k one", {}),
    (GROUPS, "testing", {}),
    (SETTINGS, "one a b", {}),
    (SETTINGS, "--base q one a b --level 9 --names z -o o2 --mode b", {}),
    (SETTINGS, "inner deep f1 f2", {}),
    (SETTINGS, "inner deep --value v", {"FILES": "e1 e2"}),
    (SETTINGS, "ask --name n", {}),
]


@pytest.mark.parametrize(("source", "line", "environ"), CASES, ids=[f"{case[1]} {case[2] or ''}" for case in CASES])
def test_files_written(tmp_path: Path, source: str, line: str, environ: dict[str, str]) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(source))
    found = programs.analyse(tmp_path, "app.py", *line.split(), environ=environ)
    assert not found.opaque
    expected = programs.really_written(tmp_path, "app.py", *line.split(), environ=environ)
    assert programs.written(found) == expected


def test_usage_errors_take_the_handler_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(SETTINGS))
    found = programs.analyse(tmp_path, "app.py", "one", "a")
    assert [reason.reason for reason in found.opaque] == [
        "the command line does not parse: Argument 'pair' takes 2 values."
    ]
    assert programs.written(found) == programs.really_written(tmp_path, "app.py", "one", "a") == {"error", "end"}


def test_unknown_subcommand_is_reported(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(PARAMETERS))
    found = programs.analyse(tmp_path, "app.py", "missing")
    assert [reason.reason for reason in found.opaque] == ["the command line does not parse: no such command missing"]
    assert not programs.written(found)


def test_unknown_command_line_reaches_every_subcommand(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(GROUPS))
    found = programs.analyse_source(tmp_path, "app.py")
    assert {"alone", "closed", "store-t1", "ok", "one-*", "arg**"} <= programs.written(found)
    assert all(access.conditional for access in found.writes if str(access.path) == "store-t1")
