"""Expansions, tests and printing give what bash gives."""
# ruff: noqa: E501, Q003 - shell texts stay on one line, as they are written

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from taskgates.inference.shell.host import ShellState
from taskgates.inference.shell.interpreter import ShellInterpreter

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.inference.text import TextLike

BASH = shutil.which("bash")

PREPARE = r"""
x=data/raw/file.tar.gz; y='two words'; e=; n=7; s='a  b   c'; u=MixedCase; q='it'"'"'s'; t=aXbXc
arr=(one 'two three' four); declare -A map=([k]=v [l]='w x'); ref=x; set -- p 'q r' s
shopt -s extglob
"""
FILES = ["a.txt", "b.txt", "c.md", "d e.txt", "sub/f.txt", ".hidden", "data/1.csv", "data/10.csv"]

FIELDS = r"""
$x
"$x"
${x%.*}
${x%%.*}
${x#*/}
${x##*/}
${x%/*}
${x/file/FILE}
${x//a/A}
${x/#data/D}
${x/%gz/xz}
${x//[aeiou]/_}
${#x}
${x:5}
${x:5:3}
${x: -2}
${x:0:${#x}-3}
${u^^}
${u,,}
${u^}
${u,}
${e:-default}
${e-default}
${none:-d1}
${none-d2}
"${none:-a  b}"
${none:-a  b}
${x:+alt}
${e:+alt}
"${e:+alt}"
${none:=assigned}$none
$y
"$y"
$s
"$s"
"$@"
$@
"$*"
$*
"a$@b"
"${arr[@]}"
${arr[@]}
"${arr[*]}"
${arr[1]}
"${arr[1]}"
${#arr[@]}
${#arr[1]}
"${arr[@]:1}"
"${arr[@]:0:1}"
"${arr[@]/o/0}"
"${arr[@]%e}"
"${arr[@]/%/.x}"
"${arr[@]/#/p-}"
${arr[-1]}
"${!arr[@]}"
${map[k]}
"${map[l]}"
${!ref}
$#
$2
"${2}"
${10}
${@:2}
"${@:2:1}"
{a,b}{1,2}
{1..4}
{04..1}
{a..e..2}
pre{x,y,}post
{single}
"{a,b}"
a{b,"c d"}
{}
$((n + 3 * 2))
$((n / 2)) $((n % 4)) $((-n / 2))
$((n > 3 && n < 10))
$((n++)) $n
$((n += 2)) $n
$((0x1f + 010))
$((n ? 1 : 2))
$((2 ** 5))
$(( (1 + 2) * (3 + 4) ))
$(echo inner)
"$(echo a; echo b)"
$(echo a; echo b)
$(printf '%s,' "$@")
`echo back`
$(basename "$x")
$(basename "$x" .gz)
$(dirname "$x")
$(dirname plain)
"$(dirname /)"
$(echo "$x" | cut -d/ -f2)
$(echo "$x" | tr a-z A-Z)
$(echo "$x" | sed 's/raw/cooked/')
$(echo "$x" | sed -E 's/\.(tar)/-\1/; s/gz$/zz/')
$(echo 'ab  c-3' | sed 's/[[:space:]]*c[^[:alpha:]]*//')
$(echo "aaaa b12 12" | sed -E 's/(a+)+ ([[:alnum:]]+)*$/x/')
$(printf '%s\n' x1 y '2 z' | grep '^[[:alpha:]][[:digit:]]')
$(printf '%s\n' b a c | sort)
$(printf '%s\n' a b c | head -n 2)
$(printf '%s\n' a b c | tail -n 1)
$(printf '%s\n' a b c | tail -n +2)
$(printf '%s\n' a a b | uniq)
$(printf '%s\n' one two | grep w)
$(seq 3) $(seq 2 4) $(seq 1 2 5) $(seq -w 8 10)
$(seq -s, 3)
$(printf '%03d-%s' 7 x)
$(printf '%5s|%-5s|' a b)
$(printf '%x %o %.2f' 255 8 1.5)
$(printf 'a\tb\n')
$(echo -n a; echo b)
$(echo -e 'a\tb')
$(expr 3 + 4)
$(cat data/1.csv)
$(< data/1.csv)
$(awk '{print $2}' data/1.csv)
$(awk -F, '{print $1}' data/10.csv)
$(ls data)
*.txt
"*.txt"
*.nope
[ab].txt
?.md
sub/*
*/*.csv
\*.txt
'*'.txt
./*.md
$'tab\there'
'single $x'
"double \$x \"q\" \\"
a\ b
~+x
"$q"
${t//X/}
${t%X*} ${t%%X*} ${t#*X} ${t##*X}
"${t//X/ }"
a=b
${x##*.}
"${y// /_}"
"""

CONDITIONS = r"""
[ -f a.txt ]
[ -d data ]
[ -e sub/f.txt ]
[ -z "" ]
[ -n "x" ]
[ "$x" = data/raw/file.tar.gz ]
[ "$y" != "two words" ]
[ $n -gt 3 ]
[ $n -le 3 ]
[ $n -eq 7 -a -n "$x" ]
[ -z "$x" -o -n "$y" ]
[ ! -z "$x" ]
[ ]
[ "" ]
[ x ]
test 3 -lt 10
[[ $x == data/* ]]
[[ $x == "data/*" ]]
[[ $x != *.zip && -f a.txt ]]
[[ $x =~ ^data/.*gz$ ]]
[[ $x =~ zip || $n -ge 7 ]]
[[ ! ( $n -lt 3 || $y == two* ) ]]
[[ -z $e ]]
[[ abc < abd ]]
[[ $u == +([A-Za-z]) ]]
(( n == 7 ))
(( n < 7 ))
! [ -f a.txt ]
[ -f a.txt ] && [ -d sub ]
false || true
true && false
case $x in data/*) true;; *) false;; esac
case $y in two) true;; *words) false;; esac
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bash")
    for name in FILES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1 2\n3 4\n" if name == "data/1.csv" else "k,v\n")
    return root


class SilentHost:
    printed: TextLike | None = None

    def __init__(self, root: Path) -> None:
        from taskgates.tree.tree import Tree

        self.tree = Tree(root)

    def access(self, *_: object) -> None: ...

    def opaque(self, *_: object) -> None: ...

    def python(self, *_: object) -> None: ...

    def program(self, *_: object) -> bool:
        return False


def real(folder: Path, script: str) -> str:
    assert BASH
    run = subprocess.run(
        [BASH, "--norc", "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=30,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/home/someone"},
    )  # fmt: skip
    return run.stdout


def abstract(folder: Path, script: str) -> str:
    text = ShellInterpreter(SilentHost(folder)).output_of_text(script, ShellState())
    return str(text)


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@pytest.mark.parametrize("words", [line for line in FIELDS.splitlines() if line])
def test_fields(words: str, folder: Path) -> None:
    script = f"{PREPARE}\nprintf '<%s>' {words}\n"
    expected = real(folder, script)
    if words == "*.nope":
        expected = "<{glob}.nope>"  # another task may still make such files
    assert abstract(folder, script) == expected


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@pytest.mark.parametrize("condition", [line for line in CONDITIONS.splitlines() if line])
def test_conditions(condition: str, folder: Path) -> None:
    script = f"{PREPARE}\nif {condition}; then echo yes; else echo no; fi\n"
    assert abstract(folder, script) == real(folder, script)


PROGRAMS = [
    "for i in a 'b c' {1..2}; do echo \"$i\"; done",
    "i=0; while [ $i -lt 3 ]; do echo $i; i=$((i + 1)); done; echo end $i",
    "for ((i = 3; i > 0; i--)); do [ $i = 2 ] && continue; echo $i; done",
    "until false; do echo once; break; done",
    "for a in 1 2; do for b in 1 2; do [ $b = 2 ] && continue 2; echo $a$b; done; done",
    "for a in 1 2; do for b in 1 2; do break 2; done; done; echo $a$b",
    "f() { local v=in; echo $v $1; return 3; }; v=out; f x; echo $v; f y && echo no || echo yes",
    "f() { echo $# \"$@\"; shift; echo \"$1\"; }; f a 'b c'; echo $#",
    "fact() { if [ $1 -le 1 ]; then echo 1; else echo $(( $1 * $(fact $(($1 - 1))) )); fi; }; fact 3",
    "printf '%s\\n' x y | while read l; do echo \"<$l>\"; done",
    "while IFS=: read -r a b c; do echo \"$b|$a|$c\"; done <<< '1:2:3:4'",
    "while read -r a b; do echo \"$b-$a\"; done < data/1.csv",
    "read -r first rest <<< 'one two three'; echo $rest $first",
    "IFS=, read -ra parts <<< 'a,b,c'; echo ${#parts[@]} ${parts[2]}",
    "mapfile -t lines < data/1.csv; echo \"${lines[1]}\"",
    "x=1; cat <<EOF\n$x $(echo sub) \\$no\nEOF\ncat <<'EOF'\n$x\nEOF\ncat <<-EOF\n\ttabbed\n\tEOF\n",
    "cat <<A; cat <<B\n1\nA\n2\nB\necho done",
    "cat <<EOF | tr a-z A-Z | sed 's/^/> /'\nabc\nEOF\n",
    "x=o; (x=inner; echo $x); echo $x",
    "x=a; { x=b; }; echo $x",
    "set -- -a -b val rest; while getopts 'ab:' o; do echo $o $OPTARG; done; shift $((OPTIND - 1)); echo $1",
    "set -- -abval; while getopts ab: o; do echo $o:$OPTARG; done",
    "while [ $# -gt 0 ]; do case $1 in q*) echo Q; shift;; *) echo $1; shift;; esac; done",
    "case abc in a*) echo 1;;& *c) echo 2;; *) echo 3;; esac",
    "case abc in a*) echo 1;& z) echo 2;; *) echo 3;; esac",
    "set -e; false || echo ok; if false; then :; fi; false; echo never",
    "f() { false; echo after; }; set -e; f || true; f; echo never",
    "trap 'echo bye' EXIT; echo hi; exit 0; echo never",
    "eval 'v=5; echo $v'; echo $v",
    "cmd='echo from var'; $cmd",
    "bash -c 'echo $0 $1' name arg; sh -c 'echo $#' a b c",
    "export V=1; W=2; bash -c 'echo [$V]'; V=9 bash -c 'echo $V'; echo $V",
    "env V=3 sh -c 'echo $V'",
    "a=(1 2); a+=(3); a[5]=x; echo ${a[@]} ${#a[@]}; unset 'a[0]'; echo ${a[@]}",
    "declare -A m; m[a]=1; m[b]=2; m[a]=3; echo ${m[a]} ${#m[@]}",
    "declare -i k=2; k+=3; echo $k; let k*=2; echo $k; ((k--)); echo $k",
    "printf -v out '%s-%s' a b; echo $out",
    "s=abc; s+=def; echo $s ${#s}",
    "x=1 y=$x; echo $y; unset x; echo [${x-unset}]",
    "echo one; echo two >&2; echo three 2>&1; echo gone > /dev/null",
    "echo a | cat - | cat; echo b | xargs echo pre; printf '1 2 3' | xargs -n1 echo; printf 'a\\nb\\n' | xargs -I{} echo x{}y",
    "find data -name '*.csv' | sort; find . -maxdepth 1 -name '*.md'",
    "find data -name '1*.csv' -exec basename {} .csv \\; | sort",
    "cd data; echo *; cd ..; pushd sub > /dev/null; echo *; popd > /dev/null; echo *.md",
    "ls *.md; ls data",
    "echo $(cd data && ls) ${x:-$(echo d)}",
    "time_it() { \"$@\"; }; time_it echo timed",
    "true && echo a; false && echo b; true || echo c; ! true || echo d; false; echo e",
    "if true; then echo 1; elif true; then echo 2; fi; if false; then echo 1; elif true; then echo 2; else echo 3; fi",
    "echo 'a b' > w.tmp; cat w.tmp; echo c >> w.tmp; while read l; do echo \"[$l]\"; done < w.tmp; rm w.tmp",
    "{ echo g1; echo g2; } > w.tmp; wc=$(cat w.tmp); echo $wc; rm w.tmp",
    "n=5; while (( n > 0 )); do n=$((n - 2)); done; echo $n",
    "set -- a b c; for i; do echo $i; done; echo ${@: -1} ${!#}",
    "echo {a,b}_{1..2}.txt; echo \"$((1 + 1))\" '$((1+1))'",
    "x='*.md'; echo $x; echo \"$x\"; set -f; echo $x",
    "v=hello_world; [[ $v =~ ^(hel)(lo)_ ]] && echo \"${BASH_REMATCH[1]} ${BASH_REMATCH[2]}\"; [[ 'a_b 1' =~ ^[[:alpha:]_]+[[:space:]]([[:digit:]]) ]]; echo ${BASH_REMATCH[1]} ${#BASH_REMATCH[@]}",
    "while IFS= read -r -d '&' kv; do echo \"${kv%=*}\"; done <<< 'k1=v1&k2=v2&'; IFS= read -r -d ';' a b <<< 'x y;z'; echo $a",
    "case $(uname -s) in $(uname)) echo same ;; *) echo other ;; esac; [ -e nothing_there ] || echo missing",
    "command echo c; builtin echo b; type_x=1; [ -v type_x ] && echo set; [ -v nope ] || echo unset",
]  # fmt: skip


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(program: str, folder: Path) -> None:
    assert abstract(folder, program) == real(folder, program)


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_that_the_grammar_does_not_accept(program: str, folder: Path) -> None:
    # The first line is beyond tree-sitter's grammar, so that the descending parser reads the whole text.
    program = f": <> /dev/null !(x)\n{program}"
    assert abstract(folder, program) == real(folder, f"shopt -s extglob\n{program}")


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_extended_patterns_name_files(folder: Path) -> None:
    program = "shopt -s extglob\necho @(a|b).txt\necho !(*.txt|*.md)\n"
    assert abstract(folder, program) == real(folder, program)
