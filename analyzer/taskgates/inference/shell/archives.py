"""Archives and packed files: `tar`, `zip`, `unzip`, `7z`, `gzip` and its relatives."""

from __future__ import annotations

from taskgates.inference.archive_members import archive_members
from taskgates.inference.shell.call import Call, below
from taskgates.inference.shell.commands import Arguments, parse_arguments
from taskgates.inference.shell.machine import Outcome, Status
from taskgates.inference.shell.patterns import escape_pattern, remove_suffix
from taskgates.inference.shell.texts import hole, join_path, text_lines
from taskgates.inference.text import Hole, Text, TextLike, concat
from taskgates.model.access import Operation

_TAR_VALUES = "fCbTXgKNVIHF"
_TAR_MODES = {
    "-c": "create",
    "--create": "create",
    "-x": "extract",
    "--extract": "extract",
    "--get": "extract",
    "-t": "list",
    "--list": "list",
    "-r": "append",
    "--append": "append",
    "-u": "append",
    "--update": "append",
    "-A": "append",
    "-d": "compare",
    "--diff": "compare",
    "--compare": "compare",
    "--delete": "append",
}
_PACKED = {
    "gzip": (".gz", ".tgz"),
    "bzip2": (".bz2", ".tbz2"),
    "xz": (".xz", ".txz"),
    "zstd": (".zst", ".tzst"),
}
_UNPACKERS = {"gunzip": "gzip", "bunzip2": "bzip2", "unxz": "xz", "unzstd": "zstd"}


def _bundled(words: list[TextLike]) -> list[TextLike]:
    """`tar cfz file` in the form `-c -f file -z`: letters without a dash take their values in order."""
    if not words or not isinstance(words[0], str) or words[0].startswith("-") or not words[0].isalpha():
        return words
    out: list[TextLike] = []
    rest = list(words[1:])
    for letter in words[0]:
        out.append("-" + letter)
        if letter in _TAR_VALUES and rest:
            out.append(rest.pop(0))
    return [*out, *rest]


def tar(call: Call) -> Outcome:
    """`tar`: members are read or written below the folder that `-C` names in front of them."""
    words = _bundled(call.words[1:])
    call.arguments = parse_arguments(call.row, words)
    call.perform_row()
    mode = next((_TAR_MODES[name] for name, _ in call.arguments.options if name in _TAR_MODES), "")
    archive = call.arguments.last("-f", "--file")
    members = _members(call, words)
    match mode:
        case "create" | "append":
            if archive is not None:
                call.access(Operation.OVERWRITE if mode == "create" else Operation.UPDATE, archive)
            _pack_members(call, members)
        case "extract":
            if archive is not None:
                call.read(archive)
            if not call.arguments.has("-O", "--to-stdout"):
                _unpack_members(call, members, archive)
        case "list" | "compare":
            if archive is not None:
                call.read(archive)
        case _:
            call.opaque("tar without a known mode")
    return Outcome(call.status)


def _members(call: Call, words: list[TextLike]) -> list[tuple[TextLike, TextLike]]:
    """Folder and operand of each member, in order; the last folder comes alone when no operand follows it."""
    out: list[tuple[TextLike, TextLike]] = []
    folder: TextLike = "."
    pending: list[TextLike] = []
    rest = list(words)
    while rest:
        pending.append(rest.pop(0))
        parsed: Arguments = parse_arguments(call.row, pending)
        option = parsed.options[-1] if parsed.options else ("", None)
        takes = call.row.options.get(option[0], "flag") not in ("flag", "optional")
        if takes and option[1] is None and rest and not parsed.operands:
            continue
        if option[0] in ("-C", "--directory") and option[1] is not None:
            folder = join_path(folder, option[1])
        out += [(folder, operand) for operand in parsed.operands]
        pending = []
    for listing in call.arguments.values("-T", "--files-from"):
        content = call.content(listing)
        names = list(text_lines(content)) if content is not None else [hole("data", "tar")]
        out += [(folder, name) for name in names]
    out.append((folder, ""))
    return out


def _pack_members(call: Call, members: list[tuple[TextLike, TextLike]]) -> None:
    for folder, member in members:
        if member == "":
            continue
        path = join_path(folder, member)
        tree = call.kind(path) != "file" and not call.arguments.has("--no-recursion")
        if tree and isinstance(path, Text) and path.origin == "glob":
            tree = False
        tree = tree and not call.looks_like_file(path)
        if tree:
            call.access(Operation.LIST, path)
        call.read(below(path) if tree else path)
        if call.arguments.has("--remove-files"):
            call.access(Operation.DELETE, below(path) if tree else path)


_CHOOSING = ("--exclude", "--wildcards", "--exclude-from", "-X", "--transform", "--xform", "-k", "--skip-old-files")


def _unpack_known(call: Call, archive: TextLike, folder: TextLike, *, strip: int = 0) -> bool:
    """Write what an archive of the tree holds, whose members are known; False where they are not."""
    data = call.data(archive)
    members = archive_members(data) if data is not None else None
    if members is None:
        return False
    for member in members:
        target = member.target
        inner = target.split("/")[strip:] if target is not None else []
        if inner:
            path = join_path(folder, "/".join(inner))
            call.access(Operation.MKDIR if member.kind == "folder" else Operation.OVERWRITE, path)
    return True


def _stripped(call: Call) -> int | None:
    """How many folders `tar` takes off the front of each name; None where that is not known."""
    given = call.arguments.last("--strip-components", "--strip")
    if given is None:
        return 0
    return int(given) if isinstance(given, str) and given.isdigit() else None


def _unpack_members(call: Call, members: list[tuple[TextLike, TextLike]], archive: TextLike | None) -> None:
    named = [(folder, member) for folder, member in members if member != ""]
    renamed = call.arguments.has("--strip-components", "--strip", "--transform", "--xform")
    strip = _stripped(call) if not named and not call.arguments.has(*_CHOOSING) else None
    if archive is not None and strip is not None and _unpack_known(call, archive, members[-1][0], strip=strip):
        return
    if named and not renamed and not call.arguments.has("--wildcards"):
        for folder, member in named:
            path = join_path(folder, member)
            call.overwrite(path if call.looks_like_file(path) else below(path))
        return
    call.overwrite(below(members[-1][0]))


def zip_files(call: Call) -> Outcome:
    """`zip`: adds files to an archive; patterns behind `-x` and `-i` up to the end are no files."""
    operands: list[TextLike] = []
    recursive = False
    listing = False
    excluded = False
    moving = False
    words = list(call.words[1:])
    while words:
        word = words.pop(0)
        head = word if isinstance(word, str) else word.prefix
        if head.startswith("-") and head != "-" and isinstance(word, str):
            name = word
            recursive |= (not name.startswith("--") and "r" in name) or name == "--recurse-paths"
            moving |= (not name.startswith("--") and "m" in name) or name == "--move"
            listing |= name == "-@"
            excluded = name in ("-x", "-i", "--exclude", "--include")
            if name in ("-b", "-n", "-P", "-s", "-t", "-O") and words:
                words.pop(0)
            continue
        if not excluded:
            operands.append(word)
    if not operands:
        return Outcome(Status.UNKNOWN)
    archive, *files = operands
    if archive != "-":
        tail = (archive if isinstance(archive, str) else archive.suffix).rpartition("/")[2]
        unnamed = "." not in tail and not (isinstance(archive, Text) and not archive.suffix)
        call.access(Operation.UPDATE, concat(archive, ".zip") if unnamed else archive)
    if listing:
        content = call.content("-")
        files += list(text_lines(content)) if content is not None else [hole("data", "zip")]
    for file in files:
        tree = recursive and call.kind(file) != "file" and not call.looks_like_file(file)
        call.read(below(file) if tree else file)
        if moving:
            call.access(Operation.DELETE, below(file) if tree else file)
    return Outcome(call.status)


def unzip(call: Call) -> Outcome:
    """`unzip`: writes members, or everything, below a folder."""
    words = list(call.words[1:])
    folder: TextLike = "."
    operands: list[TextLike] = []
    quiet = False
    excluded = False
    while words:
        word = words.pop(0)
        if isinstance(word, str) and word.startswith("-") and len(word) > 1:
            if word == "-d" and words:
                folder = words.pop(0)
            elif word.startswith("-d") and len(word) > 2:
                folder = word[2:]
            elif word == "-x":
                excluded = True
            elif word == "-P" and words:
                words.pop(0)
            else:
                quiet |= any(letter in word for letter in "lptvzZ")
            continue
        if not excluded:
            operands.append(word)
    if not operands:
        return Outcome(Status.UNKNOWN)
    archive, *members = operands
    tail = (archive if isinstance(archive, str) else archive.suffix).rpartition("/")[2]
    named = archive if "." in tail or isinstance(archive, Text) else concat(archive, ".zip")
    call.read(named)
    if quiet:
        return Outcome(call.status)
    plain = members and not any("*" in str(member) or "?" in str(member) for member in members)
    if plain and not call.arguments.has("-j"):
        for member in members:
            call.overwrite(join_path(folder, member))
    elif members or excluded or call.arguments.has("-j") or not _unpack_known(call, named, folder):
        call.overwrite(below(folder))
    return Outcome(call.status)


def seven_zip(call: Call) -> Outcome:
    """`7z`: a letter for the mode, an archive, files; `-oDIR` is the output folder."""
    operands = [word for word in call.words[1:] if not str(word).startswith("-")]
    if len(operands) < 2:
        return Outcome(call.status)
    mode, archive, *files = operands
    folder = next((str(word)[2:] for word in call.words if str(word).startswith("-o")), ".")
    if mode in ("x", "e"):
        call.read(archive)
        call.overwrite(below(folder))
    elif mode in ("a", "u", "d"):
        call.access(Operation.UPDATE, archive)
        for file in files:
            call.read(file if call.looks_like_file(file) else below(file))
    else:
        call.read(archive)
    return Outcome(call.status)


def pack(call: Call) -> Outcome:
    """`gzip`, `gunzip`, `bzip2`, `xz`, `zstd`: the packed file takes the place of the plain one."""
    tool = _UNPACKERS.get(call.name, call.name)
    unpacks = call.name in _UNPACKERS or call.arguments.has("-d", "--decompress", "--uncompress", "--decode")
    to_output = call.arguments.has("-c", "--stdout", "--to-stdout")
    quiet = call.arguments.has("-t", "--test", "-l", "--list")
    keeps = call.arguments.has("-k", "--keep") or (tool == "zstd" and not call.arguments.has("--rm"))
    given = call.arguments.last("-o")
    if given is not None:
        call.overwrite(given)
    suffixes = list(_PACKED[tool])
    own = call.arguments.last("-S", "--suffix")
    if isinstance(own, str) and own:
        suffixes.insert(0, own if own.startswith(".") else "." + own)
    recursive = call.arguments.has("-r", "--recursive")
    for operand in call.arguments.operands:
        if operand == "-":
            continue
        if recursive and call.kind(operand) != "file":
            call.read(below(operand))
            call.overwrite(below(operand))
            call.access(Operation.DELETE, below(operand))
            continue
        call.read(operand)
        if to_output or quiet or given is not None:
            continue
        call.overwrite(_unpacked(operand, suffixes) if unpacks else concat(operand, suffixes[0]))
        if not keeps:
            call.access(Operation.DELETE, operand)
    return Outcome(call.status)


def _unpacked(path: TextLike, suffixes: list[str]) -> TextLike:
    for suffix in suffixes:
        tail = path if isinstance(path, str) else path.suffix
        if tail.endswith(suffix):
            plain = remove_suffix(path, escape_pattern(suffix), longest=False)
            return concat(plain, ".tar") if suffix.startswith(".t") else plain
    if isinstance(path, Text) and not path.suffix:
        return concat(*path.parts[:-1], Hole(path.origin, True))
    return path
