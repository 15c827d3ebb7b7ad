"""What git's files tell of a checkout, against git itself."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from taskgates.reporting.provenance import Provenance, provenance

if TYPE_CHECKING:
    from pathlib import Path


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-C", str(root), *arguments],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    root = tmp_path / "checkout"
    root.mkdir()
    git(root, "init", "-q", "-b", "topic/inputs")
    git(root, "commit", "-q", "--allow-empty", "-m", "start")
    return root


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://user:token@example.org/team/pipeline.git", "https://example.org/team/pipeline.git"),
        ("git@example.org:team/pipeline.git", "ssh://example.org/team/pipeline.git"),
        ("ssh://git@example.org:2222/team/pipeline", "ssh://example.org:2222/team/pipeline"),
    ],
)
def test_remote_without_credentials(checkout: Path, url: str, public: str) -> None:
    git(checkout, "remote", "add", "origin", url)
    assert provenance(checkout) == Provenance(public, git(checkout, "rev-parse", "HEAD"), "topic/inputs")


def test_packed_references_detached_heads_and_linked_work_trees(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "remote", "add", "origin", "https://example.org/p.git")
    commit = git(checkout, "rev-parse", "HEAD")
    git(checkout, "pack-refs", "--all")
    assert provenance(checkout) == Provenance("https://example.org/p.git", commit, "topic/inputs")
    git(checkout, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert provenance(tmp_path / "side") == Provenance("https://example.org/p.git", commit, "side")
    git(checkout, "checkout", "-q", "--detach")
    assert provenance(checkout) == Provenance("https://example.org/p.git", commit, None)


def test_nothing_to_tell(checkout: Path, tmp_path: Path) -> None:
    assert provenance(tmp_path) is None
    assert provenance(checkout) is None
    git(checkout, "remote", "add", "origin", "/srv/git/p.git")
    assert provenance(checkout) is None
