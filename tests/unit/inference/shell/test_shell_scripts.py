"""Realistic scripts: the complete list of what they do, in order."""
# ruff: noqa: E501, Q003 - shell texts stay on one line, as they are written

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from taskgates.inference.shell.host import ShellOptions, ShellState
from taskgates.inference.shell.interpreter import ShellInterpreter
from taskgates.inference.text import Hole, Text, concat

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TREE = {
    "data/a.csv": "id,name\n1,x\n2,y\n",
    "data/b.csv": "id,name\n3,z\n",
    "data/sub/c.csv": "id\n",
    "config.json": '{"out": "results", "stages": [{"name": "clean"}, {"name": "train"}]}\n',
    "scripts/common.sh": 'log() { echo "$@" >> "$ROOT/run.log"; }\n',
}
ANYTHING = Text((Hole("argument", True, "src"),))
NAME = Text((Hole("argument", False, "name"),))


def test_pipeline_script_with_options(shell: Callable[..., Any]) -> None:
    host = shell(
        """\
#!/usr/bin/env bash
set -euo pipefail
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
ROOT="$HERE/.."
source "$HERE/common.sh"
while [[ $# -gt 0 ]]; do
  case $1 in
    -o|--output) OUT="$2"; shift 2 ;;
    --mode=*) MODE="${1#*=}"; shift ;;
    -h) echo usage; exit 1 ;;
    *) INPUTS+=("$1"); shift ;;
  esac
done
: "${OUT:=out}"
mkdir -p "$OUT"
for input in "${INPUTS[@]}"; do
  stem=$(basename "${input%.*}")
  python "$ROOT/clean.py" "$input" > "$OUT/$stem.$MODE.txt" 2>> errors.log || { log failed; exit 1; }
done
tar -czf "backup_$(date +%F).tar.gz" -C "$OUT" .
""",
        TREE,
        arguments=["data/a.csv", "-o", "res", "--mode=fast", "in/z.tar.gz"],
        file="scripts/run.sh",
    )
    assert host.effects == [
        "overwrite res/a.fast.txt",
        "append errors.log",
        "append run.log?",
        "overwrite res/z.tar.fast.txt",
        "overwrite backup_*.tar.gz",
        "read res/**",
    ]
    assert [child[0][2:] for child in host.children] == [["data/a.csv"], ["in/z.tar.gz"]]
    assert host.problems == []


def test_sites_stand_where_the_command_stands(shell: Callable[..., Any]) -> None:
    host = shell(
        "x=1\nif true; then\n  cp a b  # comment\nfi\ncat <<EOF\nbody\nEOF\nrm c; é=1; rm d\ncat $x *.q\n",
        file="run.sh",
    )
    places = {(command, path): (line, column, file) for _, path, command, line, column, file in host.sites}
    assert places[("cp", "a")] == (3, 3, "run.sh")
    assert places[("rm", "c")] == (8, 1, "run.sh")
    assert places[("rm", "d")] == (8, 12, "run.sh")
    assert places[("glob", "*.q")] == (9, 8, "run.sh")


def test_accesses_of_a_sourced_file_stand_in_it(shell: Callable[..., Any]) -> None:
    host = shell("ROOT=.\n. scripts/common.sh\nlog hi\n", TREE, file="run.sh")
    assert host.sites == [("append", "run.log", ">>", 1, 19, "scripts/common.sh")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cp data/a.csv out.csv", ["read data/a.csv", "overwrite out.csv"]),
        ("cp data/a.csv data", ["read data/a.csv", "overwrite data/a.csv"]),
        ("cp a b c/", ["read a", "overwrite c/a", "read b", "overwrite c/b"]),
        ("mkdir out && cp a out", ["read a", "overwrite out/a"]),
        ("cp -r data copy", ["read data/**", "overwrite copy/a.csv", "overwrite copy/b.csv", "overwrite copy/sub/c.csv"]),
        ("cp -r unknown copy/", ["read unknown/**", "overwrite copy/unknown/**"]),
        ("mv -t data x", ["rename x", "overwrite data/x"]),
        ("rm -rf data", ["delete data", "delete data/**"]),
        ("ln -sfn ../target link", ["overwrite link"]),
        ("install -Dm644 a usr/share/a", ["read a", "overwrite usr/share/a"]),
        ("rsync -a --delete data/ mirror", [
            "read data/**", "overwrite mirror/a.csv", "overwrite mirror/b.csv", "overwrite mirror/sub/c.csv",
            "delete mirror/**",
        ]),
        ("scp -r host:/data/x local", ["overwrite local/**"]),
        ("touch a; truncate -s0 b", ["append a", "update b"]),
        ("sort -uo s t", ["overwrite s", "read t"]),
        ("sed -i.orig -e s/a/b/ f g", [
            "read f", "update f", "create f.orig", "read g", "update g", "create g.orig",
        ]),
        ("sed -n '/x/w hits.txt' f", ["read f", "overwrite hits.txt"]),
        ("sed -f prog.sed f > g", ["overwrite g", "read prog.sed", "read f"]),
        ("awk '{print > $1\".txt\"; print $2 >> \"all\"}' f", ["read f", "overwrite **.txt", "append all"]),
        ("awk -v out=o.txt '$1 > 3 {print > out}' f", ["read f", "overwrite o.txt"]),
        ("awk 'BEGIN{while((getline l < \"ref\") > 0) n++; system(\"rm tmp\")}'", ["read ref", "delete tmp?"]),
        ("grep -rn x data", ["read data/**"]),
        ("grep -f pats f g", ["read pats", "read f", "read g"]),
        ("tee -a l < f", ["read f", "append l"]),
        ("find data -name '*.csv' -newer ref -delete", [
            "delete data/a.csv?", "delete data/b.csv?", "delete data/sub/c.csv?",
        ]),
        ("find build -name '*.o' -exec rm {} +", ["delete build/**.o"]),
        ("find data -path data/sub -prune -o -name '*.csv' -print | xargs cat > all", [
            "overwrite all", "read data/a.csv", "read data/b.csv",
        ]),
        ("tar xf a.tar -C x b.txt", ["read a.tar", "overwrite x/b.txt"]),
        ("tar cvf - data | ssh h 'cat > f'", ["read data/**"]),
        ("tar --create --file=a.tar -C data a.csv -C sub c.csv", [
            "overwrite a.tar", "read data/a.csv", "read data/sub/c.csv",
        ]),
        ("zip -qr out data -x '*.tmp'", ["update out.zip", "read data/**"]),
        ("unzip -o a.zip -d x", ["read a.zip", "overwrite x/**"]),
        ("gzip f; gunzip -k g.gz; zcat h.gz > h", [
            "read f", "overwrite f.gz", "delete f", "read g.gz", "overwrite g", "overwrite h", "read h.gz",
        ]),
        ("curl -sSLo a.zip https://h/x?y=1; curl -O https://h/p/b.tgz", ["overwrite a.zip", "overwrite b.tgz"]),
        ("wget -qP dl http://h/a.zip; wget -O - http://h", ["overwrite dl/a.zip"]),
        ("dd if=a of=b bs=1 conv=notrunc", ["read a", "update b"]),
        ("split -d -l 5 data/a.csv part_", ["read data/a.csv", "overwrite part_*"]),
        ("git add -A . && git commit -qm x", [
            "read **", "read .git/HEAD", "read .git/config", "read .git/info/exclude", "update .git/**",
            "read .git/index", "read .git/COMMIT_EDITMSG",
        ]),
        ("git mv a b; git rm c; git checkout -- d", [
            "rename a", "overwrite b", "update .git/**", "delete c", "overwrite d",
        ]),
        ("git clone -q https://h/r/tool.git && cat tool/x", ["create tool/**", "read tool/x"]),
        ("sqlite3 d.db 'select 1'; sqlite3 d.db < s.sql", ["read d.db", "read s.sql", "update d.db"]),
        ("convert a.png -resize 50% b.jpg", ["read a.png", "overwrite b.jpg"]),
        ("ffmpeg -y -i a.mov -c copy b.mp4", ["read a.mov", "overwrite b.mp4"]),
        ("jq . config.json > c && mv c config.json", ["overwrite c", "read config.json", "rename c", "overwrite config.json"]),
        ("O=$(jq -r '.stages[1].name' config.json); touch $O", ["read config.json", "append train"]),
        ("diff <(sort a) <(sort b) > d", ["read a", "read b", "overwrite d"]),
        ("sudo -E env A=1 nice -n 5 timeout 3 cp a b", ["read a", "overwrite b"]),
        ("flock -n l.lock -c 'cp a b'", ["append l.lock", "read a", "overwrite b"]),
        ("sh -c 'cp \"$1\" \"$0\"' x y", ["read y", "overwrite x"]),
        ("echo 'rm a' | sh", ["delete a"]),
        ("T=$(mktemp -d); cp a $T/b; mv $T/b c; rm -rf \"$T\"", ["read a", "overwrite c"]),
        ("patch -p1 <<'E'\n--- a/f.py\n+++ b/f.py\nE\n", ["read f.py", "update f.py"]),
        ("exec > out.log 2> err.log; echo hi", ["overwrite out.log", "overwrite err.log"]),
        ("a <b >c 2>>d &>e <>f", ["read b", "overwrite c", "append d", "overwrite e", "read f", "update f"]),
        ("cat < /dev/null > /dev/null 2>&1; echo > /dev/stderr; cp /dev/stdin x", ["overwrite x"]),
        ("for f in data/*.csv; do cp $f out_${f##*/}; done", [
            "read data/a.csv", "overwrite out_a.csv", "read data/b.csv", "overwrite out_b.csv",
        ]),
        ("for f in raw/*.csv; do cp $f out/${f##*/}; done", ["read raw/*.csv?", "overwrite out/*.csv?"]),
        ("n=0; while [ $n -lt 2 ]; do touch f$n; ((n++)); done", ["append f0", "append f1"]),
        ("while check; do n=$((n+1)); touch f$n; done", ["append f*?"]),
        ("while read -r a b; do touch $b; done < names.txt", ["read names.txt", "append **?"]),
        ("if [ -d data ]; then touch y; else touch n; fi", ["append y"]),
        ("if grep -q a f; then O=x; else O=y; fi; touch $O.txt", ["read f", "append x.txt?", "append y.txt?"]),
        ("[ -f done ] && exit 0; touch later", ["append later?"]),
        ("test -n \"$CI\" && touch ci; [ -z \"$CI\" ] && touch local", ["append local"]),
        ("f() { touch $1; return 0; touch never; }; f a; f b", ["append a", "append b"]),
        ("cd data && touch x; (cd sub; touch y); cd ..; touch z", ["append data/x", "append data/sub/y", "append z"]),
        ("touch \"$PWD/x\" ./y ../outside ~/home /etc/z", [
            "append x", "append y", "append ../outside", "append ~/home", "append /etc/z",
        ]),
        ("trap 'rm -f t.lock' EXIT; touch t.lock", ["append t.lock", "delete t.lock"]),
        ("printf '%s\\n' p q > list; while read x; do touch $x; done < list", [
            "overwrite list", "read list", "append p", "append q",
        ]),
        ("cat data/*.csv > merged; wc -l merged", ["overwrite merged", "read data/a.csv", "read data/b.csv", "read merged"]),
        ("touch data/new.csv; cat data/*.csv", ["append data/new.csv", "read data/a.csv", "read data/b.csv", "read data/new.csv"]),
        ("declare -A m=([a]=x [b]=y); for k in \"${!m[@]}\"; do touch $k-${m[$k]}; done", ["append a-x", "append b-y"]),
        ("touch {a,b}{1..2}.txt", ["append a1.txt", "append a2.txt", "append b1.txt", "append b2.txt"]),
    ],
)  # fmt: skip
def test_effects_of_a_command_line(text: str, expected: list[str], shell: Callable[..., Any]) -> None:
    host = shell(text, TREE)
    assert host.effects == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (concat("cp ", ANYTHING, " out/"), ["read **", "overwrite out/*"]),
        (concat("cp in/", NAME, ".txt out/ && rm in/", NAME, ".txt"), ["read in/*.txt", "overwrite out/*.txt", "delete in/*.txt"]),
        (concat("x=", NAME, ".tar.gz; touch ${x%.gz} ${x%%.*}.z"), ["append *.tar", "append *.z"]),
        (concat("echo hi > ", NAME, ".log 2> '", NAME, " err'"), ["overwrite *.log", "overwrite * err"]),
        (concat("cd ", NAME, " && touch a && cd .. && touch b"), ["append */a", "append b"]),
        (concat("for f in a ", NAME, "; do touch $f.x; done"), ["append a.x", "append *.x"]),
        (concat("touch $(basename ", ANYTHING, " .csv).out $(dirname in/", NAME, "/q)/r"), ["append *.out", "append in/*/r"]),
    ],
)  # fmt: skip
def test_partly_known_texts(text: Text, expected: list[str], shell: Callable[..., Any]) -> None:
    host = shell(text)
    assert host.effects == expected
    assert host.problems == []


def test_python_children_get_words_folder_input_and_environment(shell: Callable[..., Any]) -> None:
    host = shell(
        "export OUT=res; cd sub; MODE=fast python3 ../train.py --out=$OUT \"$PWD\" ; python - a <<'E'\nprint('$x')\nE\n"
        "venv/bin/python -m pkg && ./tool.py x",
        {"sub/tool.py": "#!/usr/bin/env python3\n"},
    )
    root = str(host.tree.root)
    assert host.children == [
        (["python3", "../train.py", "--out=res", f"{root}/sub"], "sub", False, None),
        (["python", "-", "a"], "sub", False, "print('$x')\n"),
        (["venv/bin/python", "-m", "pkg"], "sub", False, None),
        (["python3", "./tool.py", "x"], "sub", False, None),
    ]
    assert host.environments[:2] == [{"MODE": "fast", "OUT": "res"}, {"OUT": "res"}]


def test_a_child_in_a_loop_leaves_the_input_to_the_loop(shell: Callable[..., Any]) -> None:
    host = shell("while read -r x; do python t.py $x; done < names", {"names": "a\nb\n"})
    assert [child[0][2] for child in host.children] == ["a", "b"]


def test_alternatives_of_exported_variables_become_several_children(shell: Callable[..., Any]) -> None:
    host = shell("if check; then export M=a; else export M=b; fi; python t.py")
    assert host.environments == [{"M": "a"}, {"M": "b"}]


def test_alternatives_become_several_children(shell: Callable[..., Any]) -> None:
    host = shell("if check; then m=a; o=x; else m=b; o=y; fi; python train.py $m")
    assert [(words, conditional) for words, _, conditional, _ in host.children] == [
        (["python", "train.py", "a"], True),
        (["python", "train.py", "b"], True),
    ]


def test_unknown_programs_are_offered_to_the_host_first(shell: Callable[..., Any]) -> None:
    host = shell("black src; frobnicate data/a.csv; $TOOL x", known=["black"])
    assert [words for words, *_ in host.children] == [["black", "src"]]
    assert host.problems == ["the command frobnicate is not modelled", "the command ** is not known"]


def test_files_that_a_child_may_have_written_are_not_enumerated(shell: Callable[..., Any]) -> None:
    assert shell("cat data/*.csv; python make.py; cat data/*.csv", TREE).of("read") == [
        "data/a.csv",
        "data/b.csv",
        "data/*.csv",
    ]


@pytest.mark.parametrize("prefix", ["", "./", "data/../", '"$PWD"/'])
def test_files_that_the_script_made_are_enumerated_too(prefix: str, shell: Callable[..., Any]) -> None:
    text = (
        f"touch out/a.txt out/b.txt; rm out/b.txt; for f in {prefix}out/*.txt; do cat $f; done; wc -l {prefix}*/*.txt"
    )
    host = shell(text, TREE)
    assert [site[1] for site in host.sites if site[0] == "read"] == ["out/a.txt", "out/a.txt"]


def test_what_the_engine_knows_to_be_written_is_enumerated(shell: Callable[..., Any]) -> None:
    options = ShellOptions(written_paths=lambda: ["data/new.csv", "other/x.csv"])
    assert shell("python make.py; cat data/*.csv", TREE, options=options).of("read") == [
        "data/a.csv",
        "data/b.csv",
        "data/new.csv",
    ]


def test_environment_variables_are_unset_unless_given(shell: Callable[..., Any]) -> None:
    text = 'touch ${OUT:-default}/x; touch $OUT/y; [ -n "$OUT" ] && touch set'
    assert shell(text).effects == ["append default/x", "append **/y"]
    assert shell(text, environment={"OUT": "res"}).effects == ["append res/x", "append res/y", "append set"]


def test_makefile_targets(shell: Callable[..., Any]) -> None:
    makefile = """\
include config.mk
SRC := $(sort $(wildcard data/*.csv))
OUT := $(patsubst data/%.csv,$(BUILD)/%.txt,$(SRC))
.PHONY: all clean
all: $(OUT) summary.md | logs
$(BUILD)/%.txt: data/%.csv clean.sed
\t@mkdir -p $(@D)
\tsed -f $(word 2,$^) $< > $@
summary.md: $(OUT)
\tcat $^ | sort > $@
\tfor i in a b; do \\
\t  touch logs/$$i; \\
\tdone
logs:
\tmkdir -p $@
clean:
\t-rm -f $(OUT)
ifdef DEEP
\trm -rf cache
endif
"""
    files = {**TREE, "Makefile": makefile, "config.mk": "BUILD ?= build\nexport BUILD\n", "clean.sed": "s/x/y/\n"}
    host = shell("make", files)
    assert host.effects == [
        "read Makefile",
        "read config.mk",
        "overwrite build/a.txt",
        "read clean.sed",
        "read data/a.csv",
        "overwrite build/b.txt",
        "read data/b.csv",
        "read build/a.txt",
        "read build/b.txt",
        "overwrite summary.md",
        "append logs/a",
        "append logs/b",
    ]
    assert host.of("mkdir") == ["build", "logs"]
    assert host.problems == []
    assert [site[3:] for site in host.sites if site[1] == "summary.md"] == [(10, 1, "Makefile")]
    assert shell("make clean BUILD=b DEEP=1", files).of("delete") == ["b/a.txt", "b/b.txt", "cache", "cache/**"]
    assert shell("make nothing", files).problems == ["make: no rule for nothing"]


def test_make_evaluates_definitions_and_searches_folders(shell: Callable[..., Any]) -> None:
    makefile = """vpath %.txt src:lib
define rule
$(1).out: $(1).txt
\tcp $$< $$@
ALL += $(1).out
endef
$(foreach name,a b,$(eval $(call rule,$(name))))
all: $(ALL) c.low
%.low: %.txt ; sort $< > $@
"""
    files = {"Makefile": makefile, "src/a.txt": "a\n", "lib/b.txt": "b\n", "lib/c.txt": "c\n"}
    host = shell("make all", files)
    assert sorted(host.effects) == [
        "overwrite a.out",
        "overwrite b.out",
        "overwrite c.low",
        "read Makefile",
        "read lib/b.txt",
        "read lib/c.txt",
        "read src/a.txt",
    ]


def test_programs_on_the_search_path_and_patches_in_a_folder(shell: Callable[..., Any]) -> None:
    files = {
        "bin/helper": "#!/bin/sh\ntouch $1\n",
        "up.patch": "--- f.txt\n+++ f.txt\n@@ -1 +1 @@\n-a\n+b\n",
        "in/f.txt": "a\n",
    }
    host = shell('PATH="$PWD/bin:$PATH"; helper one; patch -d in -i ../up.patch', files)
    assert {"append one", "read up.patch", "update in/f.txt"} <= set(host.effects)


def test_scripts_call_scripts(shell: Callable[..., Any]) -> None:
    files = {
        "a.sh": 'for f in "$@"; do bash lib/b.sh "$f" & done; wait\n',
        "lib/b.sh": '#!/bin/sh\ncp "$1" "$DEST/"\n. lib/c.sh\n',
        "lib/c.sh": "touch done_$1\n",
    }
    scripts: list[str] = []
    host = shell("export DEST=out; ./a.sh x y", files, options=ShellOptions(on_script=scripts.append))
    assert host.effects == [
        "read x", "overwrite out/x", "append done_x", "read y", "overwrite out/y", "append done_y",
    ]  # fmt: skip
    assert list(dict.fromkeys(scripts)) == ["a.sh", "lib/b.sh", "lib/c.sh"]


def test_scripts_that_the_text_writes_are_run(shell: Callable[..., Any]) -> None:
    host = shell(
        "cat > a.sh <<'E'\ncp $1 out\nE\nbash a.sh x; chmod +x a.sh; ./a.sh y\n"
        "echo 'open(1)' > b.py; python -u b.py z; python b.py > b.py; python b.py\n"
    )
    assert host.effects == [
        "overwrite a.sh", "read x", "overwrite out", "update a.sh", "read y", "overwrite b.py",
    ]  # fmt: skip
    assert host.problems == []
    assert [child[0] for child in host.children] == [
        ["python", "-u", "-", "z"],
        ["python", "b.py"],
        ["python", "b.py"],
    ]
    assert host.children[0][3] == "open(1)\n"


def test_a_script_that_calls_itself_ends_and_says_so(shell: Callable[..., Any]) -> None:
    host = shell("bash loop.sh", {"loop.sh": "touch x\nbash loop.sh\n"})
    assert host.effects == ["append x"]
    assert host.problems == ["scripts call each other too deeply at loop.sh"]


def test_bounds_are_said(shell: Callable[..., Any]) -> None:
    options = ShellOptions(steps=50, unroll=4)
    host = shell("for i in {1..9}; do touch f$i; done; while true; do touch g; done", options=options)
    assert host.of("append") == ["f*?", "g", "g?"]
    host = shell("for i in {1..30}; do touch a; touch b; done", options=ShellOptions(steps=20))
    assert host.problems == ["more than 20 shell commands"]


def test_run_argv_takes_words_literally(tmp_path: Path, recording_host: Callable[..., Any]) -> None:
    host = recording_host(tmp_path)
    machine = ShellInterpreter(host)
    state = ShellState(cwd="sub")
    from taskgates.inference.shell.places import Place

    machine.run_argv(["cp", "$x", "*.txt"], state, Place(7, 3, "run.py"), conditional=True)
    machine.run_argv(["cat", concat("in/", NAME)], state, Place(8, 1, "run.py"), conditional=False)
    assert host.sites == [
        ("read", "sub/$x?", "cp", 7, 3, "run.py"),
        ("overwrite", "sub/[*].txt?", "cp", 7, 3, "run.py"),
        ("read", "sub/in/*", "cat", 8, 1, "run.py"),
    ]


def test_output_of_commands_is_known_to_the_caller(tmp_path: Path, recording_host: Callable[..., Any]) -> None:
    from taskgates.inference.shell.places import Place

    host = recording_host(tmp_path)
    machine = ShellInterpreter(host)
    assert machine.output_of_argv(["basename", "a/b.txt", ".txt"], ShellState(), Place()) == "b\n"
    assert machine.output_of_text("tr a-z A-Z", ShellState(), stdin="abc") == "ABC\n"
    assert str(machine.output_of_text("echo x-$(date +%Y-%m)", ShellState())) == "x-{date}-{date}\n"


def test_listings_and_tests_are_told_as_such(shell: Callable[..., Any]) -> None:
    host = shell("ls data; [ -e nope ]; for f in raw/*.x; do :; done; stat q; test -f data/a.csv", TREE)
    assert host.accesses == [
        ("list", "data"),
        ("stat", "nope"),
        ("list", "raw/*.x"),
        ("stat", "q"),
        ("stat", "data/a.csv"),
    ]


def test_braces_beyond_the_bound_are_no_literal_names(shell: Callable[..., Any]) -> None:
    host = shell(
        "touch out/x{1..3}" + "{a,b}" * 30 + "\nfor i in {1..100000}; do touch f$i.txt; done\nrm a{b,c/d}{1..300}\n"
    )
    assert host.effects == ["append out/x*", "append f*.txt?", "delete a**"]
    assert len(host.problems) == 3
    assert all("braces" in opaque for opaque in host.problems)


@pytest.mark.parametrize(
    ("command", "effects"),
    [
        (
            "gcc -fshort-enums -iquote inc -include inc/all.h -c src/a.c -o a.o",
            ["read inc/all.h", "overwrite a.o", "read src/a.c", "read inc/part.h", "read src/own.h", "read a.o"],
        ),
        (
            "gcc -Iinc -O2 src/b.c -lm",
            ["read src/b.c", "overwrite a.out", "read a.out", "read inc/part.h"],
        ),
        ("cc -MMD -c -obuild/b.o src/b.c -I inc", ["overwrite build/b.o", "read src/b.c", "read build/b.o"]),
    ],
)
def test_compilers_read_the_headers_of_the_tree(shell: Callable[..., Any], command: str, effects: list[str]) -> None:
    files = {
        "src/a.c": '#include "own.h"\n#include <stdio.h>\n',
        "src/own.h": '#include "part.h"\n',
        "src/b.c": "# include <part.h>\n",
        "inc/all.h": '#include "part.h"\n',
        "inc/part.h": '#include "part.h"\n',
    }
    host = shell(command, files)
    assert set(effects) <= set(host.effects)
    assert not host.problems


def test_compilers_print_what_a_source_depends_on(shell: Callable[..., Any]) -> None:
    files = {"src/a.c": '#include "own.h"\n#include <part.h>\n', "src/own.h": '#include "deep.h"\n'}
    far = "inc/" + "x" * 50
    files |= {"src/deep.h": "", f"{far}/part.h": ""}
    host = shell(f"gcc -MM -I{far} src/a.c > deps.mk; cp $(gcc -MM src/a.c | tr -d '\\\\:') out/", files)
    assert {"read src/deep.h", f"read {far}/part.h", "read a.o", "overwrite out/own.h"} <= set(host.effects)
    assert not host.problems


def test_a_source_that_is_not_known_may_include_anything(shell: Callable[..., Any]) -> None:
    host = shell("gen > made.c; gcc -c made.c", {})
    assert any("what a source includes is not known" in problem for problem in host.problems)


def test_an_unknown_program_reads_the_files_that_it_is_told(shell: Callable[..., Any]) -> None:
    host = shell("tool run --ref=in.fa -x 3 b.txt none.txt -o out.tsv --output folder", {"in.fa": "", "b.txt": ""})
    assert host.effects == ["read in.fa?", "read b.txt?", "overwrite out.tsv?"]
    assert host.problems == ["the command tool is not modelled"]


def test_an_unknown_program_reads_the_index_that_it_is_told(shell: Callable[..., Any]) -> None:
    files = {"ref/genome.1.bt2": "", "ref/genome.rev.1.bt2": "", "ref/genomes.fa": ""}
    host = shell("align -x ref/genome --out-prefix ref/genome -y ref/none", files)
    assert host.effects == ["read ref/genome.1.bt2?", "read ref/genome.rev.1.bt2?"]


def test_what_sed_makes_of_a_file_is_known(shell: Callable[..., Any]) -> None:
    host = shell("echo a.txt > go.sh; sed -i 's/^/cat /' go.sh; ./go.sh", {})
    assert "read a.txt" in host.effects
    assert not host.problems


def test_build_tools_fill_their_folders(shell: Callable[..., Any]) -> None:
    host = shell("cmake -S src -B build -G Ninja; cmake --build build", {"src/CMakeLists.txt": ""})
    assert host.effects == ["overwrite build/**", "read src/CMakeLists.txt"]
    host = shell("pyinstaller -y --name app --add-data 'data/*:data' src/main.py", {"src/main.py": ""})
    assert host.effects == [
        "read src/main.py",
        "read data/*",
        "overwrite build/app/**",
        "overwrite dist/app/**",
        "overwrite app.spec",
    ]


def test_a_program_that_is_not_followed_is_named_as_it_was_called(shell: Callable[..., Any]) -> None:
    assert shell("ninja", {}).problems == ["ninja: its build is not followed"]
