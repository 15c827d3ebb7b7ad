"""The settings of a run, from the command line's options and everything weaker."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from taskgates.cli.errors import InputError
from taskgates.cli.logs import log_to_stderr
from taskgates.config import ConfigError, load_config
from taskgates.tree.environment import EnvironmentNotFoundError, find_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taskgates.config import Config


def choose_root(argument: Path | None, option: Path | None = None) -> Path:
    """The repository: given as an argument or with `--root`, else the working directory.

    Raises:
        InputError: both were given and differ, or the folder may not be searched.
    """
    if argument is not None and option is not None and argument.resolve() != option.resolve():
        raise InputError(f"the root is given twice: {argument} and --root {option}; leave one out")
    root = argument or option or Path()
    if not os.access(root, os.R_OK | os.X_OK):
        raise InputError(f"{root}: the files of this folder may not be read: permission denied")
    return root


def read_settings(root: Path, overrides: Mapping[str, object], config_file: Path | None) -> Config:
    """The settings in force; from now on, log lines of their level go to standard error.

    Raises:
        InputError: something is wrong with them; every fault has a line of its own.
    """
    try:
        config = load_config(root, overrides, os.environ, config_file)
    except ConfigError as error:
        raise InputError("the settings cannot be used:", *map(str, error.problems)) from error
    if config.python is not None:
        try:
            find_environment(root, config.python, os.environ)
        except EnvironmentNotFoundError as error:
            raise InputError(f"{config.origin('python')}: {error}") from error
    log_to_stderr(config.log_level)
    return config
