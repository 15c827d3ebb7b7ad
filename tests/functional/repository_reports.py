"""The recorded reports of `fixtures/repositories`.

`python -m functional.repository_reports [NAME...]`, run in `tests/`, scans the repositories (all without a name)
and records what is found; look at every difference before committing it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORIES = Path(__file__).resolve().parents[2] / "fixtures" / "repositories"
EXPECTED = "expected.json"


def names() -> list[str]:
    """The repositories."""
    return sorted(path.name for path in REPOSITORIES.iterdir() if path.is_dir())


def report(name: str) -> str:
    """What `scan --format json` prints for a repository."""
    done = subprocess.run(
        [sys.executable, "-m", "taskgates", "scan", str(REPOSITORIES / name), "--format", "json", "--no-cache", "-q"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.stderr or not done.stdout:
        raise RuntimeError(f"{name}: exit code {done.returncode}: {done.stderr}")
    return done.stdout


def main() -> None:
    """Record the reports."""
    for name in sys.argv[1:] or names():
        (REPOSITORIES / name / EXPECTED).write_text(report(name), encoding="utf-8")


if __name__ == "__main__":
    main()
