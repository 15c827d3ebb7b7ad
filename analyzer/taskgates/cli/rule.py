"""`taskgates rule`: explain a rule."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from taskgates.cli.errors import InputError
from taskgates.cli.options import format_option
from taskgates.cli.streams import terminal_of, write_out
from taskgates.scan.registry import RuleError, load_registry
from taskgates.scan.rule_page import rule_index, rule_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.scan.rule import Rule


@click.command("rule")
@click.argument("rule_id", required=False, metavar="[RULE_ID]")
@format_option(("rich", "json", "markdown"))
def command(rule_id: str | None, format_name: str) -> None:
    """Explain a rule, named by its id or name, or list all rules."""
    try:
        registry = load_registry()
        rules = registry.rules if rule_id is None else (registry.get(rule_id),)
    except RuleError as error:
        raise InputError(str(error)) from error
    if format_name == "json":
        described = [_describe(rule) for rule in rules]
        write_out(json.dumps({"rules": described} if rule_id is None else described[0], indent=2) + "\n")
    elif format_name == "markdown":
        write_out(rule_index(rules) if rule_id is None else rule_page(rules[0]))
    elif rule_id is None:
        _print_table(rules)
    else:
        _print_rule(rules[0])


def _describe(rule: Rule) -> dict[str, Any]:
    sections = rule.sections()
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity.value,
        "precision": rule.precision.value,
        "enabled": rule.enabled,
        "summary": sections.summary,
        "what": sections.what,
        "why": sections.why,
        "fix": sections.fix,
    }


def _print_table(rules: Iterable[Rule]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("Rule", "Name", "Severity", "What it reports"):
        table.add_column(heading, no_wrap=heading != "What it reports")
    for rule in rules:
        severity = rule.severity.value if rule.enabled else f"{rule.severity.value}, off"
        table.add_row(rule.id, rule.name, severity, rule.sections().summary)
    _print(table)


def _print_rule(rule: Rule) -> None:
    _print(Markdown(rule_page(rule, brief=True)))


def _print(content: Table | Markdown) -> None:
    terminal = terminal_of(sys.stdout)
    console = Console(
        width=min(terminal.width, 100) if isinstance(content, Markdown) else terminal.width,
        no_color=not terminal.colour,
        force_terminal=terminal.colour,
        highlight=False,
    )
    with console.capture() as capture:
        console.print(content)
    write_out("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n")
