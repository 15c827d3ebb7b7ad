"""match statements: patterns against abstract values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.comparison import equal
from taskgates.inference.core import Core
from taskgates.inference.objects import ClassV, DictObj, Instance, ListObj
from taskgates.inference.text import Text
from taskgates.inference.values import AnyValue, Ext, Known, TupleV, Union, Unknown, join
from taskgates.syntax import ir

if TYPE_CHECKING:
    from taskgates.inference.frames import Frame


class Matching(Core):
    """Case patterns."""

    def match_pattern(self, pattern: ir.Pattern, subject: AnyValue, frame: Frame) -> bool | None:
        """Match a case pattern and bind its names.

        Returns:
            Whether the pattern matches; None where it is undecided (its names are bound as if it did).
        """
        if isinstance(subject, Union):
            answers = [(self.match_pattern(pattern, option, frame), option) for option in subject.options]
            kept = [option for answer, option in answers if answer is not False]
            if not kept:
                return False
            if len(kept) < len(subject.options) or None in [answer for answer, _ in answers]:
                self.match_pattern(pattern, join(kept) if len(kept) < len(subject.options) else kept[0], frame)
                if len(kept) > 1 and pattern.kind == "capture" and pattern.name is not None:
                    self.state.write(frame.slots, pattern.name, join(kept))
                return None
            return True
        method = getattr(self, f"match_{pattern.kind}")
        return method(pattern, subject, frame)  # type: ignore[no-any-return]

    def match_value(self, pattern: ir.Pattern, subject: AnyValue, frame: Frame) -> bool | None:
        """A literal or dotted name."""
        assert pattern.expr is not None
        return equal(subject, self.eval(pattern.expr, frame))

    def match_singleton(self, pattern: ir.Pattern, subject: AnyValue, frame: Frame) -> bool | None:
        """None, True or False."""
        return self.match_value(pattern, subject, frame)

    def match_capture(self, pattern: ir.Pattern, subject: AnyValue, frame: Frame) -> bool | None:
        """A name, the wildcard, or `pattern as name`."""
        result: bool | None = True
        if pattern.patterns:
            result = self.match_pattern(pattern.patterns[0], subject, frame)
            if result is False:
                return False
        if pattern.name is not None:
            self.store(ir.Name(pattern.name, 0), subject, frame)
        return result

    def match_star(self, pattern: ir.Pattern, subject: AnyValue, frame: Frame) -> bool | None:
        """`*name`."""
        if pattern.name is not None:
            self.store(ir.Name(pattern.name, 0), subject, frame)
        return True

    def match_or(self, pattern: ir.Pattern, subject: AnyValue, frame: Frame) -> bool | None:
        """Alternatives."""
        result: bool | None = False
        for inner in pattern.patterns:
            found = self.match_pattern(inner, subject, frame)
            if found is True:
                return True
            if found is None:
                result = None
        return result

    def match_sequence(self, pattern: ir.Pattern, subject: AnyValue, frame: Frame) -> bool | None:
        """A list or tuple of patterns, perhaps with a star."""
        if isinstance(subject, Known | Text | DictObj) or (
            isinstance(subject, ListObj) and subject.kind not in ("list", "deque")
        ):
            return False
        if not isinstance(subject, TupleV | ListObj):
            filler = Unknown(
                "an element of an unknown value", subject.origin if isinstance(subject, Unknown) else "unknown"
            )
            for inner in pattern.patterns:
                value: AnyValue = self.new_list("list", (), filler) if inner.kind == "star" else filler
                self.match_pattern(inner, value, frame)
            return None if isinstance(subject, Unknown) else False
        items, rest = subject.items, subject.rest
        star = next((i for i, inner in enumerate(pattern.patterns) if inner.kind == "star"), None)
        count = len(pattern.patterns)
        if rest is None:
            if (star is None and len(items) != count) or (star is not None and len(items) < count - 1):
                return False
            result: bool | None = True
        else:
            if star is None and len(items) > count:
                return False
            result = None
        behind = count - 1 - star if star is not None else 0
        for index, inner in enumerate(pattern.patterns):
            value = self.sequence_part(items, rest, index, star, behind)
            found = self.match_pattern(inner, value, frame)
            if found is False:
                return False
            result = None if found is None else result
        return result

    def sequence_part(
        self, items: tuple[AnyValue, ...], rest: AnyValue | None, index: int, star: int | None, behind: int
    ) -> AnyValue:
        """The part of a sequence that a sub-pattern at an index sees."""
        if star is None or index < star:
            return items[index] if index < len(items) else (rest if rest is not None else Unknown())
        if index == star:
            if rest is None:
                return self.new_list("list", items[star : len(items) - behind])
            return self.new_list("list", items[star:], rest)
        if rest is None:
            return items[len(items) - (behind - (index - star - 1))]
        return join([*items[star:], rest])

    def match_mapping(self, pattern: ir.Pattern, subject: AnyValue, frame: Frame) -> bool | None:
        """A dict pattern."""
        if not isinstance(subject, DictObj):
            if not isinstance(subject, Unknown):
                return False
            for inner in pattern.patterns:
                self.match_pattern(inner, Unknown(subject.reason, subject.origin), frame)
            return None
        result: bool | None = True
        for key_node, inner in zip(pattern.keys, pattern.patterns, strict=True):
            key = self.eval(key_node, frame)
            if key in subject.slots:
                value = self.get_item(subject, key)
            elif subject.exact:
                return False
            else:
                value = subject.rest if subject.rest is not None else Unknown()
                result = None
            found = self.match_pattern(inner, value, frame)
            if found is False:
                return False
            result = None if found is None else result
        if pattern.name is not None:
            taken = {self.eval(node, frame) for node in pattern.keys}
            rest = {key: value for key, value in subject.slots.items() if key not in taken}
            self.store(ir.Name(pattern.name, 0), DictObj("dict", rest), frame)
        return result

    def match_class(self, pattern: ir.Pattern, subject: AnyValue, frame: Frame) -> bool | None:
        """A class pattern with positional and keyword sub-patterns."""
        assert pattern.expr is not None
        cls = self.eval(pattern.expr, frame)
        result = self.is_instance(subject, cls)
        if result is False:
            return False
        positional = len(pattern.patterns) - len(pattern.names)
        names: list[str] = []
        if isinstance(cls, ClassV):
            matched = next(
                (
                    b.slots.get("__match_args__")
                    for b in cls.mro
                    if isinstance(b, ClassV) and "__match_args__" in b.slots
                ),
                None,
            )
            if isinstance(matched, TupleV):
                names = [str(item.value) for item in matched.items if isinstance(item, Known)]
            else:
                fields: dict[str, AnyValue | None] = next(
                    (b.traits["fields"] for b in cls.mro if isinstance(b, ClassV) and "fields" in b.traits), {}
                )
                names = list(fields)
        for index, inner in enumerate(pattern.patterns):
            if index < positional:
                if isinstance(cls, Ext) and index == 0:
                    value = subject
                elif index < len(names) and isinstance(subject, Instance):
                    value = self.get_attr(subject, names[index])
                else:
                    value = Unknown()
            elif isinstance(subject, Instance):
                name = pattern.names[index - positional]
                value = self.get_attr(subject, name)
            else:
                value = Unknown("an attribute of an unknown value")
            found = self.match_pattern(inner, value, frame)
            if found is False:
                return False
            result = None if found is None else result
        return result
