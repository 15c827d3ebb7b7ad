from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from taskgates.manifests.json_source import TextSyntaxError
from taskgates.manifests.yaml_source import YamlNode, parse_yaml

TEXT = """\
# a pipeline
stages:
  "träin": {cmd: python é.py, deps: [a.csv,  b.csv]}
  eval:
    cmd: |
      python x.py
      python y.py
    outs:
    - out.txt
    -   plot.svg:
          cache: false
base: &base
  x: 1
other:
  <<: *base
  y: [*base, yes, 010, 0x1F, .5, ~, "true", 1e3, 0o17]
"""


def parse(text: str) -> YamlNode:
    node = parse_yaml("f.yaml", text.encode())
    assert node is not None
    return node


def cut(text: str, node: YamlNode) -> str:
    lines = text.split("\n")
    span = node.span
    assert span.line == span.end_line
    return lines[span.line - 1][span.column - 1 : span.end_column - 1]


def test_values_and_places() -> None:
    root = parse(TEXT)
    stages = root.get("stages")
    assert stages is not None
    assert list(stages.members) == ["träin", "eval"]
    train = stages.get("träin")
    assert train is not None
    assert cut(TEXT, stages.members["träin"][0]) == '"träin"'
    assert cut(TEXT, train) == "{cmd: python é.py, deps: [a.csv,  b.csv]}"
    deps = train.get("deps")
    assert deps is not None
    assert [cut(TEXT, item) for item in deps.items] == ["a.csv", "b.csv"]
    evaluate = stages.get("eval")
    assert evaluate is not None
    assert (evaluate.span.line, evaluate.span.end_line) == (5, 11)
    outs = evaluate.get("outs")
    assert outs is not None
    assert outs.value == ["out.txt", {"plot.svg": {"cache": False}}]
    assert evaluate.value == {"cmd": "python x.py\npython y.py\n", "outs": outs.value}


def test_the_core_schema_of_yaml_1_2_and_merge_keys() -> None:
    other = parse(TEXT).get("other")
    assert other is not None
    assert other.value == {"x": 1, "y": [{"x": 1}, "yes", 10, 31, 0.5, None, "true", 1000.0, 15]}
    items = other.members["y"][1].items
    assert cut(TEXT, items[0]) == "*base"


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("a: [1", "1:6", "did not find expected ',' or ']'"),
        ("a: 1\na: 2", "2:1", "the key 'a' stands here twice"),
        ("a: *x", "1:4", "the alias *x has no anchor before it"),
        ("a: &x [*x]", "1:8", "the alias *x has no anchor before it"),
        ("<<: 3", "1:5", "a merge key (<<) must be given mappings"),
        ("? [a]\n: b", "1:3", "a key must be a scalar, not a sequence"),
        ("[" * 300 + "]" * 300, "1:201", "nested more than 200 levels deep"),
        ("a:\n\t- b", "2:1", "found character that cannot start any token"),
        ("a: \x01", "1:4", "a control character, which YAML does not allow"),
    ],
)
def test_the_first_error_is_named_with_its_place(text: str, place: str, what: str) -> None:
    with pytest.raises(TextSyntaxError) as caught:
        parse_yaml("f.yaml", text.encode())
    assert (str(caught.value.span), caught.value.message) == (f"f.yaml:{place}", what)


def test_aliases_cannot_be_made_to_explode() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    root = parse("\n".join(lines))
    with pytest.raises(TextSyntaxError, match="aliases expand to more than"):
        _ = root.value
    deep = ["a0: &a0 x"] + [f"a{n}: &a{n} " + "[" * 100 + f"*a{n - 1}" + "]" * 100 for n in range(1, 9)]
    with pytest.raises(TextSyntaxError, match="nested more than 200 levels deep"):
        parse_yaml("f.yaml", "\n".join(deep).encode())


def test_an_empty_document_is_none() -> None:
    for text in ("", "# nothing\n", "---\n...\n"):
        node = parse_yaml("f.yaml", text.encode())
        assert node is None or node.value is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(alphabet="ab: -#é{}[]\"'\n1.", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abé:", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(value=VALUES, flow=st.booleans())
def test_what_is_written_is_read(value: object, flow: bool) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow)
    node = parse_yaml("f.yaml", text.encode())
    expected = YAML(typ="safe", pure=True).load(text)
    assert (None if node is None else node.value) == expected == value


@given(
    st.text(alphabet="ab: -#&*<>|{}[]\"'\n\t!%1.", max_size=30)
    | st.binary(max_size=30).map(lambda data: data.decode("latin-1"))
)
def test_any_text_gives_a_value_or_an_error(text: str) -> None:
    with suppress(TextSyntaxError):
        node = parse_yaml("f.yaml", text.encode())
        _ = None if node is None else (node.value, node.span)
