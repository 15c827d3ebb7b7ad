"""Narrowing variables by the outcome of a test, where one of several alternatives survives."""

from __future__ import annotations

import ast
import collections.abc
from collections.abc import Callable

from taskgates.inference.comparison import equal
from taskgates.inference.core import Core
from taskgates.inference.exceptions import catches
from taskgates.inference.frames import AbstractRaise, Frame
from taskgates.inference.models.values.class_hooks import class_check, has_own_check, is_abstractly
from taskgates.inference.models.values.generic_aliases import is_alias
from taskgates.inference.objects import ClassV, DictObj, FunctionV, Instance, ListObj, Maybe
from taskgates.inference.recording import PATH_METHOD_TESTS, PATH_TESTS
from taskgates.inference.renderings import text_hole
from taskgates.inference.standard_types import belongs
from taskgates.inference.text import Hole, Text, TextLike, make_text
from taskgates.inference.values import (
    AnyValue,
    Ext,
    Known,
    PathV,
    Scalar,
    TupleV,
    Union,
    Unknown,
    as_value,
    join,
    path_text,
    text_of,
)
from taskgates.syntax import ir

Keep = Callable[[AnyValue], AnyValue | None]


class Refinement(Core):
    """Conditions as knowledge."""

    def refine(self, test: ir.Expr, outcome: bool, frame: Frame) -> None:
        """Narrow variables by the outcome of a test."""
        if isinstance(test, ir.Unary) and test.op == "not":
            self.refine(test.operand, not outcome, frame)
        elif isinstance(test, ir.Boolean):
            if (test.op == "and") == outcome:
                self.refine(test.left, outcome, frame)
                self.refine(test.right, outcome, frame)
        elif isinstance(test, ir.Name | ir.Attr):
            self.narrow(test, lambda value: value if self.truth(value) is not (not outcome) else None, frame)
        elif isinstance(test, ir.Walrus):
            self.refine(test.target, outcome, frame)
        elif isinstance(test, ir.Compare) and len(test.ops) == 1:
            self.refine_compare(test, outcome, frame)
        elif isinstance(test, ir.Call):
            self.refine_call(test, outcome, frame)

    def narrow(self, target: ir.Expr, keep: Keep, frame: Frame) -> None:
        """Replace the value of a variable or attribute by what a filter leaves of it."""
        slots: dict[object, object] | None = None
        key: object = None
        if isinstance(target, ir.Walrus):
            target = target.target
        if isinstance(target, ir.Name):
            key = target.id
            current: Frame | None = frame
            while current is not None and key not in current.slots:
                current = current.parent
            slots = current.slots if current is not None else None
        elif isinstance(target, ir.Attr) and isinstance(target.obj, ir.Name):
            holder = frame.slots.get(target.obj.id)
            if isinstance(holder, Instance) and target.name in holder.slots:
                slots, key = holder.slots, target.name
        if slots is None:
            return
        value = slots.get(key)
        if isinstance(value, Maybe):
            value = value.value
        if value is None:
            return
        choices = value.options if isinstance(value, Union) else (value,)
        kept = [found for option in choices if (found := keep(option)) is not None]  # type: ignore[arg-type]
        if not kept:
            return
        joined = join(kept)
        if joined != value:
            self.state.write(slots, key, joined)

    def quiet(self, node: ir.Expr, frame: Frame) -> AnyValue | None:
        """The value of an operand that was evaluated already and has no effect; None for anything else."""
        if isinstance(node, ir.Const | ir.Name | ir.Attr) or (
            isinstance(node, ir.Sequence) and all(isinstance(item, ir.Const) for item in node.items)
        ):
            try:
                return self.eval(node, frame)
            except AbstractRaise:
                return None
        return None

    def refine_compare(self, test: ir.Compare, outcome: bool, frame: Frame) -> None:
        """Narrow variables by the outcome of a comparison."""
        op, left, right_node = test.ops[0], test.left, test.rights[0]
        right = self.quiet(right_node, frame)
        if right is None:
            return
        if op in ("is", "==", "is not", "!="):
            positive = (op in ("is", "==")) == outcome
            if isinstance(left, ir.Attr) and left.name == "suffix" and isinstance(right, Known) and positive:
                self.narrow_suffix(left.obj, [right], frame)
                return
            if isinstance(left, ir.Call) and isinstance(left.func, ir.Attr) and left.func.name in ("lower", "casefold"):
                inner = left.func.obj
                if isinstance(inner, ir.Attr) and inner.name == "suffix" and isinstance(right, Known) and positive:
                    self.narrow_suffix(inner.obj, [right], frame)
                    return
            self.narrow(left, lambda value: _equal_filter(value, right, positive), frame)
            if isinstance(right_node, ir.Name) and not isinstance(left, ir.Name):
                other = self.quiet(left, frame)
                if other is not None:
                    self.narrow(right_node, lambda value: _equal_filter(value, other, positive), frame)
        elif op in ("in", "not in"):
            positive = (op == "in") == outcome
            choices = right.items if isinstance(right, TupleV | ListObj) and right.rest is None else None
            if isinstance(right, DictObj) and right.exact:
                choices = tuple(key for key, _ in right.known())
            if choices is None or not choices:
                return
            if isinstance(left, ir.Attr) and left.name == "suffix" and positive:
                self.narrow_suffix(left.obj, list(choices), frame)
                return
            if isinstance(left, ir.Call) and isinstance(left.func, ir.Attr) and left.func.name in ("lower", "casefold"):
                inner = left.func.obj
                if isinstance(inner, ir.Attr) and inner.name == "suffix" and positive:
                    self.narrow_suffix(inner.obj, list(choices), frame)
                return
            self.narrow(left, lambda value: _member_filter(value, choices, positive), frame)

    def narrow_suffix(self, target: ir.Expr, suffixes: list[AnyValue], frame: Frame) -> None:
        """`path.suffix == ".csv"` holds."""
        texts = [suffix.value for suffix in suffixes if isinstance(suffix, Known) and isinstance(suffix.value, str)]

        def keep(value: AnyValue) -> AnyValue | None:
            if not isinstance(value, PathV):
                return value
            found = [_with_ending(value.text, text) for text in texts]
            kept = [PathV(text, value.type) for text in found if text is not None]
            return join(kept) if kept else None

        self.narrow(target, keep, frame)

    def refine_call(self, test: ir.Call, outcome: bool, frame: Frame) -> None:
        """Narrow variables by the outcome of a call: `isinstance`, `callable`, string tests."""
        func = test.func
        if isinstance(func, ir.Name) and func.id == "isinstance" and len(test.args) == 2:
            kinds = self.quiet(test.args[1].value, frame)
            if kinds is None and isinstance(test.args[1].value, ir.Sequence):
                kinds = self.eval(test.args[1].value, frame)
            if kinds is not None:
                wanted = kinds
                self.narrow(test.args[0].value, lambda value: self.instance_filter(value, wanted, outcome), frame)
            return
        if self.refine_existence(test, outcome, frame):
            return
        if not isinstance(func, ir.Attr) or not test.args or not outcome:
            return
        if func.name in ("endswith", "startswith"):
            argument = self.quiet(test.args[0].value, frame)
            if argument is None:
                return
            choices = argument.items if isinstance(argument, TupleV) else (argument,)
            texts = [c.value for c in choices if isinstance(c, Known) and isinstance(c.value, str)]
            target = func.obj
            while (
                isinstance(target, ir.Call)
                and isinstance(target.func, ir.Attr)
                and target.func.name in ("lower", "casefold")
            ):
                target = target.func.obj
            is_name = isinstance(target, ir.Attr) and target.name == "name"
            place = target.obj if isinstance(target, ir.Attr) and is_name else target
            change = _with_ending if func.name == "endswith" else (_with_name_start if is_name else _with_start)

            def keep(value: AnyValue) -> AnyValue | None:
                text = value.text if isinstance(value, PathV) else text_of(value)
                if text is None:
                    if isinstance(value, Unknown) and not is_name:
                        text = text_hole(value.origin, slash=value.origin not in ("data", "glob"))
                    else:
                        return value
                found = [change(text, wanted) for wanted in texts]
                kept = [found_text for found_text in found if found_text is not None]
                if not kept:
                    return None
                return join(PathV(t, value.type) if isinstance(value, PathV) else as_value(t) for t in kept)

            self.narrow(place, keep, frame)
        elif func.name in ("fnmatch", "fnmatchcase") and len(test.args) == 2:
            pattern = self.quiet(test.args[1].value, frame)
            if isinstance(pattern, Known) and isinstance(pattern.value, str) and pattern.value.count("*") == 1:
                head, _, tail = pattern.value.partition("*")
                if "[" in pattern.value or "?" in pattern.value:
                    return

                def by_pattern(value: AnyValue) -> AnyValue | None:
                    text = text_of(value)
                    if text is None:
                        return value
                    narrowed = _with_ending(text, tail)
                    narrowed = _with_start(narrowed, head) if narrowed is not None else None
                    return as_value(narrowed) if narrowed is not None else None

                self.narrow(test.args[0].value, by_pattern, frame)

    def refine_existence(self, test: ir.Call, outcome: bool, frame: Frame) -> bool:
        """Narrow a path by whether it is there; False where the test is no such test."""
        func = test.func
        name = func.name if isinstance(func, ir.Attr) else func.id if isinstance(func, ir.Name) else ""
        tests = PATH_TESTS if test.args else PATH_METHOD_TESTS
        if name not in tests or len(test.args) > 1:
            return False
        if test.args:
            called = self.quiet(func, frame)
            if not isinstance(called, Ext) or called.name.rpartition(".")[0] not in _PATH_MODULES or test.args[0].star:
                return False
            target = test.args[0].value
        elif isinstance(func, ir.Attr):
            target = func.obj
        else:
            return False

        def keep(value: AnyValue) -> AnyValue | None:
            text = path_text(value) if test.args or isinstance(value, PathV) else None
            if not text:
                return value
            return value if self.exists(text, tests[name]) is not (not outcome) else None

        self.narrow(target, keep, frame)
        return True

    def instance_filter(self, value: AnyValue, kinds: AnyValue, outcome: bool) -> AnyValue | None:
        """What is left of a value when `isinstance(value, kinds)` has the given outcome."""
        decided = self.is_instance(value, kinds)
        if decided is None:
            if outcome and isinstance(value, Unknown):
                choices = kinds.items if isinstance(kinds, TupleV) else (kinds,)
                made = [_typed_unknown(kind, value) for kind in choices]
                return join(made) if all(m is not None for m in made) and made else value
            return value
        return value if decided is outcome else None

    def is_instance(self, value: AnyValue, kinds: AnyValue) -> bool | None:
        """`isinstance`; None where it is undecided."""
        if isinstance(value, Union):
            found = {self.is_instance(option, kinds) for option in value.options}
            return found.pop() if len(found) == 1 else None
        if isinstance(kinds, TupleV | Union):
            members = kinds.items if isinstance(kinds, TupleV) else kinds.options
            answers = [self.is_instance(value, kind) for kind in members]
            return True if True in answers else (None if None in answers else False)
        if isinstance(kinds, Instance) and is_alias(kinds):
            return self.is_instance(value, kinds.slots["__args__"])
        if isinstance(value, Unknown):
            return None
        if isinstance(kinds, ClassV):
            if isinstance(kinds.metaclass, ClassV) or (has_own_check(kinds) and not _inherits(value, kinds)):
                found_by_hook = class_check(self, kinds, "__instancecheck__", value)
                if found_by_hook is not None:
                    return found_by_hook
            return _inherits(value, kinds)
        if not isinstance(kinds, Ext):
            return None
        if kinds.name.startswith("typing.") and hasattr(collections.abc, kinds.name[7:]):
            kinds = Ext(f"collections.abc.{kinds.name[7:]}")
        name = kinds.name.removeprefix("builtins.")
        name = _ABSTRACT.get(kinds.name, name)
        own = _type_words(value)
        if own is None:
            if isinstance(value, Instance):
                caught = catches(kinds, value)
                if caught is not None:
                    return caught
                classes = value.cls.mro if isinstance(value.cls, ClassV) else (value.cls,)
                if any(
                    isinstance(c, Ext) and (c == kinds or self.effects.is_subtype(c.name, kinds.name)) for c in classes
                ):
                    return True
                if is_abstractly(classes, kinds.name):
                    return True
                if name in _SIMPLE:
                    return False
                return _syntax_class(value, kinds)
            return None
        if name in own:
            return True
        if name in _SIMPLE or kinds.name.startswith(("pathlib.", "datetime.", "io.")):
            return False
        return belongs(value, kinds.name)


_PATH_MODULES = frozenset({"os.path", "posixpath", "genericpath"})

_SIMPLE = frozenset(
    [
        "str",
        "bytes",
        "bytearray",
        "int",
        "float",
        "complex",
        "bool",
        "list",
        "tuple",
        "dict",
        "set",
        "frozenset",
        "NoneType",
        "path",
        "callable",
        "type",
        "mapping",
        "sequence",
        "iterable",
    ]
)
_ABSTRACT = {
    "pathlib.Path": "path",
    "pathlib.PurePath": "path",
    "pathlib.PosixPath": "path",
    "os.PathLike": "path",
    "collections.abc.Mapping": "mapping",
    "collections.abc.MutableMapping": "mapping",
    "collections.abc.Sequence": "sequence",
    "collections.abc.Iterable": "iterable",
    "collections.abc.Callable": "callable",
    "types.NoneType": "NoneType",
    "types.FunctionType": "callable",
    "types.ModuleType": "module",
}


def _syntax_class(value: Instance, kinds: Ext) -> bool | None:
    """Whether a node of a known syntax tree is of a class of `ast`; None for other values."""
    if not (isinstance(value.cls, Ext) and value.cls.name.startswith("ast.") and kinds.name.startswith("ast.")):
        return None
    words = [name[4:] for name in (value.cls.name, kinds.name)]
    if words[1] in ("Num", "Str", "Bytes", "NameConstant", "Ellipsis"):
        # These names stand for constants by the type of their values.
        return None if words[0] == "Constant" else False
    own, asked = (getattr(ast, word, None) for word in words)
    return issubclass(own, asked) if isinstance(own, type) and isinstance(asked, type) else None


def _type_words(value: AnyValue) -> frozenset[str] | None:
    if isinstance(value, Known):
        if value.value is None:
            return frozenset({"NoneType", "object"})
        words = {cls.__name__ for cls in type(value.value).__mro__}
        if isinstance(value.value, str | bytes | range):
            words |= {"sequence", "iterable"}
        return frozenset(words)
    if isinstance(value, Text):
        return frozenset({"str", "object", "sequence", "iterable"})
    if isinstance(value, Scalar):
        return frozenset({value.kind, "object", *(("int",) if value.kind == "bool" else ())})
    if isinstance(value, PathV):
        return frozenset({"path", "object"})
    if isinstance(value, TupleV):
        return frozenset({"tuple", "object", "sequence", "iterable"})
    if isinstance(value, ListObj):
        return frozenset({value.kind, "object", "iterable", *(("sequence",) if value.kind == "list" else ())})
    if isinstance(value, DictObj):
        return frozenset({"dict", value.kind, "object", "mapping", "iterable"})
    if isinstance(value, FunctionV):
        return frozenset({"callable", "object", "function"})
    if isinstance(value, ClassV):
        return frozenset({"type", "callable", "object"})
    return None


def _inherits(value: AnyValue, cls: ClassV) -> bool:
    """Whether an object is of a class of the program or one that derives from it."""
    return isinstance(value, Instance) and isinstance(value.cls, ClassV) and cls in value.cls.mro


def _typed_unknown(kind: AnyValue, value: Unknown) -> AnyValue | None:
    if not isinstance(kind, Ext):
        return None
    name = kind.name.removeprefix("builtins.")
    slash = value.origin not in ("data", "glob", "clock", "random")
    if name == "str":
        return text_hole(value.origin, slash=slash)
    if name in ("int", "float", "bool", "bytes"):
        return Scalar(name)
    if kind.name in ("pathlib.Path", "os.PathLike", "pathlib.PurePath"):
        return PathV(text_hole(value.origin, slash=slash))
    return None


def _equal_filter(value: AnyValue, right: AnyValue, positive: bool) -> AnyValue | None:
    same = equal(value, right)
    if positive:
        if same is False:
            return None
        if isinstance(right, Known) and isinstance(value, Text | Scalar | Unknown):
            return right
        return value
    return None if same is True else value


def _member_filter(value: AnyValue, choices: tuple[AnyValue, ...], positive: bool) -> AnyValue | None:
    answers = [equal(value, choice) for choice in choices]
    if positive:
        if all(answer is False for answer in answers):
            return None
        if isinstance(value, Text | Unknown) and all(isinstance(choice, Known) for choice in choices):
            return join(choice for choice, answer in zip(choices, answers, strict=True) if answer is not False)
        return value
    return None if True in answers else value


def _with_ending(text: TextLike, ending: str) -> TextLike | None:
    """The text given that it ends so; None when it cannot."""
    if isinstance(text, str):
        return text if text.lower().endswith(ending.lower()) else None
    suffix = text.suffix
    if suffix:
        if suffix.lower().endswith(ending.lower()):
            return text
        if len(suffix) >= len(ending) or not ending.lower().endswith(suffix.lower()):
            return None
        return make_text([*text.parts[:-1], ending])
    return make_text([*text.parts, ending])


def _with_start(text: TextLike, start: str) -> TextLike | None:
    """The text given that it starts so; None when it cannot."""
    if isinstance(text, str):
        return text if text.startswith(start) else None
    prefix = text.prefix
    if prefix:
        if prefix.startswith(start):
            return text
        if len(prefix) >= len(start) or not start.startswith(prefix):
            return None
        return make_text([start, *text.parts[1:]])
    return make_text([start, *text.parts])


def _with_name_start(text: TextLike, start: str) -> TextLike | None:
    """A path given that its last component starts so."""
    if isinstance(text, str):
        return text if text.rsplit("/", 1)[-1].startswith(start) else None
    for index in range(len(text.parts) - 1, -1, -1):
        part = text.parts[index]
        if isinstance(part, str) and "/" in part:
            head, _, tail = part.rpartition("/")
            if tail:
                return text if tail.startswith(start) or start.startswith(tail) else None
            following = text.parts[index + 1] if index + 1 < len(text.parts) else None
            if isinstance(following, Hole) and not following.slash:
                return make_text([*text.parts[:index], head + "/", start, *text.parts[index + 1 :]])
            return text
    return text
