"""The report formats by name. A new format is one module with a `render` function and one line here."""

from __future__ import annotations

import difflib
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import msgspec

from taskgates.reporting.report import RenderOptions, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from taskgates.model.access import AccessSet


class UnknownFormatError(ValueError):
    """No report format has the name; the message lists those that exist."""


class ReportFormat(msgspec.Struct, frozen=True):
    """One way to write a report.

    Attributes:
        module: the module that writes it, imported when needed; it has `render(report, options) -> str`, and
            `render_access_set(access_set, options) -> str` where it can show a single access set.
        summary: one line for help texts.
        for_machines: whether programs read it, so that nothing else may go to the same stream.
        single: whether it can show a single access set.
    """

    module: str
    summary: str
    for_machines: bool = True
    single: bool = False


FORMATS: Mapping[str, ReportFormat] = MappingProxyType(
    {
        "rich": ReportFormat("taskgates.reporting.rich_report", "text for a terminal", for_machines=False, single=True),
        "json": ReportFormat("taskgates.reporting.json_report", "one JSON object, for programs", single=True),
        "sarif": ReportFormat("taskgates.reporting.sarif_report", "SARIF 2.1.0, for code scanning"),
        "markdown": ReportFormat("taskgates.reporting.markdown_report", "a comment for a pull request"),
        "github": ReportFormat("taskgates.reporting.github_report", "workflow commands, for GitHub Actions"),
        "html": ReportFormat("taskgates.reporting.html_report", "one page for a browser"),
    }
)
"""Every format of `scan`, in the order in which help texts list them."""


def render(name: str, report: Report, options: RenderOptions | None = None) -> str:
    """A scan's report in the format of this name.

    Raises:
        UnknownFormatError: there is none.
    """
    function = cast("Callable[[Report, RenderOptions], str]", import_module(_format(name).module).render)
    return function(report, options or RenderOptions())


def render_access_set(name: str, access_set: AccessSet, options: RenderOptions | None = None) -> str:
    """A single access set, as `infer` prints it, in the format of this name.

    Raises:
        UnknownFormatError: there is none that can show an access set.
    """
    chosen = _format(name)
    if not chosen.single:
        able = ", ".join(name for name, each in FORMATS.items() if each.single)
        raise UnknownFormatError(f"the format {name!r} shows whole scans only; use one of: {able}")
    function = cast("Callable[[AccessSet, RenderOptions], str]", import_module(chosen.module).render_access_set)
    return function(access_set, options or RenderOptions())


def _format(name: str) -> ReportFormat:
    if name in FORMATS:
        return FORMATS[name]
    near = difflib.get_close_matches(name, FORMATS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"use one of: {', '.join(FORMATS)}"
    raise UnknownFormatError(f"there is no report format {name!r}; {hint}")
