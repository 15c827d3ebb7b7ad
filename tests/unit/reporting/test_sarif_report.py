"""SARIF against the standard's schema and against what code scanning asks for."""

from __future__ import annotations

import gzip
import json
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import jsonschema
import msgspec
import pytest
from taskgates.model.finding import Finding, Related, Severity
from taskgates.model.spans import SourceSpan
from taskgates.reporting import sarif_report
from taskgates.reporting.fingerprints import line_hashes
from taskgates.reporting.report import RenderOptions, Report, linked_message, plain_message
from taskgates.reporting.sarif_report import LARGEST_RUN, render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.scan.pipeline import ScanResult

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text("utf-8"))


def run_of(text: str) -> dict[str, Any]:
    log = json.loads(text)
    errors = [
        f"{error.json_path}: {error.message}"
        for error in jsonschema.Draft202012Validator(
            SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        ).iter_errors(log)
    ]
    assert not errors
    run: dict[str, Any]
    (run,) = log["runs"]
    return run


@pytest.fixture
def run(report: Report) -> dict[str, Any]:
    return run_of(render(report, RenderOptions()))


def result_of(run: dict[str, Any], rule: str) -> dict[str, Any]:
    result: dict[str, Any]
    (result,) = (result for result in run["results"] if result["ruleId"] == rule)
    return result


def test_gravest_results_come_first(run: dict[str, Any]) -> None:
    ranks = [("error", "warning", "note").index(result["level"]) for result in run["results"]]
    assert ranks == sorted(ranks)
    assert len(ranks) == 4


def test_rules_carry_what_code_scanning_asks_for(run: dict[str, Any]) -> None:
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["TG101", "TG701", "TG703", "TG902"]
    for rule in rules:
        assert {"id", "name", "shortDescription", "fullDescription", "help", "helpUri", "properties"} <= rule.keys()
        assert "security-severity" not in rule["properties"]
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["fullDescription"]["text"]) <= 1024
    conflict = rules[0]
    assert conflict["name"] == "WriteWriteConflict"
    assert conflict["properties"]["precision"] == "high"
    assert conflict["properties"]["problem.severity"] == "error"
    assert rules[2]["properties"]["problem.severity"] == "recommendation"
    assert "## Why it matters" in conflict["help"]["markdown"]
    assert "#" not in conflict["help"]["text"].replace("#tg", "")
    for index, result in ((result["ruleIndex"], result) for result in run["results"]):
        assert rules[index]["id"] == result["ruleId"]


def test_long_documentation_is_cut_at_a_word() -> None:
    from taskgates.reporting.sarif_rules import shortened

    cut = shortened("several words " * 200)
    assert len(cut) <= 1024
    assert cut.endswith(("several\u2026", "words\u2026"))


def test_locations_are_relative_and_complete(run: dict[str, Any], report: Report) -> None:
    def places(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            if "region" in node and "artifactLocation" in node:
                yield node
            for value in node.values():
                yield from places(value)
        elif isinstance(node, list):
            for value in node:
                yield from places(value)

    found = list(places(run["results"]))
    assert len(found) > 6
    files = [artifact["location"]["uri"] for artifact in run["artifacts"]]
    for place in found:
        address = place["artifactLocation"]
        assert address["uriBaseId"] == "%SRCROOT%"
        assert not re.search(r"[\s\[\]:]|[^\x00-\x7f]", address["uri"])
        assert (report.root / unquote(address["uri"])).is_file()
        assert files[address["index"]] == address["uri"]
        region = place["region"]
        assert {"startLine", "startColumn", "endLine", "endColumn"} <= region.keys()
        assert (region["startLine"], region["startColumn"]) < (region["endLine"], region["endColumn"])
    assert str(report.root) not in json.dumps(run)


def test_regions_select_the_code_they_speak_of(run: dict[str, Any]) -> None:
    place = result_of(run, "TG101")["locations"][0]["physicalLocation"]
    assert place["region"]["snippet"]["text"] == "target.write_text(str(rows))"
    assert place["contextRegion"]["snippet"]["text"].splitlines()[1] == "    target.write_text(str(rows))"
    # A span of which only the line is known covers the line's code.
    flow = result_of(run, "TG101")["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["physicalLocation"]["region"]["snippet"]["text"] for step in flow] == [
        "main()",
        "save(name, [1, 2])",
        "target.write_text(str(rows))",
    ]


def test_both_sites_of_a_conflict_are_linked(run: dict[str, Any]) -> None:
    conflict = result_of(run, "TG101")
    assert "[here](1)" in conflict["message"]["text"]
    assert conflict["relatedLocations"][0]["id"] == 1
    # A message without a link of its own gets one, its brackets escaped.
    assert result_of(run, "TG701")["message"]["text"].endswith("See [declared paths \\[of 110_2\\]](1).")
    # What looks like a link to a place that is not there is none.
    assert result_of(run, "TG902")["message"]["text"] == "cannot parse; see \\[there](7)."


def test_fingerprints_are_those_of_code_scanning(run: dict[str, Any], report: Report) -> None:
    conflict = result_of(run, "TG101")
    text = (report.root / "src" / "prepare.py").read_text("utf-8")
    assert conflict["partialFingerprints"] == {
        "primaryLocationLineHash": line_hashes(text)[10],
        "taskgates/v1": "a" * 32,
    }


def test_fixes_say_exactly_what_to_replace(run: dict[str, Any], report: Report) -> None:
    (fix,) = result_of(run, "TG703")["fixes"]
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]
    region = replacement["deletedRegion"]
    lines = (report.root / change["artifactLocation"]["uri"]).read_text("utf-8").split("\n")
    assert region["startLine"] == 5
    assert lines[4][region["startColumn"] - 1 :] == ","
    assert lines[5][: region["endColumn"] - 1] == '    "docs/old.md"'


def test_incomplete_tasks_are_said(run: dict[str, Any]) -> None:
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert "110_1" in notification["message"]["text"]
    index = notification["descriptor"]["index"]
    assert run["tool"]["driver"]["notifications"][index]["id"] == notification["descriptor"]["id"]


@pytest.mark.parametrize(("category", "expected"), [("", "taskgates/"), ("nightly", "taskgates/nightly/")])
def test_automation_identifier_ends_in_a_slash(report: Report, category: str, expected: str) -> None:
    run = run_of(render(report, RenderOptions(category=category)))
    assert run["automationDetails"]["id"] == expected


def many(outcome: ScanResult, count: int) -> ScanResult:
    base = Finding(
        rule="TG101", severity=Severity.NOTE, message="written twice", span=SourceSpan("src/train.py", 3, 1, 3, 5)
    )
    findings = [msgspec.structs.replace(base, message=f"written twice ({number})") for number in range(count - 1)]
    findings.append(msgspec.structs.replace(base, severity=Severity.ERROR))
    return msgspec.structs.replace(outcome, findings=tuple(findings))


def test_too_many_results_are_cut_from_the_least_grave_and_it_is_said(outcome: ScanResult) -> None:
    log = json.loads(render(Report(many(outcome, LARGEST_RUN + 10)), RenderOptions()))
    (run,) = log["runs"]
    assert len(run["results"]) == LARGEST_RUN
    assert run["results"][0]["level"] == "error"
    said = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert any(text.startswith("10 results of 25,010 left out") for text in said)


def test_too_many_locations_are_cut_and_it_is_said(outcome: ScanResult) -> None:
    related = tuple(Related(f"place {number}", SourceSpan("src/train.py", 1, 1, 1, 5)) for number in range(1_200))
    base = many(outcome, 1)
    run = run_of(
        render(
            Report(
                msgspec.structs.replace(base, findings=(msgspec.structs.replace(base.findings[0], related=related),))
            ),
            RenderOptions(),
        )
    )
    (result,) = run["results"]
    assert len(result["relatedLocations"]) + len(result["locations"]) == 1_000
    said = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert any(text.startswith("201 places left out") for text in said)


def test_an_upload_stays_within_the_compressed_size(outcome: ScanResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif_report, "LARGEST_FILE", 1_000_000)
    noise = random.Random(7)
    base = many(outcome, 1)
    findings = [
        msgspec.structs.replace(base.findings[0], message=noise.randbytes(2_000).hex(), fingerprint=str(number))
        for number in range(1_200)
    ]
    text = render(Report(msgspec.structs.replace(base, findings=tuple(findings))), RenderOptions())
    assert len(gzip.compress(text.encode())) <= sarif_report.LARGEST_FILE
    (run,) = json.loads(text)["runs"]
    kept = len(run["results"])
    assert 300 < kept < 1_200
    said = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert any(text.startswith(f"{1_200 - kept:,} results of 1,200 left out") for text in said)


def test_same_input_same_bytes(outcome: ScanResult) -> None:
    assert render(Report(outcome), RenderOptions()) == render(Report(outcome), RenderOptions())


def test_names_that_are_no_text_survive_as_bytes(outcome: ScanResult) -> None:
    finding = Finding(
        rule="TG101", severity=Severity.ERROR, message="odd", span=SourceSpan("src/\udcff.py", 1, 1, 1, 2)
    )
    run = run_of(render(Report(msgspec.structs.replace(outcome, findings=(finding,))), RenderOptions()))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "src/%FF.py"


def test_files_outside_the_root_have_absolute_addresses(outcome: ScanResult) -> None:
    finding = Finding(rule="TG101", severity=Severity.ERROR, message="far", span=SourceSpan("/srv/a b.py", 1, 1, 1, 2))
    run = run_of(render(Report(msgspec.structs.replace(outcome, findings=(finding,))), RenderOptions()))
    address = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert address["uri"] == "file:///srv/a%20b.py"
    assert "uriBaseId" not in address


def test_an_empty_scan_is_a_valid_log(outcome: ScanResult) -> None:
    run = run_of(render(Report(msgspec.structs.replace(outcome, findings=(), tasks=())), RenderOptions()))
    assert run["results"] == []
    assert sarif_report.SCHEMA.endswith("sarif-2.1.0.json")


@pytest.mark.parametrize(
    ("message", "plain", "linked"),
    [
        ("see [there](1)", "see there", "see [there](1)"),
        ("a[0] and [b[1].csv](2)", "a[0] and b[1].csv", "a[0] and [b\\[1\\].csv](2)"),
        ("[escaped \\[0\\]](1)", "escaped [0]", "[escaped \\[0\\]](1)"),
        ("[elsewhere](3)", "elsewhere", "\\[elsewhere](3)"),
        ("d[k](x)", "d[k](x)", "d[k](x)"),
    ],
)
def test_links_of_messages(message: str, plain: str, linked: str) -> None:
    assert plain_message(message) == plain
    assert linked_message(message, 2) == linked


def test_the_command_line_is_no_place(outcome: ScanResult) -> None:
    conflict = outcome.findings[1]
    flow = (Related("called from <command>", SourceSpan("<command>")), *conflict.flow)
    changed = msgspec.structs.replace(conflict, flow=flow)
    run = run_of(render(Report(msgspec.structs.replace(outcome, findings=(changed,))), RenderOptions()))
    assert len(run["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"]) == 3
    assert "command" not in json.dumps(run["artifacts"])
