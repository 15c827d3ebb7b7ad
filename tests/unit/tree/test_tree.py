import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from taskgates.tree.evidence import Evidence
from taskgates.tree.tree import Tree, content_digest


def write(root: Path, name: str, text: str | bytes = "", *, age: float = 60) -> Path:
    """A file that was last changed `age` seconds ago, so that its time stamp may be trusted."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    past = time.time() - age
    os.utime(path, (past, past))
    return path


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    write(root, "src/main.py", "print(1)\n")
    write(root, "src/pkg/__init__.py")
    write(root, "data/a.csv", "1")
    write(root, "data/b.csv", "22")
    write(root, "data/.hidden.csv", "3")
    write(root, "data/deep/er/c.csv", "4")
    write(tmp_path, "outside/secret.txt", "secret")
    return root


def test_kinds_sizes_and_content(repo: Path) -> None:
    tree = Tree(repo)
    assert tree.kind("src") == "folder"
    assert tree.kind("./src//pkg/../main.py") == "file"
    assert tree.kind("src/none.py") is None
    assert tree.kind("src/main.py/below") is None
    assert tree.kind(".") == "folder"
    assert tree.kind(str(repo / "data" / "a.csv")) == "file"
    assert tree.size("data/b.csv") == 2
    assert tree.size("data") is None
    assert tree.read_bytes("src/main.py", 100) == b"print(1)\n"
    assert tree.read_bytes("src/main.py", 8) is None
    assert tree.read_bytes("src/main.py", 9) == b"print(1)\n"
    assert tree.read_bytes("src", 100) is None
    assert tree.digest("src/main.py") == content_digest(b"print(1)\n")
    assert tree.digest("gone") is None
    assert tree.list("data") == (".hidden.csv", "a.csv", "b.csv", "deep")
    assert tree.list("data/a.csv") is None


@pytest.mark.parametrize(
    "path",
    [
        "a\0b",
        "x" * 5000,
        "/".join(["d"] * 3000),
        "\udce9.txt",
        "\ud800",
        "..",
        "../outside/secret.txt",
        "/etc/passwd",
        "//etc",
    ],
)
def test_odd_names_are_absent(repo: Path, path: str) -> None:
    tree = Tree(repo)
    assert tree.kind(path) is None
    assert tree.read_bytes(path, 10) is None
    assert tree.list(path) is None
    assert tree.digest(path) is None
    assert tree.size(path) is None
    assert tree.glob(path) == ()
    assert tree.glob(path + "/*") == ()


def test_the_root_may_be_missing_or_a_file(repo: Path) -> None:
    for root in (repo / "nowhere", repo / "src/main.py"):
        tree = Tree(root)
        assert tree.kind("a") is None
        assert tree.list(".") is None
        assert list(tree.walk()) == []
        assert tree.glob("**/*.py") == ()


def test_links_that_leave_the_root_are_absent_and_noted(repo: Path) -> None:
    (repo / "out").symlink_to("../outside")
    (repo / "secret").symlink_to(repo.parent / "outside/secret.txt")
    (repo / "lib").symlink_to("src/pkg")
    (repo / "main").symlink_to("src/main.py")
    (repo / "dead").symlink_to("src/none")
    (repo / "loop").symlink_to("loop")
    (repo / "src/chain").symlink_to("../out/secret.txt")
    tree = Tree(repo)
    assert tree.kind("out") is None
    assert tree.kind("out/secret.txt") is None
    assert tree.read_bytes("secret", 100) is None
    assert tree.read_bytes("src/chain", 100) is None
    assert tree.kind("lib") == "folder"
    assert tree.kind("lib/__init__.py") == "file"
    assert tree.read_bytes("main", 100) == b"print(1)\n"
    assert tree.kind("dead") is None
    assert tree.kind("loop") is None
    assert tree.escapes == ["out", "secret", "src/chain"]
    listed = tree.list(".")
    assert listed is not None
    assert set(listed) >= {"dead", "lib", "main"}
    assert not {"out", "secret"} & set(listed)
    assert list(tree.walk()) == sorted(
        [
            "main",
            "data/.hidden.csv",
            "data/a.csv",
            "data/b.csv",
            "data/deep/er/c.csv",
            "src/main.py",
            "src/pkg/__init__.py",
        ]
    )


def test_the_root_itself_may_be_a_link(repo: Path) -> None:
    link = repo.parent / "link"
    link.symlink_to(repo)
    tree = Tree(link)
    assert tree.kind(str(link / "src/main.py")) == "file"
    assert tree.normalise(str(repo / "src/main.py")) == "src/main.py"


def test_pipes_and_sockets_are_never_opened(repo: Path) -> None:
    os.mkfifo(repo / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(repo)
        try:
            server.bind("sock")
        finally:
            os.chdir(here)
        tree = Tree(repo)
        for name in ("pipe", "sock"):
            assert tree.kind(name) == "other"
            assert tree.read_bytes(name, 100) is None
            assert tree.digest(name) is None
            assert name in (tree.list(".") or ())
            assert name not in list(tree.walk())


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_what_may_not_be_read_is_absent(repo: Path) -> None:
    (repo / "data/a.csv").chmod(0)
    (repo / "data/deep").chmod(0)
    try:
        tree = Tree(repo)
        assert tree.kind("data/a.csv") == "file"
        assert tree.read_bytes("data/a.csv", 10) is None
        assert tree.list("data/deep") is None
        assert tree.kind("data/deep/er") is None
    finally:
        (repo / "data/deep").chmod(0o755)


def test_names_that_are_not_utf8_are_left_out_and_noted(repo: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(repo) + b"/data/caf\xe9.csv")).write_text("x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    tree = Tree(repo)
    assert "data/a.csv" in tree.glob("data/*.csv")
    assert tree.unnameable == ["data/caf\\xe9.csv"]
    assert all(name.isprintable() for name in tree.walk())


def test_globs(repo: Path) -> None:
    tree = Tree(repo)
    assert tree.glob("data/*.csv") == ("data/a.csv", "data/b.csv")
    assert tree.glob("data/*.csv", hidden=True) == ("data/.hidden.csv", "data/a.csv", "data/b.csv")
    assert tree.glob("data/[!a].csv") == ("data/b.csv",)
    assert tree.glob("data/?.csv") == ("data/a.csv", "data/b.csv")
    assert tree.glob("**/*.csv") == ("data/a.csv", "data/b.csv", "data/deep/er/c.csv")
    assert tree.glob("**/*.csv", recursive=False) == ("data/a.csv", "data/b.csv")
    assert tree.glob("data/**") == (
        "data",
        "data/a.csv",
        "data/b.csv",
        "data/deep",
        "data/deep/er",
        "data/deep/er/c.csv",
    )
    assert tree.glob("src/main.py") == ("src/main.py",)
    assert tree.glob("src/*/__init__.py") == ("src/pkg/__init__.py",)
    assert tree.glob("src/*/../main.py") == ("src/main.py",)
    assert tree.glob("nowhere/*") == ()
    assert tree.glob("src/main.py/*") == ()
    assert tree.glob("data/[") == ()
    assert tree.glob("data/.*") == ("data/.hidden.csv",)
    assert tree.glob(str(repo) + "/data/a*") == ("data/a.csv",)


def test_a_glob_that_is_cut_is_said(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskgates.tree.tree.GLOB_ENTRIES", 3)
    tree = Tree(repo)
    assert len(tree.glob("**/*.csv")) < 3
    assert tree.truncated == ["**/*.csv"]


def test_evidence_holds_until_an_answer_changes(repo: Path) -> None:
    tree = Tree(repo)
    with tree.recording() as evidence:
        tree.kind("src/none.py")
        tree.read_bytes("src/main.py", 100)
        tree.glob("data/*.csv")
        tree.size("data/b.csv")
    packed = msgspec.msgpack.encode(evidence)
    again = msgspec.msgpack.decode(packed, type=Evidence)
    assert again == evidence
    assert again.holds(Tree(repo))

    write(repo, "data/notes.txt", "not asked for")
    write(repo, "data/a.csv", "not read")
    assert again.holds(Tree(repo))

    write(repo, "data/new.csv", "n")
    assert not again.holds(Tree(repo))
    (repo / "data/new.csv").unlink()
    assert again.holds(Tree(repo))

    write(repo, "src/none.py")
    assert not again.holds(Tree(repo))
    (repo / "src/none.py").unlink()

    write(repo, "src/main.py", "print(2)\n")
    assert not again.holds(Tree(repo))
    write(repo, "src/main.py", "print(1)\n", age=5)
    assert again.holds(Tree(repo))


def test_a_change_within_the_resolution_of_the_clock_is_seen(repo: Path) -> None:
    path = write(repo, "config.json", "1", age=0)
    tree = Tree(repo)
    with tree.recording() as evidence:
        tree.read_bytes("config.json", 10)
    status = path.stat()
    path.write_text("2")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not evidence.holds(tree)
    assert not evidence.holds(Tree(repo))


def relink(root: Path, name: str) -> None:
    """Put a link to another file in the place of a file."""
    (root / name).unlink()
    (root / name).symlink_to(root / "src/main.py")


def test_links_are_told_from_files(repo: Path) -> None:
    (repo / "data/link.csv").symlink_to("a.csv")
    (repo / "linked").symlink_to("data", target_is_directory=True)
    tree = Tree(repo)
    assert tree.is_link("data/link.csv")
    assert tree.is_link("linked")
    assert not tree.is_link("data/a.csv")
    assert not tree.is_link("linked/a.csv")
    assert not tree.is_link("none")


@pytest.mark.parametrize(
    ("ask", "change"),
    [
        (lambda tree: tree.list("data"), lambda root: write(root, "data/z")),
        (lambda tree: tree.list("none"), lambda root: (root / "none").mkdir()),
        (lambda tree: tree.size("data/a.csv"), lambda root: write(root, "data/a.csv", "longer")),
        (lambda tree: tree.digest("data/a.csv"), lambda root: write(root, "data/a.csv", "x")),
        (lambda tree: tree.read_bytes("data/a.csv", 0), lambda root: write(root, "data/a.csv", "")),
        (lambda tree: tree.read_bytes("data/a.csv", 5), lambda root: (root / "data/a.csv").unlink()),
        (lambda tree: tree.glob("**/*.csv"), lambda root: write(root, "other/deep/x.csv")),
        (lambda tree: tree.is_link("data/a.csv"), lambda root: relink(root, "data/a.csv")),
        (lambda tree: tree.kind("data/deep/er/c.csv"), lambda root: (root / "data/deep").rename(root / "data/flat")),
        (lambda tree: list(tree.walk()), lambda root: write(root, ".gitignore", "*.csv")),
    ],
)
def test_each_kind_of_question_notices_its_change(
    repo: Path, ask: Callable[[Tree], object], change: Callable[[Path], object]
) -> None:
    tree = Tree(repo)
    with tree.recording() as evidence:
        ask(tree)
    assert len(evidence) == 1
    assert evidence.holds(tree)
    change(repo)
    assert not evidence.holds(tree)


def test_nested_recordings_all_see_the_question_and_replay_feeds_outer_ones(repo: Path) -> None:
    tree = Tree(repo)
    with tree.recording() as outer:
        tree.kind("src")
        with tree.recording() as inner:
            tree.kind("data")
        tree.kind("src")
    assert [answer.path for answer in inner] == ["data"]
    assert [answer.path for answer in outer] == ["src", "data"]
    with tree.recording() as reused:
        tree.replay(inner)
    assert list(reused) == list(inner)
    tree.kind("gone")
    assert len(outer) == 2


def test_evidence_of_a_tree_that_changed_while_recording_never_holds(repo: Path) -> None:
    tree = Tree(repo)
    with tree.recording() as evidence:
        tree.kind("late")
        write(repo, "late")
        tree.kind("late")
    assert not evidence.holds(tree)
    (repo / "late").unlink()
    assert not evidence.holds(tree)


def test_times_of_change_are_part_of_the_evidence(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    place.write_text("text")
    os.utime(place, ns=(5_000_000_000, 5_000_000_000))
    tree = Tree(tmp_path)
    with tree.recording() as evidence:
        assert tree.modified("a.txt") == 5_000_000_000
        assert tree.modified("b.txt") is None
        assert tree.modified("../a.txt") is None
    assert evidence.holds(Tree(tmp_path))
    os.utime(place, ns=(6_000_000_000, 6_000_000_000))
    assert not evidence.holds(Tree(tmp_path))
