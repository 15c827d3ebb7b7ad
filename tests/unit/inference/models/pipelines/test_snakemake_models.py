"""Snakemake: the jobs that make the wanted files, and what they do.

What Snakemake really does with these files was looked up by running it; it is not needed to run the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from taskgates.inference.models.pipelines.snakemake_program import parsed_line
from taskgates.inference.models.pipelines.snakemake_texts import (
    Marks,
    apply_wildcards,
    wildcard_expression,
    wildcard_names,
)
from taskgates.inference.text import Hole, Text
from unit.inference.models.pipelines.runs import infer, read, written

if TYPE_CHECKING:
    from pathlib import Path

STATE = ".snakemake/"

COPY = """
configfile: "config.yaml"
rule all:
    input: expand("out/{s}.txt", s=config["samples"])
rule copy:
    input: "data/{s}.txt"
    output: "out/{s}.txt"
    log: "logs/{s}.log"
    benchmark: "bench/{s}.tsv"
    shell: "cat {input} > {output} 2> {log}"
"""
FILES = {"Snakefile": COPY, "config.yaml": "samples: [a, b]\n", "data/a.txt": "", "data/b.txt": ""}


@pytest.mark.parametrize("command", ["snakemake --cores 1", "snakemake -c1 all", "python -m snakemake -j 2"])
def test_the_jobs_of_the_wanted_files_run(tmp_path: Path, command: str) -> None:
    found = infer(tmp_path, FILES, command)
    assert read(found) == {"Snakefile", "config.yaml", "data/a.txt", "data/b.txt"}
    assert written(found, STATE) == {
        f"{folder}/{name}.{end}" for name in "ab" for folder, end in (("out", "txt"), ("logs", "log"), ("bench", "tsv"))
    }
    assert found.complete


def test_records_of_snakemake_itself(tmp_path: Path) -> None:
    found = infer(tmp_path, FILES, "snakemake --cores 1 out/a.txt")
    assert {path for path in written(found) if path.startswith(STATE)} == {
        ".snakemake/incomplete/b3V0L2EudHh0",
        ".snakemake/metadata/b3V0L2EudHh0",
        ".snakemake/locks/0.input.lock",
        ".snakemake/locks/0.output.lock",
        ".snakemake/log/*.snakemake.log",
    }


def test_the_place_of_a_job_is_its_rule(tmp_path: Path) -> None:
    found = infer(tmp_path, FILES, "snakemake --cores 1 out/a.txt")
    (access,) = (access for access in found.writes if access.path == "out/a.txt")
    assert {(site.file, site.line) for site in access.sites} == {("Snakefile", 5)}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("snakemake --cores 1 out/b.txt", {"out/b.txt"}),
        ("snakemake -n", set()),
        ("snakemake --cores 1 --config samples=[b]", {"out/b.txt"}),
        ("snakemake --cores 1 --configfile other.yaml", {"out/c.txt"}),
        ("snakemake --cores 1 --configfile other.yaml --config samples=[a]", {"out/a.txt"}),
        ("snakemake -s sub/flow.smk --cores 1 -d sub", {"sub/out/x.txt"}),
        ("snakemake --lint", set()),
    ],
)
def test_what_the_command_line_asks_for(tmp_path: Path, command: str, expected: set[str]) -> None:
    files = {
        **FILES,
        "other.yaml": "samples: [c]\n",
        "data/c.txt": "",
        "sub/flow.smk": """
            rule all:
                input: "out/x.txt"
            rule x:
                output: "out/x.txt"
                shell: "touch {output}"
            """,
    }
    assert written(infer(tmp_path, files, command), STATE, "sub/.snakemake", "logs", "bench") == expected


def one_rule(tmp_path: Path, body: str, *, target: str = "out.txt", files: dict[str, str] | None = None) -> set[str]:
    """What a job of one rule writes beside Snakemake's own files."""
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    found = infer(
        tmp_path, {"Snakefile": f"rule one:\n{lines}\n", "in.txt": "", **(files or {})}, f"snakemake -c1 {target}"
    )
    return written(found, STATE)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            'output: "out.txt"\nparams: n=3, names=["a", "b"]\nshell: "touch {output} {params.n} {params.names}"',
            {"3", "a", "b"},
        ),
        ('input: x="in.txt"\noutput: "out.txt"\nshell: "cp {input.x} {output[0]}; cp {input[0]} copy"', {"copy"}),
        ('output: "out.txt"\nthreads: 8\nshell: "touch {output} t{threads} {rule} {{x}}"', {"t1", "one", "{x}"}),
        ('output: touch("out.txt")', set()),
        ('output: "out.txt", b="b.txt"\nrun:\n    for each in output:\n        open(each, "w").close()', {"b.txt"}),
        ('output: "out.txt"\nrun:\n    name = "made"\n    shell("touch {output} {name}")', {"made"}),
        (
            'output: directory("out.txt")\nshell: "mkdir {output}; touch {output}/x"',
            {"out.txt/x", "out.txt/.snakemake_timestamp"},
        ),
        ('output: multiext("out", ".txt", ".b")\nshell: "touch {output}"', {"out.b"}),
        (
            'output: temp("out.txt")\nresources: m=lambda wc, attempt: 2\nshell: "touch {output} {resources.m}"',
            {"2"},
        ),
        ('output: "out.txt"\nlog: out="o.log", err="e.log"\nshell: "touch {output} > {log.out}"', {"o.log", "e.log"}),
        ('input: "in.txt"\noutput: "out.txt"\nwrapper: "v1/bio/tool"', set()),
    ],
)
def test_what_a_job_does(tmp_path: Path, body: str, expected: set[str]) -> None:
    assert one_rule(tmp_path, body) - {"out.txt"} == expected


def test_a_script_gets_the_object_of_its_job(tmp_path: Path) -> None:
    files = {
        "workflow/Snakefile": """
            rule all:
                input: "out/x.txt"
            rule make:
                input: a="in.txt", b=["in.txt", "more.txt"]
                output: "out/{name}.txt"
                params: extra="e", table={"k": "v"}
                script: "scripts/make.py"
            """,
        "workflow/scripts/make.py": """
            import helper
            with open(snakemake.output[0], "w") as out:
                for name in snakemake.input.b:
                    out.write(open(name).read())
            helper.touch(snakemake.wildcards.name + snakemake.params.extra + snakemake.params["table"]["k"])
            assert len(snakemake.input) == 3
            """,
        "workflow/scripts/helper.py": "def touch(name): open(name, 'w').close()\n",
        "in.txt": "",
        "more.txt": "",
    }
    found = infer(tmp_path, files, "snakemake -c1")
    assert written(found, STATE) == {"out/x.txt", "xev"}
    assert read(found) == {
        "workflow/Snakefile", "workflow/scripts/make.py", "in.txt", "more.txt", ".snakemake/scripts/*.make.py",
    }  # fmt: skip
    assert found.complete


def test_other_languages_are_opaque_and_their_rule_speaks_for_them(tmp_path: Path) -> None:
    files = {
        "Snakefile": 'rule r:\n    input: "in.txt"\n    output: "out.txt"\n    script: "plot.R"\n',
        "plot.R": "",
        "in.txt": "",
    }
    found = infer(tmp_path, files, "snakemake -c1")
    assert written(found, STATE) == {"out.txt"}
    assert "in.txt" in read(found)
    assert [(item.reason, item.sites[0].line) for item in found.opaque] == [
        ("the script plot.R of the rule r is not Python's", 1)
    ]


def test_input_functions_names_and_other_rules(tmp_path: Path) -> None:
    files = {
        "Snakefile": """
            include: "rules/more.smk"
            def parts(wildcards):
                return {"one": "data/{w.s}.1".format(w=wildcards), "two": [f"data/{wildcards['s']}.2"]}
            rule join:
                input: unpack(parts), more=lambda wildcards: third(wildcards)
                output: "{s}.joined"
                shell: "cat {input.one} {input.two} {input.more} > {output}"
            rule named:
                output: a="a.txt", b="b.txt"
                shell: "touch {output.a} {output.b}"
            rule all:
                default_target: True
                input: expand(rules.join.output, s=["x"]), rules.named.output.b
            """,
        "rules/more.smk": "def third(wildcards):\n    return f'data/{wildcards.s}.3'\n",
        "data/x.1": "", "data/x.2": "", "data/x.3": "",
    }  # fmt: skip
    found = infer(tmp_path, files, "snakemake -c1")
    assert written(found, STATE) == {"x.joined", "a.txt", "b.txt"}
    assert read(found) >= {"rules/more.smk", "data/x.1", "data/x.2", "data/x.3"}


def test_checkpoints_and_what_they_make(tmp_path: Path) -> None:
    files = {
        "Snakefile": """
            import os
            rule all:
                input: "all.txt"
            checkpoint split:
                input: "in.txt"
                output: directory("parts")
                shell: "mkdir {output}; for i in 1 2; do head $i {input} > {output}/$i.part; done"
            rule work:
                input: "parts/{i}.part"
                output: "done/{i}.txt"
                shell: "cp {input} {output}"
            def collected(wildcards):
                folder = checkpoints.split.get(**wildcards).output[0]
                return expand("done/{i}.txt", i=glob_wildcards(os.path.join(folder, "{i}.part")).i)
            rule collect:
                input: collected
                output: "all.txt"
                shell: "cat {input} > {output}"
            """,
        "in.txt": "",
    }
    found = infer(tmp_path, files, "snakemake -c1")
    assert written(found, STATE) == {
        "parts/1.part", "parts/2.part", "parts/.snakemake_timestamp", "done/1.txt", "done/2.txt", "all.txt",
    }  # fmt: skip


def test_modules_rules_used_again_and_the_order_of_rules(tmp_path: Path) -> None:
    files = {
        "Snakefile": """
            module other:
                snakefile: "other/Snakefile"
                config: {"n": "cfg"}
                prefix: "sub"
            rule all:
                input: "sub/cfg.txt", "again.txt", "x.special", "y.special"
            use rule * from other as other_*
            rule base:
                output: "base.txt"
                params: v="old"
                shell: "touch {output} {params.v}"
            use rule base as again with:
                output: "again.txt"
                params: v="new"
            ruleorder: special > general
            rule general:
                output: "{name}.special"
                shell: "touch {output} general-{wildcards.name}"
            rule special:
                output: "x.special"
                shell: "touch {output} special"
            """,
        "other/Snakefile": 'rule made:\n    output: config["n"] + ".txt"\n    shell: "touch {output}"\n',
    }
    found = infer(tmp_path, files, "snakemake -c1")
    assert written(found, STATE) == {
        "sub/cfg.txt", "again.txt", "new", "x.special", "special", "y.special", "general-y",
    }  # fmt: skip


def test_unknown_names_are_patterns(tmp_path: Path) -> None:
    files = {
        "Snakefile": """
            import json
            NAMES = json.load(open("made.json"))
            rule all:
                input: expand("out/{n}.txt", n=NAMES)
            rule one:
                input: "in/{n}.txt"
                output: "out/{n}.txt"
                shell: "cp {input} {output}"
            """,
        "made.json": "[" + "1," * 40_000 + "2]",
        "in/a.txt": "",
    }
    found = infer(tmp_path, files, "snakemake -c1")
    assert "out/*.txt" in written(found)
    assert "in/*.txt" in read(found)


def test_the_workflow_knows_its_own_place(tmp_path: Path) -> None:
    snakefile = """
        from os.path import dirname, join
        rule a:
            input: join(workflow.basedir, "in.txt"), join(dirname(workflow.snakefile), "more.txt")
            output: "a.txt"
            shell: "cat {input} > {output}"
        """
    files = {"workflow/Snakefile": snakefile, "workflow/in.txt": "", "workflow/more.txt": ""}
    assert read(infer(tmp_path, files, "snakemake -c1")) == {
        "workflow/Snakefile",
        "workflow/in.txt",
        "workflow/more.txt",
    }


def test_output_that_is_there(tmp_path: Path) -> None:
    found = infer(tmp_path, {**FILES, "out/a.txt": ""}, "snakemake -c1")
    certain = {str(access.path) for access in found.writes if not access.conditional}
    assert "out/a.txt" not in certain
    assert "out/b.txt" in certain
    made = {"Snakefile": 'rule a:\n    output: "a.txt"\n    shell: "touch {output}"\n', "a.txt": ""}
    assert written(infer(tmp_path / "other", made, "snakemake -c1 a.txt"), STATE) == set()


def test_a_dry_run_reads_scripts_and_makes_nothing(tmp_path: Path) -> None:
    files = {"Snakefile": 'rule a:\n    output: "a.txt"\n    script: "a.py"\n', "a.py": "open('x', 'w')\n"}
    found = infer(tmp_path, files, "snakemake -n")
    assert read(found) == {"Snakefile", "a.py"}
    assert written(found) == {".snakemake/iocache/latest.pkl"}


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    assert not infer(tmp_path, {}, "snakemake -c1").complete
    rule = 'rule a:\n    input: "gone.txt"\n    output: "a.txt"\n    shell: "touch a.txt"\n'
    found = infer(tmp_path, {"Snakefile": rule}, "snakemake -c1")
    assert any("no rule makes gone.txt" in item.reason for item in found.opaque)
    found = infer(tmp_path, {"Snakefile": 'include: "none.smk"\n' + rule}, "snakemake -c1")
    assert any("none.smk" in item.reason for item in found.opaque)
    broken = infer(tmp_path, {"Snakefile": "rule a:\n    input: (\n"}, "snakemake -c1")
    assert any("Snakefile cannot be parsed" in item.reason for item in broken.opaque)


@pytest.mark.parametrize(
    ("words", "options", "targets"),
    [
        ("-c1 all", {"cores": ["1"]}, ["all"]),
        ("--cores all x y", {"cores": ["all"]}, ["x", "y"]),
        ("-np --cores x", {"dry-run": [], "printshellcmds": [], "cores": []}, ["x"]),
        ("x --config a=1 b=2 -j4", {"config": ["a=1", "b=2"], "jobs": ["4"]}, ["x"]),
        ("--configfile=a.yaml --snakefile=s x", {"configfile": ["a.yaml"], "snakefile": ["s"]}, ["x"]),
        ("--until a b -- c", {"until": ["a", "b"]}, ["c"]),
    ],
)
def test_command_lines_are_taken_apart(words: str, options: dict[str, list[str]], targets: list[str]) -> None:
    line = parsed_line(words.split())
    assert line.options == options
    assert line.targets == targets


def test_wildcards() -> None:
    assert wildcard_names("a/{x}/{y,[a-z]{2}}-{x}") == ["x", "y"]
    expression = wildcard_expression("a/{x}/{y,[a-z]{2}}-{x}.t", {"x": r"\d+"})
    assert expression is not None
    found = expression.fullmatch("a/1/ab-1.t")
    assert found is not None
    assert found.groupdict() == {"x": "1", "y": "ab"}
    assert expression.fullmatch("a/1/ab-2.t") is None
    assert wildcard_expression("{x,(}") is None
    assert apply_wildcards("{x}/{y,.*}/{z}", {"x": "1", "y": "2"}) == "1/2/{z}"


def test_unknown_pieces_are_kept_apart_from_text() -> None:
    marks = Marks()
    text = Text(("a/", Hole("data", False), ".txt"))
    plain = marks.encode(text)
    assert plain == marks.encode(text)
    assert marks.decode(plain) == text
    expression = wildcard_expression("a/{n,[0-9]+}.txt")
    assert expression is not None
    assert expression.fullmatch(plain) is not None


CHAIN = """
rule all:
    input: "c.txt"
rule a:
    output: "a.txt"
    shell: "touch {output}"
rule b:
    input: "a.txt"
    output: "b.txt"
    shell: "cp {input} {output}"
rule c:
    input: "b.txt"
    output: "c.txt"
    shell: "cp {input} {output}"
"""


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ("--until b", {"a.txt", "b.txt"}),
        ("--until a.txt", {"a.txt"}),
        ("--omit-from c", {"a.txt", "b.txt"}),
        ("--omit-from b", {"a.txt"}),
        ("--until b --omit-from b.txt", {"a.txt"}),
        ("--touch", set()),
    ],
)
def test_some_of_the_jobs_run(tmp_path: Path, options: str, made: set[str]) -> None:
    assert written(infer(tmp_path, {"Snakefile": CHAIN}, f"snakemake -c1 {options}"), STATE) == made


def test_records_of_earlier_runs_are_read(tmp_path: Path) -> None:
    record = ".snakemake/metadata/YS50eHQ="
    found = infer(tmp_path, {"Snakefile": CHAIN, record: "{}"}, "snakemake -c1 a.txt")
    assert read(found) == {"Snakefile", record}


def test_a_snakefile_may_be_called_like_python(tmp_path: Path) -> None:
    found = infer(tmp_path, {"Snakefile.py": CHAIN}, "snakemake -s Snakefile.py -c1 a.txt")
    assert written(found, STATE) == {"a.txt"}
    assert {site.line for access in found.writes if str(access.path) == "a.txt" for site in access.sites} <= {4, 6}
    broken = infer(tmp_path / "other", {"m.py": "rule of thumb:\n"}, "python m.py")
    assert any("cannot be parsed" in item.reason for item in broken.opaque)


def test_a_target_may_be_one_of_many_that_are_not_known(tmp_path: Path) -> None:
    rules = """
    from datetime import datetime
    YEARS = range(2000, datetime.now().year)
    rule get:
        output: expand("raw/{year}.zip", year=YEARS)
        shell: "touch {output}"
    """
    found = infer(tmp_path, {"Snakefile": rules}, "snakemake -c1 raw/2005.zip")
    assert "raw/*.zip" in written(found, STATE)
    other = infer(tmp_path, {"Snakefile": rules}, "snakemake -c1 raw/2005.tar")
    assert any("no rule makes raw/2005.tar" in item.reason for item in other.opaque)
