"""What doit and Snakemake have kept of earlier runs decides what runs again; and names that workflows look up.

The records have the form that the programs themselves give them; what then happens was looked up by running them.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

import pytest
from unit.inference.models.pipelines.runs import infer, read, written

if TYPE_CHECKING:
    from pathlib import Path

STATE = ".snakemake/"

TASKS = """
    from doit.tools import config_changed, run_once
    DOIT_CONFIG = {"backend": "json"}
    def task_make():
        return {"actions": ["cp in.txt out.txt"], "file_dep": ["in.txt"], "targets": ["out.txt"]}
    def task_configured():
        return {"actions": ["touch configured.txt"], "uptodate": [config_changed("v1")]}
    def task_once():
        return {"actions": ["touch once.txt"], "uptodate": [run_once]}
    def number():
        return {"n": 1}
    def task_source():
        return {"actions": [number], "uptodate": [True]}
    def task_taker():
        return {"actions": [(lambda n: open("taken.txt", "w").write(str(n)))], "getargs": {"n": ("source", "n")}}
"""


def _entry(content: str, deps: str = "in.txt") -> dict[str, object]:
    digest = hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
    return {"_values_:": {}, "checker:": "MD5Checker", deps: [1.5, len(content), digest], "deps:": [deps]}


def _database(**changes: dict[str, object]) -> str:
    entries: dict[str, dict[str, object]] = {
        "make": _entry("text"),
        "configured": {"_values_:": {"_config_changed": "v1"}, "checker:": "MD5Checker", "deps:": []},
        "once": {"_values_:": {"run-once": True}, "checker:": "MD5Checker", "deps:": []},
        "source": {"_values_:": {"n": 1}, "result:": {"n": 1}, "checker:": "MD5Checker", "deps:": []},
        "taker": {"_values_:": {"_result:source": {"n": 1}}, "checker:": "MD5Checker", "deps:": []},
    }
    return json.dumps({**entries, **changes})


@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({}, set()),
        ({"make": _entry("other text")}, {"out.txt"}),
        ({"make": _entry("text", "old.txt")}, {"out.txt"}),
        ({"configured": {"_values_:": {"_config_changed": "v0"}}}, {"configured.txt"}),
        ({"once": {"_values_:": {}}}, {"once.txt"}),
        ({"taker": {"_values_:": {"_result:source": {"n": 2}}}}, {"taken.txt"}),
    ],
)
def test_tasks_run_again_where_something_has_changed(
    tmp_path: Path, changes: dict[str, dict[str, object]], made: set[str]
) -> None:
    files = {"dodo.py": TASKS, "in.txt": "text", "out.txt": "", ".doit.db": _database(**changes)}
    found = infer(tmp_path, files, "doit")
    assert written(found, ".doit.db") == made
    assert ("in.txt" in read(found)) == ("out.txt" in made)
    assert found.complete


def test_a_task_without_its_target_runs(tmp_path: Path) -> None:
    found = infer(tmp_path, {"dodo.py": TASKS, "in.txt": "text", ".doit.db": _database()}, "doit make")
    assert written(found, ".doit.db") == {"out.txt"}


def test_the_database_of_two_files_is_read_and_kept(tmp_path: Path) -> None:
    value = json.dumps(_entry("text"))
    files = {
        "dodo.py": TASKS.replace('"json"', '"dbm"'),
        "in.txt": "text",
        "out.txt": "",
        ".doit.db.dir": f"'make', (0, {len(value)})\n",
        ".doit.db.dat": value,
    }
    found = infer(tmp_path, files, "doit make")
    assert written(found) == set()
    files["in.txt"] = "changed"
    again = infer(tmp_path, files, "doit make")
    assert written(again) == {"out.txt", ".doit.db.dat", ".doit.db.dir", ".doit.db.bak"}


def test_a_group_that_is_described_late_has_no_earlier_members(tmp_path: Path) -> None:
    tasks = """
        def task_group():
            for name in "ab":
                yield {"name": name, "actions": [f"touch {name}.txt"]}
            yield {"name": None, "task_dep": ["group:b"]}
    """
    assert written(infer(tmp_path, {"dodo.py": tasks}, "doit group"), ".doit.db") == {"b.txt"}


RULES = """
rule all:
    input: "end.txt"
rule first:
    input: "in.txt"
    output: temp("mid.txt")
    shell: "cp {input} {output}"
rule last:
    input: "mid.txt"
    output: "end.txt"
    params: n=3
    shell: "cp {input} {output}"
"""


def _record(name: str, content: str, code: str = "cp {input} {output}", **more: object) -> str:
    digest = hashlib.sha256(content.encode()).hexdigest()
    known = {"input": [name], "params": [], "code": code, "record_format_version": 6}
    return json.dumps({**known, "input_checksums": {name: f"sha256:{digest}"}, **more})


def _place(name: str) -> str:
    return f"{STATE}metadata/{urlsafe_b64encode(name.encode()).decode()}"


def _made(found: set[str]) -> set[str]:
    return {path for path in found if not path.startswith(STATE)}


KEPT = {"Snakefile": RULES, "in.txt": "text", "mid.txt": "text", "end.txt": "text"}


@pytest.mark.parametrize(
    ("options", "first", "made"),
    [
        ("", _record("in.txt", "text"), set()),
        ("-R last", _record("in.txt", "text"), {"end.txt", "mid.txt"}),
        ("-f end.txt", _record("in.txt", "text"), {"end.txt", "mid.txt"}),
        ("", _record("in.txt", "text", "cat {input} > {output}"), {"mid.txt", "end.txt"}),
    ],
)
def test_jobs_run_again_where_something_has_changed(tmp_path: Path, options: str, first: str, made: set[str]) -> None:
    last = _record("mid.txt", "text", params=["3"])
    files = {**KEPT, _place("mid.txt"): first, _place("end.txt"): last}
    found = infer(tmp_path, files, f"snakemake -c1 {options}")
    assert _made(written(found)) == made
    assert (f"{STATE}locks/0.output.lock" in written(found)) == bool(made)
    assert {_place("mid.txt"), _place("end.txt")} <= read(found)


def test_what_is_temporary_is_not_made_again_for_nothing(tmp_path: Path) -> None:
    files = {**KEPT, _place("end.txt"): _record("mid.txt", "text", params=["3"])}
    del files["mid.txt"]
    assert _made(written(infer(tmp_path, files, "snakemake -c1"))) == set()
    assert _made(written(infer(tmp_path, files, "snakemake -c1 -R last"))) == {"mid.txt", "end.txt"}


def test_without_records_it_is_open_what_runs(tmp_path: Path) -> None:
    found = infer(tmp_path, KEPT, "snakemake -c1")
    conditional = {str(access.path) for access in found.writes if access.conditional}
    assert {"mid.txt", "end.txt"} <= conditional


def test_a_run_block_that_has_changed(tmp_path: Path) -> None:
    rules = """
        rule all:
            input: "end.txt"
        rule last:
            input: "in.txt"
            output: "end.txt"
            run:
                with open(output[0], "w") as file:
                    file.write("x")
    """
    code = 'with open(output[0], "w") as file:\n    file.write("x")\n'
    files = {"Snakefile": rules, "in.txt": "text", "end.txt": "x"}
    same = infer(tmp_path, {**files, _place("end.txt"): _record("in.txt", "text", code)}, "snakemake -c1")
    assert _made(written(same)) == set()
    other = infer(tmp_path, {**files, _place("end.txt"): _record("in.txt", "text", "pass\n")}, "snakemake -c1")
    assert _made(written(other)) == {"end.txt"}


def test_of_several_outputs_the_one_with_the_shortest_wildcards_counts(tmp_path: Path) -> None:
    rules = """
        rule one:
            input: "data/{x}.txt"
            output: plain="out/{x}.txt", scores="out/{x}.scores.txt"
            shell: "cp {input} {output.plain}; cp {input} {output.scores}"
    """
    found = infer(tmp_path, {"Snakefile": rules, "data/a.txt": ""}, "snakemake -c1 out/a.scores.txt")
    assert _made(written(found)) == {"out/a.txt", "out/a.scores.txt"}
    assert found.complete


def test_what_rules_look_up(tmp_path: Path) -> None:
    rules = """
        import pandas as pd
        configfile: "c.yaml"
        samples = pd.read_csv("s.csv")
        rule all:
            input: collect("out/{item.sample}.txt", item=lookup(query="kind == 'k'", within=samples))
        rule one:
            input:
                lookup("paths/{sample}", within=config),
                x=branch(lookup(query="sample == '{sample}'", within=samples, cols="kind"), then="data/t.txt"),
            output: "out/{sample}.txt"
            params: folder=subpath(output[0], parent=True), other=input.x
            shell: "cat {input} > {output}; cp {params.other} {params.folder}/copy.txt"
    """
    files = {
        "Snakefile": rules,
        "c.yaml": "paths: {a: data/1.txt, b: data/2.txt}\n",
        "s.csv": "sample,kind\na,k\nb,k\nc,z\n",
        **{f"data/{name}.txt": "" for name in "12t"},
    }
    found = infer(tmp_path, files, "snakemake -c1")
    assert _made(written(found)) == {"out/a.txt", "out/b.txt", "out/copy.txt"}
    assert {"data/1.txt", "data/2.txt", "data/t.txt"} <= read(found)
    assert found.complete


def test_names_that_stand_for_parts_of_paths(tmp_path: Path) -> None:
    rules = """
        configfile: "c.yaml"
        pathvars:
            out="<results>/final",
            each="{sample}/x"
        rule all:
            input: "<out>/a/x.txt", "<logs>/done.txt"
        rule one:
            input: "data/{sample}.txt"
            output: "<out>/<each>.txt"
            pathvars: logs="own"
            log: "<logs>/{sample}.log"
            shell: "cp {input} {output}"
        rule two:
            output: "<logs>/done.txt"
            shell: "touch {output}"
    """
    files = {"Snakefile": rules, "c.yaml": "pathvars: {logs: LOGS}\n", "data/a.txt": ""}
    found = infer(tmp_path, files, "snakemake -c1")
    assert _made(written(found)) == {"results/final/a/x.txt", "own/a.log", "LOGS/done.txt"}
    assert found.complete


def test_what_a_task_worked_out_earlier_is_given_to_those_that_need_it(tmp_path: Path) -> None:
    tasks = """
        DOIT_CONFIG = {"backend": "json"}
        def found():
            return {"file_dep": ["b.txt"]}
        def task_find():
            return {"actions": [found], "file_dep": ["in.txt"]}
        def task_join():
            return {"actions": ["cat in.txt b.txt > out.txt"], "file_dep": ["in.txt"], "targets": ["out.txt"],
                    "calc_dep": ["find"]}
    """
    entry = {**_entry("text"), "b.txt": _entry("more", "b.txt")["b.txt"], "deps:": ["in.txt", "b.txt"]}
    kept = json.dumps({"find": {**_entry("text"), "_values_:": {"file_dep": ["b.txt"]}}, "join": entry})
    files = {"dodo.py": tasks, "in.txt": "text", "b.txt": "more", "out.txt": "", ".doit.db": kept}
    assert written(infer(tmp_path, files, "doit"), ".doit.db") == set()
    assert written(infer(tmp_path, {"b.txt": "other"}, "doit"), ".doit.db") == {"out.txt"}


@pytest.mark.parametrize(
    ("command", "changed"), [("doit list", False), ("doit clean", False), ("doit forget make", True), ("doit", True)]
)
def test_the_database_changes_with_what_is_kept(tmp_path: Path, command: str, changed: bool) -> None:
    tasks = """
        DOIT_CONFIG = {"backend": "sqlite3", "dep_file": "kept.db"}
        def task_make():
            return {"actions": ["touch out.txt"]}
    """
    (tmp_path / "kept.db").touch()
    found = infer(tmp_path, {"dodo.py": tasks}, command)
    assert ("kept.db" in written(found)) is changed


def test_a_rule_that_only_marks_files_runs_no_more(tmp_path: Path) -> None:
    rules = """
        rule mark:
            input: "in.txt"
            output: touch("done")
    """
    files = {"Snakefile": rules, "in.txt": "text", "done": "", _place("done"): _record("in.txt", "text", "")}
    assert _made(written(infer(tmp_path, files, "snakemake -c1"))) == set()


def test_an_order_of_rules_decides_which_one_makes_a_file(tmp_path: Path) -> None:
    rules = """
        rule low:
            output: "{x}.txt"
            shell: "cp low.dat {output}"
        rule high:
            output: "{x}.txt"
            shell: "cp high.dat {output}"
        ruleorder: high > low
    """
    assert "high.dat" in read(infer(tmp_path, {"Snakefile": rules}, "snakemake -c1 a.txt"))


def test_words_of_the_command_line_stand_above_its_configuration_files(tmp_path: Path) -> None:
    rules = """
        rule make:
            output: config["inner"]["name"] + config["ending"]
            shell: "touch {output}"
    """
    files = {"Snakefile": rules, "c.yaml": "inner: {name: a, other: 1}\nending: .txt\n"}
    found = infer(tmp_path, files, "snakemake -c1 --configfile c.yaml --config ending=.csv")
    assert _made(written(found)) == {"a.csv"}
    assert found.complete


def test_an_unknown_program_may_put_more_into_the_folder_that_it_is_told(tmp_path: Path) -> None:
    rules = """
        rule index:
            input: "in.fa"
            output: "index/Genome"
            shell: "tool --genomeDir index --ref {input}"
    """
    found = infer(tmp_path, {"Snakefile": rules, "in.fa": ""}, "snakemake -c1")
    assert _made(written(found)) == {"index/Genome", "index/**"}
    assert not found.complete
