"""What the parts of the interpreter share: a command's surroundings, captured output, results, changed files."""

from __future__ import annotations

from enum import Enum

import msgspec

from taskgates.inference.shell.sources import Source
from taskgates.inference.shell.syntax_tree import Node
from taskgates.inference.shell.texts import choose, covers, is_blank, text_lines
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of


class Status(Enum):
    """The exit status of a command, as far as it is known.

    `LIKELY` is success unless something goes wrong: an effect that ordinarily works.
    """

    SUCCESS = "success"
    FAILURE = "failure"
    LIKELY = "likely"
    UNKNOWN = "unknown"

    @property
    def negated(self) -> Status:
        """The status of `! command`."""
        return {Status.SUCCESS: Status.FAILURE, Status.FAILURE: Status.SUCCESS}.get(self, Status.UNKNOWN)

    @property
    def decided(self) -> bool | None:
        """Whether the command succeeds, None when a condition made of it is undecided."""
        return {Status.SUCCESS: True, Status.FAILURE: False}.get(self)

    @staticmethod
    def of(value: bool | None) -> Status:
        """The status of a three-valued test."""
        return Status.UNKNOWN if value is None else Status.SUCCESS if value else Status.FAILURE


class Jump(Enum):
    """Why a path through the script does not go on to the next command; later members reach further out."""

    CONTINUE = 1
    BREAK = 2
    RETURN = 3
    EXIT = 4


class Sink:
    """Collects what a captured command prints."""

    def __init__(self) -> None:
        self._pieces: list[TextLike | Hole] = []

    def write(self, text: TextLike | Hole) -> None:
        """Add a piece."""
        self._pieces.append(text)

    def unknown(self, origin: str = "data", name: str = "") -> None:
        """Add output of which nothing is known."""
        self._pieces.append(Hole(origin, True, name))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was printed."""
        return not self._pieces

    @property
    def text(self) -> TextLike:
        """Everything printed so far."""
        return concat(*self._pieces)

    @property
    def mark(self) -> int:
        """How many pieces there are."""
        return len(self._pieces)

    def since(self, mark: int) -> TextLike:
        """Remove and return what was printed since a mark."""
        text = concat(*self._pieces[mark:])
        del self._pieces[mark:]
        return text


class Stream:
    """A standard input whose content is known, wholly or in part; reading moves on.

    Args:
        text: the content; an unknown piece may stand for any number of lines. NUL ends a line too (`find -print0`).
    """

    def __init__(self, text: TextLike) -> None:
        plain = make_text(part.replace("\0", "\n") if isinstance(part, str) else part for part in parts_of(text))
        self._lines: list[tuple[TextLike, bool]] = [(line, _may_be_many(line)) for line in text_lines(plain)]
        self._position = 0
        self._delimiter = "\n"

    def split_at(self, delimiter: str) -> bool:
        """End lines by another character from here on; False where what is left is not known."""
        rest = self.rest
        if not isinstance(rest, str):
            return False
        if delimiter != self._delimiter:
            self._delimiter = delimiter
            self._lines[self._position :] = [(piece, False) for piece in rest.split(delimiter)]
        return True

    @property
    def at_last(self) -> bool:
        """Whether the next line is the last one, behind which its character does not stand."""
        return self._delimiter != "\n" and self._position == len(self._lines) - 1

    def take_line(self) -> TextLike | None:
        """The next line; None at the end. A line that may stand for many is not moved past: see `skip`."""
        if self._position >= len(self._lines):
            return None
        line, many = self._lines[self._position]
        if not many:
            self._position += 1
        return line

    @property
    def at_many(self) -> bool:
        """Whether the next line stands for an unknown number of lines."""
        return self._position < len(self._lines) and self._lines[self._position][1]

    def skip(self) -> None:
        """Move past a line."""
        self._position += 1

    @property
    def rest(self) -> TextLike:
        """Everything that is left, without moving on."""
        pieces: list[TextLike] = []
        for line, _ in self._lines[self._position :]:
            pieces += [line, self._delimiter]
        return concat(*pieces[:-1]) if self._delimiter != "\n" else concat(*pieces)

    def take_all(self) -> TextLike:
        """Everything that is left."""
        rest = self.rest
        self._position = len(self._lines)
        return rest

    @property
    def position(self) -> int:
        """How far reading has come; may be set back."""
        return self._position

    @position.setter
    def position(self, value: int) -> None:
        self._position = value


def _may_be_many(line: TextLike) -> bool:
    return isinstance(line, Text) and any(
        isinstance(part, Hole) and part.origin in ("data", "glob", "unknown") for part in line.parts
    )


class Frame(msgspec.Struct, frozen=True):
    """The surroundings in which a command runs.

    Attributes:
        source: the text that it stands in.
        conditional: whether an undecided condition stands before it.
        stdin: what it can read from standard input, None when unknown or nothing.
        sink: where its standard output is captured, None when it goes elsewhere.
        depth: nesting of functions, scripts and substitutions.
    """

    source: Source
    conditional: bool = False
    stdin: Stream | None = None
    sink: Sink | None = None
    depth: int = 0

    def within(self, *, conditional: bool = True) -> Frame:
        """The surroundings behind one more condition."""
        if self.conditional or not conditional:
            return self
        return Frame(self.source, True, self.stdin, self.sink, self.depth)

    def nested(self, source: Source) -> Frame:
        """The surroundings inside another text."""
        return Frame(source, self.conditional, self.stdin, self.sink, self.depth + 1)

    def with_streams(self, stdin: Stream | None, sink: Sink | None) -> Frame:
        """A copy with other standard streams."""
        return Frame(self.source, self.conditional, stdin, sink, self.depth)


class FunctionDefinition(msgspec.Struct, frozen=True):
    """A shell function: its body, and the text that it stands in."""

    body: Node
    source: Source


class Outcome(msgspec.Struct):
    """How a command ended.

    Attributes:
        status: its exit status.
        jump: set when the path ends here.
        levels: how many loops a `break` or `continue` still has to leave.
        doubts: jumps that an undecided branch may have taken, so that what follows is conditional.
    """

    status: Status = Status.SUCCESS
    jump: Jump | None = None
    levels: int = 1
    doubts: frozenset[Jump] = frozenset()

    def without(self, *jumps: Jump) -> Outcome:
        """The outcome where jumps of these kinds end."""
        jump = None if self.jump in jumps else self.jump
        return Outcome(self.status, jump, self.levels, self.doubts.difference(jumps))


class Changes:
    """Paths that the script changed, so that the tree is not asked about them any more.

    Attributes:
        foreign: whether a child program ran whose effects are not known here.
    """

    def __init__(self) -> None:
        self._written: dict[TextLike, None] = {}
        self._folders: set[str] = set()
        self._files: set[str] = set()
        self._contents: dict[str, TextLike] = {}
        self.foreign = False

    def add(self, path: TextLike, *, gone: bool = False, same_content: bool = False) -> None:
        """Note a changed path: `gone` when it is moved away or deleted, `same_content` when only its attributes are."""
        self._written[path] = None
        if isinstance(path, str):
            if gone:
                self._files.discard(path)
            else:
                self._files.add(path)
        if self._contents and not same_content:
            for known in [one for one in self._contents if covers(path, one)]:
                del self._contents[known]
        if isinstance(path, str):
            head = path.rpartition("/")[0]
            while head and head not in self._folders:
                self._folders.add(head)
                head = head.rpartition("/")[0]

    def add_folder(self, path: TextLike) -> None:
        """Note a folder that now exists."""
        if isinstance(path, str):
            self._folders.add(path)
            self.add(path)
            self._files.discard(path)

    def is_folder(self, path: TextLike) -> bool:
        """Whether the script made a folder there."""
        return isinstance(path, str) and path in self._folders

    def is_file(self, path: TextLike) -> bool:
        """Whether the script made a file there."""
        return isinstance(path, str) and path in self._files and path not in self._folders

    def touches(self, path: TextLike) -> bool:
        """Whether the path, or a folder above it, may have been changed."""
        if isinstance(path, str):
            if path in self._written:
                return True
            return any(isinstance(written, Text) and covers(written, path) for written in self._written)
        return any(covers(written, path) for written in self._written)

    def set_content(self, path: TextLike, text: TextLike) -> None:
        """Note what a written file holds."""
        if isinstance(path, str) and not is_blank(text):
            self._contents[path] = text

    def content(self, path: TextLike) -> TextLike | None:
        """What a file holds that the script wrote; None when that is not known."""
        return self._contents.get(path) if isinstance(path, str) else None

    def written(self) -> tuple[TextLike, ...]:
        """All changed paths in the order of the first change."""
        return tuple(self._written)


def join_values(left: TextLike | None, right: TextLike | None, bound: int) -> TextLike | None:
    """A variable's value after two paths meet; None is unset."""
    if left == right:
        return left
    return choose(["" if left is None else left, "" if right is None else right], bound)
