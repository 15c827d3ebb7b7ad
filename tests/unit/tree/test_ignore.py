"""Ignore rules, held against git itself where git is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from taskgates.tree.ignore import IgnoreRules
from taskgates.tree.tree import Tree

FILES = [
    "a.txt",
    "b.log",
    "keep.log",
    "d/a.txt",
    "d/b.log",
    "d/e/a.txt",
    "d/e/keep.log",
    "build/x.o",
    "d/build/y.o",
    "f/build",
]
ODD = ["w/a b", "w/a-b", "w/[x]", "w/t ", "w/!n", "w/#h", "w/A1"]


def populate(root: Path, files: list[str]) -> None:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def by_git(root: Path) -> list[str]:
    command = ["git", "-c", "core.excludesFile=", "ls-files", "-z", "--others", "--exclude-standard"]
    out = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout
    return sorted(out.decode().split("\0")[:-1])


def test_nested_files_exclude_file_and_configured_patterns(tmp_path: Path) -> None:
    populate(tmp_path, FILES)
    (tmp_path / ".gitignore").write_bytes(b"\xef\xbb\xbf*.log\r\nbuild/\r\n!keep.log\r\n[z-a\r\n!\r\n")
    (tmp_path / "d/.gitignore").write_text("!b.log\n/e\n")
    populate(tmp_path, [".git/info/exclude"])
    (tmp_path / ".git/info/exclude").write_text("a.txt\n")
    assert list(Tree(tmp_path).walk()) == [".gitignore", "d/.gitignore", "d/b.log", "f/build", "keep.log"]
    assert list(Tree(tmp_path, exclude=["/d", "*.log"]).walk()) == [".gitignore", "f/build"]


def test_environments_and_own_folders_are_left_out(tmp_path: Path) -> None:
    populate(
        tmp_path,
        [
            "main.py",
            ".venv/pyvenv.cfg",
            ".venv/lib/x.py",
            "env39/pyvenv.cfg",
            "env39/y.py",
            ".taskgates/cache/c.db",
            ".git/HEAD",
        ],
    )
    populate(tmp_path, ["sub/.git"])
    assert list(Tree(tmp_path).walk()) == ["main.py"]


def test_a_root_that_is_an_environment_is_still_walked(tmp_path: Path) -> None:
    populate(tmp_path, ["pyvenv.cfg", "main.py"])
    assert list(Tree(tmp_path).walk()) == ["main.py", "pyvenv.cfg"]


@pytest.mark.filterwarnings("error")
@given(st.text(alphabet="a*?[]!^-\\/# :\0\r\té", max_size=9), st.booleans())
def test_no_line_is_too_odd(line: str, folder: bool) -> None:
    rules = IgnoreRules.parse("d", [line, "*.log"])
    assert rules.verdict("d/x.log", folder=folder) is True
    assert rules.verdict("d/e/[a", folder=folder) in (True, False, None)


def test_folders_are_brought_back_and_entered(tmp_path: Path) -> None:
    populate(tmp_path, ["a/x.txt", "a/b/x.py", "x.py", "y.txt", "v/c/d/keep", "v/c/d/x", "v/c/x"])
    (tmp_path / "a/.gitignore").write_text("*\n!*/\n!*.py\n")
    (tmp_path / ".gitignore").write_text("/v/**\n!/v/c\n!/v/c/d/\n!keep\n.gitignore\n")
    assert list(Tree(tmp_path).walk()) == ["a/b/x.py", "v/c/d/keep", "x.py", "y.txt"]


# Left out is what git and pathspec read differently and hardly anybody writes: classes such as `[[:upper:]]`, three
# stars for a whole segment, a slash inside brackets (or inside what a later bracket closes), and `?` for a letter of
# several bytes, of which git counts the bytes and pathspec the letter.
SEGMENT = st.sampled_from(
    [
        "a.txt",
        "*.log",
        "keep.log",
        "build",
        "d",
        "e",
        "*",
        "**",
        "[ab].*",
        "?.txt",
        "f",
        "[a-c]*",
        "[!a]*",
        "[]]",
        "\\[x]",
        "[[]x]",
        "\\!n",
        "!n",
        "#h",
        "\\#h",
        "**b",
        "?",
        "[z-a]",
        "a\\",
        "w",
        "[a-]*",
        "[\\[]*",
        "a?b",
        "t\\ ",
        "t ",
        "a b",
    ]
)
PATTERN = st.builds(
    lambda negated, rooted, parts, folder: f"{negated}{rooted}{'/'.join(parts)}{folder}",
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "/"]),
    st.lists(SEGMENT, min_size=1, max_size=3),
    st.sampled_from(["", "/"]),
)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outer=st.lists(PATTERN, max_size=4), inner=st.lists(PATTERN, max_size=3))
def test_the_same_files_as_git(tmp_path_factory: pytest.TempPathFactory, outer: list[str], inner: list[str]) -> None:
    root = tmp_path_factory.mktemp("repo")
    populate(root, FILES + ODD)
    subprocess.run(["git", "init", "-q", "--template="], cwd=root, check=True)
    (root / ".gitignore").write_text("\n".join(outer))
    (root / "d/.gitignore").write_text("\n".join(inner))
    assert list(Tree(root).walk()) == by_git(root)
