"""SARIF against Microsoft's validator with its rules for GitHub's code scanning, where npm can install it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from taskgates.config import load_config
from taskgates.reporting.report import RenderOptions, Report
from taskgates.reporting.sarif_report import render
from taskgates.scan.pipeline import scan

if TYPE_CHECKING:
    from taskgates.scan.pipeline import ScanResult

DEMO = Path(__file__).resolve().parents[3] / "fixtures" / "repositories" / "demo"
VERSION = "5.7.0"
PACKAGE = f"@microsoft/sarif-multitool-linux@{VERSION}"
VALIDATE = ("validate", "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning;Note", "--log", "ForceOverwrite")

# Remarks of the lowest level that cannot apply, with the reason.
CANNOT_APPLY = {
    "SARIF2002": "code scanning displays message.text and does not resolve message.id with arguments",
    "SARIF2006": "asks the network whether addresses answer",
    "SARIF2013": "wants whole sources embedded, which would break the limit on an upload's size",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="uses the validator's Linux binary"),
]


@pytest.fixture(scope="module")
def multitool() -> Path:
    cache = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "taskgates-tests" / f"multitool-{VERSION}"
    )
    binary = cache / "node_modules" / "@microsoft" / "sarif-multitool-linux" / "Sarif.Multitool"
    cache.mkdir(parents=True, exist_ok=True)
    # Several test processes may want it at once.
    with FileLock(cache / "install.lock"):
        if not binary.is_file():
            installed = subprocess.run(
                ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(cache), PACKAGE],
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            if installed.returncode or not binary.is_file():
                pytest.skip(f"npm cannot install the validator: {installed.stderr.strip()[-300:]}")
        binary.chmod(0o755)
    probe = subprocess.run([binary, "help"], capture_output=True, text=True, timeout=60, check=False)
    if "Multitool" not in probe.stdout + probe.stderr:
        pytest.skip(f"the validator does not start here: {probe.stderr.strip()[-300:]}")
    return binary


def remarks(multitool: Path, log: Path) -> list[tuple[str, str, str]]:
    out = log.with_suffix(".validation.sarif")
    subprocess.run(
        [str(multitool), *VALIDATE, "--output", str(out), str(log)],
        capture_output=True,
        timeout=120,
        check=False,
    )
    (run,) = json.loads(out.read_text("utf-8-sig"))["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"], invocation
    return [
        (result["ruleId"], result.get("level", "warning"), " | ".join(result["message"].get("arguments", [])))
        for result in run.get("results", [])
    ]


def test_the_validator_has_nothing_to_say(multitool: Path, outcome: ScanResult, tmp_path: Path) -> None:
    git = outcome.root / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "refs" / "heads" / "main").write_text("0123456789abcdef0123456789abcdef01234567\n")
    (git / "config").write_text('[remote "origin"]\n\turl = https://user:secret@example.org/team/pipeline.git\n')
    log = tmp_path / "report.sarif"
    text = render(Report(outcome), RenderOptions(category="nightly"))
    assert "secret" not in text
    log.write_text(text, encoding="utf-8")
    found = remarks(multitool, log)
    assert [remark for remark in found if remark[0] not in CANNOT_APPLY] == []


def test_the_validator_has_nothing_to_say_about_a_real_scan(multitool: Path, tmp_path: Path) -> None:
    root = tmp_path / "demo"
    shutil.copytree(DEMO, root, ignore=shutil.ignore_patterns(".taskgates", "__pycache__"))
    log = tmp_path / "demo.sarif"
    log.write_text(render(Report(scan(root, load_config(root), use_cache=False)), RenderOptions()), encoding="utf-8")
    # The copy is no checkout, so there is no commit to name.
    silent = CANNOT_APPLY.keys() | {"SARIF2003"}
    assert [remark for remark in remarks(multitool, log) if remark[0] not in silent] == []


def test_the_validator_does_see_mistakes(multitool: Path, outcome: ScanResult, tmp_path: Path) -> None:
    log = tmp_path / "broken.sarif"
    broken = json.loads(render(Report(outcome), RenderOptions()))
    del broken["runs"][0]["tool"]["driver"]["rules"][0]["help"]
    log.write_text(json.dumps(broken), encoding="utf-8")
    assert "GH2012" in {rule for rule, _, _ in remarks(multitool, log)}
