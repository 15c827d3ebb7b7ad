"""Luigi's date intervals: a day, a week, a month, a year, or the days from one date to another."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.values import UNKNOWN, AnyValue, Ext, Known

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INTERVAL = "luigi.date_interval.DateInterval"

_Parts = tuple[dt.date, dt.date, str]
"""The first day, the day behind the last, and the notation of an interval."""
_MODULES = ("luigi.date_interval.", "luigi.")
_TEXT = "__text__"
_DAY = dt.timedelta(1)


def _day(numbers: Sequence[int]) -> _Parts:
    first = dt.date(*numbers)
    return first, first + _DAY, f"{first:%Y-%m-%d}"


def _week(numbers: Sequence[int]) -> _Parts:
    first = dt.date.fromisocalendar(numbers[0], numbers[1], 1)
    return first, first + 7 * _DAY, f"{numbers[0]}-W{numbers[1]:02}"


def _month(numbers: Sequence[int]) -> _Parts:
    year, month = numbers
    return dt.date(year, month, 1), dt.date(year + month // 12, 1 + month % 12, 1), f"{year:04}-{month:02}"


def _year(numbers: Sequence[int]) -> _Parts:
    (year,) = numbers
    return dt.date(year, 1, 1), dt.date(year + 1, 1, 1), f"{year:04}"


def _span(numbers: Sequence[int]) -> _Parts:
    first, last = dt.date(*numbers[:3]), dt.date(*numbers[3:])
    return first, last, f"{first:%Y-%m-%d}-{last:%Y-%m-%d}"


_NOTATIONS: tuple[tuple[str, Callable[[Sequence[int]], _Parts]], ...] = (
    (r"(\d{4})", _year),
    (r"(\d{4})-(\d\d)", _month),
    (r"(\d{4})-W(\d\d)", _week),
    (r"(\d{4})-(\d\d)-(\d\d)", _day),
    (r"(\d{4})-(\d\d)-(\d\d)-(\d{4})-(\d\d)-(\d\d)", _span),
)


def _made(first: dt.date, last: dt.date, shown: str) -> Instance:
    made = Instance(Ext(INTERVAL))
    made.slots.update({"date_a": Known(first), "date_b": Known(last), _TEXT: Known(shown)})
    return made


def interval(text: str) -> AnyValue:
    """The interval that a text in one of Luigi's notations stands for."""
    for pattern, make in _NOTATIONS:
        if found := re.fullmatch(pattern, text):
            try:
                return _made(*make([int(number) for number in found.groups()]))
            except ValueError:
                return UNKNOWN
    return UNKNOWN


def _constructor(name: str, make: Callable[[Sequence[int]], _Parts]) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        del machine
        numbers = [each.value for each in args.pos if isinstance(each, Known) and isinstance(each.value, int)]
        try:
            return _made(*make(numbers)) if len(numbers) == len(args.pos) else UNKNOWN
        except (TypeError, ValueError):
            return UNKNOWN

    function(*(f"{module}{name}" for module in _MODULES))(model)


for _name, _make in (("Date", _day), ("Week", _week), ("Month", _month), ("Year", _year)):
    _constructor(_name, _make)


@function(*(f"{module}Custom" for module in _MODULES))
def custom(machine: Machine, args: Arguments) -> AnyValue:
    """`Custom(first, end)`."""
    del machine
    moments = [each.value for each in args.pos if isinstance(each, Known) and isinstance(each.value, dt.date)]
    if len(moments) != 2 or len(args.pos) != 2:
        return UNKNOWN
    first, last = moments
    return _made(first, last, f"{first:%Y-%m-%d}-{last:%Y-%m-%d}")


@method(f"{INTERVAL}.dates", f"{INTERVAL}.__iter__")
def dates(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The days of an interval."""
    del machine, args
    first, last = obj.slots.get("date_a"), obj.slots.get("date_b")
    if not isinstance(first, Known) or not isinstance(last, Known):
        return UNKNOWN
    count = (last.value - first.value).days
    return ListObj("list", [Known(first.value + number * _DAY) for number in range(count)])


@method(f"{INTERVAL}.__str__", f"{INTERVAL}.to_string", f"{INTERVAL}.__repr__")
def shown(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """An interval in its notation."""
    del machine, args
    notation: AnyValue = obj.slots.get(_TEXT, UNKNOWN)
    return notation


__all__ = ["INTERVAL", "interval"]
