"""Command lines of the programs that are known by a model: taken apart by the rules of getopt, or more loosely."""

from __future__ import annotations

import getopt
from typing import TYPE_CHECKING

from taskgates.inference.models.command_lines.words import Words
from taskgates.inference.values import AnyValue, text_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence


OPTIMISATION = "sys.flags.optimize"
"""The key of the level of optimisation that Python was started with, among what is set in libraries."""


class UsageError(Exception):
    """The program does not accept its command line: it prints how it is used, and ends."""


class ParsedLine:
    """A command line that is taken apart.

    Attributes:
        operands: what is no option.
        options: the options that have a value, with it, in their order.
    """

    def __init__(self) -> None:
        self.operands: list[AnyValue] = []
        self.options: list[tuple[str, AnyValue]] = []

    def every(self, *names: str) -> list[AnyValue]:
        """All values of an option under any of its names, in order."""
        return [value for name, value in self.options if name in names]

    def last(self, *names: str) -> AnyValue | None:
        """The value of an option under any of its names; the last one counts."""
        found = self.every(*names)
        return found[-1] if found else None

    def texts(self, *names: str) -> list[str]:
        """The wholly known values of an option under any of its names, in order."""
        return [text for value in self.every(*names) if isinstance(text := text_of(value), str)]

    def text(self, *names: str) -> str | None:
        """The last value of an option under any of its names, where it is wholly known."""
        value = self.last(*names)
        text = text_of(value) if value is not None else None
        return text if isinstance(text, str) else None


class CommandLine(ParsedLine):
    """A command line taken apart by the rules of getopt.

    Options are named without their dashes.

    Args:
        words: the words behind the program's name.
        short: option letters, a colon behind those that take a value.
        long: long options, `=` behind those that take a value.
        mixed: whether options may stand behind operands.
        names: the name under which another one (mostly a letter) is looked up.

    Raises:
        UsageError: an option that the program does not have, or one without its value.
    """

    def __init__(
        self,
        words: Sequence[AnyValue],
        short: str,
        long: Iterable[str] = (),
        *,
        mixed: bool = False,
        names: dict[str, str] | None = None,
    ) -> None:
        super().__init__()
        encoder = Words()
        parse = getopt.gnu_getopt if mixed else getopt.getopt
        try:
            pairs, rest = parse([encoder.encode(word) for word in words], short, list(long))
        except getopt.GetoptError as error:
            raise UsageError(str(error)) from None
        for key, value in pairs:
            name = key.lstrip("-")
            self.options.append(((names or {}).get(name, name), encoder.decode(value)))
        self.operands = [encoder.decode(word) for word in rest]

    def has(self, name: str) -> bool:
        """Whether an option is given."""
        return any(name == each for each, _ in self.options)


class LooseLine(ParsedLine):
    """A command line of which only some options are listed: those that take a value. All others take none.

    Options are named with their dashes.

    Args:
        words: the words behind the program's name.
        valued: the options that take a value: the next word, or what stands behind `=` or behind a letter.
        open_ended: the options that take all words up to the next option.
        optional: the options that take the next word unless it is an option.
        whole: options of several letters behind a single dash.
        mixed: whether options may stand behind operands; else the first operand ends them.

    Attributes:
        flags: the options that need no value, and those that lack theirs; letters written together one by one.
        behind: the words behind `--`, which are operands as well; None without it.
    """

    def __init__(
        self,
        words: Sequence[AnyValue],
        valued: Container[str],
        *,
        open_ended: Container[str] = (),
        optional: Container[str] = (),
        whole: Container[str] = (),
        mixed: bool = True,
    ) -> None:
        super().__init__()
        self.flags: set[str] = set()
        self.behind: list[AnyValue] | None = None
        self._valued, self._open_ended, self._optional, self._whole = valued, open_ended, optional, whole
        self._encoder = Words()
        self._rest = [self._encoder.encode(word) for word in reversed(words)]
        while self._rest:
            if self._rest[-1] == "--":
                self._rest.pop()
                self.behind = self._remaining()
                self.operands += self.behind
            elif self._at_option():
                self._take(self._rest.pop())
            elif mixed:
                self.operands.append(self._encoder.decode(self._rest.pop()))
            else:
                self.operands += self._remaining()

    def _remaining(self) -> list[AnyValue]:
        words = [self._encoder.decode(word) for word in reversed(self._rest)]
        self._rest.clear()
        return words

    def _at_option(self) -> bool:
        return len(self._rest[-1]) > 1 and self._rest[-1].startswith("-")

    def _take(self, word: str) -> None:
        name, equals, value = word.partition("=")
        if word.startswith("--") or self._takes_value(name) or name in self._whole:
            self._option(name, value if equals else None)
            return
        for index, letter in enumerate(word[1:], 2):
            if self._takes_value("-" + letter):
                self._option("-" + letter, word[index:] or None)
                return
            self.flags.add("-" + letter)

    def _takes_value(self, name: str) -> bool:
        return name in self._valued or name in self._open_ended or name in self._optional

    def _option(self, name: str, value: str | None) -> None:
        if name not in self._valued or not (self._rest or value is not None):
            self.flags.add(name)
        if value is not None:
            self._give(name, value)
        elif self._rest and (name in self._valued or (name in self._optional and not self._at_option())):
            self._give(name, self._rest.pop())
        else:
            while name in self._open_ended and self._rest and not self._at_option():
                self._give(name, self._rest.pop())

    def _give(self, name: str, value: str) -> None:
        self.options.append((name, self._encoder.decode(value)))


__all__ = ["CommandLine", "LooseLine", "ParsedLine", "UsageError"]
