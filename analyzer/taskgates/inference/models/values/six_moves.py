"""six: other names of parts of the standard library (`six.moves`), and what it makes of classes.

The names are those of six's documentation ("Renamed modules and attributes compatibility").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import ALIASES, Machine, function
from taskgates.inference.objects import ClassV
from taskgates.inference.values import UNKNOWN, AnyValue, Ext, Native

if TYPE_CHECKING:
    from taskgates.inference.objects import Arguments

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
