"""From a checkout to findings: the pipeline, the project that rules look at, and the registry of rules.

The package can be called, so that `taskgates.scan(root)` scans a repository whichever of the package's modules were
imported before: the function and the package share their name.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from taskgates.config import Config
    from taskgates.scan.baseline import Baseline
    from taskgates.scan.inference_run import Progress
    from taskgates.scan.pipeline import ScanResult
    from taskgates.scan.registry import RuleRegistry


class _CallablePackage(ModuleType):
    def __call__(
        self,
        root: Path | str | None = None,
        config: Config | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        baseline: Baseline | None = None,
        registry: RuleRegistry | None = None,
        use_cache: bool = True,
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> ScanResult:
        """Scan a repository.

        Args:
            root: its folder; the working directory when None.
            config: the settings; those of the repository and the environment when None.
            environ: as all that follow, see `taskgates.scan.pipeline.scan`.
            baseline: findings that are accepted.
            registry: the rules.
            use_cache: whether results of earlier scans are used and kept.
            jobs: processes that follow the code.
            progress: told how far the scan is.

        Raises:
            ConfigError: the settings cannot be used.
            RuleError: the settings name a rule that does not exist, or rules cannot be loaded.
        """
        from taskgates.scan.pipeline import scan

        return scan(
            root,
            config,
            environ=environ,
            baseline=baseline,
            registry=registry,
            use_cache=use_cache,
            jobs=jobs,
            progress=progress,
        )


sys.modules[__name__].__class__ = _CallablePackage
