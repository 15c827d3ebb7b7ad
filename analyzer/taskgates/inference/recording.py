"""What the program does to paths and to shared state goes into the log; what that means for later existence tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from taskgates.inference.frames import Frame, place_of
from taskgates.inference.log import RawSite
from taskgates.inference.objects import ATOMIC, Arguments, ClassV, DictObj, FunctionV, Heap, Instance, ListObj
from taskgates.inference.paths import join_paths, normalise, relative_to_root, report_form
from taskgates.inference.program import Program
from taskgates.inference.text import Hole, Text, TextLike, parts_of
from taskgates.inference.values import AnyValue, BoundMethod, Ext, Known, TupleV, Unknown, options, path_text
from taskgates.model.access import Operation, SharedKind
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME_LENGTH = 256
"""The longest text that is looked up as the plain name of a file."""

PATH_TESTS = {"exists": None, "lexists": None, "isfile": "file", "isdir": "folder"}
"""The functions of `os.path` that tell whether something is there, and of which kind."""
PATH_METHOD_TESTS = {"exists": None, "is_file": "file", "is_dir": "folder"}
"""The methods of `pathlib.Path` that do."""


class Recording(Program):
    """Notes effects, and answers from the tree and the log what is where."""

    # Sites

    def site(self, call: str, node: ir.Call | ir.Attr | ir.Name | ir.Subscript | None = None) -> RawSite:
        """The present place in the program, as the log wants it."""
        frame = self.frame
        where = node if node is not None else self.call_node
        if frame is None:
            return RawSite(self.entry, 0, 0, "<module>", call, None, 1 if self.entry else 0, 1)
        start = where.start if isinstance(where, ir.Call) else -1
        return RawSite(frame.module.file, place_of(where, frame), start, frame.qualname, call, self.chain)

    @property
    def conditional(self) -> bool:
        """Whether some undecided condition stands before the present place."""
        return self.undecided > 0

    # Effects

    def absolute(self, text: TextLike) -> TextLike:
        """A path as the program means it, made absolute by the working directory and normalised."""
        head = text if isinstance(text, str) else text.prefix
        if head.startswith("file://"):
            text = head[7:] if isinstance(text, str) else text
        if head == "~" or head.startswith("~/"):
            # The home folder, whose place is not known.
            return normalise(text)
        return normalise(join_paths(self.cwd, text))

    def without_links(self, text: TextLike) -> TextLike:
        """A path made absolute, without the symbolic links of the tree that the program has left in their places."""
        path = self.absolute(text)
        place = self.in_tree(path) if isinstance(path, str) else None
        real = self.real_place(place) if place is not None else None
        return path if real is None else f"{self.root}/{real}"

    def real_place(self, place: str) -> str | None:
        """Where a root-relative path leads through symbolic links of the tree; None where there are none on it."""
        real = self.tree.real(place)
        link = place
        while link and self.tree.real(link) != link:
            if self.deleted(link) or self.wrote(link):
                return None
            link = link.rpartition("/")[0]
        return None if real == place else real

    def access(self, operation: Operation, value: AnyValue, call: str, *, conditional: bool = False) -> None:
        """Note that the program does something to the path that a value names.

        Lists and tuples are taken element by element; None, open handles and buffers are no paths.
        """
        undecided = self.conditional or conditional
        for option in options(value):
            if isinstance(option, ListObj | TupleV):
                for item in option.items:
                    self.access(operation, item, call, conditional=conditional)
                if option.rest is not None:
                    self.access(operation, option.rest, call, conditional=conditional)
                continue
            text = path_text(option)
            if text is None:
                if isinstance(option, Instance):
                    text = self.fspath(option)
                    if text is None:
                        self.use_object(option, operation)
                        continue
                elif isinstance(option, Unknown):
                    if option.origin == "bound":
                        self.opaque(option.reason)
                    if option.origin not in ("stream", "descriptor", "bottom"):
                        self.log.access(operation, None, self.site(call), undecided)
                    continue
                else:
                    continue
            self.access_text(operation, text, call, undecided)

    def fspath(self, value: Instance) -> TextLike | None:
        """What `__fspath__` of an object gives; None when it is not path-like."""
        if isinstance(value.cls, ClassV):
            method = self.get_attr(value, "__fspath__") if self.has_attr(value, "__fspath__") else None
            if method is not None:
                return path_text(self.call(method, Arguments()))
            if any(isinstance(base, Ext) and base.name in ("builtins.str", "enum.StrEnum") for base in value.cls.mro):
                # A string by inheritance: an enumeration's member, or an object of a class over `str`.
                inner = value.slots.get("value") if "enum" in value.cls.traits else value.slots.get(("value",))
                return path_text(inner) if inner is not None else None
        elif value.cls.name == "os.DirEntry":
            return path_text(value.slots["path"])
        return None

    def has_attr(self, value: AnyValue, name: str) -> bool:
        """Whether a class of the analysed code defines an attribute."""
        if isinstance(value, Instance):
            if name in value.slots:
                return True
            return isinstance(value.cls, ClassV) and any(
                isinstance(cls, ClassV) and name in cls.slots for cls in value.cls.mro
            )
        return False

    def class_protocol(self, cls: ClassV, name: str) -> AnyValue | None:
        """A special method that a class has as an object: its metaclass's, bound to it; None where there is none."""
        if isinstance(cls.metaclass, ClassV):
            for base in cls.metaclass.mro:
                if isinstance(base, ClassV) and isinstance(base.slots.get(name), FunctionV):
                    return BoundMethod(base.slots[name], cls)
        return None

    def access_text(self, operation: Operation, text: TextLike, call: str, conditional: bool) -> None:
        """Note an access to a path given as a string."""
        head = text if isinstance(text, str) else text.prefix
        if "\0" in head or text == "":
            return
        if any("\ud800" <= char <= "\udfff" for part in parts_of(text) if isinstance(part, str) for char in part):
            # Such a name is no valid UTF-8: neither the tree nor a report can hold it.
            self.opaque("a path whose name is not valid UTF-8")
            return
        if isinstance(text, Text) and any(isinstance(part, Hole) and part.origin == "bottom" for part in text.parts):
            return
        scheme = head.split("://", 1)[0] if "://" in head else ""
        if scheme and scheme != "file" and scheme.replace("+", "").replace("-", "").isalnum():
            return
        path = self.absolute(text)
        if isinstance(path, str):
            if path in (
                "/dev/null",
                "/dev/stdin",
                "/dev/stdout",
                "/dev/stderr",
                "/dev/tty",
                "/dev/zero",
                "/dev/urandom",
            ):
                return
            if path.startswith(("/dev/fd/", "/proc/")):
                return
        elif path.prefix.startswith(TEMPORARY):
            return
        if isinstance(path, str) and path.startswith(TEMPORARY):
            return
        self.note(operation, path, self.site(call), conditional)

    def note(self, operation: Operation, path: TextLike, site: RawSite, conditional: bool) -> None:
        """Log an access to an absolute path, and remember what it means for later existence tests."""
        known = path if isinstance(path, str) else None
        place = self.in_tree(known) if known is not None else None
        if known is None and (
            self.below_file(path) or (operation in _OF_FILES and self.nothing_below(path, operation))
        ):
            return
        if place is not None:
            kind = self.tree.kind(place)
            is_folder = kind == "folder" or (kind is None and self.made_folder(place))
            if is_folder and operation is Operation.READ:
                operation = Operation.LIST
            elif is_folder and operation is Operation.DELETE:
                # Files are what tasks share; those below a removed folder are logged on their own.
                self.log.remove_folder(str(known))
                return
            elif operation is Operation.DELETE and self.absent(place) and not self.tree.is_link(place):
                return
        if operation is Operation.MKDIR:
            if known is not None:
                self.log.folders.add(known)
        elif operation in (Operation.DELETE, Operation.RENAME):
            if known is not None and not conditional:
                self.log.removed.add(known)
                self.log.written.discard(known)
        elif operation.is_write:
            self.log.write(path)
        self.log.access(operation, path, site, conditional)

    def below_file(self, pattern: TextLike) -> bool:
        """Whether a pattern would lie below what is a file."""
        head = pattern if isinstance(pattern, str) else pattern.prefix
        folder = head.rpartition("/")[0]
        place = self.in_tree(folder) if folder else None
        return place is not None and self.tree.kind(place) == "file" and not self.deleted(place)

    def nothing_below(self, pattern: TextLike, operation: Operation) -> bool:
        """Whether a pattern would lie below a folder that is certainly not there, or matches nothing there.

        What is deleted is what the program knows of; what is read may be data that has yet to come.
        """
        head = pattern if isinstance(pattern, str) else pattern.prefix
        place = self.in_tree(head.rpartition("/")[0]) if self.closed else None
        return (
            place is not None
            and (self.absent(place) or (isinstance(pattern, Text) and self.matches_nothing(pattern, operation)))
            and not any(
                (matched.prefix.startswith(pattern.prefix) or pattern.prefix.startswith(matched.prefix))
                and (matched.suffix.endswith(pattern.suffix) or pattern.suffix.endswith(matched.suffix))
                for matched in self.log.written_patterns
                if isinstance(matched, Text) and isinstance(pattern, Text)
            )
        )

    def matches_nothing(self, pattern: Text, operation: Operation) -> bool:
        """Whether no file of the tree, nor one that the program made, has a name of a pattern.

        To read, only patterns with a telling end count.
        """
        return (operation is Operation.DELETE or isinstance(pattern.parts[-1], str)) and self.unmatched(pattern)

    def unmatched(self, pattern: Text) -> bool:
        """Whether no file of the tree, nor one that the program made under a known name, has a name of a pattern."""
        return self.matching(pattern) == ()

    def matching(self, pattern: Text) -> tuple[str, ...] | None:
        """What in the tree has a name of a pattern; None where that is not known, or the program made such a file."""
        if self.log.ran_other_code:
            return None
        text, _ = report_form(pattern, self.root)
        if text is None or text.startswith(("/", "~", "../")) or "**" in re.sub(r"(?<![^/])\*\*(?![^/])", "", text):
            return None
        if any(isinstance(path, str) and matches_text(pattern, path) for path in self.log.written):
            return None
        return self.tree.glob(text, hidden=True)

    def absent(self, place: str) -> bool:
        """Whether a root-relative path is certainly not there: the tree is complete and the program did not make it."""
        if not self.closed or (self.tree.kind(place) is not None and not self.deleted(place)):
            return False
        return not self.wrote(place) and not self.made_folder(place) and not self.log.ran_other_code

    def made_folder(self, place: str) -> bool:
        """Whether the program itself created a folder, or wrote below it."""
        base = str(normalise(join_paths(self.root, place)))
        return base in self.log.folders or base in self.log.filled

    def opaque(self, reason: str, *, other_code: bool = False) -> None:
        """Note that something here could not be seen through; see `EffectLog.opaque`."""
        self.log.opaque(reason, self.site("", None), other_code=other_code)

    def shared(
        self,
        name: str,
        kind: SharedKind,
        access: str,
        node: Any = None,
        *,
        call: str = "",
        obj: Heap | Frame | None = None,
        part: str = "",
    ) -> None:
        """Note a touch of state that outlives the call, under the locks held at present.

        Args:
            name: the state.
            kind: where it lives.
            access: `read` or `write`.
            node: the place; the present call without one.
            call: what does it, for the report.
            obj: the object that is touched, or the call whose variable it is; None where it is a global variable.
            part: the attribute of it; empty for all of it.
        """
        # What happens while a module is imported happens once, under the import system's own lock; what a process does
        # to its own state is nothing to the one that started it.
        if self.importing and kind is not SharedKind.PROCESS:
            if access == "write":
                self.log.set_up.add(name)
        elif not (self.children and kind is SharedKind.PROCESS):
            site = self.site(call or name, node)
            self.log.shared(name, kind, access, site, frozenset(self.held), thread=self.threads > 0)
        if self.overlap.active and kind is not SharedKind.PROCESS:
            self.overlaps(name, obj, part, write=access == "write")

    def mentioned(self, label: str, value: AnyValue, node: Any) -> None:
        """Note that a module's global name is read: one that was imported from elsewhere stands for the same object.

        To mention an object of the program's own classes is not to read it yet.
        """
        if isinstance(value, Instance) and isinstance(value.cls, ClassV) and value.owner is not None:
            if self.overlap.active:
                self.overlaps(label, None, "", write=False)
            return
        owned: AnyValue = value
        if type(value) is TupleV:
            owned = next((item for item in value.items if isinstance(item, ListObj | DictObj | Instance)), value)
        if isinstance(owned, Heap) and owned.owner is not None and owned.owner[1] != SharedKind.PROCESS:
            self.shared(owned.owner[0], SharedKind(owned.owner[1]), "read", node)
        else:
            self.shared(label, SharedKind.MODULE_GLOBAL, "read", node)

    def borrowed(self, value: Heap, owner: tuple[str, str], node: Any) -> None:
        """Note that a module's body reads what another module holds."""
        label, kind = owner
        if kind != SharedKind.PROCESS and not isinstance(value, Instance | FunctionV) and self.beyond_set_up(label):
            self.shared(label, SharedKind(kind), "read", node)

    def attribute_read(self, obj: Instance | FunctionV, name: str, node: Any) -> None:
        """Note that an attribute of an object is read that lives as long as the program; locks are no state."""
        assert obj.owner is not None
        label, kind = obj.owner
        value = obj.slots[name]
        if isinstance(value, Instance) and self.is_lock(value):
            return
        if self.beyond_set_up(label):
            self.shared(label, SharedKind(kind), "read", node, obj=obj, part=name)
        elif self.overlap.active:
            self.looked_at(obj, name)

    def beyond_set_up(self, label: str) -> bool:
        """Whether a touch of some state here is more than what a module's body does to set up its own."""
        frame = self.frame
        return frame is not None and (frame.function is not None or not label.startswith(f"{frame.module.dotted}."))

    def looked_at(self, obj: Heap, part: str = "") -> None:
        """Note that the content or an attribute of an object is read; asked for only while threads may run."""
        if obj.owner is not None and obj.owner[1] != SharedKind.PROCESS:
            self.overlaps(obj.owner[0], obj, part, write=False)

    def loaded(self, name: str, kind: SharedKind, access: str, node: Any, obj: Heap | None = None) -> None:
        """Note a touch by a module's body, which counts where threads that it has started may see it."""
        if self.overlaps(name, obj, "", write=access == "write"):
            site = self.site(name, node)
            self.log.shared(name, kind, access, site, frozenset(self.held), thread=False)

    def overlaps(self, name: str, obj: Heap | Frame | None, part: str, *, write: bool) -> bool:
        """Note a touch that threads may make at the same time as others; whether it races with one of them."""
        worker = self.worker
        if obj is not None and ATOMIC in obj.slots:
            return False
        # A process has memory of its own; a worker that is looked at again has been looked at once.
        if worker is None or (self.threads and worker.serial):
            cells = obj.cells if isinstance(obj, Frame) else None
            if worker is not None and cells is not None and cells.flow == worker.serial:
                # However many of these workers there are, each has made this call itself.
                worker = msgspec.structs.replace(worker, several=False)
            locks = {lock: self.lock_objects.get(lock) for lock in self.held}
            if self.overlap.touch(name, obj, part, worker, locks, write=write):
                self.log.racing.add(name)
                return True
        return False

    def use_connection(self, obj: Instance, type_name: str, method: str) -> None:
        """Note that a connection to a database does something, which changes the state of its transaction."""
        for row in self.effects.linearisation(type_name):
            if row.connection:
                self.mutated(obj, call=f"{row.name}.{method}")
                return

    def mutated(self, obj: AnyValue, node: Any = None, part: str = "", call: str = "") -> None:
        """Note the in-place change of an object that a global, class or default argument holds, or of one attribute."""
        if isinstance(obj, Heap) and obj.owner is not None and self.frame is not None:
            name, kind = obj.owner
            if self.threads or kind == SharedKind.PROCESS or self.beyond_set_up(name):
                self.shared(name, SharedKind(kind), "write", node, call=call, obj=obj, part=part)
            elif self.overlap.active:
                self.loaded(name, SharedKind(kind), "write", node, obj)

    def taken_in(self, target: Heap, value: AnyValue) -> None:
        """Note that an object holds something from now on, which then lives as long as it does."""
        if target.owner is not None and isinstance(value, Heap | TupleV | FunctionV):
            self.own(value, *target.owner)

    def is_private(self, value: AnyValue) -> bool:
        """Whether every thread has its own copy of what is in an object (`threading.local`)."""
        if not isinstance(value, Instance):
            return False
        classes = value.cls.mro if isinstance(value.cls, ClassV) else (value.cls,)
        return any(
            row.private for cls in classes if isinstance(cls, Ext) for row in self.effects.linearisation(cls.name)
        )

    # Files of the tree

    def in_tree(self, text: TextLike) -> str | None:
        """The root-relative form of a wholly known path inside the root, else None."""
        path = relative_to_root(self.absolute(text), self.root)
        if not isinstance(path, str) or path.startswith(("/", "~")):
            return None
        return path

    def names_file(self, values: Iterable[AnyValue]) -> bool:
        """Whether one of some values is the plain name of a file that is in the tree (`LICENSE`)."""
        for value in values:
            name = value.value if isinstance(value, Known) else None
            if isinstance(name, str) and 0 < len(name) < NAME_LENGTH:
                place = self.in_tree(name)
                if place is not None and self.tree.kind(place) == "file":
                    return True
        return False

    def wrote(self, path: str) -> bool:
        """Whether the program itself may have written a root-relative path already."""
        absolute = normalise(join_paths(self.root, path))
        if absolute in self.log.written:
            return True
        return any(matches_text(pattern, str(absolute)) for pattern in self.log.written_patterns)

    def exists(self, text: TextLike, kind: str | None = None) -> bool | None:
        """Existence as far as the tree can tell: True when there or written by the program.

        What is not there is False while the tree is taken to be complete (`closed`), else undecided, since some other
        task may create it.
        """
        path = self.in_tree(text)
        if path is None:
            return self.exists_outside(text, kind)
        found = self.tree.kind(path)
        if found is not None and not self.deleted(path):
            return kind is None or found == kind
        if self.closed and kind != "file" and found is None and self.made_folder(path):
            return True
        if self.wrote(path) and kind in (None, "file"):
            return None if self.deleted(path) else True
        if kind == "folder" and found is None and self.closed and self._made_file(path):
            return False
        return False if self.absent(path) else None

    def _made_file(self, place: str) -> bool:
        """Whether a root-relative path is a file that the program has written, and not a folder that it has moved."""
        path = str(normalise(join_paths(self.root, place)))
        calls = self.log.writers(place) | self.log.writers(path)
        return path in self.log.written and bool(calls) and not any(_MOVED.search(call) for call in calls)

    def exists_outside(self, text: TextLike, kind: str | None) -> bool | None:
        """Existence outside the root, which is not looked at: a command line finds no settings there.

        The folders above the root are there. Other names in them, and below the home folder, are what programs look
        for when they climb in search of their settings; as with environment variables, these are taken as not given.
        """
        path = self.absolute(text)
        if not self.closed or not isinstance(path, str):
            return None
        place = self.installed(path)
        if place is not None:
            return place.is_dir() if kind == "folder" else place.is_file() if kind == "file" else place.exists()
        if path == "/" or self.root.startswith(path + "/"):
            return kind != "file"
        folder = path.rpartition("/")[0]
        if path in self.log.written or path in self.log.folders:
            return None
        if path.startswith("~/") or (folder and self.root.startswith(folder + "/")):
            return False
        return False if not folder and "." in path else None

    def deleted(self, path: str) -> bool:
        """Whether the program itself may have removed a root-relative path."""
        return str(normalise(join_paths(self.root, path))) in self.log.removed

    def content(self, text: TextLike) -> bytes | None:
        """The content of a file of the tree that the program has not written, within the size limit."""
        path = self.in_tree(text)
        if path is None:
            return self.installed_content(text)
        if self.wrote(path):
            origin = self.copied_from(path)
            return None if origin is None else self.tree.read_bytes(origin, self.limits.file_size)
        return self.tree.read_bytes(path, self.limits.file_size)

    def note_copy(self, source: TextLike, target: TextLike) -> None:
        """Remember that a file is now a copy of another one, if that is one of the tree as it was."""
        self.remember_copy(self.original(source), target)

    def original(self, path: TextLike) -> str | None:
        """The file of the tree whose content a path has now; None where the program has given it another."""
        place = self.in_tree(path)
        origin = self.copied_from(place) if place is not None and self.wrote(place) else place
        return origin if origin is not None and self.tree.kind(origin) == "file" else None

    def remember_copy(self, origin: str | None, target: TextLike) -> None:
        """Remember that a path has the content of a file of the tree."""
        copy = self.in_tree(target)
        if origin is not None and copy is not None and not self.conditional:
            self.log.copies[f"{self.root}/{copy}"] = origin

    def copied_from(self, place: str) -> str | None:
        """The file of the tree that a root-relative path, which the program has written, is a copy of."""
        absolute = f"{self.root}/{place}"
        origin = self.log.copies.get(absolute)
        if origin is None or self.wrote(origin) or any(matches_text(p, absolute) for p in self.log.written_patterns):
            return None
        return origin

    def installed(self, text: TextLike) -> Path | None:
        """A path among the installed modules, whose data files belong to their code; None elsewhere."""
        path = self.absolute(text)
        if self.environment is None or not isinstance(path, str) or path in self.log.written:
            return None
        place = Path(path)
        return place if any(place.is_relative_to(folder) for folder in self.environment.search_path) else None

    def installed_content(self, text: TextLike) -> bytes | None:
        """The content of a data file of an installed package, within the size limit."""
        place = self.installed(text)
        try:
            if place is None or place.stat().st_size > self.limits.file_size or not place.is_file():
                return None
            data = place.read_bytes()
        except OSError:
            return None
        self.log.modules[str(place)] = None
        return data


TEMPORARY = "/\x00tmp"

_OF_FILES = frozenset({Operation.READ, Operation.DELETE})
"""What is done to files that are there."""


_MOVED = re.compile(r"move|rename|replace|link|copytree|\bcp\b|\bmv\b")
"""Calls that may put a folder in the place that they write to."""


def matches_text(pattern: TextLike, path: str) -> bool:
    """Whether a partly known string may be the given one."""
    if isinstance(pattern, str):
        return pattern == path
    expression = "".join(
        re.escape(part) if isinstance(part, str) else (".*" if part.slash else "[^/]*") for part in pattern.parts
    )
    return re.fullmatch(expression, path, re.DOTALL) is not None
