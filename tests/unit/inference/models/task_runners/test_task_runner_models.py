"""Task runners: which tasks a command line runs, in which order, with which arguments, and what these do.

What the runners really do with these files was looked up by running them; they are not needed to run the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.models.pipelines.runs import infer, read, written

if TYPE_CHECKING:
    from pathlib import Path

# Invoke

INVOKE = """
    from invoke import Collection, call, task

    @task
    def first(c):
        c.run("touch first.txt")

    @task(pre=[first], post=[call(first)], optional=["log"])
    def make(c, source, target="t.txt", wide=False, level=1, log=None):
        with c.cd("in"):
            c.run(f"cp {source} ../{target}")
        if wide:
            c.run("touch wide.txt")
        if level == 3:
            c.run(f"touch {c.names.extra}")

    inner = Collection("inner", make)
    ns = Collection(first, inner)
    ns.configure({"names": {"extra": "extra.txt"}})
"""


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("invoke first", {"first.txt"}),
        ("inv inner.make a.txt", {"first.txt", "t.txt"}),
        ("inv inner.make --source a.txt -t u.txt --wide", {"first.txt", "u.txt", "wide.txt"}),
        ("inv inner.make a.txt --level=3 first", {"first.txt", "t.txt", "extra.txt"}),
        ("python -m invoke -c tasks first", {"first.txt"}),
        ("inv --list", set()),
        ("inv --dry first", set()),
    ],
)
def test_invoke_runs_tasks_with_their_arguments(tmp_path: Path, command: str, expected: set[str]) -> None:
    found = infer(tmp_path, {"tasks.py": INVOKE, "in/a.txt": ""}, command)
    assert written(found) == expected
    assert found.complete


def test_invoke_takes_settings_of_the_project(tmp_path: Path) -> None:
    files = {
        "tasks.py": """
            from invoke import task
            @task
            def go(c):
                for name in c.go.names:
                    c.run("touch " + name)
        """,
        "invoke.yaml": "go:\n  names: [a, b]\n",
    }
    found = infer(tmp_path, files, "invoke go")
    assert read(found) == {"invoke.yaml"}
    assert written(found) == {"a", "b"}


def test_tasks_on_other_machines_are_opaque(tmp_path: Path) -> None:
    files = {"fabfile.py": 'from fabric import task\n@task\ndef up(c):\n    c.run("touch x")\n'}
    assert written(infer(tmp_path, files, "fab up")) == {"x"}
    assert not infer(tmp_path, files, "fab -H host up").complete


# Nox

NOX = """
    import nox

    nox.options.sessions = ["one"]
    nox.options.default_venv_backend = "none"

    @nox.session
    def one(session):
        session.run("cp", "in.txt", "one.txt", external=True)
        session.notify("tagged")

    @nox.session(tags=["t"])
    def tagged(session):
        with session.chdir("sub"):
            session.run("touch", *(session.posargs or ["tagged.txt"]))

    @nox.session(python=False)
    @nox.parametrize("lang", ["de", nox.param("en", id="English")])
    def site(session, lang):
        session.run("touch", lang)

    @nox.session(venv_backend="virtualenv")
    def apart(session):
        session.install("-r", "req.txt")
        session.run("python", "-c", "open('apart.txt', 'w')")
"""


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("nox", {"one.txt", "sub/tagged.txt"}),
        ("nox -t t -- x.txt", {"sub/x.txt"}),
        ("nox -s site", {"de", "en"}),
        ("nox -s 'site(English)'", {"en"}),
        ("nox -s \"site(lang='de')\"", {"de"}),
        ("nox -l", set()),
    ],
)
def test_nox_runs_sessions(tmp_path: Path, command: str, expected: set[str]) -> None:
    found = infer(tmp_path, {"noxfile.py": NOX, "in.txt": "", "sub/.keep": ""}, command)
    assert written(found) == expected
    assert "noxfile.py" in read(found)


def test_nox_makes_environments(tmp_path: Path) -> None:
    found = infer(tmp_path, {"noxfile.py": NOX, "req.txt": ""}, "nox -s apart")
    assert written(found, ".nox/") == {"apart.txt"}
    assert ".nox/apart/**" in written(found)
    assert {"req.txt", ".nox/apart/pyvenv.cfg"} <= read(found)


# tox

TOX = """
    [tox]
    env_list = gen-{small,big}
    no_package = true

    [names]
    folder = data

    [testenv]
    skip_install = true
    change_dir = {[names]folder}
    set_env =
        small: SIZE = 1
        big: SIZE = 2
    commands =
        sh -c "cat in.txt > {env:SIZE}.txt"
        big: cp in.txt {toxinidir}/{posargs:big.txt}
"""


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("tox -e gen-small", {"data/1.txt"}),
        ("tox -e gen-big -- x.txt", {"data/2.txt", "x.txt"}),
        ("tox", {"data/1.txt", "data/2.txt", "big.txt"}),
        ("tox -l", set()),
    ],
)
def test_tox_follows_factors_and_substitutions(tmp_path: Path, command: str, expected: set[str]) -> None:
    found = infer(tmp_path, {"tox.ini": TOX, "data/in.txt": ""}, command)
    assert written(found, ".tox/") == expected
    assert found.complete


def test_tox_in_toml(tmp_path: Path) -> None:
    text = """
        no_package = true
        env_list = ["a"]
        [env_run_base]
        commands = [["touch", { replace = "posargs", default = ["d.txt"], extend = true }]]
        [env.a]
        set_env.NAME = "n"
        commands_pre = [["sh", "-c", "touch $NAME"]]
    """
    assert written(infer(tmp_path, {"tox.toml": text}, "tox -- p.txt"), ".tox/") == {"n", "p.txt"}


def test_the_package_that_tox_builds_is_opaque(tmp_path: Path) -> None:
    assert not infer(tmp_path, {"tox.ini": "[testenv]\ncommands = touch x\n", "setup.py": ""}, "tox -e py").complete


# just and Task

JUST = """
    import "more.just"
    lang := "en"
    out := "site" / lang + ".txt"
    export MODE := if lang == "de" { "d" } else { "e" }

    default: (render lang)

    render which *rest: before && after
        #!/bin/sh
        cat {{which}}.txt > {{out}}

    before:
        @touch $MODE
        -rm gone.txt

    after:
        touch {{ replace(out, "txt", "done") }}
"""


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("just", {"e", "gone.txt", "site/en.txt", "site/en.done"}),
        ("just lang=de", {"d", "gone.txt", "site/de.txt", "site/de.done"}),
        ("just more x.txt", {"x.txt"}),
        ("just --list", set()),
    ],
)
def test_just_runs_recipes(tmp_path: Path, command: str, expected: set[str]) -> None:
    files = {"justfile": JUST, "more.just": "more name:\n    touch {{name}}\n", "en.txt": "", "de.txt": "",
             "gone.txt": ""}  # fmt: skip
    found = infer(tmp_path, files, command)
    assert written(found) == expected
    assert {"justfile", "more.just"} <= read(found)


def test_a_recipe_is_placed_in_its_file(tmp_path: Path) -> None:
    found = infer(tmp_path, {"justfile": "one:\n    true\n    touch x\n"}, "just one")
    (access,) = (access for access in found.writes if access.path == "x")
    assert [(site.file, site.line) for site in access.sites] == [("justfile", 3)]


def test_taskfile(tmp_path: Path) -> None:
    files = {
        "Taskfile.yml": """
            version: "3"
            vars: {OUT: out, NAME: small}
            includes: {docs: ./docs}
            tasks:
              default:
                deps: [prepare, docs:html]
                cmds:
                  - cp in.txt {{.OUT}}/{{.NAME}}.txt
                  - for: [a, b]
                    cmd: touch {{.ITEM | upper}}
                  - task: prepare
                    vars: {FILE: "{{.NAME}}.done"}
                  - defer: touch last
              prepare: touch {{.FILE | default "first"}}
        """,
        "docs/Taskfile.yml": "tasks:\n  html:\n    dir: docs\n    cmds: [touch html]\n",
        "in.txt": "",
    }
    expected = {"first", "docs/html", "out/big.txt", "A", "B", "big.done", "last"}
    assert written(infer(tmp_path, files, "task NAME=big")) == expected


# Scripts of projects, hooks


@pytest.mark.parametrize(
    ("command", "table", "expected"),
    [
        ("pdm run go x", 'tool.pdm.scripts.go = "touch"', {".pdm-python", "x"}),
        ("pdm run go", 'tool.pdm.scripts.go = {composite = ["touch a", "touch b"]}', {".pdm-python", "a", "b"}),
        ("poetry run touch x", 'project.name = "p"', {"x"}),
        ("hatch run go", 'tool.hatch.envs.default.scripts.go = ["touch a", "touch {args:b}"]', {"a", "b"}),
        ("hatch run e:go c", 'tool.hatch.envs.e.scripts.go = "touch {args:b}"', {"c"}),
        ("poe go", 'tool.poe.tasks.go = {shell = "touch $N", env = {N = "n"}}', {"n"}),
        ("poe go --to=z", 'tool.poe.tasks.go = {cmd = "touch ${to}", args = ["to"]}', {"z"}),
        ("uv run --no-sync touch x", "", {"x"}),
        ("rye run go", 'tool.rye.scripts.go = {chain = ["one"]}\ntool.rye.scripts.one = "touch x"', {"x"}),
    ],
)
def test_scripts_of_projects(tmp_path: Path, command: str, table: str, expected: set[str]) -> None:
    found = infer(tmp_path, {"pyproject.toml": table}, command)
    assert written(found) == expected
    assert found.complete


def test_what_changes_an_environment_is_opaque(tmp_path: Path) -> None:
    assert not infer(tmp_path, {"pyproject.toml": ""}, "uv sync").complete
    assert not infer(tmp_path, {"pyproject.toml": ""}, "poetry install").complete


def test_hooks_of_the_repository(tmp_path: Path) -> None:
    settings = """
        exclude: ^vendor/
        repos:
          - repo: local
            hooks:
              - {id: fix, entry: sed -i s/a/b/, language: system, types: [yaml]}
              - {id: all, entry: touch all.txt, language: system, pass_filenames: false, always_run: true}
          - repo: https://example.org/hooks
            hooks: [{id: other}]
    """
    files = {".pre-commit-config.yaml": settings, "a.yml": "", "vendor/b.yml": "", "c.txt": ""}
    found = infer(tmp_path, files, "pre-commit run --all-files fix")
    assert written(found) == {".pre-commit-config.yaml", "a.yml"}
    assert found.complete
    found = infer(tmp_path, files, "pre-commit run --all-files")
    assert {"a.yml", "all.txt"} <= written(found)
    assert not found.complete


def test_git_add_reads_what_is_not_ignored(tmp_path: Path) -> None:
    files = {".gitignore": "*.log\n", "a.txt": "", "b.log": "", ".git/config": ""}
    found = infer(tmp_path, files, "git add .")
    assert {path for path in read(found) if not path.startswith(".git/")} == {".gitignore", "a.txt"}


def test_a_script_of_the_project_comes_before_a_well_known_program(tmp_path: Path) -> None:
    files = {"pyproject.toml": '[project.scripts]\ntask = "own:main"\n', "own.py": "def main():\n    open('x', 'w')\n"}
    assert written(infer(tmp_path, files, "task")) == {"x"}
