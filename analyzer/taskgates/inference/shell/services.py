"""Downloads, databases, pictures: commands whose file names follow from more than their operands."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import unquote

from taskgates.inference.shell.call import Call, below
from taskgates.inference.shell.filters import temporary_name
from taskgates.inference.shell.machine import Outcome, Status
from taskgates.inference.shell.patterns import remove_suffix
from taskgates.inference.shell.texts import basename, hole, join_path, normalise_path, strip_trailing, text_lines
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of
from taskgates.model.access import Operation

# ---- the network -----------------------------------------------------------------------------------------------------


def _remote_name(url: TextLike, *, query: bool) -> TextLike:
    """The file name at the end of a URL."""
    parts: list[str | Hole] = []
    for part in parts_of(url):
        if isinstance(part, str):
            head, mark, _ = (
                part.partition("#") if query else re.sub(r"[?#].*", "\0", part, flags=re.DOTALL).partition("\0")
            )
            parts.append(head)
            if mark:
                break
        else:
            parts.append(part)
    plain = make_text(parts)
    head = plain if isinstance(plain, str) else plain.prefix
    scheme = re.match(r"[a-z]+://", head)
    if isinstance(plain, str):
        rest = plain[scheme.end() :] if scheme else plain
        return unquote(rest.rpartition("/")[2]) if "/" in rest else ""
    return basename(plain)


def _is_local(url: TextLike) -> TextLike | None:
    head = url if isinstance(url, str) else url.prefix
    if not head.startswith("file://"):
        return None
    rest = re.sub(r"^file://(?:localhost)?", "", head)
    return rest if isinstance(url, str) else make_text([rest, *url.parts[1:]])


def curl(call: Call) -> Outcome:
    """`curl`: `-o` and `-O` write, `@file` in data and forms reads."""
    folder = call.arguments.last("--output-dir")
    urls = [*call.arguments.operands, *call.arguments.values("--url")]
    for option, value in call.arguments.options:
        if value is None:
            continue
        role = call.row.options.get(option, "value")
        if option in ("-o", "--output"):
            call.overwrite(join_path(folder, value) if folder is not None else value)
        elif option.startswith(("--data", "-d", "--json")) and option != "--data-raw":
            _read_mentioned(call, value, "@")
        elif option in ("-F", "--form"):
            head = value if isinstance(value, str) else value.prefix
            _, found, _ = head.partition("=")
            if found and head.partition("=")[2][:1] in ("@", "<"):
                skip = head.index("=") + 1
                inner = value[skip:] if isinstance(value, str) else make_text([head[skip:], *value.parts[1:]])
                _read_mentioned(call, inner, inner[0] if isinstance(inner, str) else inner.prefix[0])
        elif role not in ("value", "optional", "flag"):
            call.access(Operation(role), value)
    if call.arguments.has("-O", "--remote-name", "--remote-name-all"):
        for url in urls:
            name = _remote_name(url, query=False)
            if call.arguments.has("-J", "--remote-header-name"):
                name = hole("data", "curl", slash=False)
            if name != "":
                call.overwrite(join_path(folder, name) if folder is not None else name)
    for url in urls:
        local = _is_local(url)
        if local is not None:
            call.read(local)
    return Outcome(call.status)


def _read_mentioned(call: Call, value: TextLike, mark: str) -> None:
    head = value if isinstance(value, str) else value.prefix
    if not head.startswith(mark):
        return
    path = value[1:] if isinstance(value, str) else make_text([head[1:], *value.parts[1:]])
    if isinstance(path, str):
        path = path.partition(";")[0].strip('"')
    call.read(path)


def wget(call: Call) -> Outcome:
    """`wget`: the name at the end of the URL, below `-P`, unless `-O` names one."""
    call.perform_row()
    if call.arguments.has("-O", "--output-document", "--spider"):
        return Outcome(call.status)
    folder = call.arguments.last("-P", "--directory-prefix") or "."
    recursive = call.arguments.has("-r", "--recursive", "-m", "--mirror", "-p", "--page-requisites")
    urls = list(call.arguments.operands)
    for listing in call.arguments.values("-i", "--input-file"):
        content = call.content(listing)
        if content is None:
            call.overwrite(join_path(folder, Text((Hole("data", False, "wget"),))))
        else:
            urls += [line for line in text_lines(content) if line != ""]
    for url in urls:
        if recursive:
            call.overwrite(below(folder))
            continue
        if call.arguments.has("--content-disposition"):
            name: TextLike = hole("data", "wget", slash=False)
        else:
            name = _remote_name(url, query=True)
        resumed = call.arguments.has("-c", "--continue")
        operation = Operation.APPEND if resumed else Operation.OVERWRITE
        call.access(operation, join_path(folder, name if name != "" else "index.html"))
    return Outcome(call.status)


def object_store(call: Call) -> Outcome:
    """`aws s3` and `gsutil`: copies between local files and a store."""
    operands = [word for word in call.arguments.operands if word not in ("-m", "-r")]
    verb, *paths = operands or [""]
    if verb not in ("cp", "mv", "sync", "rsync") or len(paths) < 2:
        return Outcome(call.status)
    *sources, destination = paths
    tree = verb in ("sync", "rsync") or any(
        word in ("--recursive", "-r") for word in call.words if isinstance(word, str)
    )
    for source in sources:
        if not _is_store(source):
            call.read(below(source) if tree else source)
            if verb == "mv":
                call.access(Operation.DELETE, below(source) if tree else source)
        if not _is_store(destination):
            if tree:
                call.overwrite(below(destination))
            else:
                call.overwrite(call.within(destination, source) if call.is_folder(destination) else destination)
    return Outcome(call.status)


def _is_store(path: TextLike) -> bool:
    return (path if isinstance(path, str) else path.prefix).startswith(("s3://", "gs://", "http://", "https://"))


# ---- databases, pictures ---------------------------------------------------------------------------------------------


def sqlite(call: Call) -> Outcome:
    """`sqlite3`: the database is updated, or read; dot commands name further files."""
    call.perform_row()
    operands = list(call.arguments.operands)
    texts: list[TextLike] = [*operands[1:], *call.arguments.values("-cmd", "-c", "-s")]
    if call.frame.stdin is not None and len(operands) < 2:
        texts.append(call.frame.stdin.take_all())
    read_only = call.arguments.has("-readonly") or (
        bool(texts) and all(isinstance(text, str) and _only_selects(text) for text in texts)
    )
    if operands and operands[0] not in (":memory:", ""):
        if read_only:
            call.read(operands[0])
        else:
            call.read(operands[0])
            call.access(Operation.UPDATE, operands[0])
    for text in texts:
        if not isinstance(text, str):
            continue
        for verb, name in re.findall(
            r"^\s*\.(read|output|once|import|backup|save|restore|dump|log|excel)\s+(?:--?\w+\s+\w*\s*)*[\"']?([^\s\"']+)",
            text,
            re.MULTILINE,
        ):
            reads = verb in ("read", "import", "restore")
            if name not in ("stdout", "off"):
                call.access(Operation.READ if reads else Operation.OVERWRITE, name)
    return Outcome(call.status)


def _only_selects(text: str) -> bool:
    statements = [piece.strip() for piece in text.split(";") if piece.strip()]
    return all(
        re.match(
            r"(?i)(select|explain|with\b(?!.*\b(insert|update|delete)\b)|\.(schema|tables|mode|headers|dump)\b)", one
        )
        for one in statements
    )


def last_is_output(call: Call) -> Outcome:
    """ImageMagick: the last word is written, the others are read."""
    operands = [word for word in call.arguments.operands if word not in ("(", ")", "convert", "+append", "-append")]
    plain = [_without_format(word) for word in operands if not str(word).startswith(("+", "xc:", "canvas:", "label:"))]
    for path in plain[:-1]:
        call.read(path)
    if len(plain) > 0:
        call.overwrite(plain[-1])
    return Outcome(call.status)


def _without_format(word: TextLike) -> TextLike:
    """`png:out.png[0]` without format and frame."""
    if isinstance(word, str):
        return re.sub(r"^[a-z0-9]{2,5}:(?=.)", "", re.sub(r"\[\S+\]$", "", word))
    return word


def ffmpeg(call: Call) -> Outcome:
    """`ffmpeg`: `-i` reads, words that are no option's value are written."""
    words = list(call.words[1:])
    flags = {"-y", "-n", "-vn", "-an", "-sn", "-dn", "-hide_banner", "-nostdin", "-shortest", "-re", "-stats"}
    while words:
        word = words.pop(0)
        if not isinstance(word, str) or not word.startswith("-") or word == "-":
            call.overwrite(word)
        elif word == "-i" and words:
            call.read(words.pop(0))
        elif word not in flags and words:
            words.pop(0)
    return Outcome(call.status)


def latex(call: Call) -> Outcome:
    """LaTeX: reads the source, writes files with the job's name; what the source includes is not followed."""
    folder = call.arguments.last("-output-directory", "--output-directory", "-outdir") or "."
    for operand in call.arguments.operands[:1]:
        tail = (operand if isinstance(operand, str) else operand.suffix).rpartition("/")[2]
        call.read(operand if "." in tail else concat(operand, ".tex"))
        job = call.arguments.last("-jobname", "--jobname") or remove_suffix(basename(operand), ".tex", longest=False)
        call.overwrite(join_path(folder, concat(job, ".", Hole("data", False, call.name))))
    call.opaque(f"{call.name}: what the source includes is not followed")
    return Outcome(call.status)


# ---- locks and fresh names -------------------------------------------------------------------------------------------


def flock(call: Call) -> Outcome:
    """`flock`: the lock file is opened, then the command runs."""
    operands = list(call.arguments.operands)
    if not operands:
        return Outcome(call.status)
    lock = operands.pop(0)
    holding: AbstractContextManager[None] = nullcontext()
    if not (isinstance(lock, str) and lock.isdigit()):
        call.access(Operation.APPEND, lock)
        locking = call.machine.options.locking
        if locking is not None and not call.arguments.has("-s", "--shared"):
            waits = not call.arguments.has("-n", "--nb", "--nonblock", "-w", "--wait", "--timeout")
            holding = locking(normalise_path(call.machine.full_path(lock, call.state)), call.place, waits)
    text = call.arguments.last("-c", "--command")
    if operands[:1] in (["-c"], ["--command"]) and len(operands) > 1:
        text = operands[1]
    with holding:
        if text is not None:
            child = call.machine.child_state(call.state, "sh", [])
            call.machine.evaluate(text, call.frame, child, call.place)
            return Outcome(Status.LIKELY)
        return call.run(operands) if operands else Outcome(Status.LIKELY)


def make_temporary(call: Call) -> Outcome:
    """`mktemp`: a fresh file or folder; in the system's temporary folder it concerns nobody."""
    name = temporary_name(call)
    if not call.arguments.has("-u", "--dry-run"):
        folder = call.arguments.has("-d", "--directory")
        call.access(Operation.MKDIR if folder else Operation.CREATE, strip_trailing(name, "\n"))
    call.out(name)
    return Outcome(call.status)
