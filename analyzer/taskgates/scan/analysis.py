"""The inference engine, set up by the settings."""

from __future__ import annotations

from contextlib import contextmanager
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taskgates.tree.cache import Cache, NullCache, ResultCache

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from taskgates.config import Config
    from taskgates.inference.engine import Analyser
    from taskgates.tree.tree import Tree


@contextmanager
def open_cache(root: Path, *, enabled: bool) -> Iterator[ResultCache]:
    """The cache of a repository, closed on leaving; one that keeps nothing where it is not wanted."""
    cache: ResultCache = Cache(root, code_identity()) if enabled else NullCache()
    try:
        yield cache
    finally:
        cache.close()


def code_identity() -> str:
    """What changes when the code that makes cached results does: the version, and the state of the package's files.

    The latter, and those of the packaged effect tables, count while taskgates itself is being worked on.
    """
    digest = blake2b(digest_size=8)
    for package in ("taskgates", "taskgates_rules"):
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            for path in sorted(Path(folder).rglob("*")):
                if path.suffix in (".py", ".toml"):
                    status = path.stat()
                    digest.update(f"{path.relative_to(folder)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    # Imported here, as it takes long and only a cache needs it.
    from importlib.metadata import version

    return f"{version('taskgates')}:{digest.hexdigest()}"


def make_analyser(tree: Tree, config: Config, environ: Mapping[str, str], cache: ResultCache) -> Analyser:
    """An analyser for the repository.

    Args:
        tree: the repository's files.
        config: bounds, further effects, packages to follow, and the environment whose packages the code uses.
        environ: environment variables that the code may be taken to see.
        cache: results of earlier runs.

    Raises:
        EffectTableError: one of the settings' effect tables is faulty.
        EnvironmentNotFoundError: the settings name a Python environment that does not exist.
    """
    # Imported here, since the engine is the greater part of the program and not every command needs it.
    from taskgates.inference.engine import Analyser, InferenceOptions
    from taskgates.inference.limits import Limits

    options = InferenceOptions(
        environ=dict(environ),
        python=config.python,
        follow=config.follow,
        limits=Limits(**msgspec.structs.asdict(config.inference)),
        effect_files=tuple(str(tree.root / name) for name in config.effects),
    )
    return Analyser(tree, options, cache)
