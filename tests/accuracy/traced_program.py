"""The main program that a tracer runs in its own process."""

from __future__ import annotations

import builtins
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class TracedProgram:
    """A script in the place of the main program.

    Args:
        script: its file, as the command line names it.
        arguments: the words behind it.

    Attributes:
        path: the absolute path of the script.
        error: the exception that it ended with, if it did.
    """

    def __init__(self, script: str, arguments: list[str]) -> None:
        # Compiled modules are neither taken from where they may lie nor left behind.
        sys.pycache_prefix = f"{Path.cwd()}/.nowhere"
        sys.dont_write_bytecode = True
        self.path = str(Path(script).resolve())
        self.error = ""
        self._module = types.ModuleType("__main__")
        self._module.__dict__.update(__file__=self.path, __builtins__=builtins)
        sys.modules["__main__"] = self._module
        sys.argv = [script, *arguments]
        sys.path[0] = str(Path(self.path).parent)

    def run(self, compiled: Callable[[bytes, str], Any], start: Callable[[], None]) -> None:
        """Run the script.

        Args:
            compiled: compiles its text, given the text and the path.
            start: sets the hooks of the tracer, just before the script begins.
        """
        code = compiled(Path(self.path).read_bytes(), self.path)
        try:
            start()
            exec(code, self._module.__dict__)
        except SystemExit:
            raise
        except BaseException as raised:
            self.error = f"{type(raised).__name__}: {raised}"
            raise
