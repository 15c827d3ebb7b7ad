"""The JSON contracts, and that they read back."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import msgspec
from taskgates.model.access import Access, AccessSet, Certainty, Operation
from taskgates.reporting.json_report import render, render_access_set
from taskgates.reporting.report import RenderOptions, Report

if TYPE_CHECKING:
    from taskgates.scan.pipeline import ScanResult

EFFECTS = ["reads", "writes", "shared_state", "lock_order", "opaque"]


def test_scan_object(report: Report) -> None:
    scan = json.loads(render(report, RenderOptions()))
    assert list(scan) == ["schema_version", "root", "tasks", "findings", "summary"]
    assert scan["root"] == "."
    assert scan["summary"] == {"tasks": 2, "errors": 2, "warnings": 1, "notes": 1}
    first, second = scan["tasks"]
    head = ["id", "format", "manifest", "line", "status", "difficulty", "depends_on", "command", "declared"]
    assert list(first) == [*head, *EFFECTS, "complete"]
    assert first["difficulty"] == 6
    assert isinstance(first["difficulty"], int)
    assert second["difficulty"] == 2.5
    assert first["declared"] == {"reads": [], "writes": ["src/prepare.py"]}
    assert second["depends_on"] == ["110"]
    assert first["complete"] is False
    assert first["reads"][0]["path"] is None


def test_findings(report: Report) -> None:
    finding = json.loads(render(report, RenderOptions()))["findings"][1]
    keys = ["rule", "severity", "message", "tasks", "path", "location", "related", "fingerprint", "fixable"]
    assert list(finding) == keys
    assert finding["message"] == "tasks 110_1 and 110_2 both write build/winter.json; the other write is here"
    place = {"file": "src/prepare.py", "line": 11, "column": 5, "end_line": 11, "end_column": 33}
    assert finding["location"] == place
    assert list(finding["related"][0]) == ["message", *place]


def test_infer_object(outcome: ScanResult) -> None:
    value = json.loads(render_access_set(outcome.access_sets["110_1"], RenderOptions()))
    assert list(value) == ["target", "complete", *EFFECTS]
    access = value["writes"][1]
    assert list(access) == ["path", "certainty", "conditional", "operation", "sites"]
    assert access["path"] == "build/été.json"
    assert access["sites"][0] == {
        "file": "src/prepare.py",
        "line": 11,
        "column": 5,
        "function": "save",
        "call": "pathlib.Path.write_text",
        "via": [
            {"file": "src/prepare.py", "line": 19, "function": "<module>"},
            {"file": "src/prepare.py", "line": 16, "function": "main"},
        ],
    }
    assert list(value["shared_state"][0]) == ["name", "kind", "access", "guards", "sites"]
    assert list(value["opaque"][0]) == ["reason", "sites"]


def test_names_that_are_no_text_read_back() -> None:
    name = os.fsdecode(b"out/\xff.bin")
    access_set = AccessSet(writes=(Access(name, Certainty.EXACT, False, Operation.CREATE),))
    text = render_access_set(access_set, RenderOptions())
    assert text.isascii()
    assert os.fsencode(json.loads(text)["writes"][0]["path"]) == b"out/\xff.bin"


def test_same_input_same_bytes(outcome: ScanResult) -> None:
    again = msgspec.structs.replace(outcome, access_sets=dict(reversed(list(outcome.access_sets.items()))))
    assert render(Report(outcome), RenderOptions()) == render(Report(again), RenderOptions())
