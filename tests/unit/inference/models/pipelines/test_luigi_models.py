"""Luigi: what a run of tasks reads and writes, by the command line, by the settings files, and from the program itself.

What Luigi really does was looked up by running it; it is not needed to run the tests.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest
from taskgates.inference.engine import Analyser, InferenceOptions
from taskgates.model.access import Operation
from taskgates.model.task import Command
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from taskgates.model.access import AccessSet

TASKS = """
    import luigi
    from luigi.util import inherits, requires

    class Source(luigi.ExternalTask):
        name = luigi.Parameter(default="a")

        def output(self):
            return luigi.LocalTarget(f"in/{self.name}.txt")

    class Clean(luigi.Task):
        name = luigi.Parameter()
        size = luigi.IntParameter(default=3)
        loud = luigi.BoolParameter()

        def requires(self):
            return {"source": Source(self.name)}

        def output(self):
            return luigi.LocalTarget(f"clean/{self.name}-{self.size + 1}.txt")

        def run(self):
            with self.input()["source"].open() as source, self.output().open("w") as out:
                out.write(source.read())
            if self.loud:
                open("loud.txt", "w").close()

    class Report(luigi.Task):
        task_namespace = "reports"

        def requires(self):
            return [Clean("a"), Clean(name="b", size=8)]

        def output(self):
            return luigi.LocalTarget("report.txt")

        def run(self):
            with open(self.output().path, "w") as out:
                for target in self.input():
                    out.write(target.open().read())

    class All(luigi.WrapperTask):
        def requires(self):
            yield Report()
            yield Clean("a")

    @requires(Clean)
    class Count(luigi.Task):
        def output(self):
            return luigi.LocalTarget("count-" + self.name)

        def run(self):
            open(self.output().path, "w").write(str(len(self.input().open().read())))

    class Dynamic(luigi.Task):
        def output(self):
            return luigi.LocalTarget("dynamic.txt")

        def run(self):
            target = yield Clean("b")
            open(self.output().path, "w").close()
"""
FILES = {"tasks.py": TASKS, "in/a.txt": "a", "in/b.txt": "b"}
CLEAN_A = {"clean/a-4.txt", "clean/a-4.txt-luigi-tmp-*"}
CLEAN_B8 = {"clean/b-9.txt", "clean/b-9.txt-luigi-tmp-*"}
CLEAN_B = {"clean/b-4.txt", "clean/b-4.txt-luigi-tmp-*"}


def infer(root: Path, files: Mapping[str, str], command: str) -> AccessSet:
    """Lay out a tree and infer what a command does in it."""
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(content), encoding="utf-8")
    return Analyser(Tree(root), InferenceOptions(environ={})).command(Command(argv=tuple(command.split())))


def read(found: AccessSet) -> set[str]:
    """The paths that are read, a question mark for an unknown one."""
    return {str(access.path or "?") for access in found.reads if access.operation is Operation.READ}


def written(found: AccessSet) -> set[str]:
    """The paths that are written, folders left out."""
    return {str(access.path or "?") for access in found.writes if access.operation is not Operation.MKDIR}


@pytest.mark.parametrize(
    ("words", "reads", "writes"),
    [
        ("Clean --name a", {"in/a.txt"}, CLEAN_A),
        ("Clean --name=a --loud", {"in/a.txt"}, CLEAN_A | {"loud.txt"}),
        ("Clean --name a --size 8", {"in/a.txt"}, {"clean/a-9.txt", "clean/a-9.txt-luigi-tmp-*"}),
        ("Clean --name a --Source-name b", {"in/a.txt"}, CLEAN_A),
        (
            "reports.Report",
            {"in/a.txt", "in/b.txt", "clean/a-4.txt", "clean/b-9.txt"},
            CLEAN_A | CLEAN_B8 | {"report.txt"},
        ),
        ("All", {"in/a.txt", "in/b.txt", "clean/a-4.txt", "clean/b-9.txt"}, CLEAN_A | CLEAN_B8 | {"report.txt"}),
        ("Count --name a", {"in/a.txt", "clean/a-4.txt"}, CLEAN_A | {"count-a"}),
        ("Dynamic", {"in/b.txt"}, CLEAN_B | {"dynamic.txt"}),
    ],
)
def test_a_task_runs_what_it_requires(words: str, reads: set[str], writes: set[str], tmp_path: Path) -> None:
    found = infer(tmp_path, FILES, f"python -m luigi --module tasks {words} --local-scheduler")
    assert [str(opaque.reason) for opaque in found.opaque] == []
    assert read(found) == reads
    assert written(found) == writes


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    found = infer(
        tmp_path,
        {**FILES, "clean/a-4.txt": "a", "clean/b-9.txt": "b"},
        "python -m luigi --module tasks reports.Report --local-scheduler",
    )
    assert written(found) == {"report.txt"}
    found = infer(tmp_path, {"report.txt": ""}, "python -m luigi --module tasks All --local-scheduler")
    assert written(found) == set()


def test_a_task_whose_source_is_missing_does_not_run(tmp_path: Path) -> None:
    found = infer(tmp_path, {"tasks.py": TASKS}, "python -m luigi --module tasks Clean --name a --local-scheduler")
    assert written(found) == set()


def test_settings_files_give_parameters(tmp_path: Path) -> None:
    files = {**FILES, "luigi.cfg": "[Clean]\nname=b\nsize=8\n"}
    found = infer(tmp_path, files, "python -m luigi --module tasks Clean --local-scheduler")
    assert written(found) == CLEAN_B8
    assert read(found) == {"luigi.cfg", "in/b.txt"}


@pytest.mark.parametrize(
    "run",
    [
        "luigi.build([Clean(name='a')], local_scheduler=True)",
        "luigi.run(['Clean', '--name', 'a', '--local-scheduler'])",
        "luigi.run(['--name', 'a', '--local-scheduler'], main_task_cls=Clean)",
    ],
)
def test_programs_that_run_their_tasks(run: str, tmp_path: Path) -> None:
    program = f"import luigi\nfrom tasks import Clean\nif __name__ == '__main__':\n    {run}\n"
    assert written(infer(tmp_path, {**FILES, "main.py": program}, "python main.py")) == CLEAN_A


@pytest.mark.parametrize(
    ("kind", "word", "names"),
    [
        ("Date", "2012-06-05", {"d-2012-06-05"}),
        ("Month", "2012-06", {"d-2012-06-01"}),
        ("DateHour", "2012-06-05T10", {"d-2012-06-05 10:00:00"}),
        ("List", '["x","y"]', {"d-x", "d-y"}),
        ("DateInterval", "2012-06-05-2012-06-07", {"d-2012-06-05", "d-2012-06-06", "i-2012-06-05-2012-06-07"}),
        ("DateInterval", "2012-W23", {f"d-2012-06-{day:02}" for day in range(4, 11)} | {"i-2012-W23"}),
    ],
)
def test_kinds_of_parameters(kind: str, word: str, names: set[str], tmp_path: Path) -> None:
    program = f"""
        import luigi
        class Each(luigi.Task):
            value = luigi.{kind}Parameter()
            def run(self):
                several = {kind in ("List", "DateInterval")}
                for item in self.value if several else [self.value]:
                    open(f"d-{{item}}", "w").close()
                if {kind == "DateInterval"}:
                    open(f"i-{{self.value}}", "w").close()
    """
    found = infer(tmp_path, {"tasks.py": program}, f"luigi --module tasks Each --value {word} --local-scheduler")
    assert written(found) == names
