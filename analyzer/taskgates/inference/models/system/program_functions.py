"""Programs of the standard library that a script starts by calling their main function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from taskgates.inference.models.registry import Machine, function
from taskgates.inference.values import NONE, AnyValue, Known

if TYPE_CHECKING:
    from taskgates.inference.objects import Arguments

_MAINS: Final = {
    "base64.main": ("base64", None),
    "compileall.main": ("compileall", None),
    "cProfile.main": ("cProfile", None),
    "ensurepip._main": ("ensurepip", 0),
    "gzip.main": ("gzip", None),
    "json.tool.main": ("json.tool", None),
    "lib2to3.main.main": ("lib2to3", 1),
    "mimetypes._main": ("mimetypes", None),
    "pdb.main": ("pdb", None),
    "profile.main": ("profile", None),
    "py_compile.main": ("py_compile", None),
    "pydoc.cli": ("pydoc", None),
    "quopri.main": ("quopri", None),
    "tabnanny.main": ("tabnanny", None),
    "tarfile.main": ("tarfile", None),
    "timeit.main": ("timeit", 0),
    "trace.main": ("trace", None),
    "venv.main": ("venv", 0),
    "zipapp.main": ("zipapp", 0),
    "zipfile.main": ("zipfile", 0),
}
"""For each function its module as `python -m` names it, and the argument that takes the words in the place of
`sys.argv[1:]`."""


def _register(name: str, module: str, position: int | None) -> None:
    @function(name)
    def main(machine: Machine, args: Arguments) -> AnyValue:
        """Run the program, with the words that the function is handed or those of the script's own command line."""
        given = args.get(position, "args") if position is not None else None
        whole = given is None or given == NONE
        words = list(machine.iterate(machine.argv).items[1:] if whole else machine.iterate(given).items)
        argv = machine.argv
        if not machine.run_known_module(module, words):
            machine.run_dash_m(Known(module), words)
        machine.argv = argv
        return Known(0)


for _name, (_module, _position) in _MAINS.items():
    _register(_name, _module, _position)
