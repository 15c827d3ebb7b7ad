# ruff: noqa: INP001 - a script, not a package
"""MkDocs hook: makes one page a rule, and the table of all rules, from the rules' own documentation.

A build takes the pages from here and leaves the source tree as it is. `python docs/hooks.py` writes the same pages into
`docs/rules/`, for reading them on the repository's web page.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / "rules"
for source in (ROOT / "analyzer", ROOT / "rules"):
    sys.path.insert(0, str(source))

from taskgates.scan.registry import load_registry  # noqa: E402 (needs the path)
from taskgates.scan.rule_page import rule_index, rule_page  # noqa: E402

_HEADING = """# Rules

Every rule has a stable id, a name, a default severity and a precision. `taskgates rule TG101` prints the same page.
`--select` and `--ignore` take ids, prefixes (`TG1` stands for TG101, TG102 and so on) and names.

"""


def pages() -> dict[str, str]:
    """Every page of the folder by its file name."""
    registry = load_registry()
    made = {f"{rule.id}.md": rule_page(rule) for rule in registry}
    made["index.md"] = _HEADING + rule_index(registry)
    return made


def write_pages(folder: Path = FOLDER) -> list[Path]:
    """Write the pages that have changed and remove those of rules that are gone; the files touched."""
    folder.mkdir(exist_ok=True)
    wanted = pages()
    touched: list[Path] = []
    for stale in folder.glob("*.md"):
        if stale.name not in wanted:
            stale.unlink()
            touched.append(stale)
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            touched.append(path)
    return touched


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Put the pages in the place of the committed ones."""
    from mkdocs.structure.files import File

    for file in list(files):
        if file.src_uri.startswith(f"{FOLDER.name}/"):
            files.remove(file)
    for name, text in pages().items():
        files.append(File.generated(config, f"{FOLDER.name}/{name}", content=text))
    return files


if __name__ == "__main__":
    for path in write_pages():
        print(path.relative_to(ROOT))  # noqa: T201 - a script
