"""Functions of the standard library that Python computes itself, wherever their arguments are wholly known.

Where an argument is not known, the call is left to the model that was there before, else to the effect tables.
"""

from __future__ import annotations

import ast
import base64
import binascii
import calendar
import datetime as dt
import decimal
import difflib
import fractions
import html
import keyword
import operator
import os
import posixpath
import pprint
import re
import statistics
import string
import struct
import textwrap
import unicodedata
import urllib.parse
import uuid
import zlib
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.models import registry
from taskgates.inference.models.values.strings import pure_call
from taskgates.inference.objects import Arguments, Instance
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Hole, Text, concat
from taskgates.inference.values import FLOAT, INT, NONE, AnyValue, Ext, Known, Native, TupleV, as_value, text_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from taskgates.inference.models.registry import Machine

TEXT_BOUND = 20_000
"""Characters that a comparison of texts, whose cost is quadratic, may be given."""


def known_result(name: str, func: Callable[..., Any], otherwise: AnyValue | None = None) -> None:
    """Register a library function that is computed on known arguments.

    Args:
        name: its qualified name.
        func: the function itself.
        otherwise: what it gives on arguments that are not known; None leaves the call to an earlier model, or to the
            effect tables.
    """
    earlier = registry.FUNCTIONS.get(name)

    def model(machine: Machine, args: Arguments) -> AnyValue | None:
        known = pure_call(machine, func, args)
        if known is not None:
            return known
        if earlier is not None:
            return earlier(machine, args)
        if otherwise is not None:
            machine.may_raise("ValueError", "TypeError")
        return otherwise

    registry.FUNCTIONS[name] = model


def known_method(type_name: str, name: str, allowed: Callable[[Arguments], bool] | None = None) -> None:
    """Register a method of immutable values that is computed on a known object and known arguments.

    Args:
        type_name: the qualified name of the class.
        name: the method.
        allowed: tells calls whose result could be huge; they are not computed.
    """
    full = f"{type_name}.{name}"
    earlier = registry.METHODS.get(full)

    def model(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
        if isinstance(obj, Known) and (allowed is None or allowed(args)):
            known = pure_call(machine, getattr(obj.value, name), args)
            if known is not None:
                return known
        found: AnyValue | None = earlier(machine, obj, args) if earlier is not None else None
        return found

    registry.METHODS[full] = model


def _bounded_text(func: Callable[..., Any]) -> Callable[..., Any]:
    """The function, refusing texts that would cost much."""

    def run(*args: Any, **kwargs: Any) -> Any:
        pieces = [piece for arg in args for piece in (arg if isinstance(arg, list | tuple) else (arg,))]
        if sum(len(piece) for piece in pieces if isinstance(piece, str | bytes)) > TEXT_BOUND:
            raise NotKnown
        return func(*args, **kwargs)

    return run


def _packing(func: Callable[..., Any]) -> Callable[..., Any]:
    """The function of struct, refusing formats with large counts."""

    def run(shape: Any, *args: Any) -> Any:
        counts = "".join(char if char.isdigit() else " " for char in str(shape)).split()
        if any(len(count) > 5 for count in counts):
            raise NotKnown
        return func(shape, *args)

    return run


def _register(module: ModuleType, names: str, otherwise: AnyValue | None = None) -> None:
    for function in names.split():
        known_result(f"{module.__name__}.{function}", getattr(module, function), otherwise)


_register(textwrap, "dedent indent fill shorten wrap")
_register(
    base64,
    "b64encode b64decode urlsafe_b64encode urlsafe_b64decode standard_b64encode standard_b64decode b32encode b32decode "
    "b16encode b16decode b85encode b85decode a85encode a85decode encodebytes decodebytes",
)
_register(binascii, "hexlify unhexlify b2a_hex a2b_hex b2a_base64 a2b_base64 crc32")
_register(zlib, "crc32 adler32", INT)
_register(html, "escape unescape")
_register(
    urllib.parse,
    "quote unquote quote_plus unquote_plus urlencode parse_qs parse_qsl quote_from_bytes urlunsplit",
)
_register(statistics, "mean fmean median median_low median_high mode stdev pstdev variance pvariance")
_register(unicodedata, "normalize name category lookup combining")
_register(string, "capwords")
_register(keyword, "iskeyword issoftkeyword")
_register(pprint, "pformat")
_register(calendar, "isleap monthrange weekday leapdays")
_register(ast, "literal_eval")
for _name in ("fsencode", "fsdecode"):
    known_result(f"os.{_name}", getattr(os, _name))
known_result("os.path.commonprefix", lambda paths: posixpath.commonprefix(list(paths)))
for _name in ("month_name", "month_abbr", "day_name", "day_abbr"):
    registry.CONSTANTS[f"calendar.{_name}"] = registry.fixed(TupleV(Known(word) for word in getattr(calendar, _name)))
_COMPARISONS: dict[str, Callable[..., Any]] = {
    "difflib.get_close_matches": difflib.get_close_matches,
    "difflib.unified_diff": lambda *args, **kwargs: list(difflib.unified_diff(*args, **kwargs)),
    "difflib.ndiff": lambda *args: list(difflib.ndiff(*args)),
}
for _name, _func in _COMPARISONS.items():
    known_result(_name, _bounded_text(_func))
known_result("difflib.SequenceMatcher", _bounded_text(difflib.SequenceMatcher))


for _name in ("ratio", "quick_ratio", "real_quick_ratio"):
    known_method("difflib.SequenceMatcher", _name)
for _name in ("pack", "unpack", "calcsize"):
    known_result(f"struct.{_name}", _packing(getattr(struct, _name)))

# Immutable values of the library, of which Python computes everything once they are known.

known_result("builtins.complex", complex, FLOAT)
known_result("builtins.int.from_bytes", int.from_bytes, INT)
known_result("builtins.float.fromhex", float.fromhex, FLOAT)
known_result("uuid.UUID", uuid.UUID)
known_result("uuid.uuid3", uuid.uuid3)
known_result("uuid.uuid5", uuid.uuid5)
for _name in ("DNS", "URL", "OID", "X500"):
    registry.CONSTANTS[f"uuid.NAMESPACE_{_name}"] = registry.fixed(Known(getattr(uuid, f"NAMESPACE_{_name}")))


_EXPONENT = 4096
"""The power of ten up to which decimal numbers are computed with."""

_WRITTEN_EXPONENT = re.compile(r"[eE][-+]?0*(\d+)\s*\Z")


def _decimal(value: Any = "0", *_: Any) -> decimal.Decimal:
    number = decimal.Decimal(value)
    # A signalling NaN can neither be compared nor hashed, and a large exponent makes a number of as many digits.
    if not number.is_finite() or abs(number.adjusted()) > _EXPONENT:
        raise NotKnown
    return number


def _fraction(*values: Any) -> fractions.Fraction:
    for value in values:
        exponent = _WRITTEN_EXPONENT.search(value) if isinstance(value, str) else None
        if exponent is not None and int(exponent[1][:8]) > _EXPONENT:
            raise NotKnown
    return fractions.Fraction(*values)


known_result("decimal.Decimal", _decimal)
known_result("fractions.Fraction", _fraction)


def _small(args: Arguments) -> bool:
    """Whether no argument of a call is a number that could make its result huge."""
    return all(
        not (isinstance(value, Known) and isinstance(value.value, int) and abs(value.value) > 4096)
        for value in (*args.pos, *args.kw.values())
    )


for _type in (int, float, bool, complex, fractions.Fraction, decimal.Decimal, uuid.UUID):
    for _name in dir(_type):
        if not _name.startswith("_") and callable(getattr(_type, _name)):
            known_method(f"{_type.__module__}.{_type.__qualname__}", _name, _small)

# Moments: what is given in the source is known, what the clock says is a hole.

for _name in (
    "date",
    "time",
    "datetime",
    "timedelta",
    "timezone",
    "date.fromisoformat",
    "date.fromordinal",
    "date.fromisocalendar",
    "time.fromisoformat",
    "datetime.fromisoformat",
    "datetime.strptime",
    "datetime.combine",
):
    known_result(f"datetime.{_name}", operator.attrgetter(_name)(dt))
for _name in ("datetime.timezone.utc", "datetime.UTC"):
    registry.CONSTANTS[_name] = registry.fixed(Known(dt.UTC))
for _kind in ("date", "time", "datetime"):
    for _name in ("min", "max"):
        registry.CONSTANTS[f"datetime.{_kind}.{_name}"] = registry.fixed(Known(getattr(getattr(dt, _kind), _name)))
_LOCAL = frozenset({"timestamp", "astimezone"})
"""Methods whose result depends on the machine's time zone, unless the moment has one itself."""
for _kind in ("date", "time", "datetime", "timedelta"):
    for _name in dir(getattr(dt, _kind)):
        if _name.startswith("_") or _name in _LOCAL or not callable(getattr(getattr(dt, _kind), _name)):
            continue
        if f"datetime.{_kind}.{_name}" not in registry.FUNCTIONS and _name not in (
            "now",
            "utcnow",
            "today",
            "fromtimestamp",
            "utcfromtimestamp",
            "fromordinal",
            "fromisoformat",
            "fromisocalendar",
            "strptime",
            "combine",
        ):
            known_method(f"datetime.{_kind}", _name)


def _with_zone(name: str) -> None:
    """A method that does not depend on the machine's time zone where the moment has one itself."""

    def model(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
        if not isinstance(obj, Known) or getattr(obj.value, "tzinfo", None) is None:
            return None
        return None if name == "astimezone" and not args.every() else pure_call(machine, getattr(obj.value, name), args)

    registry.METHODS[f"datetime.datetime.{name}"] = model


for _name in sorted(_LOCAL):
    _with_zone(_name)


def _from_timestamp(machine: Machine, args: Arguments) -> AnyValue | None:
    """`fromtimestamp(seconds, zone)`."""
    zone = args.get(1, "tz")
    if not isinstance(zone, Known) or zone.value is None:
        return None
    return pure_call(machine, dt.datetime.fromtimestamp, args)


registry.FUNCTIONS["datetime.datetime.fromtimestamp"] = _from_timestamp

# URLs in parts.


def _split_url(name: str, func: Callable[..., Any]) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue | None:
        if args.star is not None or args.kwstar is not None:
            return None
        try:
            values = [to_python(value) for value in args.pos]
            found = func(*values, **{key: to_python(value) for key, value in args.kw.items()})
        except (NotKnown, AttributeError, TypeError):
            return _partly_split(args.pos[0], func) if args.pos else None
        except ValueError as error:
            raise machine.throw("ValueError", str(error)) from None
        return url_parts(machine, found)

    registry.FUNCTIONS[name] = model


def _partly_split(url: AnyValue, func: Callable[..., Any]) -> AnyValue | None:
    """The parts of a URL of which only the beginning is known, where that goes as far as into its path."""
    text = text_of(url)
    head = text.prefix if isinstance(text, Text) else ""
    if not re.match(r"\w+://[^/]*/[^?#]*$", head):
        return None
    assert isinstance(text, Text)
    found = func(head)
    out = Instance(Ext(f"urllib.parse.{type(found).__name__}"))
    for name in ("scheme", "netloc", "hostname", "username", "password", "port"):
        out.slots[name] = from_python(getattr(found, name))
    for name in ("query", "fragment", "params"):
        out.slots[name] = text_hole()
    out.slots["path"] = as_value(concat(found.path, *text.parts[1:]))
    out.slots["geturl"] = Native("geturl", lambda _, __: url)
    return out


@registry.function("urllib.parse.urljoin")
def urljoin(machine: Machine, args: Arguments) -> AnyValue | None:
    """`urljoin(base, url)`: an unknown URL, as links have it, is taken to lie below the base's folder."""
    found = pure_call(machine, urllib.parse.urljoin, args)
    base = text_of(args.get(0, "base") or NONE)
    if found is not None or not isinstance(base, str) or not re.match(r"\w+://[^/]*/", base):
        return found
    return as_value(concat(base[: base.rindex("/") + 1], Hole("data", True)))


def url_parts(machine: Machine, found: Any) -> AnyValue:
    """The named parts of a URL, as an object that also unpacks."""
    fields = [*found._fields, "netloc", "hostname", "port", "username", "password"]
    cls = registry.FUNCTIONS["collections.namedtuple"](
        machine, Arguments([Known(type(found).__name__), from_python(list(found._fields))])
    )
    out = machine.instantiate(cls, Arguments([Known(part) for part in found]))
    for name in fields:
        try:
            out.slots[name] = from_python(getattr(found, name))
        except ValueError:
            out.slots[name] = text_hole()
    whole = Known(found.geturl())
    out.slots["geturl"] = Native("geturl", lambda _, __: whole)
    return out  # type: ignore[no-any-return]


_split_url("urllib.parse.urlparse", urllib.parse.urlparse)
_split_url("urllib.parse.urlsplit", urllib.parse.urlsplit)
