"""Scripts run for real under strace: the files that they read and write below the folder are those that were inferred."""
# ruff: noqa: E501 - shell texts stay on one line, as they are written

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from taskgates.inference.shell.host import ShellState
from taskgates.inference.shell.interpreter import ShellInterpreter
from taskgates.model.patterns import PathPattern

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STRACE = shutil.which("strace")
FILES = {
    "data/a.csv": "id,name\n1,x\n2,y\n",
    "data/b.csv": "id,name\n3,z\n",
    "data/sub/c.csv": "id\n",
    "data/notes.txt": "hello world\nsecond line\n",
    "conf/names.txt": "alpha\nbeta\n",
    "conf/settings.env": "TARGET=built\nMODE=fast\n",
    "lib/common.sh": 'log() { echo "$@" >> run.log; }\n',
    "Makefile": (
        "SRC := $(wildcard data/*.csv)\nOUT := $(SRC:data/%.csv=build/%.txt)\nall: $(OUT) build/all.txt\n"
        "build/%.txt: data/%.csv\n\t@mkdir -p $(@D)\n\tcut -d, -f1 $< > $@\n"
        "build/all.txt: $(OUT)\n\tcat $^ > $@\n"
    ),
    "fix.patch": "--- a/data/notes.txt\n+++ b/data/notes.txt\n@@ -1,2 +1,2 @@\n-hello world\n+goodbye world\n second line\n",
}

SCRIPTS = {
    "copies": "mkdir -p out\ncp data/a.csv out\ncp data/a.csv data/b.csv out/\ncp -r data copy\nmv out/a.csv out/z.csv\n",
    "loops": (
        'set -euo pipefail\nOUT=${OUT:-out}\nmkdir -p "$OUT"\nfor f in data/*.csv; do\n  b=$(basename "$f" .csv)\n'
        '  head -n 1 "$f" > "$OUT/$b.head"\n  tail -n +2 "$f" | sort -o "$OUT/$b.sorted"\ndone\ncat "$OUT"/*.head > all\n'
    ),
    "while-read": 'while IFS= read -r name; do\n  touch "$name.flag"\ndone < conf/names.txt\nls *.flag | xargs -I{} cp {} data/\n',
    "sed-awk": (
        "sed -i 's/hello/bye/' data/notes.txt\nsed 's/x/y/w changed.txt' data/a.csv > out.csv\n"
        'awk -F, \'NR>1 {print $2 > ("name_" $1 ".txt")}\' data/a.csv\n'
    ),
    "redirections": (
        "exec 3>> log.txt\necho start >&3\n{ echo one; cat data/b.csv; } > both.txt 2> err.txt\n"
        "cat <<EOF > here.txt\n$(wc -l < data/a.csv)\nEOF\ncat data/a.csv | tee copy1 > copy2\n: > empty\n"
    ),
    "functions": (
        'source lib/common.sh\nsource conf/settings.env\nbuild() {\n  local in=$1 dir=$2\n  mkdir -p "$dir"\n'
        '  cp "$in" "$dir/${in##*/}"\n  log built "$in"\n}\nbuild data/a.csv "$TARGET"\nbuild data/b.csv "$TARGET"\n'
        'if [ "$MODE" = fast ]; then touch fast.mark; else touch slow.mark; fi\n'
    ),
    "find": (
        "find data -name '*.csv' -exec cp {} . \\;\nfind data -maxdepth 1 -name '*.txt' -print0 | xargs -0 wc -l > counts\n"
        "find . -maxdepth 1 -name 'c.csv' -delete\n"
    ),
    "archives": (
        "tar czf d.tgz data\nmkdir un\ntar xzf d.tgz -C un\ngzip -k data/notes.txt\nzcat data/notes.txt.gz > notes\n"
        "rm -rf un\n"
    ),
    "make": "make\n",
    "folders": "cd data\nwc -l a.csv > ../w.txt\n(cd sub && cat c.csv > ../../c.txt)\npushd sub > /dev/null\ncat c.csv >> x\npopd > /dev/null\nmv sub moved\n",
    "case-getopts": (
        "set -- -o result -v data/a.csv\nwhile getopts 'o:v' opt; do\n  case $opt in o) out=$OPTARG ;; v) verbose=1 ;; esac\ndone\n"
        'shift $((OPTIND - 1))\n[ -n "${verbose:-}" ] && echo verbose > v.log\ncat "$@" > "$out"\n'
    ),
    "arithmetic": "i=0\nwhile [ $i -lt 3 ]; do\n  printf '%02d\\n' $i > part_$i\n  i=$((i + 1))\ndone\nfor ((k = 3; k < 5; k++)); do cp part_0 part_$k; done\n",
    "text-tools": (
        "sort data/a.csv data/b.csv | uniq > u\npaste -d, data/a.csv data/b.csv > p\ndiff data/a.csv data/b.csv > d.diff || true\n"
        "comm -12 <(sort data/a.csv) <(sort data/b.csv) > c\nsplit -l 1 conf/names.txt piece_\ndd if=data/a.csv of=raw bs=1 count=2 2> /dev/null\n"
        "install -D -m 644 data/a.csv deep/er/a.csv\nln -s data/a.csv link\ntruncate -s 0 raw\n"
    ),
    "patch": "patch -p1 < fix.patch > /dev/null\n",
    "traps": 't=work.tmp\ntrap \'rm -f "$t"\' EXIT\ngrep -l name data/*.csv > "$t"\nxargs cat < "$t" > joined\n',
    "options": "cp -t . -- data/a.csv\nmv -T a.csv A\nrm -f A\ntouch {x,y}{1..2}.txt\nrm -- x?.txt\nhead -c3 data/b.csv >three\n",
    "xargs-P": 'ls data/*.csv | xargs -P2 -I{} sh -c \'wc -l "$1" > "$1.count"\' _ {}\n',
    "print0": 'while IFS= read -r -d \'\' f; do cp "$f" "bak_$(basename "$f")"; done < <(find data -name \'*.csv\' -print0 | sort -z)\n',
    "mapfile": 'mapfile -t files < <(ls data/*.csv)\nfor f in "${files[@]}"; do touch "$f.done"; done\nfirst=${files[0]}\ncat "$first" > first\n',
    "xz": "xz -k data/a.csv\nbzip2 -k data/b.csv\nxzcat data/a.csv.xz > x\nbzcat data/b.csv.bz2 > y\nxz -d data/a.csv.xz -c > z\n",
    "tar2": "tar -cf a.tar data/a.csv conf\ntar -rf a.tar data/b.csv\ntar -tf a.tar > list\nmkdir -p o\ntar -xf a.tar -C o data/a.csv\ntar xf a.tar --strip-components=1 -C o\n",
    "awk2": "awk -F, 'FNR==1{next} {out=FILENAME\".ids\"; print $1 > out}' data/a.csv data/b.csv\nawk 'NR==FNR{a[$1]=1;next} ($1 in a)' conf/names.txt data/notes.txt > m\n",
    "sed2": "for f in data/*.csv; do sed -i.bak -e '1d' \"$f\"; done\nsed -n '1p' data/a.csv > one\nsed -e '/x/r conf/names.txt' data/notes.txt > ins\n",
    "nested": 'process() {\n  local src=$1; local dst="${2:-out}"\n  mkdir -p "$dst"\n  for f in "$src"/*; do\n    [ -f "$f" ] || continue\n    case "$f" in\n      *.csv) cut -d, -f1 "$f" > "$dst/$(basename "$f" .csv).ids" ;;\n      *.txt) cp "$f" "$dst" ;;\n    esac\n  done\n}\nprocess data\nprocess conf out2\n',
    "merge": 'head -qn1 data/a.csv > all.csv\nfor f in data/[ab].csv; do tail -n +2 "$f" >> all.csv; done\nsort -t, -k1,1n -o all.csv all.csv\nwc -l < all.csv > count\nn=$(cat count)\nif [ "$n" -gt 2 ]; then mv all.csv big.csv; else mv all.csv small.csv; fi\n',
    "parallel-bg": 'for f in data/*.csv; do ( sort "$f" > "$f.sorted" ) & done\nwait\ncat data/*.sorted > sorted\nrm data/*.sorted\n',
    "dirs": "mkdir -p a/b\ncp data/a.csv a/b/\ncp -r a c\ncp -r a/. d\nmv a/b e\nrmdir a\nrm -r c/b\n",
    "swap": "cp data/a.csv t\nmv data/b.csv data/a.csv\nmv t data/b.csv\nln data/a.csv hard\nln -s data/a.csv soft\ncat soft > via\n",
    "heredocs": 'cat > gen.sh <<\'EOF\'\ncp "$1" "$1.copy"\nEOF\nbash gen.sh data/a.csv\nsh -s -- data/b.csv < gen.sh\ncat <<A > one; cat <<B > two\n1\nA\n2\nB\n',
    "eval": 'cmd="cp data/a.csv evaled"\neval "$cmd"\n$cmd\nopts=(-f); rm "${opts[@]}" evaled\nset -- x y; for i; do touch "$i"; done\nf=touch; $f z\n',
    "env": ". conf/settings.env\nexport TARGET\nbash -c 'touch \"$TARGET-$MODE\"'\nenv -u TARGET bash -c 'touch \"${TARGET:-none}\"'\nMODE=slow sh -c 'touch m-$MODE'\n",
    "trunc": '> e1\n: > e2\nexec 4> e3; echo hi >&4; exec 4>&-\n{ echo a; echo b >&2; } > e4 2> e5\nread -r l < data/a.csv; echo "$l" > e6\necho x | tee -a e6 e7 > /dev/null\ncat data/a.csv > e8 < /dev/null\n',
    "split2": "split -n l/2 data/notes.txt p_\ncsplit -s -f q_ data/notes.txt 2\ncat p_* > joined\nmd5sum data/*.csv > sums\nmd5sum -c sums > ok\n",
    "make2": "make -s build/a.txt\nmake -s -B build/all.txt\n",
    "perlrename": 'for f in data/*.csv; do mv "$f" "${f%.csv}.tsv"; done\nls data > listing\nfor f in data/*.tsv; do tr , \'\\t\' < "$f" > "$f.new" && mv "$f.new" "$f"; done\n',
    "until": "i=5\nuntil (( i == 0 )); do echo $i > c_$i; (( i-- )) || true; done\nwhile true; do touch once; break; done\n",
    "grep-loop": 'grep -rl id data | sort | while read -r f; do wc -l "$f" >> counts; done\ngrep -h name data/*.csv > headers\nif grep -q hello data/notes.txt; then touch yes; else touch no; fi\n',
    "find2": "find data -type f -size +0 -name '*.csv' | head -n 1 | xargs cat > h\nfind data -mindepth 2 -type f -exec cp {} deep \\;\nfind . -maxdepth 1 -type f -name 'h' -exec mv {} h2 \\;\nfind data -name '*.txt' -o -name 'c.csv' | xargs wc -c > w\n",
    "dates": "d=$(date +%Y)\nmkdir -p logs/$d\necho x > logs/$d/run-$(date +%m).log\ncp logs/$d/*.log latest.log\n",
    "ifs": 'IFS=, read -r a b < data/a.csv\ntouch $a-$b\nwhile IFS=, read -r id name; do [ "$id" = id ] && continue; touch "r_$id"; done < data/a.csv\n',
}

_CALL = re.compile(r"^(?:\d+\s+)?(\w+)\((.*)\)\s+= (-?\d+)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def trace(folder: Path) -> tuple[set[str], set[str]]:
    """Files read and written below the folder; a folder that is renamed stands for the files in it."""
    before = existing(folder)
    logs = folder.parent / "strace"
    logs.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "LC_ALL": "C", "TMPDIR": str(folder.parent)}
    subprocess.run(
        [str(STRACE), "-ff", "-qq", "-s", "4096", "-y", "-o", str(logs / "log"),
         "-e", "trace=open,openat,creat,rename,renameat,renameat2,unlink,unlinkat,symlink,symlinkat,link,linkat,truncate",
         "bash", "script.sh"],
        cwd=folder, env=environment, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    after = existing(folder)
    reads: set[str] = set()
    writes: set[str] = set()
    lines = [line for log in sorted(logs.iterdir()) for line in log.read_text(errors="replace").splitlines()]
    for line in lines:
        found = _CALL.match(line)
        if found is None or found.group(3).startswith("-"):
            continue
        name, arguments, _ = found.groups()
        base = re.match(r"AT_FDCWD<([^>]*)>|\d+<([^>]*)>", arguments)
        start = next((one for one in base.groups() if one), str(folder)) if base else str(folder)
        paths = [os.path.normpath(os.path.join(start, one)) for one in _QUOTED.findall(arguments)]
        inside = [path[len(str(folder)) + 1 :] for path in paths if path.startswith(f"{folder}/")]
        if name in ("open", "openat", "creat"):
            if "O_DIRECTORY" in arguments or not inside:
                continue
            written = name == "creat" or "O_WRONLY" in arguments or "O_RDWR" in arguments
            if not written or "O_RDWR" in arguments:
                reads.update(inside)
            if written:
                writes.update(inside)
        elif name.startswith("symlink"):
            writes.update(inside[-1:])
        else:
            for path in inside:
                below = {file for file in before | after if file.startswith(f"{path}/")}
                writes.update(below or {path})
    return reads, writes


def existing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@pytest.mark.slow
@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
@pytest.mark.parametrize("name", SCRIPTS)
def test_inferred_accesses_are_the_traced_ones(name: str, tmp_path: Path, recording_host: Callable[..., Any]) -> None:
    folder = tmp_path / "repository"
    for file, content in {**FILES, "script.sh": SCRIPTS[name]}.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    host = recording_host(folder)
    ShellInterpreter(host).run_script("script.sh", [], ShellState())
    tree = existing(folder)
    reads, writes = trace(folder)
    after = existing(folder)
    assert host.problems == []
    for operations, traced in ((("read",), reads), (WRITES, writes)):
        inferred = [PathPattern(path.rstrip("?")) for path in host.of(*operations)]
        certain = [PathPattern(path) for path in host.of(*operations) if not path.endswith("?")]
        # Files that exist neither before nor after may be the commands' own temporary ones.
        missed = {
            path for path in traced & (tree | after) - CODE if not any(pattern.matches(path) for pattern in inferred)
        }
        assert missed == set(), f"not inferred: {operations}"
        universe = (tree | after) - CODE
        folders = {parent for path in host.of("mkdir", *WRITES) for parent in parents(path)} | set(host.of("mkdir"))
        needless = {
            path
            for pattern in certain
            for path in universe | ({pattern.literal} if pattern.literal else set())
            if pattern.matches(path)
            and path not in traced
            and not is_folder(path, tree | after)
            and path not in folders
        }
        assert needless == set(), f"inferred, not traced: {operations}"


CODE = {"script.sh", "lib/common.sh"}
WRITES = ("create", "overwrite", "append", "update", "delete", "rename")


def parents(path: str) -> set[str]:
    return {path[:index] for index, char in enumerate(path) if char == "/"}


def is_folder(path: str, files: set[str]) -> bool:
    return any(file.startswith(f"{path}/") for file in files)
