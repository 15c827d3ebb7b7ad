"""Documents, notebooks, project templates, versions: which files their programs read and make.

What the programs really do with these files was looked up by running them; they are not needed to run the tests.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.inference.models.builders.restructured_text import references
from taskgates.inference.models.builders.template_values import UNKNOWN, evaluated, rendered
from taskgates.inference.text import Text
from unit.inference.models.pipelines.runs import infer, read, written

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = """
Title
=====

.. include:: inner/one.txt
   :start-line: 1

.. csv-table:: T
   :file: t.csv

Text::

    .. include:: literal.txt

.. code-block:: rst

   .. include:: code.txt

..
   .. include:: comment.txt

.. image:: picture.png

- item

  .. raw:: html
     :file: raw.html
"""
INCLUDED = {"inner/one.txt": ".. include:: two.txt\n", "inner/two.txt": "x\n", "t.csv": "a\n", "raw.html": "b\n"}


@pytest.mark.parametrize("command", ["rst2html5 doc.rst out.html", "docutils --output=out.html doc.rst"])
def test_documents_take_in_what_their_directives_name(tmp_path: Path, command: str) -> None:
    found = infer(tmp_path, {"doc.rst": DOCUMENT, **INCLUDED}, command)
    assert read(found) == {"doc.rst", *INCLUDED}
    assert written(found) == {"out.html"}
    assert found.complete


def test_publishing_from_a_program(tmp_path: Path) -> None:
    program = """
        from pathlib import Path
        from docutils.core import publish_file, publish_string
        for page in Path("pages").glob("*.rst"):
            publish_file(source_path=str(page), destination_path=f"{page.stem}.html")
        publish_string(".. include:: top.txt", source_path="other/x.rst")
    """
    files = {"build.py": program, "pages/a.rst": ".. include:: b.txt\n", "pages/b.txt": "", "other/top.txt": ""}
    assert {"pages/a.rst", "pages/b.txt", "other/top.txt"} <= read(infer(tmp_path, files, "python build.py"))


def test_documents_that_include_each_other_end(tmp_path: Path) -> None:
    files = {"a.rst": ".. include:: b.rst\n", "b.rst": ".. include:: a.rst\n"}
    assert read(infer(tmp_path, files, "rst2html5 a.rst a.html")) == {"a.rst", "b.rst"}


@given(st.text(alphabet=".:` \n-ainclude[]|", max_size=200), st.booleans())
def test_any_text_can_be_looked_through(text: str, markdown: bool) -> None:
    for reference in references(text, markdown=markdown):
        assert reference.target


SPHINX = {
    "docs/conf.py": 'project = "P"\nexclude_patterns = ["parts"]\nhtml_static_path = ["_static"]\n',
    "docs/index.rst": "P\n=\n\n.. literalinclude:: ../src/x.py\n\n.. image:: a.png\n\n:download:`d </d.csv>`\n",
    "docs/sub/page.rst": "S\n=\n\n.. include:: /parts/note.txt\n",
    "docs/parts/note.txt": "note\n",
    "docs/parts/ignored.rst": "I\n=\n",
    "docs/_static/own.css": "",
    "docs/a.png": "",
    "docs/d.csv": "",
    "src/x.py": "",
}


def test_sphinx_pages(tmp_path: Path) -> None:
    found = infer(tmp_path, SPHINX, "sphinx-build -b html docs out")
    sources = {"docs/conf.py", "docs/index.rst", "docs/sub/page.rst", "docs/parts/note.txt", "docs/a.png", "docs/d.csv",
               "src/x.py"}  # fmt: skip
    assert sources <= read(found)
    assert "docs/parts/ignored.rst" not in read(found)
    pages = {"out/index.html", "out/sub/page.html", "out/genindex.html", "out/searchindex.js", "out/_images/a.png",
             "out/_sources/index.rst.txt", "out/.doctrees/sub/page.doctree", "out/_static/**"}  # fmt: skip
    assert pages <= written(found)
    assert found.complete


def test_sphinx_texts_have_no_images(tmp_path: Path) -> None:
    found = infer(tmp_path, SPHINX, "sphinx-build -b text -d cache docs out")
    assert written(found, "cache/") == {"out/index.txt", "out/sub/page.txt"}
    assert not {"docs/a.png", "docs/d.csv"} & read(found)


# Templates of projects

TEMPLATE = {
    "tpl/cookiecutter.json": json.dumps(
        {"name": "My Tool", "slug": "{{ cookiecutter.name|lower|replace(' ', '_') }}", "licence": ["MIT", "BSD"]}
    ),
    "tpl/{{cookiecutter.slug}}/{{cookiecutter.slug}}.py": "",
    "tpl/{{cookiecutter.slug}}/{% if cookiecutter.licence == 'BSD' %}BSD{% endif %}": "",
    "tpl/hooks/post_gen_project.py": "open('{{ cookiecutter.licence }}.txt', 'w')\n",
    "tpl/README.md": "",
}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("cookiecutter --no-input tpl", {"my_tool/my_tool.py", "my_tool/MIT.txt"}),
        (
            "cookiecutter --no-input -o o tpl name=X licence=BSD",
            {"o/x/x.py", "o/x/BSD", "o/x/BSD.txt"},
        ),
    ],
)
def test_cookiecutter_makes_the_files_of_its_template(tmp_path: Path, command: str, expected: set[str]) -> None:
    found = infer(tmp_path, TEMPLATE, command)
    assert written(found) == expected
    assert "tpl/README.md" not in read(found)
    assert found.complete


def test_answers_that_nobody_knows_are_a_pattern(tmp_path: Path) -> None:
    assert "*/*.py" in written(infer(tmp_path, TEMPLATE, "cookiecutter tpl"))


def test_a_template_from_elsewhere_is_opaque(tmp_path: Path) -> None:
    assert not infer(tmp_path, {}, "cookiecutter --no-input gh:someone/template").complete


def test_copier(tmp_path: Path) -> None:
    files = {
        "t/copier.yml": 'kind: app\nname: "{{ kind }}_x"\n_exclude: ["*.skip", copier.yml]\n',
        "t/{{name}}/a.txt.jinja": "",
        "t/{% if kind == 'lib' %}lib{% endif %}/b.txt": "",
        "t/c.skip": "",
    }
    assert written(infer(tmp_path, files, "copier copy --defaults t made")) == {"made/app_x/a.txt"}
    assert written(infer(tmp_path, files, "copier copy -l -d kind=lib t made")) == {
        "made/lib_x/a.txt",
        "made/lib/b.txt",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ a|upper }}-{{ b.c }}", "X-y"),
        ("{% if n > 1 %}more{% else %}less{% endif %}", "more"),
        ("{{ 'p' if a == 'x' else 'q' }}{{ missing|default('d') }}", "pd"),
        ("{{ a ~ n }}{{ ' z '.strip() }}", "x2z"),
        ("{{ unknown_filter|nothing }}", None),
        ("{% for i in range(9) %}{{ i }}{% endfor %}", None),
        ("{{ hole }}", None),
    ],
)
def test_short_texts_are_worked_out(text: str, expected: str | None) -> None:
    found = rendered(text, {"a": "x", "b": {"c": "y"}, "n": 2, "hole": UNKNOWN})
    assert found == expected if expected is not None else isinstance(found, Text)


def test_an_expression_keeps_its_type() -> None:
    assert evaluated("{{ n == 2 }}", {"n": 2}) is True


@given(st.text(alphabet="{}%| abif=='()[]0123456789endforin", max_size=80))
def test_no_template_breaks_the_evaluation(text: str) -> None:
    assert isinstance(rendered(text, {"a": "x"}), str | Text)


# Notebooks, versions, requirements

NOTEBOOK = json.dumps({"cells": [], "metadata": {"language_info": {"file_extension": ".py"}}})


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("jupyter nbconvert --to html n/a.ipynb", {"n/a.html"}),
        ("jupyter nbconvert --to script --output-dir out n/a.ipynb --output b", {"out/b.py"}),
        ("jupyter nbconvert --clear-output --inplace n/a.ipynb", {"n/a.ipynb"}),
        ("jupyter-nbconvert --to=notebook n/a.ipynb", {"n/a.nbconvert.ipynb"}),
        ("jupytext --to py:percent n/a.ipynb", {"n/a.py", "n/a_tmp_jupytext_*.py"}),
        ("jupytext --to notebook -o o.ipynb s.py", {"o.ipynb", "o_tmp_jupytext_*.ipynb"}),
    ],
)
def test_notebooks(tmp_path: Path, command: str, expected: set[str]) -> None:
    assert written(infer(tmp_path, {"n/a.ipynb": NOTEBOOK, "s.py": ""}, command)) == expected


def test_executed_notebooks_are_opaque(tmp_path: Path) -> None:
    assert not infer(tmp_path, {"a.ipynb": NOTEBOOK}, "jupyter nbconvert --execute --to html a.ipynb").complete


@pytest.mark.parametrize(
    ("command", "files", "expected"),
    [
        (
            "bump2version patch",
            {".bumpversion.cfg": "[bumpversion]\ncurrent_version = 1.0\n[bumpversion:file:v.py]\n"},
            {".bumpversion.cfg", "v.py"},
        ),
        (
            "bump-my-version bump minor w.py",
            {"pyproject.toml": '[tool.bumpversion]\n[[tool.bumpversion.files]]\nglob = "*.md"\n', "w.py": ""},
            {"pyproject.toml", "a.md", "w.py"},
        ),
        ("bump2version --dry-run major v.py", {}, set()),
    ],
)
def test_versions(tmp_path: Path, command: str, files: dict[str, str], expected: set[str]) -> None:
    assert written(infer(tmp_path, {"v.py": "", "a.md": "", **files}, command)) == expected


def test_requirements(tmp_path: Path) -> None:
    found = infer(tmp_path, {"a.in": "-r b.in\n", "b.in": "x\n"}, "pip-compile a.in")
    assert read(found) == {"a.in", "b.in"}
    assert written(found) == {"a.txt", ".__atomic-write*"}
