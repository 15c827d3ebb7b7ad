import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.config.toml_positions import KeyPath, toml_positions

DOCUMENT = '''\
# comment with = and [brackets]
top = 1
"quoted \\u00e9" = 'x # y'
a.b . "c" = [ 1, # one ]
  [2, "]"],
  { d = "}", e.f = """multi
[not.a.table]
""" } ,
]
empty = []
date = 2024-01-01 00:00:00

[table . sub]
text = """
key = 3
\\""" ""more"""""
raw = \'\'\'it\'s\'\'\'
[[jobs]]
name = "one"
[jobs.opts]
x = 1
[[jobs]]
name = "two"
[[jobs.steps]]
run = "a"
[[jobs.steps]]
run = "b"
[jobs.opts]
x = 2
[table]
late = {}
'''


def paths_of(value: object, path: KeyPath = ()) -> set[KeyPath]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, item in value.items():
            found |= paths_of(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found |= paths_of(item, (*path, index))
    return found


def test_every_key_and_element_has_its_place() -> None:
    places = toml_positions(DOCUMENT)
    assert set(places) == paths_of(tomllib.loads(DOCUMENT))

    def line(*path: str | int) -> int:
        return DOCUMENT.count("\n", 0, places[path][0]) + 1

    assert line("top") == 2
    assert line("quoted é") == 3
    assert DOCUMENT[slice(*places["quoted é",])] == '"quoted \\u00e9"'
    assert line("a", "b", "c", 1, 1) == 5
    assert DOCUMENT[slice(*places["a", "b", "c", 1])] == '[2, "]"]'
    assert line("a", "b", "c", 2, "e", "f") == 6
    assert line("table", "sub", "raw") == 17
    assert line("jobs", 0, "opts", "x") == 21
    assert line("jobs", 1, "steps", 1, "run") == 27
    assert line("jobs", 1, "opts", "x") == 29
    assert line("table", "late") == 31


def test_this_project_s_own_file() -> None:
    file = Path(__file__).parents[3] / "pyproject.toml"
    if not file.is_file():
        pytest.skip("not run from the source tree")
    text = file.read_text(encoding="utf-8")
    assert set(toml_positions(text)) == paths_of(tomllib.loads(text))


@given(st.text(alphabet="ab.=\"'[]{},#\n \\1", max_size=40))
def test_it_ends_on_anything_and_knows_every_key_of_what_is_valid(text: str) -> None:
    places = toml_positions(text)
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(places) == paths_of(value)
