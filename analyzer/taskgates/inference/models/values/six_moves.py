"""six: other names of parts of the standard library (`six.moves`), and what it makes of classes.

The names are those of six's documentation ("Renamed modules and attributes compatibility").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import ALIASES, CONSTANTS, Machine, fixed, function
from taskgates.inference.objects import Arguments, ClassV
from taskgates.inference.values import UNKNOWN, AnyValue, Ext, Known, Native, TupleV

if TYPE_CHECKING:
    from collections.abc import Callable

_MODULES = {
    "builtins": "builtins",
    "collections_abc": "collections.abc",
    "configparser": "configparser",
    "copyreg": "copyreg",
    "cPickle": "pickle",
    "cStringIO.StringIO": "io.StringIO",
    "dbm_gnu": "dbm.gnu",
    "dbm_ndbm": "dbm.ndbm",
    "_dummy_thread": "_thread",
    "email_mime_base": "email.mime.base",
    "email_mime_image": "email.mime.image",
    "email_mime_multipart": "email.mime.multipart",
    "email_mime_nonmultipart": "email.mime.nonmultipart",
    "email_mime_text": "email.mime.text",
    "html_entities": "html.entities",
    "html_parser": "html.parser",
    "http_client": "http.client",
    "http_cookiejar": "http.cookiejar",
    "http_cookies": "http.cookies",
    "BaseHTTPServer": "http.server",
    "CGIHTTPServer": "http.server",
    "SimpleHTTPServer": "http.server",
    "queue": "queue",
    "reprlib": "reprlib",
    "socketserver": "socketserver",
    "_thread": "_thread",
    "tkinter": "tkinter",
    "urllib": "urllib",
    "urllib.error": "urllib.error",
    "urllib.parse": "urllib.parse",
    "urllib.request": "urllib.request",
    "urllib.response": "urllib.response",
    "urllib.robotparser": "urllib.robotparser",
    "urllib_error": "urllib.error",
    "urllib_parse": "urllib.parse",
    "urllib_robotparser": "urllib.robotparser",
    "winreg": "winreg",
    "xmlrpc_client": "xmlrpc.client",
    "xmlrpc_server": "xmlrpc.server",
}

_NAMES = {
    "cStringIO": "io.StringIO",
    "filter": "builtins.filter",
    "filterfalse": "itertools.filterfalse",
    "getcwd": "os.getcwd",
    "getcwdb": "os.getcwdb",
    "getoutput": "subprocess.getoutput",
    "input": "builtins.input",
    "intern": "sys.intern",
    "map": "builtins.map",
    "range": "builtins.range",
    "reduce": "functools.reduce",
    "reload_module": "importlib.reload",
    "shlex_quote": "shlex.quote",
    "StringIO": "io.StringIO",
    "UserDict": "collections.UserDict",
    "UserList": "collections.UserList",
    "UserString": "collections.UserString",
    "xrange": "builtins.range",
    "zip": "builtins.zip",
    "zip_longest": "itertools.zip_longest",
}

PACKAGE = "six.moves"

ALIASES[PACKAGE] = PACKAGE
for _name, _renamed in {**_MODULES, **_NAMES}.items():
    ALIASES[f"{PACKAGE}.{_name}"] = _renamed


def renamed(name: str) -> str | None:
    """What a module stands for that six, also a copy of it inside another package, makes when it is imported."""
    start = f".{name}".find(f".{PACKAGE}")
    return ALIASES.get(name[start:]) if start >= 0 else None


# What tells the two Pythons apart ("Constants"), and the methods that were renamed ("Object model compatibility").
for _name, _renamed in {"text_type": "str", "binary_type": "bytes", "unichr": "chr", "next": "next"}.items():
    ALIASES[f"six.{_name}"] = f"builtins.{_renamed}"
ALIASES["six.StringIO"] = "io.StringIO"
ALIASES["six.BytesIO"] = "io.BytesIO"
for _name, _kind in {"string_types": "str", "integer_types": "int", "class_types": "type"}.items():
    CONSTANTS[f"six.{_name}"] = fixed(TupleV([Ext(f"builtins.{_kind}")]))
for _name, _value in {"PY2": False, "PY3": True, "PY34": True}.items():
    CONSTANTS[f"six.{_name}"] = fixed(Known(_value))


def _as_kind(wanted: type) -> Callable[[Machine, Arguments], AnyValue]:
    """`six.u(text)` and its like: the text or the bytes, whichever is wanted."""

    def convert(machine: Machine, args: Arguments) -> AnyValue:
        del machine
        given = args.get(0, "s", UNKNOWN) or UNKNOWN
        if not isinstance(given, Known) or isinstance(given.value, wanted):
            return given
        if isinstance(given.value, str):
            return Known(given.value.encode())
        return Known(given.value.decode("utf-8", "replace")) if isinstance(given.value, bytes) else given

    return convert


function("six.u", "six.ensure_text", "six.ensure_str")(_as_kind(str))
function("six.b", "six.ensure_binary")(_as_kind(bytes))


def _method(name: str) -> Callable[[Machine, Arguments], AnyValue]:
    """A method under its name in Python 3."""
    return lambda machine, args: machine.call(machine.get_attr(args.pos[0], name), Arguments(args.pos[1:], args.kw))


for _name in ("keys", "values", "items"):
    function(f"six.iter{_name}", f"six.view{_name}")(_method(_name))


@function("six.add_metaclass")
def add_metaclass(machine: Machine, args: Arguments) -> AnyValue:
    """`@add_metaclass(Meta)`: the class, made anew."""
    del machine, args
    return Native("six.add_metaclass", lambda _, given: given.pos[0] if given.pos else UNKNOWN)


@function("six.python_2_unicode_compatible")
def unicode_compatible(machine: Machine, args: Arguments) -> AnyValue:
    """`@python_2_unicode_compatible`: the class itself."""
    del machine
    return args.pos[0] if args.pos else UNKNOWN


@function("six.with_metaclass")
def with_metaclass(machine: Machine, args: Arguments) -> AnyValue:
    """`with_metaclass(Meta, *bases)`: a base class that stands for the bases."""
    bases = args.pos[1:]
    if len(bases) < 2:
        return bases[0] if bases else Ext("builtins.object")
    module = machine.frame.module if machine.frame is not None else None
    return ClassV("temporary_class", "six.temporary_class", module, tuple(bases))
