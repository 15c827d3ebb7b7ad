"""Settings: what can be set, where it may be set, and which place wins."""

from taskgates.config.load import load_config
from taskgates.config.model import Config, ConfigError, ConfigProblem, GateLimits, InferenceBudgets, Origin, ScanOptions

__all__ = [
    "Config",
    "ConfigError",
    "ConfigProblem",
    "GateLimits",
    "InferenceBudgets",
    "Origin",
    "ScanOptions",
    "load_config",
]
