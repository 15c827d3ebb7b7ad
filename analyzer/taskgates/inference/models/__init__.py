"""What library names mean at the level of values: strings, containers, paths, the operating system, command lines.

`load` registers every model; see `registry`.
"""

from importlib import import_module
from pathlib import Path


def load() -> None:
    """Import every module of this package, in the order of their names: each registers its models."""
    for file in sorted(Path(__file__).parent.glob("[!_]*.py")):
        import_module(f"{__name__}.{file.stem}")
