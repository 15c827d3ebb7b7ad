"""What library names mean at the level of values, by families: one package a family, one module a library or topic.

`load` registers every model; see `registry`.
"""

from importlib import import_module
from pathlib import Path


def load() -> None:
    """Import every module below this package, in the order of their names: each registers its models."""
    here = Path(__file__).parent
    for file in sorted(here.glob("[!_]*/[!_]*.py")):
        import_module(f"{__name__}.{file.parent.name}.{file.stem}")
