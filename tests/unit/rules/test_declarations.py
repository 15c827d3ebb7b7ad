"""TG7xx against access sets made by hand."""

from __future__ import annotations

from typing import Any

import pytest
from taskgates.model.access import Access, AccessSet, Certainty, Opaque, Operation
from taskgates.model.finding import Severity


def summary(findings: Any) -> Any:
    return [(each.rule, each.severity.value, each.tasks, each.path) for each in findings]


# ---- TG701 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "written", "severity"),
    [
        ([], "out/a.txt", "error"),
        (["out/b.txt"], "out/a.txt", "error"),
        (["out/"], "out/a.txt", None),
        (["out/"], "out/deep/er/a.txt", None),
        (["out"], "out/a.txt", None),
        (["out/*.txt"], "out/a.txt", None),
        (["out/*.txt"], "out/deep/a.txt", "error"),
        (["out/**/*.txt"], "out/deep/a.txt", None),
        (["out/*.txt"], "out/*.txt", None),
        (["out/"], "out/*.txt", None),
        (["out/a.txt"], "out/*.txt", "warning"),
        (["out/a.csv"], "out/*.txt", "error"),
        (["output/"], "out/a.txt", "error"),
        (["out/a.txt"], "/var/tmp/a.txt", "warning"),
        (["out/a.txt"], "~/.cache/a.txt", "warning"),
        (["./out//a.txt"], "out/a.txt", None),
    ],
)
def test_a_write_needs_a_declaration_that_covers_it(bench: Any, declared: Any, written: Any, severity: Any) -> None:
    bench.task("1", bench.access(written), files_affected=declared)
    expected = [] if severity is None else [("TG701", severity, ("1",), written)]
    assert summary(bench.find("TG701")) == expected


@pytest.mark.parametrize("operation", ["create", "overwrite", "append", "update", "delete", "rename"])
def test_every_change_of_a_file_counts(bench: Any, operation: Any) -> None:
    bench.task("1", bench.access("a.txt", operation))
    assert [each.path for each in bench.find("TG701")] == ["a.txt"]


def test_folders_and_existence_tests_do_not_count(bench: Any) -> None:
    bench.task("1", bench.access("out", "mkdir"), bench.access("a.txt", "stat"))
    assert bench.find("TG701", "TG702") == []


def test_the_finding_points_at_the_code_and_links_the_declaration(bench: Any) -> None:
    via = (("main.py", 30, "main"), ("steps.py", 12, "run"))
    bench.task("1", bench.access("a.txt", file="io.py", line=7, function="save", via=via), files_affected=["b.txt"])
    (finding,) = bench.find("TG701")
    assert (finding.span.file, finding.span.line) == ("io.py", 7)
    assert finding.related[0].span.file == ".claude/tasks/task-1.json"
    assert "](1)" in finding.message
    assert [(step.span.file, step.span.line) for step in finding.flow] == [
        ("main.py", 30),
        ("steps.py", 12),
        ("io.py", 7),
    ]
    assert finding.fixable


def test_an_access_in_an_installed_package_is_shown_at_its_caller(bench: Any) -> None:
    via = (("main.py", 30, "main"), ("/usr/lib/python3/x.py", 12, "run"))
    bench.task("1", bench.access("a.txt", file="/usr/lib/python3/x.py", line=99, via=via))
    (finding,) = bench.find("TG701")
    assert (finding.span.file, finding.span.line) == ("main.py", 30)


def test_one_path_is_reported_once_for_a_task_and_for_each_task(bench: Any) -> None:
    for task_id in ("1", "2"):
        bench.task(task_id, bench.access("a.txt", line=3), bench.access("a.txt", "append", line=9))
    findings = bench.find("TG701")
    assert [each.tasks for each in findings] == [("1",), ("2",)]
    assert [place.span.line for place in findings[0].related[1:]] == [9]
    assert len({each.fingerprint for each in findings}) == 2


def test_a_temporary_file_that_gets_its_name_at_the_end_is_no_output(bench: Any) -> None:
    made = bench.access("out/tmp*.tmp", "create", call="tempfile.NamedTemporaryFile")
    bench.task(
        "1", made, bench.access("out/tmp*.tmp", "rename"), bench.access("out/a.txt"), files_affected=["out/a.txt"]
    )
    assert bench.find("TG701") == []
    bench.task("1", made, files_affected=["out/a.txt"])
    assert [each.path for each in bench.find("TG701")] == ["out/tmp*.tmp"]
    bench.task("1", bench.access("out/a.tmp", "create"), bench.access("out/a.tmp", "rename"))
    assert [each.path for each in bench.find("TG701")] == ["out/a.tmp"]


def test_what_belongs_to_dvc_needs_no_declaration_and_its_parameters_are_used(bench: Any) -> None:
    for name in ("a.py", "b.py"):
        bench.file(name)
    bench.file("params.yaml", "n: 1\nm: 2\n")
    bench.file(
        "dvc.yaml",
        "stages:\n  a:\n    cmd: python a.py ${n}\n    params: [n]\n    outs: [a.txt]\n"
        "  b:\n    cmd: python b.py\n    params: [m]\n    outs: [b.txt]\n",
    )
    private = (bench.access(".dvc/config", "read"), bench.access(".dvc/tmp/btime", "create"))
    bench.access_sets["a"] = bench.access_set(bench.access("a.txt"), *private)
    bench.access_sets["b"] = bench.access_set(bench.access("b.txt"), *private)
    assert [(each.rule, each.tasks, each.path) for each in bench.find("TG7")] == [("TG703", ("b",), "params.yaml")]


def test_unknown_paths_are_left_to_tg706(bench: Any) -> None:
    bench.task("1", bench.access(None))
    assert summary(bench.find("TG7")) == [("TG706", "note", ("1",), None)]


def test_a_task_without_code_is_not_judged_by_it(bench: Any) -> None:
    bench.task("1", files_affected=["a.txt"])
    assert bench.find("TG7") == []


# ---- TG702 ----------------------------------------------------------------------------------------------------------


def test_an_undeclared_read_is_a_note_unless_somebody_writes_the_file(bench: Any) -> None:
    bench.task("1", bench.access("in.txt", "read"))
    assert summary(bench.find("TG702")) == [("TG702", "note", ("1",), "in.txt")]
    bench.task("2", files_affected=["in.txt"])
    assert summary(bench.find("TG702")) == [("TG702", "warning", ("1",), "in.txt")]


def test_a_format_with_declared_inputs_wants_all_of_them(bench: Any) -> None:
    bench.task("1", bench.access("in.txt", "read"), bench.access("ok.txt", "read"), inputs=["ok.txt"])
    assert summary(bench.find("TG702")) == [("TG702", "warning", ("1",), "in.txt")]


def test_what_a_task_writes_itself_it_may_read(bench: Any) -> None:
    bench.task("1", bench.access("tmp/*.part", "create"), bench.access("tmp/a.part", "read"))
    assert bench.find("TG702") == []


def test_listing_a_folder_is_covered_by_something_below_it(bench: Any) -> None:
    bench.task("1", bench.access("data", "list"), files_affected=["data/*.csv"])
    assert bench.find("TG702") == []
    bench.task("2", bench.access("data", "list"), files_affected=["database/*.csv"])
    assert [each.tasks for each in bench.find("TG702")] == [("2",)]


# ---- TG703, TG704, TG705 --------------------------------------------------------------------------------------------


def test_only_complete_code_proves_that_a_declaration_is_unused(bench: Any) -> None:
    bench.file("b.txt")
    bench.task("1", bench.access("a.txt"), files_affected=["a.txt", "b.txt"])
    assert [each.path for each in bench.find("TG703")] == ["b.txt"]
    bench.task("1", bench.access("a.txt"), bench.access(None), files_affected=["a.txt", "b.txt"])
    assert bench.find("TG703") == []


def test_sources_and_imports_are_used(bench: Any) -> None:
    code = bench.access_set(bench.access("a.txt"), imports=("lib/helper.py",))
    bench.task("1", code=code, command="python tools/job.sh", files_affected=["a.txt", "lib/", "tools/job.sh", "x.py"])
    assert bench.find("TG703") == []


def test_edits_of_a_task_without_a_program_of_its_own_are_never_unused(bench: Any) -> None:
    bench.file("job.py")
    bench.task("1", files_affected=["job.py", "README.md"])
    bench.access_sets["1"] = bench.access_set(bench.access("a.txt"))
    assert bench.find("TG703") == []


def test_a_declared_output_that_is_never_written_is_unused_even_when_read(bench: Any) -> None:
    bench.task("1", bench.access("out.txt", "read"), outputs=["out.txt"], inputs=[])
    assert [each.path for each in bench.find("TG703")] == ["out.txt"]


def test_missing_files(bench: Any) -> None:
    bench.file("there.txt")
    bench.file("folder/x.txt")
    bench.task("1", bench.access("made.txt"), inputs=["there.txt", "gone.txt", "made.txt", "folder/", "folder/*.csv"])
    assert [each.path for each in bench.find("TG704")] == ["gone.txt", "folder/*.csv"]


def test_a_finished_task_is_expected_to_have_made_its_files(bench: Any) -> None:
    bench.file("there.txt")
    bench.task("1", status="Finished", files_affected=["there.txt", "gone.txt"])
    assert bench.find("TG704") == []
    assert [each.path for each in bench.find("TG704", include_finished=True)] == ["gone.txt"]
    bench.task("2", status="Pending", files_affected=["gone.txt"])
    assert bench.find("TG704", include_finished=True) == []


def test_a_folder_of_which_everything_may_be_touched_is_not_too_broad(bench: Any) -> None:
    bench.file("data/a.txt")
    bench.file("data/b.txt")
    bench.task("1", bench.access("data/*.txt", "read"), files_affected=["data/"])
    assert bench.find("TG705") == []
    bench.file("data/deep/c.csv")
    (finding,) = bench.find("TG705")
    assert "`data/*.txt`" in finding.message
    assert "`data/deep/c.csv`" in finding.message


# ---- TG706 ----------------------------------------------------------------------------------------------------------


def test_an_opaque_place_is_reported_once_with_all_tasks(bench: Any) -> None:
    code = AccessSet(complete=False, opaque=(Opaque("exec of unknown text", (bench.site(line=8, call="exec"),)),))
    bench.task("1", code=code)
    bench.task("2", code=code)
    (finding,) = bench.find("TG706")
    assert finding.tasks == ("1", "2")
    assert (finding.span.file, finding.span.line) == ("job.py", 8)
    assert "exec of unknown text" in finding.message


def test_opacity_without_a_place_is_reported_at_the_task(bench: Any) -> None:
    bench.task("1", code=AccessSet(complete=False, opaque=(Opaque("the time ran out"),)))
    (finding,) = bench.find("TG706")
    assert finding.span.file == ".claude/tasks/task-1.json"
    assert finding.severity is Severity.NOTE


def test_a_source_that_is_not_there(bench: Any) -> None:
    bench.file("there.py")
    bench.task("1", source=["there.py", "gone.py", "there:main", "made.py"])
    bench.task("2", files_affected=["made.py"])
    assert [each.path for each in bench.find("TG704")] == ["gone.py"]


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("python gone.py --fast", ["gone.py"]),
        (["python3.12", "tools/gone.py", "x"], ["tools/gone.py"]),
        ("bash ./gone.sh", ["gone.sh"]),
        ("/usr/bin/python there.py", []),
        ("python made.py", []),
        ("python -m gone", []),
        ("python $SCRIPT.py", []),
        ("cd tools && python gone.py", []),
        ("python /opt/gone.py", []),
        ("python 'gone.py", []),
        ("python", []),
    ],
)
def test_a_command_whose_script_is_not_there(bench: Any, command: Any, missing: list[str]) -> None:
    bench.file("there.py")
    bench.task("1", command=command)
    bench.task("2", files_affected=["made.py"])
    assert [each.path for each in bench.find("TG704")] == missing


def test_a_path_with_wildcard_characters_is_shown_as_it_is(bench: Any) -> None:
    strange = Access("out/a[1].txt", Certainty.EXACT, False, Operation.OVERWRITE, (bench.site(),))
    bench.task("1", strange, files_affected=["out/b.txt"])
    (finding,) = bench.find("TG701")
    assert finding.path == "out/a[1].txt"
    assert "`out/a[1].txt`" in finding.message
