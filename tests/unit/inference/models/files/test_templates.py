"""Jinja templates: what `extends`, `include` and `import` draw in, checked against a real run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.reality import analyse, every, rows, run_for_real, write_tree

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATES = """
--- templates/base.html
{% block body %}{% endblock %}{% include "parts/footer.html" %}
--- templates/page.html
{% extends "base.html" %}{% import 'macros.html' as m %}{% from "more.html" import hello %}
{% block body %}{% include ["missing.html", "parts/header.html"] %}{{ m.title(x) }}
{% include "absent.html" ignore missing %}{# {% include "comment.html" %} #}
{% raw %}{% include "raw.html" %}{% endraw %}{% endblock %}
--- templates/macros.html
{% macro title(x) %}{{ x }}{% endmacro %}
--- templates/more.html
{% macro hello() %}{% endmacro %}
--- templates/parts/header.html
header
--- templates/parts/footer.html
footer
--- templates/comment.html
--- templates/raw.html
--- templates/loop.html
{% for n in [1] %}{% include "loop.html" if false else "parts/footer.html" %}{% endfor %}
--- own/page.html
<% include "parts/header.html" %>
--- site/__init__.py
--- site/templates/a.html
{% include "b.html" %}
--- site/templates/b.html
b
"""
LOADED = {f"read templates/{name}.html" for name in ("page", "base", "macros", "more", "parts/header", "parts/footer")}

PROGRAMS = {
    "folder": (
        (
            "from jinja2 import Environment, FileSystemLoader\n"
            "env = Environment(loader=FileSystemLoader('templates'))\n"
            "print(env.get_template('page.html').render(x=1))\n"
        ),
        LOADED,
    ),
    "two folders and a path": (
        (
            "import jinja2, pathlib\nhere = pathlib.Path(__file__).parent\n"
            "env = jinja2.Environment(loader=jinja2.FileSystemLoader([here / 'site', here / 'templates']))\n"
            "template = env.select_template(['nothing.html', 'page.html'])\ntemplate.render(x=1)\n"
        ),
        LOADED,
    ),
    "package": (
        "from jinja2 import Environment, PackageLoader\n"
        "Environment(loader=PackageLoader('site')).get_template('a.html').render()\n".replace("site", "pages"),
        {"read pages/templates/a.html", "read pages/templates/b.html"},
    ),
    "delimiters of one's own": (
        (
            "from jinja2 import Environment, ChoiceLoader, FileSystemLoader\n"
            "env = Environment(loader=ChoiceLoader([FileSystemLoader('own'), FileSystemLoader('templates')]),\n"
            "                  block_start_string='<%', block_end_string='%>')\n"
            "env.get_template('page.html').render()\n"
        ),
        {"read own/page.html", "read templates/parts/header.html"},
    ),
    "text of the program": (
        (
            "from jinja2 import Environment, FileSystemLoader\n"
            "env = Environment(loader=FileSystemLoader('templates'))\n"
            "env.from_string('{% include \"parts/footer.html\" %}').render()\n"
        ),
        {"read templates/parts/footer.html"},
    ),
}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_what_a_template_draws_in_is_read(name: str, tmp_path: Path) -> None:
    code, expected = PROGRAMS[name]
    root = tmp_path / "tree"
    write_tree(root, code + TEMPLATES.replace("site/", "pages/"), data=False)
    found = analyse(root)
    assert not found.opaque
    assert rows(found) == expected
    real = run_for_real(root, ("python", "main.py"), tmp_path / "log")
    assert {row for row in real if row.startswith("read ") and row.endswith(".html")} == expected


def test_computed_names_may_be_any_template(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        "from jinja2 import Environment, FileSystemLoader\n"
        "Environment(loader=FileSystemLoader('t')).get_template('a.html').render()\n"
        "--- t/a.html\n{% if x %}{% include name %}{% include 'b.html' %}{% endif %}\n--- t/b.html\n",
        data=False,
    )
    found = analyse(tmp_path)
    assert {(access.path, access.conditional) for access in every(found)} == {
        ("t/a.html", False),
        ("t/b.html", True),
        ("t/**", True),
    }
