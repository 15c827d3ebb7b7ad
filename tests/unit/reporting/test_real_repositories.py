"""Every format over real scans of the fixture repositories."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from taskgates.config import load_config
from taskgates.reporting.formats import FORMATS, render
from taskgates.reporting.report import Report
from taskgates.scan.pipeline import ScanResult, scan

REPOSITORIES = Path(__file__).resolve().parents[3] / "fixtures" / "repositories"
SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text("utf-8"))
NAMES = sorted(path.name for path in REPOSITORIES.iterdir() if path.is_dir())


def scanned(name: str, scratch: Path) -> ScanResult:
    root = scratch / name
    shutil.copytree(REPOSITORIES / name, root, ignore=shutil.ignore_patterns(".taskgates", "__pycache__"))
    return scan(root, load_config(root), use_cache=False)


@pytest.mark.parametrize("name", NAMES)
def test_every_format_tells_every_finding(name: str, tmp_path: Path) -> None:
    report = Report(scanned(name, tmp_path))
    texts = {format_: render(format_, report) for format_ in FORMATS}
    for format_, text in texts.items():
        text.encode("utf-8")
        assert str(tmp_path) not in text, f"{format_} names a path of this machine"
        for finding in report.findings:
            assert finding.rule in text
    log = json.loads(texts["sarif"])
    jsonschema.Draft202012Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    assert len(run["results"]) == len(report.findings)
    assert len(json.loads(texts["json"])["findings"]) == len(report.findings)
    for result in run["results"]:
        hashes = result["partialFingerprints"]
        assert "taskgates/v1" in hashes
        assert len(result["message"]["text"]) > 10


@pytest.mark.parametrize("name", NAMES)
def test_two_scans_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    first, second = (Report(scanned(name, tmp_path / place)) for place in ("here", "there"))
    for format_ in FORMATS:
        assert render(format_, first) == render(format_, second)
