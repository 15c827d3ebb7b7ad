"""The behaviours that rows of the command table name."""

from __future__ import annotations

from collections.abc import Callable

from taskgates.inference.shell import (
    archives,
    awk,
    building,
    compiling,
    copying,
    editing,
    makefiles,
    running,
    searching,
    services,
    stream_editing,
    version_control,
)
from taskgates.inference.shell.call import Call
from taskgates.inference.shell.machine import Outcome

Strategy = Callable[[Call], Outcome]

STRATEGIES: dict[str, Strategy] = {
    "awk": awk.awk,
    "cmake": building.cmake,
    "compiler": compiling.compiler,
    "copy": copying.copy,
    "curl": services.curl,
    "dd": editing.copy_bytes,
    "digest": editing.digest,
    "env": running.environment,
    "ffmpeg": services.ffmpeg,
    "find": searching.find,
    "flock": services.flock,
    "git": version_control.git,
    "install": copying.install,
    "jq": editing.jq,
    "last-is-output": services.last_is_output,
    "latex": services.latex,
    "link": copying.link,
    "list": searching.list_folder,
    "make": makefiles.make,
    "mktemp": services.make_temporary,
    "move": copying.move,
    "object-store": services.object_store,
    "pack": archives.pack,
    "patch": editing.patch,
    "perl": editing.perl,
    "prefix": running.prefix,
    "pyinstaller": building.pyinstaller,
    "rsync": copying.synchronise,
    "scp": copying.secure_copy,
    "search": searching.search,
    "sed": stream_editing.sed,
    "seven-zip": archives.seven_zip,
    "shell": running.shell,
    "split": editing.split,
    "sqlite": services.sqlite,
    "ssh": running.remote,
    "tar": archives.tar,
    "unzip": archives.unzip,
    "wget": services.wget,
    "xargs": running.arguments_from_input,
    "zip": archives.zip_files,
}
