"""From a checkout to findings: the pipeline, the project that rules look at, and the registry of rules.

The package can be called, so that `taskgates.scan(root)` scans a repository whichever of the package's modules were
imported before: the function and the package share their name.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskgates.config import Config
    from taskgates.scan.pipeline import ScanResult


class _CallablePackage(ModuleType):
    def __call__(self, root: Path | str | None = None, config: Config | None = None, **options: Any) -> ScanResult:  # noqa: ANN401
        """Scan a repository; see `taskgates.scan.pipeline.scan`, whose further arguments are taken too.

        Args:
            root: its folder; the working directory when None.
            config: the settings; those of the repository and the environment when None.
            options: as for `taskgates.scan.pipeline.scan`.

        Raises:
            ConfigError: the settings cannot be used.
            RuleError: the settings name a rule that does not exist, or rules cannot be loaded.
        """
        from taskgates.config import load_config
        from taskgates.scan.pipeline import scan

        place = Path() if root is None else Path(root)
        return scan(place, load_config(place, environ=os.environ) if config is None else config, **options)


sys.modules[__name__].__class__ = _CallablePackage
