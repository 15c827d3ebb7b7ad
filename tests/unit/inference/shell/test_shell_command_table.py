"""The command table: its options follow GNU conventions, faults are named, users extend it."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from taskgates.inference.shell.commands import (
    CommandTableError,
    Row,
    default_commands,
    load_commands,
    operand_roles,
    parse_arguments,
)
from taskgates.inference.shell.host import ShellState
from taskgates.inference.shell.interpreter import ShellInterpreter
from taskgates.inference.shell.strategies import STRATEGIES
from taskgates.inference.text import Hole, Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROW = Row(options={"-o": "overwrite", "--output": "overwrite", "-n": "value", "-i": "optional", "--color": "optional"})


@pytest.mark.parametrize(
    ("words", "options", "operands"),
    [
        (["-o", "f", "x"], [("-o", "f")], ["x"]),
        (["-of", "x"], [("-o", "f")], ["x"]),
        (["-vno5", "x"], [("-v", None), ("-n", "o5")], ["x"]),
        (["-vn", "5", "-o", "-"], [("-v", None), ("-n", "5"), ("-o", "-")], []),
        (["--output=f", "--outp", "g"], [("--output", "f"), ("--output", "g")], []),
        (["a", "-v", "--", "-o", "b"], [("-v", None)], ["a", "-o", "b"]),
        (["-i", "x", "-i.bak"], [("-i", None), ("-i", ".bak")], ["x"]),
        (["--color", "x"], [("--color", None)], ["x"]),
        (["-", "x", "-o"], [("-o", None)], ["-", "x"]),
    ],
)
def test_gnu_options(words: list[str], options: list[tuple[str, str | None]], operands: list[str]) -> None:
    found = parse_arguments(ROW, words)
    assert found.options == options
    assert found.operands == operands


def test_partly_known_options() -> None:
    hole = Hole("argument")
    found = parse_arguments(ROW, [Text(("--output=out/", hole)), Text(("-o", hole, ".x")), Text((hole, "-o"))])
    assert found.options == [("--output", Text(("out/", hole))), ("-o", Text((hole, ".x")))]
    assert found.operands == [Text((hole, "-o"))]


def test_repeating_roles_leave_room_for_the_last() -> None:
    row = Row(operands=("value", "read*", "overwrite"))
    roles = operand_roles(row, parse_arguments(row, ["p", "a", "b", "c"]))
    assert [(word, role.operation.value if role.operation else None) for word, role in roles] == [
        ("p", None), ("a", "read"), ("b", "read"), ("c", "overwrite"),
    ]  # fmt: skip


def test_every_row_of_the_shipped_table_is_used_by_some_name() -> None:
    table = default_commands()
    names = table.names()
    assert len(names) > 400
    for name in names:
        found = table.find(name)
        assert found is not None
        _, row = found
        assert row.summary, name
        for one in (row, *row.subcommands.values()):
            assert one.strategy in ("", *STRATEGIES), name
            assert one.strategy or one.operands or one.options or one.harmless or one.opaque or one.subcommands, name
            assert not (one.harmless and (one.operands or one.strategy)), name


def test_rows_parsed_on_demand_are_those_of_the_whole_table() -> None:
    text = resources.files("taskgates_rules").joinpath("effects/commands.toml").read_text(encoding="utf-8")
    whole = load_commands(text, "commands.toml")
    table = default_commands()
    assert table.names() == whole.names()
    for name in whole.names():
        assert table.find(name) == whole.find(name)


def test_every_strategy_is_named_by_some_row() -> None:
    table = default_commands()
    named = {
        row.strategy
        for name in table.names()
        if (found := table.find(name))
        for row in (found[1], *found[1].subcommands.values())
    }
    assert named - {""} == set(STRATEGIES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[x", "mine.toml"),
        ("[x]\noperands = ['reads*']", "mine.toml: command 'x': role 'reads*' is unknown"),
        ("[x]\nstatus = 'fine'", "status 'fine' is unknown"),
        ("[x]\noutput = 'some'", "output 'some' is unknown"),
        ("[x]\nread = ['a']", "unknown field `read`"),
        ("[x]\noptions = 3", "command 'x'"),
        ("x = 1", "command 'x'"),
    ],
)
def test_faults_name_table_and_command(text: str, message: str) -> None:
    with pytest.raises(CommandTableError, match=r"^mine") as raised:
        load_commands(text, "mine.toml")
    assert message in str(raised.value)


def test_users_add_commands(tmp_path: Path, recording_host: Callable[..., Any]) -> None:
    own = load_commands("[pack]\nsummary = 'p'\noptions = { '-o' = 'overwrite' }\noperands = ['below:read+']\n", "own")
    host = recording_host(tmp_path)
    ShellInterpreter(host, commands=default_commands().extended(own)).run_text("pack -o x.bin a b", ShellState())
    assert host.accesses == [("overwrite", "x.bin"), ("read", "a/**"), ("read", "b/**")]
    assert host.problems == []
