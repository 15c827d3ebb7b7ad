"""Identifier positions agree with the walk on real sources."""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from taskgates.syntax import ir
from taskgates.syntax.lower import lower_source
from taskgates.syntax.positions import Positions

if TYPE_CHECKING:
    from collections.abc import Iterator

STDLIB = Path(sysconfig.get_paths()["stdlib"])
SAMPLE = sorted(path for path in STDLIB.rglob("*.py") if "site-packages" not in path.parts and "bad" not in path.name)[
    ::23
]


def nodes(value: object) -> Iterator[ir.Node]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, msgspec.Struct):
            if isinstance(item, ir.Node):
                yield item
            stack.extend(getattr(item, field) for field in item.__struct_fields__)


def assert_names_match(source: str) -> None:
    module = lower_source(source)
    assert isinstance(module, ir.Module), module
    positions = Positions(source, module.identifiers)
    assert len(positions) == module.identifiers
    for node in nodes(module):
        if isinstance(node, ir.Name | ir.Attr):
            name = node.id if isinstance(node, ir.Name) else node.name
            offset = positions.offset(node.pos)
            found = re.match(r"\w+", source[offset:])
            assert found is not None
            # A private name of a class has the class's before it.
            assert found[0] == name or (found[0].startswith("__") and name.startswith("_") and name.endswith(found[0]))


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: str(path.relative_to(STDLIB)))
def test_every_name_of_the_standard_library_is_where_the_walk_says(path: Path) -> None:
    try:
        source = path.read_text("utf-8")
    except UnicodeDecodeError:
        pytest.skip("not UTF-8")
    if isinstance(lower_source(source), ir.SourceProblem):
        pytest.skip("not parsable by design")
    assert_names_match(source)


@pytest.mark.parametrize(
    "source",
    [
        'x = f"{a!r:>{width}} {{no}} {b}" + c\n',
        "x = f'{a[\"k\"]}' f\"{b:%Y-%m}\" rf'\\d{c}'\n",
        'x = f"""{\n  a\n}{b:{c}{d}}""" ; y = z\n',
        "match x:\n    case {'k': v, **rest} if v: pass\n    case Point(x=0) | [1, *_]: pass\n    case _: y = x\n",
        "match = case = type = 1\nprint(match, case, type)\n",
        "x = 1if y else 0x1f\nz = 1_0.5e-3j + w\n",
        "async def f(a, /, b: int = c, *d, e, **g) -> h:\n    async with i as j, k: await l\n",
        "from . import a as b\nfrom ..c.d import (e, f as g)\nimport h.i, j as k\n",
        'x = f"{x!r}" f"{lambda_}{d[1:2]}{ {1: e}[1] }"\n',
        "x = f'{a=}' f'{b = !s}'\n",
        "def f():\n    global a, b\n    nonlocal_ = c\n",
        "try: pass\nexcept* A as b: pass\n",
        "type X[T: int] = list[T]\n",
        "def f[T](x: T) -> T: return x\nclass A[T](B, metaclass=C): pass\n",
        "x = 'é' + ü # comment with names\ny = x\r\nz = y\n",
    ],
)
def test_corner_cases_of_the_grammar(source: str) -> None:
    assert_names_match(source)


def test_a_call_ends_at_its_closing_parenthesis() -> None:
    source = "x = open(\n    'a)',\n    mode=f('w'),\n)\n"
    module = lower_source(source)
    assert isinstance(module, ir.Module)
    positions = Positions(source, module.identifiers)
    call = next(node for node in nodes(module) if isinstance(node, ir.Call) and node.start == 1)
    assert positions.start(call.start) == (1, 5)
    assert positions.call_end(call.pos) == (4, 2)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the sample above covers what this version's library holds")
def test_nested_quotes_in_fields() -> None:
    assert_names_match('x = f"{d["a"]} {f"{y}"}" + z\n')
