"""A picture as a page: the SVG with a search field; nothing is loaded from anywhere, and scripts only help."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def picture_page(title: str, svg: str) -> str:
    """The page around a picture.

    Args:
        title: of the page.
        svg: the picture, in which everything that comes from the repository is escaped already.
    """
    environment = Environment(
        loader=PackageLoader("taskgates.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("graph.html.j2").render(title=title, svg=Markup(svg))  # noqa: S704
