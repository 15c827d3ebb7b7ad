"""What the README and the manual show is what the program prints.

A block of the form

    <!-- run in fixtures/repositories/demo -->
    ```console
    $ taskgates scan | tail -n 3
    ...
    ```

is run in a scratch copy of that folder. A `python` block with such a mark is executed, and what it prints is the `text`
block behind it. With TASKGATES_UPDATE_TRANSCRIPTS=1 in the environment the blocks are rewritten
instead of compared.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from taskgates.cli import cli
from taskgates.config import load_config
from taskgates.manifests import load_tasks
from taskgates.model.finding import Severity
from taskgates.tree.tree import Tree

PROJECT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(<!-- run in (?P<folder>\S+) -->\s*```console\n)(?P<body>.*?)(?=^```$)", re.DOTALL | re.MULTILINE)
PROGRAM = re.compile(
    r"<!-- run in (?P<folder>\S+) -->\s*```python\n(?P<code>.*?)^```\n\s*```text\n(?P<printed>.*?)(?=^```$)",
    re.DOTALL | re.MULTILINE,
)
VOLATILE = re.compile(
    r"\d{8}T\d{6}-[0-9a-f]+|\d+\.\d+ s\b|process \d+ on [^,\s]+|since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d|"
    r"(?<=\"seconds\": )[\d.]+"
)
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]


def blocks(kind: re.Pattern[str]) -> list[tuple[Path, int]]:
    """Every page with the number of each of its blocks."""
    return [(page, number) for page in PAGES for number, _ in enumerate(kind.finditer(page.read_text("utf-8")))]


def transcript(body: str, folder: str, scratch: Path) -> str:
    """Run the block's commands one after another, and write down what a person would see."""
    place = copied(folder, scratch)
    seen = [
        f"$ {command}\n{run(['bash', '-c', command], place)}"
        for command in re.findall(r"^\$ (.*)$", body, re.MULTILINE)
    ]
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in seen)


def copied(folder: str, scratch: Path) -> Path:
    place = scratch / "copy"
    shutil.copytree(PROJECT / folder, place, ignore=shutil.ignore_patterns(".taskgates", "__pycache__"))
    return place


def run(command: list[str], place: Path) -> str:
    """What a command prints on either stream, in an environment that is the same everywhere."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "PYTHONUTF8": "1",
        "LC_ALL": "C.UTF-8",
    }
    environment.pop("FORCE_COLOR", None)
    done = subprocess.run(
        command,
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout


def compare_or_rewrite(page: Path, block: re.Match[str], group: str, printed: str) -> None:
    if os.environ.get("TASKGATES_UPDATE_TRANSCRIPTS"):
        if steady(block[group]) == steady(printed):
            return
        text = page.read_text("utf-8")
        page.write_text(text[: block.start(group)] + printed + text[block.end(group) :], encoding="utf-8")
    else:
        assert steady(block[group]) == steady(printed)


def steady(printed: str) -> str:
    """Without what no two runs have in common: times, process numbers, names of runs and machines."""
    return VOLATILE.sub("...", printed)


@pytest.mark.parametrize(("page", "number"), blocks(BLOCK), ids=lambda value: getattr(value, "name", value))
def test_transcripts(page: Path, number: int, tmp_path: Path) -> None:
    block = list(BLOCK.finditer(page.read_text("utf-8")))[number]
    compare_or_rewrite(page, block, "body", transcript(block["body"], block["folder"], tmp_path))


@pytest.mark.parametrize(("page", "number"), blocks(PROGRAM), ids=lambda value: getattr(value, "name", value))
def test_python_examples(page: Path, number: int, tmp_path: Path) -> None:
    block = list(PROGRAM.finditer(page.read_text("utf-8")))[number]
    printed = run([sys.executable, "-c", block["code"]], copied(block["folder"], tmp_path))
    assert "Traceback" not in printed
    compare_or_rewrite(page, block, "printed", printed)


def test_commands_of_the_manual_exist() -> None:
    """No page speaks of a command or option that the program does not have."""
    context = click.Context(cli)
    commands = {name: command for name in cli.list_commands(context) if (command := cli.get_command(context, name))}
    for page in PAGES:
        for name, rest in re.findall(
            r"\btaskgates (?!is\b)([a-z]+)((?: [^\n`|]+)?)", _code_of(page.read_text("utf-8"))
        ):
            assert name in commands, f"{page.name}: taskgates {name}"
            known = {option for parameter in commands[name].params for option in parameter.opts}
            ours = rest.partition(" -- ")[0]
            for option in re.findall(r"(?<![\w-])--[a-z-]+", ours):
                assert option in known | {"--help", "--version"}, f"{page.name}: taskgates {name} {option}"


def _code_of(markdown: str) -> str:
    """The text of code blocks and inline code, one piece a line."""
    fenced = re.findall(r"^ *```(?:console|yaml|sh|bash)\n(.*?)^ *```$", markdown, re.DOTALL | re.MULTILINE)
    shown = [
        line
        for block in fenced
        for line in block.splitlines()
        if line.lstrip().startswith("$ ") or re.search(r"(?:run|entry): taskgates|- taskgates ", line)
    ]
    prose = re.sub(r"^ *```.*?^ *```$", "", markdown, flags=re.DOTALL | re.MULTILINE)
    return "\n".join([*shown, *re.findall(r"`([^`\n]+)`", prose)])


def test_the_example_of_the_settings_is_accepted(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (PROJECT / "docs" / "configuration.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "pyproject.toml").write_text(example, encoding="utf-8")
    (tmp_path / "tools" / "effects").mkdir(parents=True)
    (tmp_path / "tools" / "effects" / "acme.toml").touch()
    config = load_config(tmp_path)
    assert config.inference.seconds == 120
    assert config.scan.fail_on is Severity.WARNING


def test_the_example_of_a_task_is_read_without_complaint(tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (PROJECT / "docs" / "manifests.md").read_text("utf-8"), re.DOTALL)
    tasks = tmp_path / ".claude" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "task-110_1.json").write_text(example, encoding="utf-8")
    loaded = load_tasks(Tree(tmp_path))
    assert [task.id for task in loaded.tasks] == ["110_1"]
    assert loaded.problems == ()
