from pathlib import Path

import pytest
from taskgates.config import Config, ConfigError, load_config
from taskgates.config.load import JSON_FILE
from taskgates.config.settings import SETTINGS
from taskgates.model.finding import Severity


def write(root: Path, name: str, text: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def problems(root: Path, **arguments: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(root, **arguments)  # type: ignore[arg-type]
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


def test_defaults(tmp_path: Path) -> None:
    config = load_config(tmp_path)
    assert config == Config()
    assert (config.gates.max_parallel_tasks, config.gates.max_context_complexity, config.gates.lock_timeout) == (
        5,
        30,
        30,
    )
    assert config.gates.retry_delays == (0.1, 0.5, 1.0, 2.0)
    assert str(config.origin("gates.lock_timeout")) == "default"


def test_every_setting_has_a_field_whose_default_it_accepts() -> None:
    config = Config()
    for setting in SETTINGS:
        value = config.value(setting.name)
        if setting.name == "python":
            continue
        assert setting.convert("never" if value is None else value) == value, setting.name


def test_each_place_over_the_weaker_ones(tmp_path: Path) -> None:
    write(
        tmp_path, "pyproject.toml", "[project]\nname='x'\n[tool.taskgates]\nmax_parallel_tasks = 2\nselect = ['TG1']\n"
    )
    config = load_config(tmp_path)
    assert config.gates.max_parallel_tasks == 2
    assert str(config.origin("gates.max_parallel_tasks")) == "pyproject.toml:4"

    write(
        tmp_path, "taskgates.toml", "[gates]\nmax-parallel-tasks = 3\nlock_timeout = 1\n[severity]\nTG103 = 'Warning'\n"
    )
    config = load_config(tmp_path)
    assert config.gates.max_parallel_tasks == 3
    assert config.scan.severity == {"TG103": Severity.WARNING}
    assert config.scan.select == ("TG1",)

    write(
        tmp_path,
        JSON_FILE,
        '{"$schema": "x",\n "max_parallel_tasks": 4,\n "lock_timeout_seconds": 2.5, "enable_monitoring": false}',
    )
    config = load_config(tmp_path)
    assert config.gates.max_parallel_tasks == 4
    assert config.gates.lock_timeout == 2.5
    assert config.gates.enable_monitoring is False
    assert str(config.origin("gates.max_parallel_tasks")) == f"{JSON_FILE}:2"

    environ = {
        "MAX_PARALLEL_TASKS": "6",
        "LOCK_TIMEOUT": " 0.5 ",
        "MAX_CONTEXT_COMPLEXITY": "",
        "GATE_LOG_LEVEL": "debug",
    }
    config = load_config(tmp_path, environ=environ)
    assert (config.gates.max_parallel_tasks, config.gates.lock_timeout, config.log_level) == (6, 0.5, "DEBUG")
    assert config.gates.max_context_complexity == 30
    assert str(config.origin("gates.lock_timeout")) == "environment variable LOCK_TIMEOUT"

    overrides = {"gates.max_parallel_tasks": 7, "scan.select": ("TG7",), "scan.fail_on": "never", "scan.ignore": None}
    config = load_config(tmp_path, overrides, environ)
    assert config.gates.max_parallel_tasks == 7
    assert config.scan.select == ("TG7",)
    assert config.scan.fail_on is None
    assert str(config.origin("scan.fail_on")) == "option --fail-on"
    assert "scan.ignore" not in config.origins


def test_grouped_and_flat_spellings(tmp_path: Path) -> None:
    write(tmp_path, "effects/own.toml", "")
    write(
        tmp_path,
        "taskgates.toml",
        "effects = ['effects/own.toml']\nfollow = ['pkg.sub']\nfail-on = 'note'\nlock_timeout_seconds = 9\n"
        "[tool.other]\n[scan]\nexclude = ['*.log']\n[inference]\nset-size = 4\nseconds = 1\n",
    )
    with pytest.raises(ConfigError, match=r"taskgates\.toml:5: unknown key 'tool'"):
        load_config(tmp_path)
    text = (tmp_path / "taskgates.toml").read_text().replace("[tool.other]\n", "")
    write(tmp_path, "taskgates.toml", text)
    config = load_config(tmp_path)
    assert config.effects == ("effects/own.toml",)
    write(tmp_path, "taskgates.toml", "effects = ['effects']\n")
    assert load_config(tmp_path).effects == ("effects",)
    assert config.follow == ("pkg.sub",)
    assert config.scan.fail_on is Severity.NOTE
    assert config.scan.exclude == ("*.log",)
    assert config.gates.lock_timeout == 9
    assert (config.inference.set_size, config.inference.seconds) == (4, 1.0)


def test_a_named_file_replaces_the_one_of_its_format(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    write(root, "taskgates.toml", "max_parallel_tasks = 2\nlock_timeout = 2")
    write(root, JSON_FILE, '{"max_parallel_tasks": 3}')
    toml = write(tmp_path, "other.toml", "[tool.taskgates]\nlock_timeout = 8\n[tool.black]\n")
    config = load_config(root, config_file=toml)
    assert (config.gates.max_parallel_tasks, config.gates.lock_timeout) == (3, 8)
    config = load_config(root, config_file=write(tmp_path, "other.json", '{"checkpoint_frequency": 4}'))
    assert (config.gates.max_parallel_tasks, config.gates.lock_timeout, config.gates.checkpoint_frequency) == (2, 2, 4)
    assert problems(root, config_file=tmp_path / "none.toml") == [
        f"{tmp_path}/none.toml:1: cannot be read: No such file or directory"
    ]
    inside = write(root, "conf/x.toml", "nonsense = 1")
    assert problems(root, config_file=inside)[0].startswith("conf/x.toml:1: unknown key 'nonsense'; known are ")


def test_all_problems_at_once_each_with_its_place(tmp_path: Path) -> None:
    write(
        tmp_path,
        "pyproject.toml",
        "[tool.taskgates]\nmax_paralel_tasks = 3\nselect = 'TG1'\ngates = 3\n\n"
        "[tool.taskgates.inference]\nsteps = 1\ndepht = 3\n",
    )
    write(
        tmp_path,
        JSON_FILE,
        '{\n "lock_timeout_seconds": "30",\n "retry_delays": [1, -1],\n "retry": 1,\n "retry_delays": []\n}',
    )
    environ = {"MAX_PARALLEL_TASKS": "many", "MAX_CONTEXT_COMPLEXITY": "nan", "GATE_LOG_LEVEL": "loud"}
    overrides = {"scan.fail_on": "sometimes", "scan.fial_on": 1}
    assert problems(tmp_path, environ=environ, overrides=overrides) == [
        "pyproject.toml:2: unknown key 'max_paralel_tasks' (did you mean 'max_parallel_tasks'?)",
        "pyproject.toml:3: select must be a list of rule ids, names or prefixes such as \"TG1\", not 'TG1'",
        "pyproject.toml:4: gates must be a table of settings",
        "pyproject.toml:7: steps must be a whole number from 1,000 to 1,000,000,000,000, not 1",
        "pyproject.toml:8: unknown key 'depht' in [inference] (did you mean 'depth'?)",
        f"{JSON_FILE}:2: lock_timeout_seconds must be a number of seconds from 0 to 86,400, not '30'",
        f"{JSON_FILE}:3: retry_delays must be a list of numbers of seconds from 0 to 3,600, not [1, -1]",
        f"{JSON_FILE}:4: unknown key 'retry' (did you mean 'retry_delays'?)",
        f"{JSON_FILE}:5: the key 'retry_delays' stands here twice",
        "environment variable MAX_PARALLEL_TASKS: must be a whole number from 1 to 100,000, not 'many'",
        "environment variable MAX_CONTEXT_COMPLEXITY: must be a number from 0 to 1e+09, not nan",
        "environment variable GATE_LOG_LEVEL: must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not 'loud'",
        "option --fail-on: must be error, warning, note or never, not 'sometimes'",
        "option --scan.fial_on: there is no setting 'scan.fial_on' (did you mean 'scan.fail_on'?)",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("taskgates.toml", "a = \n", "taskgates.toml:1: not valid TOML: invalid value"),
        ("taskgates.toml", "x = 1\ny = [1,", "taskgates.toml:2: not valid TOML: "),
        ("taskgates.toml", b"# caf\xe9", "taskgates.toml:1: not valid UTF-8 (byte 0xE9); save the file as UTF-8"),
        ("taskgates.toml", "x = " + "[" * 5000, "taskgates.toml:1: n"),
        ("pyproject.toml", "[tool]\ntaskgates = 3", "pyproject.toml:2: [tool.taskgates] must be a table"),
        (
            "taskgates.toml",
            "effects = ['no.toml']",
            "taskgates.toml:1: effects names 'no.toml', but there is no such file",
        ),
        (
            "taskgates.toml",
            "max_parallel_tasks = true",
            "taskgates.toml:1: max_parallel_tasks must be a whole number from 1",
        ),
        (
            "taskgates.toml",
            "max_context_complexity = inf",
            "taskgates.toml:1: max_context_complexity must be a number from 0",
        ),
        (JSON_FILE, "[1]", f"{JSON_FILE}:1: must be an object with settings, not a list"),
        (JSON_FILE, "{\n'a': 1}", f"{JSON_FILE}:2: unexpected \"'a'\"; expected a key in double quotes"),
        (JSON_FILE, "", f"{JSON_FILE}:1: the file is empty"),
        (
            JSON_FILE,
            '{"conflict_resolution": null}',
            f"{JSON_FILE}:1: conflict_resolution must be sequential or refuse, not None",
        ),
    ],
)
def test_broken_files(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    write(tmp_path, name, content)
    found = problems(tmp_path)
    assert len(found) == 1
    assert found[0].startswith(message)


def test_a_folder_or_an_unrelated_project_file(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", "[project]\nname = 'x'\n[tool]\nblack = 1\n")
    assert load_config(tmp_path) == Config()
    (tmp_path / "taskgates.toml").mkdir()
    assert problems(tmp_path) == ["taskgates.toml:1: cannot be read as a file of at most 4 MB"]


def test_a_configuration_behind_a_link_out_of_the_root_is_not_read(tmp_path: Path) -> None:
    outside = write(tmp_path, "outside.toml", "max_parallel_tasks = 2")
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo/taskgates.toml").symlink_to(outside)
    assert load_config(tmp_path / "repo") == Config()
