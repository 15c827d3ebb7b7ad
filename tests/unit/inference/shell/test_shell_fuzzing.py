"""Whatever the text: the interpreter ends, raises nothing, and tells the same twice."""
# ruff: noqa: E501 - shell texts stay on one line, as they are written

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from taskgates.inference.shell.arithmetic import evaluate
from taskgates.inference.shell.commands import default_commands
from taskgates.inference.shell.expansion import expand_braces
from taskgates.inference.shell.host import ShellOptions, ShellState
from taskgates.inference.shell.interpreter import ShellInterpreter
from taskgates.inference.shell.patterns import matches, remove_prefix, remove_suffix, replace
from taskgates.inference.shell.places import Place
from taskgates.inference.shell.sources import Placeholders, hide_documents
from taskgates.inference.shell.texts import basename, choose, dirname, generalise, normalise_path, text_regex
from taskgates.inference.text import Hole, Text, TextLike, make_text, parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.model.access import Operation

FAST = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))

NAMES = st.sampled_from(
    ["a", "b.txt", "out/x", "$x", "${y:-d}", '"$@"', "*.csv", "data", "-r", "{1..3}", "$(ls)", "'q r'"]
)
PIECES = st.sampled_from(
    [
        "if", "then", "fi", "else", "elif", "for", "in", "do", "done", "while", "until", "case", "esac", "function", "{",
        "}", "(", ")", "((", "))", "[[", "]]", "[", "]", "|", "||", "&&", "&", ";", ";;", ";&", "\n", "<", ">", ">>",
        "<<EOF", "<<-'E'", "EOF", "E", "<<<", "2>&1", "&>", "<>", ">|", "$", "${", "$(", "$((", "`", '"', "'", "\\", "x=1",
        "x+=(a b)", "x[1]=2", "$x", "${x%.*}", "${x##*/}", "${x/a/b}", "${!x}", "${#x[@]}", "${x[@]:1}", "$1", "$@", "~",
        "{a,b}", "*", "?", "[a-z]", "#", "!", "echo", "cp", "mv", "rm", "cat", "tar", "sed", "awk", "find", "xargs", "cd",
        "read", "local", "export", "declare", "eval", "source", "trap", "set", "shift", "getopts", "printf", "test", "make",
        "git", "python", "bash", "-c", "-e", "-i", "-o", "--", "a", "b/c", "%s", "1", "f()", "f", "return", "exit", "break",
        "continue", "let", "i++", "time", "env", "curl", "dd", "if=a", "zip", "jq", ".", "-exec", "{}", "\\;", "+", "\t",
        "\u00e9", "\U000f0001", "\x00",
    ]
)  # fmt: skip
TEXTS = st.lists(
    st.one_of(st.text(max_size=4), st.builds(Hole, st.sampled_from(["argument", "data"]), st.booleans()))
).map(make_text)


def commands() -> st.SearchStrategy[str]:
    simple = st.builds(
        lambda name, words: " ".join([name, *words]),
        st.sampled_from(default_commands().names()),
        st.lists(st.one_of(NAMES, PIECES), max_size=5),
    )
    return st.recursive(
        simple,
        lambda inner: st.one_of(
            st.builds("if {}; then {}; else {}; fi".format, inner, inner, inner),
            st.builds("for x in {} {}; do {}; done".format, NAMES, NAMES, inner),
            st.builds("while {}; do {}; done".format, inner, inner),
            st.builds("case {} in {}) {};; *) {};; esac".format, NAMES, NAMES, inner, inner),
            st.builds("({})".format, inner),
            st.builds("{{ {}; }} > {}".format, inner, NAMES),
            st.builds("{} | {}".format, inner, inner),
            st.builds("{} && {}".format, inner, inner),
            st.builds("{} || {}".format, inner, inner),
            st.builds("f() {{ {}; }}; f {}".format, inner, NAMES),
            st.builds("x=$({}); {}".format, inner, inner),
            st.builds("{} <<EOF\n$({})\nEOF".format, inner, inner),
        ),
        max_leaves=8,
    )


def interpret(text: TextLike) -> list[object]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "data").mkdir()
        for name in ("a", "b.txt", "data/1.csv", "data/2.csv"):
            (root / name).write_text("one two\nthree\n")
        (root / "Makefile").write_text("all: x\n\techo $(wildcard *) > $@\nx: ; cp a b\n")
        host = _Host(root)
        options = ShellOptions(steps=300, unroll=6, depth=8)
        state = ShellState(arguments=["p", Text((Hole("argument"),))])
        ShellInterpreter(host, options).run_text(text, state)
        return host.told


class _Host:
    printed: TextLike | None = None

    def __init__(self, root: Path) -> None:
        from taskgates.tree.tree import Tree

        self.tree = Tree(root)
        self.root = str(root)
        self.told: list[object] = []

    def _plain(self, value: object) -> str:
        return str(value).replace(self.root, "ROOT")

    def access(self, operation: Operation, path: TextLike, command: str, place: Place, conditional: bool) -> None:
        assert isinstance(path, (str, Text))
        assert isinstance(place, Place)
        assert path != ""
        self.told.append((operation, self._plain(path), command, place, conditional))

    def opaque(self, reason: str, place: Place, conditional: bool) -> None:
        assert reason
        self.told.append((self._plain(reason), place, conditional))

    def python(
        self, argv: Sequence[TextLike], state: ShellState, place: Place, conditional: bool, stdin: object
    ) -> None:
        self.told.append((self._plain([str(word) for word in argv]), place, conditional))

    def program(self, name: str, argv: object, state: object, place: Place, conditional: bool) -> bool:
        return False


@FAST
@given(st.text(max_size=200))
def test_any_text_ends(text: str) -> None:
    interpret(text)


@FAST
@given(st.lists(PIECES, max_size=40), st.sampled_from([" ", ""]))
def test_pieces_of_shell_end(pieces: list[str], separator: str) -> None:
    interpret(separator.join(pieces))


@FAST
@given(commands())
def test_random_programs_end_and_repeat(text: str) -> None:
    assert interpret(text) == interpret(text)


@FAST
@given(
    st.lists(st.one_of(PIECES, st.builds(Hole, st.just("argument"), st.booleans(), st.text(max_size=3))), max_size=20)
)
def test_partly_known_text_ends(parts: list[str | Hole]) -> None:
    interpret(make_text([piece for part in parts for piece in (part, " ")]))


@pytest.mark.parametrize(
    "text",
    [
        "$(" * 400,
        "(" * 400,
        "{ " * 400,
        '"$(' * 200,
        "${x:-" * 300 + "}" * 300,
        "if a; then " * 200 + "fi; " * 200,
        "a && " * 2000 + "b",
        "a | " * 500 + "b",
        "$((" + "(" * 500 + "1" + ")" * 500 + "))",
        "f() { f; f; }; f",
        "f() { f & f | f; }; f",
        "while true; do while true; do while true; do echo > x; done; done; done",
        "for a in {1..9}; do for b in {1..9}; do for c in {1..9}; do for d in {1..9}; do cp a$a b$b$c$d; done; done; done; done",
        "x=a; for i in {1..60}; do x=$x$x; done; touch $x",
        "echo {{a,b},{c,d}}{e,f}{g,h}{i,j}{k,l}{m,n}{o,p}{q,r}{s,t} > x",
        "echo {1..999999999}",
        'while read x; do eval "$x"; done < a',
        "eval 'eval \"eval x\"'; trap 'exit' EXIT; exit",
        "printf '%9999999999d' 1; printf '%s' $(printf '%500s' x)",
        "bash -c 'bash -c \"bash a\"'; source a; . a",
        "make -f Makefile -C . all x y z",
        "seq 1 99999999 | xargs touch",
        "[[ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa =~ (a+)+b ]] && echo > x",
        "x=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; echo > ${x/+(+(a))b/c}",
    ],
)
def test_hostile_texts_end(text: str) -> None:
    interpret(text)


@FAST
@given(st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=30), st.sampled_from([" ", "", "\n"]))
def test_preparing_a_text_keeps_every_position(pieces: list[str], separator: str) -> None:
    placeholders = Placeholders()
    text = placeholders.encode(separator.join(pieces))
    plain = hide_documents(text, placeholders)
    assert len(plain) == len(text)
    assert all(new in (old, " ", ";", "<") or placeholders.document(new) for old, new in zip(text, plain, strict=True))


@FAST
@given(st.text(alphabet="0123456789+-*/%()<>=!&|^~?:, ab", max_size=30))
def test_arithmetic_ends(text: str) -> None:
    value = evaluate(text, lambda name: 3 if name == "a" else None, lambda _name, _value: None)
    assert value is None or -(1 << 63) <= value < 1 << 63


@FAST
@given(st.text(alphabet="{},.ab1\\'\"$", max_size=20))
def test_braces_are_bounded(text: str) -> None:
    words = expand_braces(text, 64)
    assert words is None or 1 <= len(words) <= 64


@FAST
@given(TEXTS, st.text(alphabet="*?[]a/.!^\\()|@+", max_size=8))
def test_pattern_operations_give_texts(text: str | Text, pattern: str) -> None:
    for result in (
        remove_suffix(text, pattern, longest=False),
        remove_prefix(text, pattern, longest=True),
        replace(text, pattern, "x", every=True),
    ):
        assert make_text(parts_of(result)) == result
    matches(text, pattern)


@FAST
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_generalisations_cover_what_they_stand_for(texts: list[str | Text]) -> None:
    expression = text_regex(generalise(texts))
    for text in texts:
        if isinstance(text, str):
            assert expression.fullmatch(text)
    chosen = text_regex(choose(texts, 6))
    for text in texts:
        if isinstance(text, str):
            assert chosen.fullmatch(text)


@FAST
@given(st.text(alphabet="ab/.", max_size=12))
def test_path_parts_are_those_of_the_commands(path: str) -> None:
    import posixpath

    if path.strip("/"):
        stripped = path.rstrip("/")
        assert basename(path) == posixpath.basename(stripped)
        assert dirname(path) == (posixpath.dirname(stripped).rstrip("/") or ("/" if stripped.startswith("/") else "."))
        assert normalise_path(path) == posixpath.normpath(path).replace("//", "/")
