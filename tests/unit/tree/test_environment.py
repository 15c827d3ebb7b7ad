import sys
import venv
from pathlib import Path

import pytest
from taskgates.tree.environment import EnvironmentNotFoundError, console_script, find_environment


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def make_installation(prefix: Path, version: str = "3.12") -> Path:
    """The files of a Python installation that matter, without an interpreter."""
    write(prefix / f"lib/python{version}/os.py")
    (prefix / f"lib/python{version}/site-packages").mkdir()
    return write(prefix / f"bin/python{version}")


def make_environment(prefix: Path, home: Path, version: str = "3.12") -> Path:
    write(prefix / "pyvenv.cfg", f"home = {home}\nversion = {version}.1\ninclude-system-site-packages = false\n")
    write(prefix / "bin/python")
    site = prefix / f"lib/python{version}/site-packages"
    site.mkdir(parents=True)
    return site


def test_a_real_virtual_environment_is_read_like_its_interpreter_would(tmp_path: Path) -> None:
    venv.create(tmp_path / ".venv", with_pip=False)
    found = find_environment(tmp_path, environ={})
    assert found.origin == ".venv"
    assert found.version == sys.version_info[:2]
    assert found.prefix == tmp_path / ".venv"
    assert found.scripts == tmp_path / ".venv/bin"
    assert found.stdlib is not None
    assert (found.stdlib / "json/__init__.py").is_file()
    assert found.site_packages == (
        tmp_path / f".venv/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages",
    )


def test_the_order_of_choice(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    base = make_installation(tmp_path / "base")
    make_environment(tmp_path / "active", base.parent)
    make_environment(tmp_path / "named", base.parent)
    environ = {"VIRTUAL_ENV": str(tmp_path / "active")}
    assert find_environment(root, environ={}).origin == "running interpreter"
    assert find_environment(root, environ={"VIRTUAL_ENV": "/nowhere"}).origin == "running interpreter"
    assert find_environment(root, environ=environ).prefix == tmp_path / "active"
    make_environment(root / "venv", base.parent)
    assert find_environment(root, environ=environ).prefix == root / "venv"
    make_environment(root / ".venv", base.parent)
    assert find_environment(root, environ=environ).prefix == root / ".venv"
    assert find_environment(root, str(tmp_path / "named"), environ).prefix == tmp_path / "named"
    by_interpreter = find_environment(root, str(tmp_path / "named/bin/python"), environ)
    assert by_interpreter.prefix == tmp_path / "named"
    assert by_interpreter.stdlib == tmp_path / "base/lib/python3.12"


def test_the_name_of_an_interpreter_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter = make_installation(tmp_path / "usr", "3.9")
    interpreter.chmod(0o755)
    monkeypatch.setenv("PATH", str(interpreter.parent))
    assert find_environment(tmp_path, "python3.9", {}).prefix == tmp_path / "usr"


def test_an_installation_is_chosen_by_its_interpreter(tmp_path: Path) -> None:
    make_installation(tmp_path / "usr", "3.9")
    make_installation(tmp_path / "usr", "3.12")
    (tmp_path / "usr/lib/python3/dist-packages").mkdir(parents=True)
    (tmp_path / "usr/bin/python3").symlink_to("python3.9")
    found = find_environment(tmp_path, str(tmp_path / "usr/bin/python3"), {})
    assert found.version == (3, 9)
    assert found.stdlib == tmp_path / "usr/lib/python3.9"
    assert found.site_packages == (
        tmp_path / "usr/lib/python3.9/site-packages",
        tmp_path / "usr/lib/python3/dist-packages",
    )
    assert find_environment(tmp_path, str(tmp_path / "usr"), {}).version == (3, 12)


@pytest.mark.parametrize("name", ["none", "file.txt", ".", "python\0"])
def test_a_named_path_without_python_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path / "file.txt")
    with pytest.raises(EnvironmentNotFoundError, match="no Python environment there"):
        find_environment(tmp_path, str(tmp_path / name), {})


def test_path_files_and_editable_installs_are_read_as_data(tmp_path: Path) -> None:
    base = make_installation(tmp_path / "base")
    site = make_environment(tmp_path / ".venv", base.parent)
    (tmp_path / "src").mkdir()
    (tmp_path / "other").mkdir()
    write(site / "__editable__.demo-1.0.pth", f"{tmp_path}/src\n")
    write(site / "misc.pth", "# comment\n\nimport os; os.abort()\n../../../../other\n/nowhere/at/all\nbad\0line\n")
    write(site / "__editable__.tool-1.pth", "import __editable___tool_1_finder; __editable___tool_1_finder.install()")
    mapping = {"tool": f"{tmp_path}/lib/tool"}
    finder = f"from x import y\nraise SystemExit\nMAPPING: dict[str, str] = {mapping}\nNAMESPACES = {{}}\n"
    write(site / "__editable___tool_1_finder.py", finder)
    write(site / "__editable__.broken.pth", "import __editable___broken_finder; __editable___broken_finder.install()")
    write(site / "__editable___broken_finder.py", "MAPPING = dict(a='b')\n(")
    found = find_environment(tmp_path, environ={})
    assert found.extra_paths == (tmp_path / "src", tmp_path / "other")
    assert found.editable == {"tool": tmp_path / "lib/tool"}


def test_system_packages_are_seen_where_the_environment_says_so(tmp_path: Path) -> None:
    base = make_installation(tmp_path / "base")
    site = make_environment(tmp_path / ".venv", base.parent)
    config = tmp_path / ".venv/pyvenv.cfg"
    config.write_text(config.read_text().replace("false", "true"))
    assert find_environment(tmp_path, environ={}).site_packages == (
        site,
        tmp_path / "base/lib/python3.12/site-packages",
    )


def test_installed_console_scripts(tmp_path: Path) -> None:
    base = make_installation(tmp_path / "base")
    site = make_environment(tmp_path / ".venv", base.parent)
    entries = (
        "[console_scripts]\ntool = tool.cli:main [extra]\nTool=tool.other:App.run\n\n[gui_scripts]\nwin = tool.win\n"
    )
    write(site / "tool-1.0.dist-info/entry_points.txt", entries)
    write(site / "broken-1.0.dist-info/entry_points.txt", "no section\ntool = x:y\n[")
    found = find_environment(tmp_path, environ={})
    assert found.entry_point("tool") == "tool.cli:main"
    assert found.entry_point("Tool") == "tool.other:App.run"
    assert found.entry_point("win") == "tool.win"
    assert found.entry_point("broken") is None
    assert console_script("[console_scripts]\na = not a reference\n", "a") is None


def test_what_installed_distributions_offer(tmp_path: Path) -> None:
    base = make_installation(tmp_path / "base")
    site = make_environment(tmp_path / ".venv", base.parent)
    entries = "[console_scripts]\nmy-tool = my_tool:main\n\n[my_tool.plugins]\nb = my_tool_parts.b:B\na=my_tool.a\n"
    write(site / "my_tool-1.0.post1.dist-info/entry_points.txt", entries)
    record = "my_tool.py,,\nmy_tool_parts/__init__.py,,\nmy_tool-1.0.post1.dist-info/RECORD,,\n../../../bin/my-tool,,\n"
    write(site / "my_tool-1.0.post1.dist-info/RECORD", record)
    write(site / "other-2.0.dist-info/entry_points.txt", "[my_tool.plugins]\nc = other.c:C [extra]\n")
    write(site / "other-2.0.dist-info/top_level.txt", "other\n_other\n")
    found = find_environment(tmp_path, environ={})
    assert found.entry_points("my_tool.plugins") == {"b": "my_tool_parts.b:B", "a": "my_tool.a", "c": "other.c:C"}
    assert found.entry_points("nothing") == {}
    assert found.companions("my_tool") == {"my_tool", "my_tool_parts"}
    assert found.companions("other") == {"other", "_other"}
    assert found.companions("plain") == set()
    write(tmp_path / ".venv/bin/my-script.py", "#!/usr/bin/python\nimport with_script\n")
    write(site / "with_script-1.0.dist-info/RECORD", "with_script.py,,\n../../../bin/my-script.py,sha256=x,9\n")
    assert found.companions("my-script.py") == {"with_script"}
    assert found.distribution_version("My.Tool") == "1.0.post1"
    assert found.distribution_version("tool") is None


def test_the_fingerprint_changes_with_what_is_installed(tmp_path: Path) -> None:
    base = make_installation(tmp_path / "base")
    site = make_environment(tmp_path / ".venv", base.parent)
    before = find_environment(tmp_path, environ={}).fingerprint()
    assert find_environment(tmp_path, environ={}).fingerprint() == before
    write(site / "new/__init__.py")
    assert find_environment(tmp_path, environ={}).fingerprint() != before
