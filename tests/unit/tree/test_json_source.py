import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.tree.json_source import JsonNode, parse_json
from taskgates.tree.text_source import TextSyntaxError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def cut(text: str, node: JsonNode) -> str:
    """What the span of a node covers, found by lines and columns."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    span = node.span
    if span.line == span.end_line:
        return lines[span.line - 1][span.column - 1 : span.end_column - 1]
    middle = lines[span.line : span.end_line - 1]
    return "\n".join(
        [lines[span.line - 1][span.column - 1 :], *middle, lines[span.end_line - 1][: span.end_column - 1]]
    )


def check(text: str, node: JsonNode) -> None:
    assert json.loads(cut(text, node)) == node.value
    for member in node.members:
        assert member.node.value == node.value[member.key]  # type: ignore[index]
        check(text, member.node)
    for item, value in zip(node.items, node.value if isinstance(node.value, list) else [], strict=True):
        assert item.value == value
        check(text, item)


@given(value=VALUES, indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans(), crlf=st.booleans())
def test_every_span_covers_its_value(value: object, indent: int | None, ascii_only: bool, crlf: bool) -> None:
    text = " \n" + json.dumps(value, indent=indent, ensure_ascii=ascii_only) + "\n "
    if crlf:
        text = text.replace("\n", "\r\n")
    for data in (
        text.encode(),
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        b"\xfe\xff" + text.encode("utf-16-be"),
    ):
        node = parse_json("f.json", data)
        assert node.value == value
    check(text, node)


def test_key_spans_and_duplicates() -> None:
    node = parse_json("f.json", '{"é": 1,\r\n  "b" : [2, {"c":3}],\n "b":"😀", "d":0}'.encode())
    assert [member.key for member in node.members] == ["é", "b", "b", "d"]
    assert str(node.members[1].key_span) == "f.json:2:3"
    assert node.members[1].key_span.end_column == 6
    assert [member.node.value for member in node.duplicates] == ["😀"]
    found = node.get("b")
    assert found is not None
    assert found.node.value == "😀"
    assert node.members[1].node.items[1].members[0].node.span.column == 18
    assert node.members[3].key_span.column == 11
    assert node.get("none") is None


@pytest.mark.parametrize(
    ("data", "place", "what"),
    [
        (b"", "1:1", "the file is empty"),
        (b" \n ", "1:1", "the file is empty"),
        (b'{"a": 1,}', "1:8", "a comma behind the last element"),
        (b"[1,\n]", "1:3", "a comma behind the last element"),
        (b'{\n  // why\n "a": 1}', "2:3", "comments are not allowed in JSON"),
        (b'{"a": /* x */ 1}', "1:7", "comments are not allowed in JSON"),
        (b"# yaml", "1:1", "comments are not allowed in JSON"),
        (b'{"a": NaN}', "1:7", "NaN is not JSON; use null or a number"),
        (b'{"NaN": [1,\n -Infinity]}', "2:2", "-Infinity is not JSON; use null or a number"),
        (b'{"a": "x\ny"}', "1:9", "a line break or control character inside a string; write it as an escape"),
        (b'{"a": "x', "1:7", "a string without closing quote"),
        (b'{"a": "\\q"}', "1:8", "an invalid escape in a string"),
        (b'{"a": "\\uZZZZ"}', "1:9", "an invalid escape in a string"),
        (b'{"a" 1}', "1:6", "unexpected '1'; expected a colon"),
        (b'{"a": 1 "b": 2}', "1:9", "unexpected '\"b\"'; expected a comma or the closing bracket"),
        (b"{'a': 1}", "1:2", "unexpected \"'a'\"; expected a key in double quotes"),
        (b"{a: 1}", "1:2", "unexpected 'a'; expected a key in double quotes"),
        (b'{"a": True}', "1:7", "unexpected 'True'; expected a value"),
        (b'{"a": ', "1:7", "the document ends too early; expected a value"),
        (b'{"a": [1, 2', "1:12", "the document ends too early; expected a comma or the closing bracket"),
        (b"{} {}", "1:4", "text behind the end of the document: '{'"),
        (b'{"a":\x00 1}', "1:6", "a NUL character; the file is binary, or UTF-16 without a byte order mark"),
        (
            '{"a": 1}'.encode("utf-16-le"),
            "1:2",
            "a NUL character; the file is binary, or UTF-16 without a byte order mark",
        ),
        ('{"é": "\n'.encode("latin-1"), "1:3", "not valid UTF-8 (byte 0xE9); save the file as UTF-8"),
        (b"\xff\xfe{", "1:1", "not valid UTF-16 (truncated data); save the file as UTF-8"),
        (b"[" * 200_000, "1:201", "nested more than 200 levels deep"),
        (b'["[[[[", "\\"[[", ' + b'{"a":' * 200, "1:1013", "nested more than 200 levels deep"),
    ],
)
def test_the_first_error_is_named_with_its_place(data: bytes, place: str, what: str) -> None:
    with pytest.raises(TextSyntaxError) as caught:
        parse_json("f.json", data)
    assert (str(caught.value.span), caught.value.message) == (f"f.json:{place}", what)


def test_a_number_of_absurd_length_is_an_error_not_a_crash() -> None:
    with pytest.raises(TextSyntaxError, match="a number cannot be read"):
        parse_json("f.json", b"[" + b"9" * 10_000 + b"]")


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_an_error(data: bytes) -> None:
    with suppress(TextSyntaxError):
        parse_json("f.json", data)


@given(st.text(alphabet='{}[],:"\\/ \n0aNtruefalsn.-e', max_size=40))
def test_exactly_what_the_standard_library_accepts(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=lambda name: 1 / 0)
    except (ValueError, ZeroDivisionError):
        with pytest.raises(TextSyntaxError):
            parse_json("f.json", text.encode())
    else:
        assert parse_json("f.json", text.encode()).value == expected
