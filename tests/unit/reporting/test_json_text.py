"""The JSON text of reports is what the standard library writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.reporting.json_text import json_text

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(), max_size=12)
    | st.sampled_from([0.5, 2.0, -1.25]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("indent", [1, 2])
@given(value=st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_the_text_is_that_of_the_standard_library(indent: int, value: dict[str, Any]) -> None:
    assert json_text(value, indent) == json.dumps(value, indent=indent) + "\n"


def test_names_that_are_no_unicode_and_large_numbers_are_kept() -> None:
    value = {"path": "caf\udce9.txt", "size": 2**70, "\u6f22\U0001f600": "\x7f\x00\u2028</script>"}
    text = json_text(value)
    assert text.isascii()
    assert json.loads(text) == value
