"""Loaded by every Python process of a traced command, through PYTHONPATH: reports file accesses with their place.

Each access becomes one line of JSON in the file that `TASKGATES_TRACE_LOG` names. An `open` by which the interpreter
loads code is marked: in the log, and for strace by a look-up of a path that does not exist, just before the `open`. The
hook imports nothing that the interpreter has not loaded by then, and the sitecustomize module that it hides is run at
the end.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,import-not-found"
# ruff: noqa: INP001, PTH100, PTH117, PTH120, ANN001, ANN202

from __future__ import annotations

import os
import sys

_LOG = os.environ.get("TASKGATES_TRACE_LOG", "")
_ROOT = os.environ.get("TASKGATES_TRACE_ROOT", "")
_MARKER = "/.taskgates-code-follows"
_HERE = os.path.dirname(os.path.abspath(__file__))
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))
_CODE_READERS = frozenset({"linecache.py", "tokenize.py", "inspect.py", "traceback.py"})
_PATHS = {
    "os.listdir": (0,), "os.scandir": (0,), "os.remove": (0,), "os.rmdir": (0,), "os.mkdir": (0,), "os.truncate": (0,),
    "os.rename": (0, 1), "os.link": (0, 1), "os.symlink": (1,), "sqlite3.connect": (0,),
}  # fmt: skip


def _loads_code(frame) -> bool:
    """Whether an `open` comes from the import system, from runpy, or from the interpreter itself."""
    if frame is None:
        return True
    name = frame.f_code.co_filename
    if name.startswith("<frozen "):
        return "importlib" in name or "zipimport" in name or "runpy" in name
    folder, base = os.path.split(name)
    return folder == _LIBRARY and (base in _CODE_READERS or base == "runpy.py")


def _site(frame):
    """File, line and function of the innermost code below the root."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_ROOT + "/") or not (name.startswith("<") or os.path.isabs(name)):
            return [name, frame.f_lineno, frame.f_code.co_qualname if sys.version_info >= (3, 11) else ""]
        frame = frame.f_back
    return None


def _text(value) -> str:
    try:
        return os.path.abspath(os.fsdecode(value))
    except (TypeError, ValueError):
        return ""


def _quoted(text: str) -> str:
    # JSON without the json module: everything beyond plain ASCII as an escape.
    escaped = []
    for character in text:
        code = ord(character)
        if character in '"\\':
            escaped.append("\\" + character)
        elif 32 <= code < 127:
            escaped.append(character)
        elif code < 0x10000:
            escaped.append(f"\\u{code:04x}")
        else:
            code -= 0x10000
            escaped.append(f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}")
    return '"' + "".join(escaped) + '"'


def _report(event, paths, flags, code, site) -> None:
    place = "null" if site is None else f"[{_quoted(site[0])}, {site[1]}, {_quoted(site[2])}]"
    listed = ", ".join(_quoted(path) for path in paths)
    existed = "true" if os.path.lexists(paths[-1]) else "false"
    line = (
        f'{{"event": {_quoted(event)}, "paths": [{listed}], "flags": {flags}, "code": {"true" if code else "false"}, '
        f'"existed": {existed}, "site": {place}}}\n'
    )
    descriptor = os.open(_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode("ascii"))
    finally:
        os.close(descriptor)


def _install() -> None:
    busy: list[str] = []

    def hook(event, arguments) -> None:
        if busy or (event != "open" and event not in _PATHS):
            return
        busy.append(event)
        try:
            frame = sys._getframe(1)  # noqa: SLF001
        except ValueError:
            frame = None
        try:
            if event == "open":
                if not isinstance(arguments[0], (str, bytes)):
                    return
                code = _loads_code(frame)
                paths, flags = [_text(arguments[0])], arguments[2] or 0
            else:
                code, flags = event == "os.listdir" and _loads_code(frame), 0
                paths = [_text("." if arguments[index] is None else arguments[index]) for index in _PATHS[event]]
            if all(paths):
                _report(event, paths, flags, code, _site(frame))
            if code:
                # The last thing before the open itself.
                os.access(_MARKER, os.F_OK)
        except OSError:
            pass
        finally:
            busy.clear()

    sys.addaudithook(hook)


def _run_hidden_module() -> None:
    """Run the sitecustomize that would have been found without this one."""
    if _HERE in sys.path:
        sys.path.remove(_HERE)
    own = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError:
        if own is not None:
            sys.modules["sitecustomize"] = own


if _LOG:
    _install()
    _run_hidden_module()
