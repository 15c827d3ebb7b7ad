"""What the expressions of an effect row stand for: arguments, conditions and paths."""

from __future__ import annotations

import re
from typing import Any

from taskgates.inference.core import Core
from taskgates.inference.effects import (
    Condition,
    ConditionTest,
    PathExpr,
    Piece,
    Row,
    Step,
)
from taskgates.inference.effects.model import operations_of_flags
from taskgates.inference.exceptions import catches, file_error
from taskgates.inference.objects import Arguments, DictObj, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.paths import join_paths, split_extension, split_last
from taskgates.inference.recording import TEMPORARY
from taskgates.inference.renderings import render
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of
from taskgates.inference.values import (
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Awaitable,
    BoundMethod,
    Ext,
    Known,
    Method,
    Native,
    Partial,
    PathV,
    Scalar,
    TupleV,
    Union,
    Unknown,
    as_value,
    join,
    options,
    path_text,
    text_of,
)
from taskgates.model.access import Operation

_COPYING = frozenset(
    {
        "os.rename",
        "os.replace",
        "pathlib.Path.rename",
        "pathlib.Path.replace",
        "pathlib.Path.copy",
        "pathlib.Path.move",
        "shutil.copy",
        "shutil.copy2",
        "shutil.copyfile",
        "shutil.move",
    }
)
"""Functions after which one file has the content that another had."""
_TRANSFORMS = frozenset(
    {
        "name",
        "parent",
        "stem",
        "suffix",
        "with_suffix",
        "with_name",
        "into",
        "after",
        "each",
        "folder",
        "local",
        "glob",
        "below",
    }
)
_ONE_SEGMENT = re.compile(r"\?|\[[^\]/]+\]")
"""Wildcards within one segment of a path, besides `*`."""


class RowValues(Core):
    """The part of the interpreter that evaluates the expressions of effect rows."""

    def bind_row(self, row: Row, args: Arguments) -> dict[str, AnyValue]:
        """Arguments by the row's parameter names; what is not passed is absent."""
        bound: dict[str, AnyValue] = {}
        params = row.params
        if params is None:
            return dict(args.kw)
        for index, name in enumerate(params.positional):
            if index < len(args.pos):
                bound[name] = args.pos[index]
            elif name in args.kw:
                bound[name] = args.kw[name]
            elif args.star is not None:
                bound[name] = args.star
        extra = args.pos[len(params.positional) :]
        if params.star:
            bound[params.star] = TupleV(extra, args.star)
        for name in params.keyword_only:
            if name in args.kw:
                bound[name] = args.kw[name]
        if params.double_star:
            known = set(params.names)
            bound[params.double_star] = self.dict_of({k: v for k, v in args.kw.items() if k not in known})
        return bound

    def temporary_folder(self) -> AnyValue:
        """Where temporary files go: what the program or `TMPDIR` says, else a place outside every tree."""
        chosen = self.library.get("tempfile.tempdir", NONE)
        if chosen == NONE and isinstance(given := self.env_value("TMPDIR"), Known):
            chosen = given
        return chosen if path_text(chosen) is not None else Known(TEMPORARY)

    def argument(self, row: Row, bound: dict[str, AnyValue], name: str) -> AnyValue | None:
        """The value of a parameter: the argument, or the row's default for it."""
        value = bound.get(name)
        if value is not None and (value != NONE or name not in row.defaults or name in row.none):
            return value
        if name in row.defaults:
            default = row.defaults[name]
            if default == "{temporary}":
                return self.temporary_folder()
            if default == "{argv}":
                return self.argv
            return Known(default)
        return value

    def holds(self, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None, condition: Condition) -> bool | None:
        """Whether a condition of a row is fulfilled; None where it is undecided."""
        name = condition.param
        given = name in bound
        if name.startswith("self."):
            value = obj.slots.get(name[5:]) if isinstance(obj, Instance) else None
            given = value is not None
        else:
            value = self.argument(row, bound, name)
        answers: set[bool | None] = set()
        for option in options(value) if value is not None else (None,):
            text = path_text(option) if isinstance(option, PathV) else None
            if option is None:
                answers.add(condition.holds(None, given=False))
            elif isinstance(option, PathV) and condition.test is ConditionTest.PATH:
                answers.add(True)
            elif isinstance(text, str):
                answers.add(condition.holds(text, given=given))
            elif isinstance(option, Known):
                answers.add(condition.holds(option.value, given=given))
            elif condition.test is ConditionTest.STRING:
                answers.add(None if isinstance(option, Unknown) else path_text(option) is not None)
            elif condition.test in (ConditionTest.GIVEN, ConditionTest.ABSENT):
                answers.add(None if isinstance(option, Unknown) else condition.test is ConditionTest.GIVEN)
            else:
                answers.add(None)
        return answers.pop() if len(answers) == 1 else None

    def all_hold(
        self, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None, when: tuple[Condition, ...]
    ) -> bool | None:
        """The conjunction of conditions."""
        found = [self.holds(row, bound, obj, condition) for condition in when]
        return False if False in found else (None if None in found else True)

    def touch(self, operation: Operation, value: AnyValue, call: str, *, conditional: bool = False) -> None:
        """Note an access, and what the program now knows about the file."""
        self.access(operation, value, call, conditional=conditional)

    def path_values(
        self, expression: PathExpr, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None
    ) -> list[AnyValue]:
        """The values that a path expression stands for; empty when what it names is absent."""
        if expression.bare:
            piece = expression.parts[0]
            assert isinstance(piece, Piece)
            value = self.piece(piece, row, bound, obj)
            if value is None:
                return []
            return [self.suffixed(piece, value, row)]
        if not any(isinstance(part, Piece) for part in expression.parts):
            return [as_value(make_text([p for part in expression.parts for p in _wild(str(part))]))]
        found: list[TextLike] = [""]
        for part in expression.parts:
            if isinstance(part, str):
                # The folder "" is the present one.
                inside = _wild(part.removeprefix("/") if part is not expression.parts[0] else part)
                found = [make_text([*parts_of(head), *(_wild(part) if head else inside)]) for head in found]
                continue
            value = self.piece(part, row, bound, obj)
            if value is None or (isinstance(value, Known) and value.value is None):
                return []
            pieces: list[TextLike] = []
            for option in self.elements_or_self(value):
                text = path_text(option)
                if text is None:
                    if isinstance(option, Unknown | Scalar | Known):
                        text = render(option)
                    elif isinstance(option, Instance) and (text := self.fspath(option)) is not None:
                        pass
                    else:
                        continue
                pieces.append(text)
            if not pieces:
                return []
            found = [concat(head, piece) for head in found[:64] for piece in pieces[:64]]
        return [as_value(text) for text in found]

    def suffixed(self, piece: Piece, value: AnyValue, row: Row) -> AnyValue:
        """A path with the extension that the library adds."""
        suffix = row.suffix.get(piece.name)
        if suffix is None:
            return value
        unless_any = suffix.startswith("?")
        suffix = suffix.removeprefix("?")
        text = path_text(value)
        if text is None or (text if isinstance(text, str) else text.suffix).endswith(suffix):
            return value
        if unless_any and split_extension(split_last(text)[1])[1] != "":
            return value
        return as_value(concat(text, suffix))

    def elements_or_self(self, value: AnyValue) -> list[AnyValue]:
        """The alternatives of a value; of a list, its elements."""
        out: list[AnyValue] = []
        for option in options(value):
            if isinstance(option, ListObj | TupleV):
                out.extend(option.items)
                if option.rest is not None:
                    out.extend(options(option.rest))
            else:
                out.append(option)
        return out

    def piece(self, piece: Piece, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None) -> AnyValue | None:
        """The value behind a reference; None when it is absent or no path."""
        steps = piece.steps
        if piece.name == "temporary":
            value: AnyValue | None = as_value(concat(path_text(self.temporary_folder()) or TEMPORARY, "/file"))
        elif piece.name == "argv":
            return self.argv
        elif piece.name == "self":
            if obj is None:
                return None
            value = obj
            if steps and isinstance(obj, Instance):
                first = steps[0]
                if first.name in obj.slots:
                    value = obj.slots[first.name]
                    steps = steps[1:]
                elif first.name not in _TRANSFORMS:
                    found = self.get_attr(obj, first.name)
                    value = None if isinstance(found, Method) else found
                    steps = steps[1:]
        else:
            value = self.argument(row, bound, piece.name)
            if piece.name in row.ignore:
                value = _without(value, row.ignore[piece.name])
        for step in steps:
            if value is None:
                return None
            value = self.step(value, step, row, bound)
        return value

    def step(self, value: AnyValue, step: Step, row: Row, bound: dict[str, AnyValue]) -> AnyValue | None:
        """One transformation of a path value."""
        if step.name == "each":
            return self.nested(value, (step.argument or "").split("."))
        if step.name == "folder":
            return self.package_folder(value)
        if step.name == "kept":
            owners = [option for option in options(value) if isinstance(option, Instance)]
            remembered = [each for owner in owners if (each := self.kept(owner, step.argument or "")) is not None]
            return join(remembered) if remembered else None
        found = [self.step_text(option, step, row, bound) for option in self.elements_or_self(value)]
        kept = [option for option in found if option is not None]
        return join(kept) if kept else None

    def kept(self, owner: Instance, name: str) -> AnyValue | None:
        """A constructor argument that a library object keeps, or an attribute of it that the tables list."""
        value: AnyValue | None = owner.slots.get(name)
        if value is not None:
            return value
        type_name = type_name_of(owner)
        return None if type_name is None else self.external_attribute(owner, type_name, name)

    def step_text(self, value: AnyValue, step: Step, row: Row, bound: dict[str, AnyValue]) -> AnyValue | None:
        """The text that one step of a path expression gives; None where it gives no path."""
        text = path_text(value)
        if text is None:
            if isinstance(value, Unknown):
                return None if step.name in ("after", "local") else value
            return value if not isinstance(value, Known) else None
        name = step.name
        argument = step.argument or ""
        if name == "name":
            return as_value(split_last(text)[1])
        if name == "parent":
            head = split_last(text)[0]
            return as_value(head if head != "" else ".")
        if name == "stem":
            return as_value(split_extension(split_last(text)[1])[0])
        if name == "suffix":
            return as_value(split_extension(split_last(text)[1])[1])
        if name == "with_suffix":
            return as_value(make_text([*parts_of(split_extension(text)[0]), *_wild(argument)]))
        if name == "with_name":
            head = split_last(text)[0]
            return as_value(join_paths(head, argument) if head != "" else argument)
        if name == "into":
            other = path_text(self.argument(row, bound, argument) or UNKNOWN)
            trailing = isinstance(text, str) and text.endswith("/")
            if other is None or not (trailing or self.known_folder(text)):
                return value
            return as_value(join_paths(text, split_last(other)[1]))
        if name == "after":
            head = text if isinstance(text, str) else text.prefix
            if not head.startswith(argument):
                return None
            return as_value(
                make_text([head[len(argument) :], *parts_of(text)[1:]])
                if not isinstance(text, str)
                else text[len(argument) :]
            )
        if name == "uri":
            first, *rest = parts_of(text) or ("",)
            if not isinstance(first, str) or not first.startswith("file:"):
                return value
            pieces: list[str | Hole] = [first.removeprefix("file:"), *rest]
            for index, piece in enumerate(pieces):
                if isinstance(piece, str) and "?" in piece:
                    pieces[index:] = [piece.partition("?")[0]]
                    break
            return as_value(make_text(pieces))
        if name in ("glob", "below", "local"):
            return self.step_place(value, text, name)
        return self.get_attr(value, name)

    def step_place(self, value: AnyValue, text: TextLike, name: str) -> AnyValue | None:
        """The steps that ask what is there, or that take a text for a pattern."""
        if name == "glob":
            out: list[str | Hole] = []
            for part in parts_of(text):
                out.extend([part] if isinstance(part, Hole) else _wild(_ONE_SEGMENT.sub("*", part)))
            return as_value(make_text(out))
        if name == "below":
            return as_value(concat(text, "/", Hole("glob", True))) if self.known_folder(text) else None
        head = text if isinstance(text, str) else text.prefix
        if isinstance(value, PathV) or head.startswith(("/", "./", "../", "~")):
            return value
        return value if isinstance(text, str) and (self.exists(text) or self.known_folder(text)) else None

    def known_folder(self, text: TextLike) -> bool:
        """Whether a path is a folder, in the tree or made by the program."""
        place = self.in_tree(text)
        return place is not None and (self.tree.kind(place) == "folder" or self.made_folder(place))

    def nested(self, value: AnyValue, keys: list[str]) -> AnyValue | None:
        """The values under a key path in nested mappings and lists."""
        if not keys:
            return value
        found: list[AnyValue] = []
        for option in self.elements_or_self(value):
            if isinstance(option, DictObj):
                for key, item in option.known():
                    if keys[0] == "*" or (isinstance(key, Known) and key.value == keys[0]):
                        inner = self.nested(item, keys[1:])
                        if inner is not None:
                            found.append(inner)
        return join(found) if found else None

    def package_folder(self, value: AnyValue) -> AnyValue | None:
        """The folder of a package given as a module or by name."""
        name = value.name if isinstance(value, ModuleV | Ext) else text_of(value)
        if not isinstance(name, str):
            return None
        module = self.import_module(name)
        if isinstance(module, ModuleV):
            if module.file:
                return as_value(split_last(join_paths(self.root, module.file))[0])
            # A folder without code of its own is a package too.
            return as_value(join_paths(self.root, module.path[0]) if module.path else self.root)
        return None

    def open_file(
        self, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None, call: str
    ) -> tuple[AnyValue | None, AnyValue]:
        """Open by mode: note the accesses; the opened path and the mode."""
        rule = row.open
        assert rule is not None
        values = self.path_values(rule.path, row, bound, obj)
        if not values:
            return None, Known(rule.default)
        opened = join(values)
        mode: AnyValue = Known(rule.default)
        if rule.flags:
            flags = self.argument(row, bound, rule.flags)
            if isinstance(flags, Known) and isinstance(flags.value, int):
                operations = operations_of_flags(flags.value)
            else:
                operations = (Operation.READ, Operation.UPDATE)
                self.opaque(f"{call} with flags that are not known")
            creates = len(operations) > 1 and self.nothing_there(opened)
            for operation in operations[creates:]:
                self.note_open(operation, opened, call)
            return opened, mode
        given = self.argument(row, bound, rule.mode) if rule.mode else None
        if given is not None:
            if rule.mode.startswith("self."):
                given = None
            elif not (isinstance(given, Known) and given.value is None):
                mode = given
        modes = options(mode)
        for option in modes:
            text = text_of(option)
            if isinstance(text, str):
                operations = rule.operations(text)
            elif text is not None and text.prefix[:1] in ("r", "w", "a", "x"):
                operations = rule.operations(text.prefix)
            else:
                self.opaque(f"{call} with a mode that is not known")
                self.note_open(Operation.READ, opened, call, conditional=True)
                self.note_open(Operation.UPDATE, opened, call, conditional=True)
                continue
            creates = len(operations) > 1 and isinstance(text, str) and text.startswith("a")
            for operation in operations:
                # Where the mode makes the file because there is none, there is nothing to read.
                if operation is Operation.READ and creates and self.nothing_there(opened):
                    continue
                self.note_open(operation, opened, call, conditional=len(modes) > 1)
        return opened, mode

    def note_open(self, operation: Operation, value: AnyValue, call: str, *, conditional: bool = False) -> None:
        """Note that a file is opened; reading one that is not there fails, where the program is prepared for it.

        Of several files that it may be, those that are there are read.

        Raises:
            AbstractRaise: a FileNotFoundError.
        """
        if isinstance(value, TupleV) and len(value.items) == 1 and value.rest is None:
            value = value.items[0]
        if operation is Operation.READ and isinstance(value, Union):
            there = [option for option in value.options if not self.missing_file(option)]
            if there and len(there) < len(value.options):
                value, conditional = join(there), True
                self.may_raise("FileNotFoundError")
        if operation is Operation.READ and self.missing_file(value):
            error = self.throw("FileNotFoundError", args=file_error("FileNotFoundError", value))
            if self.prepared_for("FileNotFoundError"):
                raise error
            # What comes behind is told as if the file were there; whether the program succeeds is another question.
            self.left.append(error.value)
        self.touch(operation, value, call, conditional=conditional)

    def reads_present(self, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None) -> bool:
        """Whether all that a row does is to read files that are certainly there, or to rename one within its folder.

        In a complete tree it may also write and remove files where nothing stands in the way.
        """
        if any(effect.operation is not Operation.READ for effect in row.effects):
            return self._renames_in_place(row, bound, obj) or (
                self.closed and row.open is None and self._goes_well(row, bound, obj)
            )
        paths = [effect.path for effect in row.effects]
        if row.open is not None:
            mode = self.argument(row, bound, row.open.mode) if row.open.mode else None
            if row.open.flags or (mode is not None and text_of(mode) not in ("r", "rb", "rt")):
                return False
            if mode is None and row.open.default != "r":
                return False
            paths.append(row.open.path)
        values = [value for path in paths for value in self.path_values(path, row, bound, obj)]
        texts = [path_text(value) for value in values]
        return bool(texts) and all(text is not None and self.exists(text, "file") is True for text in texts)

    def _goes_well(self, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None) -> bool:
        """Whether nothing in the tree stands in the way of a row's effects, all of which have known paths."""
        for effect in row.effects:
            if effect.operation is Operation.DELETE and bound.get("missing_ok") == TRUE:
                continue
            for value in self.path_values(effect.path, row, bound, obj):
                text = path_text(value)
                if not isinstance(text, str) or not self._may_go_well(effect.operation, text):
                    return False
        return bool(row.effects)

    def _may_go_well(self, operation: Operation, path: str) -> bool:
        if operation in (Operation.READ, Operation.UPDATE, Operation.DELETE, Operation.RENAME):
            return self.exists(path, "file") is True
        if operation not in (Operation.OVERWRITE, Operation.APPEND) or self.in_tree(path) is None:
            return False
        folder = split_last(self.absolute(path))[0]
        return self.exists(folder, "folder") is True and self.exists(path, "folder") is not True

    def copied_files(self, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None) -> tuple[str | None, TextLike]:
        """The file of the tree that a row is about to give another name, if it does so at all, and that name."""
        if row.name not in _COPYING:
            return None, ""
        sources, targets = (
            [
                path_text(value)
                for effect in row.effects
                if effect.operation in operations
                for value in self.path_values(effect.path, row, bound, obj)
            ]
            for operations in ((Operation.READ, Operation.RENAME), (Operation.OVERWRITE,))
        )
        if len(sources) != 1 or len(targets) != 1 or sources[0] is None or targets[0] is None:
            return None, ""
        return self.original(sources[0]), targets[0]

    def _renames_in_place(self, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None) -> bool:
        """Whether a row gives a file that is certainly there another name in the same folder."""
        by_operation = {effect.operation: effect.path for effect in row.effects}
        if by_operation.keys() != {Operation.RENAME, Operation.OVERWRITE}:
            return False
        old, new = (
            [path_text(value) for value in self.path_values(by_operation[operation], row, bound, obj)]
            for operation in (Operation.RENAME, Operation.OVERWRITE)
        )
        if len(old) != 1 or len(new) != 1 or not isinstance(old[0], str) or not isinstance(new[0], str):
            return False
        same = split_last(self.absolute(old[0]))[0] == split_last(self.absolute(new[0]))[0]
        return same and self.exists(old[0], "file") is True and self.exists(new[0], "folder") is not True

    def missing_file(self, value: AnyValue) -> bool:
        """Whether a value names a file that is certainly not there."""
        text = path_text(value)
        if text is None:
            return False
        place = self.in_tree(text)
        return self.absent(place) if place is not None else self.exists_outside(text, None) is False

    def nothing_there(self, value: AnyValue) -> bool:
        """Whether there is certainly no file of the name, or of the pattern, that a value gives."""
        text = path_text(value)
        if not isinstance(text, Text) or not self.closed:
            return self.missing_file(value)
        whole = self.absolute(text)
        if not isinstance(whole, Text) or not self.unmatched(whole):
            return False
        return not any(
            made.prefix.startswith(whole.prefix) or whole.prefix.startswith(made.prefix)
            for made in self.log.written_patterns
            if isinstance(made, Text)
        )

    def prepared_for(self, name: str) -> bool:
        """Whether a handler around the present place would take an exception."""
        raised = self.throw(name).value
        return any(catches(kind, raised) for context in self.tries for kind in context.kinds)


def _wild(text: str) -> list[str | Hole]:
    """Literal text of a path expression with its wildcards as holes."""
    out: list[str | Hole] = []
    rest = text
    while "*" in rest:
        head, _, rest = rest.partition("*")
        out.append(head)
        if rest.startswith("*"):
            rest = rest[1:]
            out.append(Hole("glob", True))
        else:
            out.append(Hole("glob", False))
    out.append(rest)
    return out


def type_name_of(value: AnyValue) -> str | None:
    """The library type of a value, as the tables and models name it."""
    if isinstance(value, Known):
        kind = type(value.value)
        return f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, PathV):
        return value.type
    if isinstance(value, Scalar):
        return f"builtins.{value.kind}"
    if isinstance(value, TupleV):
        return "builtins.tuple"
    if isinstance(value, ListObj):
        if value.kind == "deque":
            return "collections.deque"
        return "builtins.iterator" if value.kind == "iterator" else f"builtins.{value.kind}"
    if isinstance(value, DictObj):
        if value.kind == "dict":
            return "builtins.dict"
        return value.kind if "." in value.kind else f"collections.{value.kind}"
    if isinstance(value, Instance):
        if isinstance(value.cls, Ext):
            return value.cls.name
        return value.cls.library_base(("builtins.object",)) or None
    if isinstance(value, FunctionV | BoundMethod | Partial | Native):
        return "types.FunctionType"
    if isinstance(value, Awaitable):
        return "asyncio.Task"
    if text_of(value) is not None:
        return "builtins.str"
    return None


def _without(value: AnyValue | None, ignored: tuple[Any, ...]) -> AnyValue | None:
    """A path parameter without the values that stand for no file, by themselves or in a list."""
    if isinstance(value, Known):
        return None if value.value in ignored else value
    if isinstance(value, ListObj | TupleV) and any(isinstance(i, Known) and i.value in ignored for i in value.items):
        kept = [item for item in value.items if not (isinstance(item, Known) and item.value in ignored)]
        return TupleV(kept, value.rest)
    return value
