"""Snakefiles as Python: every line stays where it was, and what comes out parses."""

from __future__ import annotations

import textwrap

import pytest
from taskgates.syntax import ir
from taskgates.syntax.lower import lower_source
from taskgates.syntax.snakefile import Snakefile, is_snakefile, translate


def translated(text: str) -> Snakefile:
    """The translation of a Snakefile, which parses."""
    source = textwrap.dedent(text)
    found = translate(source)
    assert isinstance(found, Snakefile), found
    assert found.text.count("\n") == source.count("\n")
    lowered = lower_source(found.text)
    assert isinstance(lowered, ir.Module), (lowered, found.text)
    return found


FORMS = {
    "one line": 'rule all: input: "x", "y"\n',
    "no name": 'rule:\n    output: "x"\n',
    "documentation": 'rule a:\n    """text"""\n    output: "x"\n',
    "comments": 'rule a:  # 1\n    # 2\n    input: # 3\n        # 4\n        "x",  # 5\n    threads: 2 # 6\n',
    "arguments on several lines": 'rule a:\n    input:\n        a="x",\n        b=lambda wildcards: f(\n  wildcards)\n',
    "joined strings": 'rule a:\n    shell:\n        "cat {input} "\n        "> {output}"\n',
    "triple quotes": 'rule a:\n    shell:\n        """\n    cat\n rule b:\n        """\n',
    "statements": "rule a:\n    run:\n        if x: input: int = 3\n        for y in z: pass\n    # end\nx = 1\n",
    "under a condition": 'if x:\n    rule a:\n        output: "x"\nelse:\n    rule a:\n        output: "y"\n',
    "in a loop": 'for n in "ab":\n    rule:\n        name: n\n        output: n\n',
    "a generator": 'rule a:\n    input: f"{d}.x" for d in D\n',
    "top level": 'configfile: "a.yaml"\ninclude: "b.smk"\nworkdir: "c"\n',
    "names": "localrules: a, b\nlocalrules:\n    c,\n    d\nruleorder: a > b\n",
    "a module": 'module m:\n    snakefile: "m.smk"\n    config: config\nuse rule * from m exclude x, y as m_*\n',
    "rules used again": 'use rule a as b with:\n    input: "x"\nuse rule a, c from m as other_*  # why\n',
    "handlers": "onsuccess:\n    print(log)\nonerror:\n    print(1)\n",
    "no end of line": 'rule a:\n    output: "x"',
    "tabs": 'rule a:\n\tinput:\n\t\t"x"\n\toutput:\n\t\t"y"\n',
    "formatted strings": 'rule a:\n    input: f"{x}/a{{b}}", rf"{y:>3}"\n',
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_every_form_becomes_python(text: str) -> None:
    translated(text)


def test_blocks_and_their_directives_know_their_places() -> None:
    found = translated(
        """
        rule one:
            input: "a"
            output:
                "b"

        if True:
            checkpoint two:
                shell: "c"
        use rule one as three with:
            threads: 2
        """
    )
    assert [(block.kind, block.name, block.line, block.column) for block in found.blocks] == [
        ("rule", "one", 2, 1),
        ("checkpoint", "two", 8, 5),
        ("use", "three", 10, 1),
    ]
    assert found.blocks[0].directives == {"input": (3, 5), "output": (4, 5)}


def test_python_stays_as_it_is() -> None:
    source = 'rule = {"input": 1}\nrule["output"]: int = 2\ninput = rule\ndef rules(): return rule\nmodule.x = use\n'
    found = translate(source)
    assert isinstance(found, Snakefile)
    assert found.text == source
    assert found.blocks == ()


@pytest.mark.parametrize("source", ["rule a:\n    input: (\n", 'x = """\n', "if x:\n        y\n    z\n"])
def test_what_is_no_snakefile_is_a_problem_with_its_line(source: str) -> None:
    found = translate(source)
    assert isinstance(found, ir.SourceProblem)
    assert found.line >= 1


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("Snakefile", "x = 1\n", True),
        ("workflow/rules/a.smk", "x = 1\n", True),
        ("workflow/Snakefile.test", "x = 1\n", True),
        ("pipeline", "rule all:\n    input: 1\n", True),
        ("tool", "import sys\n", False),
        ("main.py", "rule all:\n    input: 1\n", False),
    ],
)
def test_snakefiles_are_known_by_name_or_content(file: str, text: str, expected: bool) -> None:
    assert is_snakefile(file, text) is expected
