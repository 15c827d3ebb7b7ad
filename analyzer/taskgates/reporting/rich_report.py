"""The report for people at a terminal."""

from __future__ import annotations

import io
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from taskgates.model.finding import Finding, Severity
from taskgates.reporting.printable import printable
from taskgates.reporting.report import RenderOptions, Report, places_of, plain_message, plural
from taskgates.reporting.task_rows import Share, TaskRow, overall, task_rows
from taskgates.reporting.terminal_text import code_frame, message_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import OverflowMethod

    from taskgates.model.access import Access, AccessSet
    from taskgates.model.spans import CallFrame, Site

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}
_RELATED = 8
_NARROWEST = 40
_NARROWEST_TITLE = 14
_GAP = 3


class _Signs(msgspec.Struct, frozen=True):
    """The decorations, in Unicode or in ASCII."""

    error: str
    warning: str
    note: str
    good: str
    dash: str
    arrow: str
    rule: str
    dot: str

    def of(self, severity: Severity) -> str:
        return {Severity.ERROR: self.error, Severity.WARNING: self.warning, Severity.NOTE: self.note}[severity]


_UNICODE = _Signs("\u2716", "\u25b2", "\u25cf", "\u2714", "\u2013", "\u2192", "\u2500", "\u00b7")
_ASCII = _Signs("x", "!", "i", "ok", "-", "->", "-", "-")


def render(report: Report, options: RenderOptions) -> str:
    """The findings by file, the per-task table and the summary, with ANSI colours where the options allow them."""
    return _drawn(options, lambda page: page.scan(report))


def render_access_set(access_set: AccessSet, options: RenderOptions) -> str:
    """What one command reads, writes and shares, and what could not be seen."""
    return _drawn(options, lambda page: page.access_set(access_set))


def _drawn(options: RenderOptions, draw: Callable[[_Page], None]) -> str:
    out = io.StringIO()
    draw(_Page(options, out))
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


class _Page:
    """Draws onto one console."""

    def __init__(self, options: RenderOptions, out: io.StringIO) -> None:
        self.options = options
        self.signs = _UNICODE if options.unicode else _ASCII
        self.width = max(_NARROWEST, options.width)
        self.console = Console(
            file=out,
            width=self.width,
            color_system="standard" if options.colour else None,
            force_terminal=options.colour,
            no_color=not options.colour,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
            _environ={},
        )

    def line(self, text: Text | str = "", indent: int = 0) -> None:
        self.console.print(Padding(text, (0, 0, 0, indent)) if indent else text)

    def safe(self, text: str) -> str:
        return printable(text, unicode=self.options.unicode)

    def message(self, message: str) -> Text:
        return message_text(plain_message(message), colour=self.options.colour, unicode=self.options.unicode)

    # ---- scan -------------------------------------------------------------------------------------------------------

    def scan(self, report: Report) -> None:
        ordered = sorted(report.findings, key=lambda finding: (finding.span, finding.severity.rank, finding.rule))
        for file, group in groupby(ordered, key=lambda finding: finding.span.file):
            self.file(report, file, list(group))
        if report.tasks:
            self.tasks(task_rows(report))
        self.summary(report)

    def file(self, report: Report, file: str, findings: Sequence[Finding]) -> None:
        name = self.safe(file) or "(no file)"
        head = Text(name, style="bold underline" if self.options.colour else "")
        self.line(head)
        self.line()
        for finding in findings:
            self.finding(report, finding)

    def finding(self, report: Report, finding: Finding) -> None:
        style = _STYLES[finding.severity]
        head = Text()
        head.append(f"{self.signs.of(finding.severity)} {finding.severity.value}", style=f"bold {style}")
        head.append(f"  {finding.rule}", style="bold")
        head.append(f" {report.rule_name(finding.rule)}".rstrip())
        head.append(f" {self.signs.dot} line {finding.span.line}", style="dim")
        self.line(head, 2)
        self.line(self.message(finding.message), 4)
        source = report.sources.get(finding.span.file)
        if source is not None:
            frame = code_frame(source, finding.span, width=self.width - 4, style=style, unicode=self.options.unicode)
            for row in frame:
                self.console.print(Padding(row, (0, 0, 0, 2)), no_wrap=True, crop=True)
        for related in finding.related[:_RELATED]:
            text = Text().append(f"{self.signs.arrow} ", style="dim").append(self.message(related.message))
            text.append(f"  {self.safe(str(related.span))}", style="cyan")
            self.line(text, 8)
        if len(finding.related) > _RELATED:
            self.line(Text(f"and {plural(len(finding.related) - _RELATED, 'more place')}", style="dim"), 10)
        steps = places_of(finding.flow)
        if len(steps) > 1:
            self.flow([f"{step.span.file}:{step.span.line}" for step in steps])
        self.line()

    def flow(self, places: Sequence[str]) -> None:
        text = Text("reached by ", style="dim")
        shown = places if self.options.verbose or len(places) <= 5 else [*places[:2], "...", *places[-2:]]
        text.append(f" {self.signs.arrow} ".join(self.safe(place) for place in shown), style="dim")
        self.line(text, 8)

    def tasks(self, rows: Sequence[TaskRow]) -> None:
        shown = rows if self.options.verbose else [row for row in rows if not row.is_quiet]
        if not shown:
            return
        table = Table(
            box=box.SIMPLE_HEAD if self.options.unicode else box.ASCII2,
            show_edge=False,
            pad_edge=False,
            header_style="bold",
            padding=(0, 1),
        )
        cut: OverflowMethod = "ellipsis" if self.options.unicode else "crop"
        numbers = (("Writes\ndeclared", 8), ("Reads\ndeclared", 8), ("Shared\nstate", 6), ("Not\nseen", 4))
        longest = max(cell_len(self.safe(row.task.id)) for row in shown)
        names = min(max(4, longest), max(4, self.width // 4))
        findings = max(8, *(self.counts(row.errors, row.warnings, row.notes).cell_len for row in shown))
        table.add_column("Task", style="bold", no_wrap=True, overflow=cut, width=names)
        titles = self.width - 2 - names - findings - _GAP * 2 - sum(_GAP + width for _, width in numbers)
        if titles >= _NARROWEST_TITLE:
            table.add_column("Title", no_wrap=True, overflow=cut, max_width=titles)
        table.add_column("Findings", no_wrap=True, overflow=cut, min_width=min(findings, self.width // 4))
        for title, width in numbers:
            table.add_column(title, justify="right", overflow=cut, min_width=min(width, self.width // 12))
        for row in shown:
            cells: list[Text] = [Text(self.safe(row.task.id))]
            if titles >= _NARROWEST_TITLE:
                cells.append(Text(self.safe(row.task.title).replace("\n", " "), style="dim"))
            cells.extend(
                (
                    self.counts(row.errors, row.warnings, row.notes),
                    self.share(row.writes, row.has_code),
                    self.reads(row),
                    self.number(len(row.shared), "yellow"),
                    self.number(row.unseen, "magenta"),
                )
            )
            table.add_row(*cells)
        self.line(Text("Declared and inferred", style="bold"))
        self.line()
        self.console.print(Padding(table, (0, 0, 0, 2)))
        if any(row.reads is None and row.read_paths for row in shown):
            self.line(Text("(n): paths that the manifest has no place to declare", style="dim"), 2)
        hidden = len(rows) - len(shown)
        if hidden:
            words = "needs no attention" if hidden == 1 else "need no attention"
            self.line(Text(f"{plural(hidden, 'more task')} {words} (shown with --verbose)", style="dim"), 2)
        self.line()

    def counts(self, errors: int, warnings: int, notes: int) -> Text:
        text = Text()
        for count, severity in ((errors, Severity.ERROR), (warnings, Severity.WARNING), (notes, Severity.NOTE)):
            if count:
                text.append(" " if text else "")
                text.append(f"{self.signs.of(severity)} {count}", style=_STYLES[severity])
        return text or Text(self.signs.dash, style="dim")

    def share(self, share: Share, has_code: bool) -> Text:
        if not has_code or share.inferred == 0:
            return Text(self.signs.dash, style="dim")
        return Text(str(share), style="green" if share.is_full else "red")

    def reads(self, row: TaskRow) -> Text:
        if row.reads is not None:
            return self.share(row.reads, row.has_code)
        return Text(f"({row.read_paths})" if row.read_paths else self.signs.dash, style="dim")

    def number(self, count: int, style: str) -> Text:
        return Text(str(count), style=style) if count else Text(self.signs.dash, style="dim")

    def summary(self, report: Report) -> None:
        self.line(Text(self.signs.rule * self.width, style="dim"))
        counts = report.counts
        text = Text()
        if not report.findings:
            text.append(f"{self.signs.good} No findings", style="bold green")
        else:
            parts = (
                (counts.errors, "error", Severity.ERROR),
                (counts.warnings, "warning", Severity.WARNING),
                (counts.notes, "note", Severity.NOTE),
            )
            for count, noun, severity in parts:
                if count:
                    text.append("   " if text else "")
                    text.append(f"{self.signs.of(severity)} {plural(count, noun)}", style=f"bold {_STYLES[severity]}")
        text.append(f"   in {plural(len(report.tasks), 'task')}")
        writes, reads = overall(task_rows(report))
        if writes.inferred:
            text.append(f" {self.signs.dot} {writes.declared} of {plural(writes.inferred, 'written path')} declared")
        if reads.inferred:
            text.append(f" {self.signs.dot} {reads.declared} of {plural(reads.inferred, 'read path')} declared")
        self.line(text)
        incomplete = len(report.incomplete_tasks)
        if incomplete:
            self.line(
                Text(
                    f"The code of {plural(incomplete, 'task')} could not be followed everywhere and may touch more "
                    "files than are listed.",
                    style="magenta",
                )
            )

    # ---- one access set ---------------------------------------------------------------------------------------------

    def access_set(self, access_set: AccessSet) -> None:
        self.line(Text(self.safe(access_set.target), style="bold"))
        self.line()
        self.accesses("Reads", "green", access_set.reads)
        self.accesses("Writes", "red", access_set.writes)
        self.listed(
            "Shared state",
            "yellow",
            (
                (
                    shared.name,
                    f"{shared.access}, {shared.kind.value}"
                    + (f", holding {', '.join(shared.guards)}" if shared.guards else ""),
                    shared.sites,
                )
                for shared in access_set.shared_state
            ),
        )
        self.listed("Not seen", "magenta", ((opaque.reason, "", opaque.sites) for opaque in access_set.opaque))
        if access_set.complete:
            self.line(Text(f"{self.signs.good} Complete: everything was seen.", style="bold green"))
        else:
            self.line(Text("Incomplete: it may touch more than is listed.", style="bold magenta"))

    def accesses(self, title: str, style: str, accesses: Iterable[Access]) -> None:
        self.listed(
            title,
            style,
            (
                (
                    "(unknown path)" if access.path is None else access.path,
                    access.operation.value + (", perhaps" if access.conditional else ""),
                    access.sites,
                )
                for access in accesses
            ),
        )

    def listed(self, title: str, style: str, entries: Iterable[tuple[str, str, Sequence[Site]]]) -> None:
        rows = list(entries)
        if not rows:
            return
        self.line(Text(title, style=f"bold {style}"))
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(overflow="fold", max_width=self.width // 2)
        table.add_column(style="dim", overflow="fold")
        table.add_column(style="cyan", overflow="fold")
        for name, detail, sites in rows:
            table.add_row(Text(self.safe(name)), Text(self.safe(detail)), self.sites(sites))
        self.console.print(Padding(table, (0, 0, 0, 2)))
        self.line()

    def sites(self, sites: Sequence[Site]) -> Text:
        shown = sites if self.options.verbose else sites[:1]
        lines = []
        for site in shown:
            chain: list[Site | CallFrame] = [*site.via, site] if self.options.verbose else [site]
            lines.append(
                f" {self.signs.arrow} ".join(
                    f"{self.safe(step.file)}:{step.line} {self.safe(step.function)}" for step in chain
                )
            )
        text = Text("\n".join(lines))
        if len(sites) > len(shown):
            text.append(f" (+{len(sites) - len(shown)})", style="dim")
        return text
