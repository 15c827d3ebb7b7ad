"""Configurations that become objects: attribute mappings, typed fields, Hydra, settings files, the stores of trackers.

What the libraries really do with these files was looked up by running them; they are not needed to run the tests.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest
from taskgates.inference.engine import Analyser, InferenceOptions
from taskgates.model.access import AccessSet, Operation
from taskgates.model.task import Command
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def infer(root: Path, files: Mapping[str, str], *argv: str, environ: dict[str, str] | None = None) -> AccessSet:
    """Lay out a tree and infer what `python main.py ARGV` does in it."""
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(content), encoding="utf-8")
    options = InferenceOptions(environ=environ or {})
    return Analyser(Tree(root), options).command(Command(argv=("python", *(argv or ("main.py",)))))


def read(found: AccessSet) -> set[str]:
    """The paths that are read, a question mark for an unknown one."""
    return {str(access.path or "?") for access in found.reads if access.operation is Operation.READ}


def written(found: AccessSet) -> set[str]:
    """The paths that are written, folders left out."""
    return {str(access.path or "?") for access in found.writes if access.operation is not Operation.MKDIR}


@pytest.mark.parametrize(
    "read_settings",
    [
        "from ruamel.yaml import YAML\nfrom pathlib import Path\ndata = YAML().load(Path('s.yaml'))",
        "from ruamel.yaml import YAML\ndata = YAML(typ='safe').load(open('s.yaml'))",
        "from ruamel.yaml import YAML\ndata = list(YAML().load_all(open('s.yaml')))[0]",
        "import tomlkit\ndata = tomlkit.load(open('s.toml')).unwrap()",
        "import tomlkit\ndata = tomlkit.parse(open('s.toml').read())\ndata['out']['n'] = 2",
        "from tomlkit.toml_file import TOMLFile\ndata = TOMLFile('s.toml').read()",
    ],
)
def test_settings_that_keep_their_comments_are_values(tmp_path: Path, read_settings: str) -> None:
    files = {"s.yaml": "out: {name: made.txt}  # kept\n", "s.toml": "[out]\nname = 'made.txt'  # kept\n"}
    found = infer(tmp_path, {"main.py": read_settings + "\nopen(data['out']['name'], 'w')\n", **files})
    assert written(found) == {"made.txt"}
    assert len(read(found)) == 1
    assert found.complete


SETTINGS = """
paths:
  base: out
  model: ${paths.base}/model.pkl
  up: ${.base}/relative.txt
name: ${oc.env:RUN,first}
items: a mapping has a method of this name
stages:
  - file: one.csv
  - file: two.csv
"""


@pytest.mark.parametrize(
    "make",
    [
        "from box import ConfigBox\ncfg = ConfigBox(yaml.safe_load(open('settings.yaml')))",
        "from box import Box\ncfg = Box(yaml.safe_load(open('settings.yaml')), default_box=True)",
        "from easydict import EasyDict\ncfg = EasyDict(yaml.safe_load(open('settings.yaml')))",
        "import munch\ncfg = munch.munchify(yaml.safe_load(open('settings.yaml')))",
        "from addict import Dict\ncfg = Dict(yaml.safe_load(open('settings.yaml')))",
        "from omegaconf import OmegaConf\ncfg = OmegaConf.load('settings.yaml')",
        "from omegaconf import OmegaConf\ncfg = OmegaConf.create(yaml.safe_load(open('settings.yaml')))",
    ],
)
def test_entries_of_a_mapping_are_attributes_on_every_level(tmp_path: Path, make: str) -> None:
    program = f"import yaml\n{make}\n" + textwrap.dedent(
        """
        for stage in cfg.stages:
            open(f"{cfg.paths.base}/{stage.file}", "w")
        cfg.paths.extra = "set"
        open(cfg["paths"].extra + ".txt", "w")
        open(cfg.get("missing", "default") + ".txt", "w")
        """
    )
    found = infer(tmp_path, {"main.py": program, "settings.yaml": SETTINGS})
    assert read(found) == {"settings.yaml"}
    assert written(found) == {"out/one.csv", "out/two.csv", "set.txt", "default.txt"}
    assert found.complete


def test_references_of_omegaconf_are_resolved_after_merging(tmp_path: Path) -> None:
    program = """
        from omegaconf import OmegaConf
        cfg = OmegaConf.merge(OmegaConf.load("settings.yaml"), OmegaConf.from_cli())
        open(cfg.paths.model, "w")
        open(cfg.paths.up, "w")
        open(f"{cfg.name}.txt", "w")
        plain = OmegaConf.to_container(cfg, resolve=True)
        open(plain["paths"]["base"] + ".log", "w")
        OmegaConf.save(cfg, "used.yaml")
    """
    found = infer(tmp_path, {"main.py": program, "settings.yaml": SETTINGS}, "main.py", "paths.base=build")
    assert written(found) == {"build/model.pkl", "build/relative.txt", "first.txt", "build.log", "used.yaml"}
    found = infer(tmp_path, {}, "main.py", environ={"RUN": "second"})
    assert written(found) == {"out/model.pkl", "out/relative.txt", "second.txt", "out.log", "used.yaml"}


def test_an_entry_that_is_not_there_is_unknown_and_said(tmp_path: Path) -> None:
    program = """
        import yaml
        from box import ConfigBox
        cfg = ConfigBox(yaml.safe_load(open("settings.yaml")))
        open(cfg.paths.nowhere, "w")
    """
    found = infer(tmp_path, {"main.py": program, "settings.yaml": SETTINGS})
    assert written(found) == {"?"}
    assert not found.complete


FIELDS = """
    from dataclasses import dataclass, field
    from enum import Enum
    from pathlib import Path
    from typing import Dict, List, Optional
    import yaml

    class Kind(Enum):
        CSV = "csv"
        PARQUET = "parquet"

    {inner}
    class Output{base}:
        folder: Path
        kind: Kind = Kind.CSV

    {inner}
    class Settings{base}:
        source: Path
        outputs: List[Output]
        named: Dict[str, Output]
        extra: Optional[Output] = None
        limit: int = 3

    {load}
    for output in [*cfg.outputs, *cfg.named.values(), *([cfg.extra] if cfg.extra else [])]:
        (output.folder / f"table.{{output.kind.value}}").write_text((cfg.source / "in.txt").read_text())
"""

FIELDS_YAML = """
source: raw
outputs:
  - {folder: a}
  - {folder: b, kind: parquet}
named:
  more: {folder: c}
extra: {folder: d}
"""


@pytest.mark.parametrize(
    ("inner", "base", "load"),
    [
        ("", "(BaseModel)", "cfg = Settings(**raw)"),
        ("", "(BaseModel)", "cfg = Settings.model_validate(raw)"),
        ("", "(BaseModel)", "cfg = TypeAdapter(Settings).validate_python(raw)"),
        (
            "@dataclass",
            "",
            "from marshmallow_dataclass import class_schema\n    cfg = class_schema(Settings)().load(raw)",
        ),
        (
            "@dataclass",
            "",
            "from dacite import from_dict, Config\n    cfg = from_dict(Settings, raw, Config(cast=[Path]))",
        ),
        ("@dataclass", "", "import cattrs\n    cfg = cattrs.structure(raw, Settings)"),
    ],
)
def test_mappings_become_objects_as_the_annotations_say(tmp_path: Path, inner: str, base: str, load: str) -> None:
    head = "from pydantic import BaseModel, TypeAdapter\n    " if base else ""
    program = FIELDS.format(inner=inner, base=base, load=f"{head}raw = yaml.safe_load(open('s.yaml'))\n    {load}")
    if base:
        program = "\n    from pydantic import BaseModel, TypeAdapter" + program
    found = infer(tmp_path, {"main.py": program, "s.yaml": FIELDS_YAML})
    assert read(found) == {"s.yaml", "raw/in.txt"}
    assert written(found) == {"a/table.csv", "b/table.parquet", "c/table.csv", "d/table.csv"}


HYDRA = {
    "conf/config.yaml": """
        defaults:
          - data: small
          - model@chosen: tree
          - optional extra: none
          - _self_
        out: results/${data.name}
        data:
          suffix: csv
    """,
    "conf/data/small.yaml": "name: small\nsuffix: tsv\n",
    "conf/data/large.yaml": "name: large\nsuffix: tsv\n",
    "conf/model/tree.yaml": "defaults:\n  - params: shallow\nkind: tree\n",
    "conf/model/params/shallow.yaml": "depth: 3\n",
    "conf/everywhere/on.yaml": "# @package _global_\nmark: yes-please\n",
    "src/main.py": """
        import hydra
        from pathlib import Path

        @hydra.main(version_base=None, config_path="../conf", config_name="config")
        def run(cfg):
            base = Path(cfg.out)
            base.mkdir(parents=True, exist_ok=True)
            (base / f"{cfg.chosen.kind}-{cfg.chosen.params.depth}.{cfg.data.suffix}").write_text("x")
            if "mark" in cfg:
                (base / cfg.mark).touch()

        if __name__ == "__main__":
            run()
    """,
}
PRIMARY = {"conf/config.yaml", "conf/model/tree.yaml", "conf/model/params/shallow.yaml"}
RUN = {f"outputs/*/*/.hydra/{name}.yaml" for name in ("config", "hydra", "overrides")} | {"outputs/*/*/main.log"}


@pytest.mark.parametrize(
    ("words", "reads", "writes"),
    [
        ((), {"conf/data/small.yaml"}, {"results/small/tree-3.csv"}),
        (("data=large",), {"conf/data/large.yaml"}, {"results/large/tree-3.csv"}),
        (("out=there", "chosen.params.depth=9"), {"conf/data/small.yaml"}, {"there/tree-9.csv"}),
        (("data.name=odd",), {"conf/data/small.yaml"}, {"results/odd/tree-3.csv"}),
        (
            ("+everywhere=on",),
            {"conf/data/small.yaml", "conf/everywhere/on.yaml"},
            {"results/small/tree-3.csv", "results/small/yes-please"},
        ),
    ],
)
def test_hydra_composes_what_its_files_and_the_command_line_say(
    tmp_path: Path, words: tuple[str, ...], reads: set[str], writes: set[str]
) -> None:
    found = infer(tmp_path, HYDRA, "src/main.py", *words)
    assert read(found) == PRIMARY | reads
    assert written(found) == RUN | writes
    assert found.complete


def test_hydra_writes_no_folder_of_its_own_where_it_is_told_so(tmp_path: Path) -> None:
    found = infer(tmp_path, HYDRA, "src/main.py", "hydra.run.dir=.", "hydra.output_subdir=null", "hydra.job.name=job")
    assert written(found) == {"job.log", "results/small/tree-3.csv"}


def test_a_program_of_hydra_may_run_in_the_folder_of_its_run(tmp_path: Path) -> None:
    found = infer(tmp_path, HYDRA, "src/main.py", "hydra.job.chdir=true", "hydra.run.dir=runs/${data.name}")
    assert "runs/small/results/small/tree-3.csv" in written(found)
    assert "runs/small/.hydra/config.yaml" in written(found)


def test_an_option_of_hydra_that_is_no_file_leaves_the_rest_unknown(tmp_path: Path) -> None:
    found = infer(tmp_path, HYDRA, "src/main.py", "data=registered")
    assert read(found) == PRIMARY
    assert not found.complete


DOTENV = """
# where things are
export DATA="store"
OUT='made' # not here
KEPT=from-the-file
"""


def test_variables_of_a_dotenv_file_are_those_of_the_process(tmp_path: Path) -> None:
    program = """
        import os
        from dotenv import dotenv_values, load_dotenv
        load_dotenv()
        open(os.path.join(os.environ["DATA"], "a.txt"), "w")
        open(os.getenv("OUT") + ".txt", "w")
        open(os.environ["KEPT"], "w")
        open(dotenv_values(".env")["OUT"] + ".log", "w")
    """
    files = {"main.py": program, ".env": DOTENV}
    found = infer(tmp_path, files, environ={"KEPT": "from-outside"})
    assert read(found) == {".env"}
    assert written(found) == {"store/a.txt", "made.txt", "from-outside", "made.log"}


def test_a_dotenv_file_that_is_not_there_is_not_read(tmp_path: Path) -> None:
    program = """
        import os
        from pathlib import Path
        from dotenv import load_dotenv
        from decouple import config
        load_dotenv()
        BASE = config("BASE", default=Path("base"), cast=Path)
        (BASE / "x.txt").touch()
    """
    found = infer(tmp_path, {"main.py": program})
    assert read(found) == set()
    assert written(found) == {"base/x.txt"}
    found = infer(tmp_path, {".env": "BASE=set\n"})
    assert written(found) == {"set/x.txt"}
    assert written(infer(tmp_path, {}, environ={"BASE": "outside"})) == {"outside/x.txt"}


RUNS = """
    import mlflow
    {address}
    mlflow.set_experiment("e")
    with mlflow.start_run():
        mlflow.log_metric("m", 1.0)
        {more}
"""


@pytest.mark.parametrize(
    ("address", "more", "reads", "writes"),
    [
        ("", "", {"mlflow.db"}, {"mlflow.db"}),
        ("", "mlflow.log_artifact('f.txt')", {"mlflow.db", "f.txt"}, {"mlflow.db", "mlruns/**"}),
        ("mlflow.set_tracking_uri('file:./runs')", "", {"runs/**"}, {"runs/**"}),
        ("mlflow.set_tracking_uri('sqlite:///db/x.sqlite')", "", {"db/x.sqlite"}, {"db/x.sqlite"}),
        ("mlflow.set_tracking_uri('http://tracker:5000')", "mlflow.log_artifact('f.txt')", {"f.txt"}, set()),
    ],
)
def test_where_mlflow_records_follows_from_its_address(
    tmp_path: Path, address: str, more: str, reads: set[str], writes: set[str]
) -> None:
    (tmp_path / "runs" / "0").mkdir(parents=True)
    found = infer(tmp_path, {"main.py": RUNS.format(address=address, more=more or "pass"), "f.txt": ""})
    assert read(found) == reads
    assert written(found) == writes


def test_an_address_of_mlflow_that_is_not_known_is_said(tmp_path: Path) -> None:
    program = "import mlflow, requests\nmlflow.set_tracking_uri(requests.get('x').text)\nmlflow.log_metric('m', 1)\n"
    found = infer(tmp_path, {"main.py": program})
    assert not found.complete
    assert any("MLflow" in opaque.reason for opaque in found.opaque)


PARAMS_SHOW = """
    import dvc.api
    params = dvc.api.params_show({targets})
    with open(params["out"]["file"], "w") as f:
        f.write("x")
"""


@pytest.mark.parametrize(
    ("targets", "reads", "writes"),
    [
        ("", {"params.yaml"}, {"a.txt"}),
        ("'params.yaml'", {"params.yaml"}, {"a.txt"}),
        ("'more.json'", {"more.json"}, {"b.txt"}),
        ("'more.toml'", {"more.toml"}, {"c.txt"}),
        ("rev='main'", set(), {"?"}),
    ],
)
def test_the_parameters_of_dvc_are_those_of_its_files(
    tmp_path: Path, targets: str, reads: set[str], writes: set[str]
) -> None:
    files = {
        "main.py": PARAMS_SHOW.format(targets=targets),
        "params.yaml": "out: {file: a.txt}\n",
        "more.json": '{"out": {"file": "b.txt"}}',
        "more.toml": '[out]\nfile = "c.txt"\n',
    }
    found = infer(tmp_path, files)
    assert read(found) == reads
    assert written(found) == writes
    assert found.complete is ("?" not in writes)


def test_stages_name_more_parameter_files_and_the_repository_is_opened(tmp_path: Path) -> None:
    files = {
        "main.py": """
            import dvc.api
            p = dvc.api.params_show()
            open(p["name"], "w"), open(p["params.yaml:both"], "w"), open(p["conf.yaml:both"], "w")
        """,
        "params.yaml": "both: one.txt\n",
        "conf.yaml": "both: two.txt\nname: three.txt\n",
        "dvc.yaml": "stages:\n  s:\n    cmd: x\n    params: [both, {conf.yaml: [name, both]}]\n",
        ".dvc/config": "",
    }
    found = infer(tmp_path, files)
    assert read(found) == {"params.yaml", "conf.yaml", "dvc.yaml", ".dvc/config"}
    assert written(found) == {"one.txt", "two.txt", "three.txt", ".dvc/tmp/btime"}


def test_parameter_files_that_are_not_known_are_said(tmp_path: Path) -> None:
    found = infer(tmp_path, {"main.py": "import dvc.api, requests\ndvc.api.params_show(requests.get('x').text)\n"})
    assert not found.complete


def test_dvclive_with_and_without_a_repository(tmp_path: Path) -> None:
    program = """
        from dvclive import Live
        with Live(report="md") as live:
            live.log_metric("loss", 1.0)
            live.next_step()
    """
    inside = {"dvc.yaml", "dvclive/metrics.json", "dvclive/plots/metrics/loss.tsv", "dvclive/report.md"}
    inside |= {"dvclive/static/loss.png"}
    found = infer(tmp_path, {"main.py": program})
    assert written(found) == inside
    assert ".dvc/config" not in read(found)
    assert "dvclive/metrics.json" in read(found)
    found = infer(tmp_path, {".dvc/config": "", ".dvc/tmp/btime": "", "dvc.yaml": ""})
    assert written(found) == inside | {".dvc/tmp/exps/run/DVCLIVE_STEP_COMPLETED"}
    assert {".dvc/config", "dvc.yaml"} <= read(found)


@pytest.mark.parametrize(
    ("call", "more", "added"),
    [
        ("'a.bin'", {}, False),
        ("'a.bin'", {".dvc/config": ""}, True),
        ("'a.bin', cache=False", {".dvc/config": ""}, False),
        ("'./a.bin'", {".dvc/config": "", "dvc.yaml": "stages:\n  s:\n    cmd: x\n    outs: [a.bin]\n"}, False),
        ("'b.bin'", {".dvc/config": "", "dvc.yaml": "stages:\n  s:\n    cmd: x\n    outs: [a.bin]\n"}, True),
    ],
)
def test_dvclive_adds_an_artifact_that_no_stage_keeps(
    tmp_path: Path, call: str, more: dict[str, str], added: bool
) -> None:
    program = f"from dvclive import Live\nwith Live() as live:\n    live.log_artifact({call})\n"
    found = infer(tmp_path, {"main.py": program, "a.bin": "", "b.bin": "", **more})
    assert any(path.endswith(".bin.dvc") for path in written(found)) is added


def test_dvclive_reads_its_metrics_at_the_end_of_the_block(tmp_path: Path) -> None:
    program = "from dvclive import Live\nwith Live('eval', dvcyaml=False) as live:\n    live.log_image('a.png', None)\n"
    assert "eval/metrics.json" in read(infer(tmp_path, {"main.py": program}))


@pytest.mark.parametrize(
    ("steps", "again"),
    [
        ("live.next_step()", False),
        ("live.next_step(); live.end()", True),
        ("for _ in range(2): live.next_step()", True),
        ("live.end()", False),
    ],
)
def test_dvclive_reads_the_stages_that_it_wrote_before(steps: str, again: bool, tmp_path: Path) -> None:
    found = infer(tmp_path, {"main.py": f"from dvclive import Live\nlive = Live()\n{steps}\n"})
    assert ("dvc.yaml" in read(found)) is again
    assert "dvc.yaml" in written(found)
    found = infer(tmp_path, {"dvc.yaml": "stages: {}\n"})
    assert "dvc.yaml" in read(found)


def test_a_store_that_is_made_anew_is_not_read(tmp_path: Path) -> None:
    program = "from tinydb import TinyDB\nstore = TinyDB('store.json')\nstore.insert({'id': len(store)})\n"
    found = infer(tmp_path, {"main.py": program})
    assert read(found) == set()
    assert written(found) == {"store.json"}
    found = infer(tmp_path, {"store.json": "{}"})
    assert read(found) == written(found) == {"store.json"}


SETTINGS_CLASS = """
    from functools import lru_cache
    from pathlib import Path
    from typing import Optional
    from pydantic import AliasChoices, BaseModel, Field, computed_field
    from pydantic_settings import BaseSettings, SettingsConfigDict

    class Store(BaseModel):
        folder: Path = Path("store")
        name: str = "s.bin"

    class Settings(BaseSettings):
        {config}
        data_dir: Path = Path("default")
        report: str = Field("report.txt", validation_alias=AliasChoices("REPORT_FILE", "REPORT"))
        required: str = Field(...)
        store: Optional[Store] = Store()

        @computed_field
        @property
        def joined(self) -> Path:
            return self.data_dir / self.report

    @lru_cache
    def settings():
        return Settings({arguments})

    settings().joined.write_text("x")
    (settings().store.folder / settings().store.name).touch()
    Path(settings().required).touch()
"""
CONFIGURED = 'model_config = SettingsConfigDict(env_file=".env", env_prefix="APP_", env_nested_delimiter="__")'


@pytest.mark.parametrize(
    ("config", "arguments", "environ", "reads", "writes"),
    [
        (CONFIGURED, "", {"app_required": "r"}, {".env"}, {"from-file/report.txt", "nested/s.bin", "r"}),
        (CONFIGURED, "", {"APP_DATA_DIR": "e", "APP_REQUIRED": "r"}, {".env"}, {"e/report.txt", "nested/s.bin", "r"}),
        (CONFIGURED, "data_dir='given', required='q'", {}, {".env"}, {"given/report.txt", "nested/s.bin", "q"}),
        ("", "", {"REPORT": "o.txt", "REQUIRED": "r"}, set(), {"default/o.txt", "store/s.bin", "r"}),
        ("", "_env_file='other.env'", {}, {"other.env"}, {"other/report.txt", "store/s.bin", "r2"}),
        ("", "_env_file='absent.env', required='r'", {}, set(), {"default/report.txt", "store/s.bin", "r"}),
    ],
)
def test_the_environment_and_its_files_fill_settings_classes(
    tmp_path: Path, config: str, arguments: str, environ: dict[str, str], reads: set[str], writes: set[str]
) -> None:
    files = {
        "main.py": SETTINGS_CLASS.format(config=config or "pass", arguments=arguments),
        ".env": "APP_DATA_DIR=from-file\nAPP_STORE__FOLDER=nested\n",
        "other.env": "DATA_DIR=other\nREQUIRED=r2\n",
    }
    found = infer(tmp_path, files, environ=environ)
    assert read(found) == reads
    assert written(found) == writes
    assert found.complete


def test_old_settings_classes_have_their_options_in_an_inner_class(tmp_path: Path) -> None:
    program = """
        from pathlib import Path
        from pydantic import BaseSettings, Field
        class Settings(BaseSettings):
            out: Path = Field(Path("a"), env="PLACE")
            class Config:
                env_file = ".env"
                case_sensitive = True
        Settings().out.touch()
    """
    assert written(infer(tmp_path, {"main.py": program, ".env": "place=no\nPLACE=yes.txt\n"})) == {"yes.txt"}


def test_a_file_of_variables_that_is_not_known_is_said(tmp_path: Path) -> None:
    program = """
        import requests
        from pydantic_settings import BaseSettings
        class Settings(BaseSettings):
            out: str = "a"
        open(Settings(_env_file=requests.get("x").json()).out, "w")
    """
    found = infer(tmp_path, {"main.py": program})
    assert not found.complete
    assert "?" in written(found)


def test_attributes_of_dict_subclasses_are_their_entries(tmp_path: Path) -> None:
    program = """
        class Dict(dict):
            __getattr__ = dict.__getitem__
            __setattr__ = dict.__setitem__

        class Soft(dict):
            __getattr__ = dict.get

        class Same(dict):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.__dict__ = self

        class Lowered(dict):
            def __getattr__(self, name):
                return super().__getitem__(name.lower())
            def __setattr__(self, name, value):
                super().__setitem__(name, value)

        class Plain:
            default = "default.txt"
            def __init__(self, mapping):
                self.__dict__ = mapping

        d = Dict(a="a.txt")
        d.b = "b.txt"
        soft, same, lowered, plain = Soft({"c": "c.txt"}), Same(d="d.txt"), Lowered(e="e.txt"), Plain({"f": "f.txt"})
        same.g = "g.txt"
        lowered.h = "h.txt"
        plain.i = "i.txt"
        for name in (d.a, d["b"], soft.c, same.d, lowered.E, plain.f, same["g"], lowered.get("h"), plain.i):
            open(name, "w")
        open(plain.default, "w")
        open("{a}.copy".format(**d), "w")
        open(d.get("python", "fallback.log"), "w")
        if Dict():
            open("never", "w")
    """
    found = infer(tmp_path, {"main.py": program})
    assert written(found) == {f"{name}.txt" for name in "abcdefghi"} | {"default.txt", "a.txt.copy", "fallback.log"}
    assert found.complete
