"""The reader of DVC pipelines. Names and commands were checked against DVC 3 on the same files."""

import json
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from taskgates.manifests.dvc import DvcReader
from taskgates.manifests.registry import Manifests, load_tasks
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Command, Status, Task
from taskgates.tree import Tree

PARAMETERS = """
model: {lr: 0.1, deep: true, layers: [1, 2], name: "x y"}
sets: [a, b, 3, true, 1.5]
table: {uk: {n: 3}, us: {n: 4}}
complexes: [{n: 1, p: out/1}, {n: 2, p: out/2}]
yes: on
"""

PIPELINE = r"""
vars:
  - extra.json
  - inline: {a: 1, b: [x, y]}
  - more.py:ALPHA
stages:
  one:
    desc: The first
    cmd: python train.py ${model} --x ${inline.b[1]} \${HOME} ${ALPHA}
    deps: [train.py, "data/${inline.a}.csv"]
    outs:
      - out/${extra.k}.bin:
          cache: false
    params:
      - model.lr
      - extra.json:
      - other.toml: [a, b]
  many:
    foreach: ${sets}
    do:
      cmd: echo ${item} ${model.more}
      outs: ["m-${item}.txt"]
  dicts:
    foreach: ${table}
    do:
      wdir: sub
      cmd: ["echo ${key}", "cp a ${item.n}"]
      deps: [../m-a.txt, in.txt]
      outs: ["${key}"]
  comp:
    foreach: ${complexes}
    do:
      cmd: echo ${item.n}
      outs: ["${item.p}"]
  inlinedict:
    foreach: {p: ["${model.lr}", z], q: [1, 2]}
    do:
      cmd: echo ${key} ${item[0]}
  bools:
    foreach: [true, "${model.deep}", null]
    do: {cmd: "echo ${item}"}
  grid:
    matrix:
      model: [cnn, xgb]
      feat: ${inline.b}
      lst: [[1, 2]]
    cmd: echo ${item.model} ${item.feat} ${item.lst[1]} ${key}
    metrics: ["${item.model}.json"]
  later:
    cmd: cat out
    deps: [out]
    frozen: true
"""


def load(root: Path, **files: str) -> Manifests:
    """Write files (`sub__dvc` becomes `sub/dvc.yaml`) and read the pipelines."""
    for name, content in files.items():
        path = root / (name.replace("__", "/").replace("_dot_", ".") + ("" if "_dot_" in name else ".yaml"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return load_tasks(Tree(root), (DvcReader(),))


def by_id(found: Manifests) -> dict[str, Task]:
    return {task.id: task for task in found.tasks}


def shell(task: Task) -> str | None:
    assert task.command is not None
    return task.command.shell


def messages(found: Manifests) -> list[str]:
    return [f"{problem.span.line}:{problem.span.column} {problem.message}" for problem in found.problems]


def test_templates_expand_as_in_dvc(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        dvc=PIPELINE,
        params=PARAMETERS,
        extra_dot_json='{"extra": {"k": "v"}, "model": {"more": 1}}',
        more_dot_py="import os\nos.abort()\nALPHA = 3\nclass T: pass\nbeta: list = [1, 2]\n",
        sub__dvc="stages: {s: {cmd: cat ../m-a.txt, deps: [../m-a.txt], outs: [s.out]}}",
    )
    assert found.problems == ()
    tasks = by_id(found)
    assert {name: shell(task) for name, task in tasks.items()} == {
        "one": "python train.py --lr 0.1 --deep --layers 1 2 --name 'x y' --more 1 --x y ${HOME} 3",
        "many@a": "echo a 1",
        "many@b": "echo b 1",
        "many@3": "echo 3 1",
        "many@True": "echo true 1",
        "many@1.5": "echo 1.5 1",
        "dicts@uk": "set -e\necho uk\ncp a 3",
        "dicts@us": "set -e\necho us\ncp a 4",
        "comp@0": "echo 1",
        "comp@1": "echo 2",
        "inlinedict@p": "echo p 0.1",
        "inlinedict@q": "echo q 1",
        "bools@true": "echo true",
        "bools@True": "echo true",
        "bools@None": "echo None",
        "grid@cnn-x-lst0": "echo cnn x 2 cnn-x-lst0",
        "grid@cnn-y-lst0": "echo cnn y 2 cnn-y-lst0",
        "grid@xgb-x-lst0": "echo xgb x 2 xgb-x-lst0",
        "grid@xgb-y-lst0": "echo xgb y 2 xgb-y-lst0",
        "later": "cat out",
        "sub/dvc.yaml:s": "cat ../m-a.txt",
    }
    one = tasks["one"]
    assert [path.path for path in one.reads] == ["train.py", "data/1.csv", "params.yaml", "extra.json", "other.toml"]
    assert [path.path for path in one.writes] == ["out/v.bin"]
    assert one.declares_reads
    assert one.description == "The first"
    assert one.edits == ()
    uk = tasks["dicts@uk"]
    assert uk.command == Command(shell="set -e\necho uk\ncp a 3", cwd="sub")
    assert [path.path for path in uk.reads] == ["m-a.txt", "sub/in.txt"]
    assert [path.path for path in uk.writes] == ["sub/uk"]
    assert tasks["sub/dvc.yaml:s"].command == Command(shell="cat ../m-a.txt", cwd="sub")
    assert [path.path for path in tasks["grid@xgb-x-lst0"].writes] == ["xgb.json"]
    assert tasks["later"].status is Status.BLOCKED


def test_stages_depend_on_those_that_make_their_inputs(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        params="sets: [a]\nmodel: {deep: true, lr: 1, more: 1}\ntable: {uk: {n: 3}}\ncomplexes: [{n: 1, p: out/1}]\n",
        extra_dot_json='{"extra": {"k": "v"}}',
        more_dot_py="ALPHA = 3",
        dvc=PIPELINE,
        sub__dvc="stages: {s: {cmd: x, deps: [../m-a.txt, uk/inner.txt, s.out], outs: [s.out]}}",
    )
    assert found.problems == ()
    edges = {task.id: [item.id for item in task.depends_on] for task in found.tasks if task.depends_on}
    assert edges == {
        "dicts@uk": ["many@a"],
        "later": ["comp@0", "one"],
        "sub/dvc.yaml:s": ["many@a", "dicts@uk"],
    }
    reference = by_id(found)["dicts@uk"].depends_on[0]
    line = PIPELINE.split("\n").index("      deps: [../m-a.txt, in.txt]") + 1
    assert reference.span == SourceSpan("dvc.yaml", line, 14, line, 24)


def test_places_of_stages_and_paths(tmp_path: Path) -> None:
    found = load(tmp_path, dvc="stages:\n  träin:\n    cmd: x\n    deps:\n    - é.csv\n    - 'b c.csv'\n")
    task = found.tasks[0]
    assert task.span == SourceSpan("dvc.yaml", 2, 3, 2, 8)
    assert [path.span for path in task.reads] == [
        SourceSpan("dvc.yaml", 5, 7, 5, 12),
        SourceSpan("dvc.yaml", 6, 7, 6, 16),
    ]


def test_paths_elsewhere_and_literal_wildcards(tmp_path: Path) -> None:
    found = load(tmp_path, dvc='stages: {n: {cmd: x, deps: ["a[1]*.txt", "s3://b/x", /abs/y, ../up, "dir/"]}}')
    assert found.problems == ()
    assert [path.path for path in found.tasks[0].reads] == ["a[[]1][*].txt", "s3://b/x", "/abs/y", "../up", "dir"]


def test_ignored_pipelines_are_not_read(tmp_path: Path) -> None:
    found = load(tmp_path, a__dvc="stages: {x: {cmd: a}}", b__dvc="stages: {x: {cmd: b}}", _dot_gitignore="b/\n")
    assert [task.id for task in found.tasks] == ["a/dvc.yaml:x"]


def test_what_is_wrong_is_reported_and_the_other_stages_are_kept(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        dvc="""vars: [none.yaml, {x: [1]}]
stages:
  good: {cmd: echo}
  empty:
  nocmd: {deps: [a]}
  typo: {cmd: b, dep: [a], outs: x}
  value: {cmd: "echo ${nope.a}", deps: ["${x}", "${nope}", [1], ok]}
  loop: {foreach: "${x[0]}", do: {cmd: a}}
  nodo: {foreach: [1]}
  cube: {matrix: {a: 1}, cmd: x}
  big: {matrix: {a: &a [1,2,3,4,5,6,7,8,9,0], b: *a, c: *a, d: *a, e: *a}, cmd: x}
  cmds: {cmd: [a, []]}
""",
    )
    assert [task.id for task in found.tasks] == ["cmds", "good", "nocmd", "typo", "value"]
    assert messages(found) == [
        "1:8 the parameter file none.yaml does not exist or cannot be read",
        "4:9 a stage must be a mapping, not empty",
        "5:3 the stage 'nocmd' has no cmd",
        "6:18 a stage has no field 'dep'",
        "6:34 outs must be a list, not a string",
        "7:16 ${nope.a} has no value in the parameter files or vars",
        "7:41 ${x} is a list or table where text is needed",
        "7:49 ${nope} has no value in the parameter files or vars",
        "7:60 expected a path, not a sequence",
        "8:19 foreach must be a list or a mapping",
        "9:3 a stage with foreach must have a mapping under do",
        "10:18 matrix must be a mapping of names to lists",
        "11:17 expands to 100,000 stages; no more than 10,000 are read",
        "12:19 cmd must be a command or a list of commands",
    ]
    value = by_id(found)["value"]
    assert shell(value) == "echo ${nope.a}"
    assert [path.path for path in value.reads] == ["ok"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("stages: [", "1:10 not a DVC pipeline: "),
        ("- a", "1:1 a pipeline file must be a mapping, not a sequence"),
        ("stages: [a]", "1:9 stages must be a mapping, not a sequence"),
        ("stages:\n  a: {cmd: x}\n  a: {cmd: y}", "3:3 not a DVC pipeline: the key 'a' stands here twice"),
        ("vars: 3", "1:7 vars must be a list, not a number"),
        ("vars: [[1]]", "1:8 vars must hold file names and mappings"),
    ],
)
def test_broken_files(tmp_path: Path, content: str, message: str) -> None:
    found = load(tmp_path, dvc=content)
    assert len(found.problems) == 1
    assert messages(found)[0].startswith(message)
    assert found.problems[0].rule == "TG901"


def test_empty_files(tmp_path: Path) -> None:
    for content in ("", "# nothing", "stages:\n", "plots: [a]\nmetrics: [b]\n"):
        assert load(tmp_path, dvc=content) == Manifests(files=("dvc.yaml",))


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        ("params.yaml", "a: [", "the parameter file params.yaml:1:5 is broken"),
        ("params.yaml", "[1]", "the parameter file params.yaml must hold a table"),
        ("p.json", "{,}", "the parameter file p.json:1:2 is broken"),
        ("p.toml", "a=", "the parameter file p.toml is broken"),
        ("p.py", "def", "the parameter file p.py is broken"),
        ("p.yaml", "b: 1", "${a} has no value"),
    ],
)
def test_broken_parameter_files(tmp_path: Path, file: str, content: str, complaint: str) -> None:
    (tmp_path / file).write_text(content)
    keys = ":a" if file == "p.yaml" else ""
    section = "" if file == "params.yaml" else f"vars: [{file}{keys}]\n"
    found = load(tmp_path, dvc=section + "stages: {s: {cmd: x}}")
    assert [task.id for task in found.tasks] == ["s"]
    assert complaint in found.problems[0].message


def test_what_dvc_itself_reads_and_keeps(tmp_path: Path) -> None:
    content = """
        vars: [a.yaml, {b: 1}]
        stages:
          plain: {cmd: x, params: [p]}
          filled: {cmd: 'x ${p}', params: [p], vars: ['c.yaml:q']}
    """
    for file in ("a.yaml", "c.yaml"):
        (tmp_path / file).write_text("q: 1\n")
    filled, plain = load(tmp_path, dvc=dedent(content), params="p: 1\n").tasks
    assert (plain.id, plain.runner_files, plain.runner_reads) == ("plain", (".dvc/**", "dvc.yaml"), ())
    assert filled.runner_reads == ("params.yaml", "a.yaml", "c.yaml")


def test_metrics_and_plots_of_the_whole_pipeline_belong_to_no_stage(tmp_path: Path) -> None:
    content = """
        stages:
          one: {cmd: x, outs: [eval]}
        metrics: [live/metrics.json, eval/metrics.json]
        plots:
          - live/plots: {x: step}
          - Curve: {x: fpr, y: {live/roc.json: tpr, eval/roc.json: tpr}}
    """
    (task,) = load(tmp_path, dvc=dedent(content)).tasks
    shown = [path for path in task.runner_files if not path.endswith("/**")]
    assert shown == ["dvc.yaml", "live/metrics.json", "live/plots", "live/roc.json"]


def test_a_stage_with_a_file_of_its_own(tmp_path: Path) -> None:
    files = {
        "assets/features.dvc": "md5: 0a\ncmd: python code/features.py ${HOME}\nwdir: ..\ndeps:\n"
        "- md5: 1b\n  path: data/raw\n"
        "outs:\n- md5: 2c.dir\n  path: assets/features\n  cache: true\n",
        "data/raw.dvc": "outs:\n- md5: 3d.dir\n  path: raw\n",
        "Dvcfile": "cmd: python train.py\ndeps:\n- path: assets/features\nouts:\n- path: model.bin\n",
        "sub/broken.dvc": "cmd: [\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = load_tasks(Tree(tmp_path))
    train, features = found.tasks
    assert (train.id, features.id) == ("Dvcfile", "assets/features.dvc")
    assert features.command == Command(shell="python code/features.py ${HOME}", cwd=".")
    assert ([path.path for path in features.reads], [path.path for path in features.writes]) == (
        ["data/raw"],
        ["assets/features"],
    )
    assert [(each.id, each.span.line) for each in train.depends_on] == [("assets/features.dvc", 3)]
    assert [problem.span.file for problem in found.problems] == ["sub/broken.dvc"]


KEYS = ["cmd", "deps", "outs", "params", "vars", "wdir", "foreach", "do", "matrix", "a", "b"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 5)
    | st.sampled_from(["a", "${a}", "${a.b[0]}", "b/${item}", "../x", "", "${"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(stages=VALUES, variables=VALUES)
def test_no_content_is_too_odd(tmp_path_factory: pytest.TempPathFactory, stages: object, variables: object) -> None:
    root = tmp_path_factory.mktemp("repo")
    content = yaml.safe_dump({"stages": {"s": stages, "t": {"cmd": stages}}, "vars": variables})
    msgspec.json.encode(load(root, dvc=content, params=json.dumps({"a": {"b": [1]}})))
