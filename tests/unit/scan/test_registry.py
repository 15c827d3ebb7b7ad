"""Choosing rules."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import pytest
from taskgates.model.finding import Severity
from taskgates.scan import registry as registry_module
from taskgates.scan.registry import RuleError, load_registry, registry_of
from taskgates.scan.rule import Precision, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.model.finding import Finding
    from taskgates.scan.project import Project


def make_rule(rule_id: str, name: str, *, enabled: bool = True) -> type[Rule]:
    class Made(Rule):
        """A rule for tests."""

        severity = Severity.WARNING
        precision = Precision.HIGH

        def check(self, project: Project) -> Iterator[Finding]:
            yield from ()

    Made.id, Made.name, Made.enabled = rule_id, name, enabled
    return Made


@pytest.fixture
def registry() -> registry_module.RuleRegistry:
    return registry_of(
        [
            make_rule("TG203", "missing-dependency"),
            make_rule("TG101", "write-write-conflict"),
            make_rule("TG102", "read-write-conflict"),
            make_rule("TG103", "read-read-overlap", enabled=False),
        ]
    )


def ids(rules: Any) -> list[str]:
    return [rule.id for rule in rules]


def test_rules_come_sorted_and_by_id_or_name(registry: Any) -> None:
    assert ids(registry) == ["TG101", "TG102", "TG103", "TG203"]
    assert registry.get("tg101") is registry.get("Write-Write-Conflict")


@pytest.mark.parametrize(
    ("select", "ignore", "expected"),
    [
        ([], [], ["TG101", "TG102", "TG203"]),
        (["TG1"], [], ["TG101", "TG102", "TG103"]),
        (["all"], [], ["TG101", "TG102", "TG103", "TG203"]),
        (["ALL"], ["TG1"], ["TG203"]),
        (["TG1"], ["TG102"], ["TG101", "TG103"]),
        (["TG102"], ["TG1"], ["TG102"]),
        (["read-write-conflict"], ["all"], ["TG102"]),
        ([], ["TG"], []),
        (["TG10"], ["TG10"], []),
        (["missing-dependency", "TG103"], [], ["TG103", "TG203"]),
    ],
)
def test_the_more_specific_entry_wins(registry: Any, select: Any, ignore: Any, expected: Any) -> None:
    assert ids(registry.choose(select, ignore)) == expected


@pytest.mark.parametrize(
    ("key", "hint"), [("TG10x", "TG10"), ("write-write-conflct", "write-write-conflict"), ("", "taskgates rule")]
)
def test_unknown_rules_are_refused_with_a_suggestion(registry: Any, key: Any, hint: Any) -> None:
    with pytest.raises(RuleError, match=hint):
        registry.choose([key])


def test_an_id_may_not_be_taken_twice() -> None:
    with pytest.raises(RuleError, match=r"TG101.*defined twice"):
        registry_of([make_rule("TG101", "a"), make_rule("TG101", "b")])


def test_every_installed_rule_is_found_and_complete() -> None:
    found = load_registry()
    assert {"TG101", "TG201", "TG501", "TG601", "TG701", "TG901"} <= set(ids(found))
    for rule in found:
        sections = rule.sections()
        assert sections.summary.endswith("."), rule.id
        assert all((sections.what, sections.why, sections.fix, rule.positive, rule.negative)), rule.id


def test_an_entry_point_that_cannot_be_loaded_is_named(monkeypatch: Any) -> None:
    broken = EntryPoint(name="house", value="no_such_package.rules", group=registry_module.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [broken])
    with pytest.raises(RuleError, match=r"house.*no_such_package"):
        load_registry()


def test_an_entry_point_that_is_no_rule_is_named(monkeypatch: Any) -> None:
    wrong = EntryPoint(name="house", value="os:sep", group=registry_module.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [wrong])
    with pytest.raises(RuleError, match="neither a rule class nor a module"):
        load_registry()
