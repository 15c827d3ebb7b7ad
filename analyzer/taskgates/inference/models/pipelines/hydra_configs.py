"""Hydra: the configuration that a program gets is composed of YAML files and of words of the command line.

The primary file and those that its defaults list chooses are read and merged in the list's order; `group=option` and
`name=value` on the command line come last. A run also has a folder of its own, with a log and what it was given.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from taskgates.inference.models.registry import FUNCTIONS, Machine, function
from taskgates.inference.models.values.attribute_mappings import (
    CONFIG,
    configuration,
    converted,
    merged,
    plain_yaml,
    put_dotted,
)
from taskgates.inference.objects import Arguments, DictObj, FunctionV, ListObj
from taskgates.inference.paths import join_paths, normalise
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Hole, TextLike, make_text
from taskgates.inference.values import NONE, UNKNOWN, AnyValue, Known, Native, Unknown, as_value, path_text, text_of
from taskgates.model.access import Operation

_RUN = "outputs/${now:%Y-%m-%d}/${now:%H-%M-%S}"
_PACKAGE = re.compile(r"^\s*#\s*@package\s+(\S+)", re.MULTILINE)
_DEPTH = 12
"""Levels of defaults lists that are followed."""


class Composition:
    """Composes one configuration.

    Attributes:
        whole: what has been merged so far, as it is written.
        known: whether everything was read; not where a file is missing that a program may register instead.
    """

    def __init__(self, machine: Machine, folder: TextLike | None, words: list[str]) -> None:
        self.machine = machine
        self.folder = folder
        self.whole: dict[str, Any] = {}
        self.known = True
        self.choices: dict[str, Any] = {}
        self.added: list[tuple[str, Any]] = []
        self.values: list[str] = []
        for word in words:
            self.sort_out(word)

    def sort_out(self, word: str) -> None:
        """Tell a choice of a group from a value on the command line."""
        name, given, text = word.partition("=")
        group = name.lstrip("+~").partition("@")[0]
        if given and (group.startswith("hydra/") or self.is_group(group)):
            if name.startswith("+"):
                self.added.append((name.lstrip("+"), text))
            else:
                self.choices[group] = text
        else:
            self.values.append(word)

    def is_group(self, name: str) -> bool:
        """Whether a name is a folder of options."""
        if self.folder is None:
            return False
        place = self.machine.in_tree(join_paths(self.folder, name))
        return place is not None and self.machine.tree.kind(place) == "folder"

    def compose(self, name: str) -> None:
        """Read the primary file and everything that it asks for."""
        if name:
            self.file(name, "", "", 0)
        for group, option in self.added:
            self.option(group, option, "", "", 0)
        for word in self.values:
            self.value(word)

    def value(self, word: str) -> None:
        """Apply `name=value`, `+name=value`, `++name=value` and `~name`."""
        name, given, text = word.partition("=")
        if name.startswith("~"):
            target: Any = self.whole
            *inner, last = name[1:].split(".")
            for key in inner:
                target = target.get(key) if isinstance(target, dict) else None
            if isinstance(target, dict):
                target.pop(last, None)
        elif given:
            put_dotted(self.whole, name.lstrip("+"), plain_yaml(text))

    def file(self, name: str, group: str, package: str, depth: int) -> None:
        """Read one file and merge it where its package says.

        Args:
            name: its path below the configuration's folder, without the ending.
            group: the group that it is an option of.
            package: the dotted keys below which its entries stand.
            depth: how many defaults lists led here.
        """
        if self.folder is None or depth > _DEPTH:
            self.known = False
            return
        path = join_paths(self.folder, name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
        if self.machine.exists(path, "file") is False:
            self.known = False
            return
        self.machine.access(Operation.READ, as_value(path), "hydra.main")
        content = self.machine.content(path)
        text = content.decode("utf-8", "replace") if content is not None else ""
        try:
            data = yaml.safe_load(text) if content is not None else None
        except yaml.YAMLError:
            data = None
        if not isinstance(data, dict):
            self.known = self.known and content is not None and data is None
            return
        header = _PACKAGE.search(text)
        if header is not None:
            written = header[1]
            package = {"_global_": "", "_group_": group.replace("/", ".")}.get(written, written)
        entries = data.pop("defaults", None)
        entries = list(entries) if isinstance(entries, list) else []
        if "_self_" not in entries:
            entries.append("_self_")
        for entry in entries:
            if isinstance(entry, dict):
                self.note_override(entry)
        for entry in entries:
            if entry == "_self_":
                self.merge(data, package)
            elif isinstance(entry, str):
                head, _, keys = entry.partition("@")
                inner = head.rpartition("/")[0]
                base = "" if head.startswith("/") else group
                full = f"{base}/{head}".strip("/")
                self.file(full, f"{base}/{inner}".strip("/"), self.placed(keys, package, inner), depth + 1)
            elif isinstance(entry, dict):
                for key, option in entry.items():
                    self.option(str(key), option, group, package, depth)

    def note_override(self, entry: dict[Any, Any]) -> None:
        """`override group: option` decides what the list of another file chooses."""
        for key, option in entry.items():
            words = str(key).split()
            if "override" in words:
                self.choices.setdefault(words[-1].partition("@")[0].strip("/"), option)

    def option(self, key: str, option: Any, group: str, package: str, depth: int) -> None:
        """One `group: option` of a defaults list."""
        words = key.split()
        if "override" in words:
            return
        head, _, keys = words[-1].partition("@")
        full = (head if head.startswith("/") else f"{group}/{head}").strip("/")
        if full.startswith("hydra/"):
            return
        chosen = self.choices.get(full, option)
        if isinstance(chosen, str) and "${" in chosen:
            found = configuration(self.machine, {**self.whole, "_": chosen}).slots[Known("_")]
            chosen = found.value if isinstance(found, Known) else None
            self.known = self.known and chosen is not None
        for each in chosen if isinstance(chosen, list) else [chosen]:
            if each is None or each in ("null", "???"):
                continue
            if "optional" in words and self.is_missing(f"{full}/{each}"):
                continue
            self.file(f"{full}/{each}", full, self.placed(keys, package, head.strip("/")), depth + 1)

    def is_missing(self, name: str) -> bool:
        """Whether the folder certainly has no such file."""
        return self.folder is not None and self.machine.exists(join_paths(self.folder, f"{name}.yaml"), "file") is False

    @staticmethod
    def placed(keys: str, package: str, group: str) -> str:
        """The package of a file that a defaults list names, from what stands behind `@`."""
        if keys.startswith("_global_"):
            return keys.removeprefix("_global_").strip(".")
        inner = group.replace("/", ".") if not keys else "" if keys == "_here_" else keys
        return ".".join(part for part in (package, inner) if part)

    def merge(self, data: dict[str, Any], package: str) -> None:
        """Merge entries below a package."""
        for key in reversed(package.split(".") if package else []):
            data = {key: data}
        self.whole = merged(self.whole, data)


def _command_words(machine: Machine) -> list[str] | None:
    """The words behind the program's name; None where they are not known."""
    content = machine.iterate(machine.argv)
    words = [text_of(item) for item in content.items[1:]]
    if content.rest is not None or not all(isinstance(word, str) for word in words):
        return None
    return [str(word) for word in words]


def _folder(machine: Machine, func: AnyValue, config_path: AnyValue | None) -> TextLike | None:
    """The folder of the configuration: relative to the file of the decorated function."""
    text = path_text(config_path) if config_path is not None else None
    if text is None:
        return None
    file = func.module.file if isinstance(func, FunctionV) else ""
    base = join_paths(machine.root, file.rpartition("/")[0]) if not file.startswith("/") else file.rpartition("/")[0]
    return normalise(join_paths(base, text))


def _options(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """The overrides among the words of a command line, and the options of Hydra that choose files."""
    overrides: list[str] = []
    found: dict[str, str] = {}
    names = {
        "--config-name": "name",
        "-cn": "name",
        "--config-path": "path",
        "-cp": "path",
        "--config-dir": "",
        "-cd": "",
    }
    index = 0
    while index < len(words):
        head, given, text = words[index].partition("=")
        if head in names:
            if not given:
                index += 1
                text = words[index] if index < len(words) else ""
            found[names[head]] = text
        elif head in ("-m", "--multirun", "--info", "-i", "--cfg", "-c", "--help", "-h"):
            found[head.lstrip("-")[0]] = "yes"
        elif not head.startswith("-"):
            overrides.append(words[index])
        index += 1
    return overrides, found


def _run_folder(machine: Machine, whole: dict[str, Any], section: dict[str, Any], *, many: bool) -> TextLike:
    """The folder of the run; times of the clock are holes."""
    inner = section.get("sweep" if many else "run")
    text = str((inner or {}).get("dir", _RUN if not many else _RUN.replace("outputs", "multirun")))
    parts: list[str | Hole] = []
    for index, piece in enumerate(re.split(r"(\$\{[^{}]*\})", text)):
        if index % 2 == 0:
            parts.append(piece)
        elif piece.startswith("${now:"):
            shape = piece[6:-1]
            parts.append(Hole("clock", "/" in shape))
        else:
            found = configuration(machine, {**whole, "_": piece}).slots[Known("_")]
            parts.append(str(found.value) if isinstance(found, Known) else Hole("data", True))
    if many:
        parts += ["/", Hole("data", True)]
    return make_text(parts)


def _files_of_run(machine: Machine, folder: TextLike, section: dict[str, Any], choices: dict[str, Any]) -> None:
    """What Hydra itself writes."""
    call = "hydra.main"
    machine.access(Operation.MKDIR, as_value(folder), call)
    hidden = section.get("output_subdir", ".hydra")
    if hidden not in (None, "null"):
        for name in ("config", "hydra", "overrides"):
            machine.access(Operation.OVERWRITE, as_value(join_paths(folder, f"{hidden}/{name}.yaml")), call)
    if choices.get("hydra/job_logging") in ("none", "disabled"):
        return
    job = section.get("job")
    label: str | None = job.get("name") if isinstance(job, dict) else None
    if label is None:
        content = machine.iterate(machine.argv)
        first = text_of(content.items[0]) if content.items else None
        if isinstance(first, str):
            label = first.rpartition("/")[2].removesuffix(".py")
    log: TextLike = f"{label}.log" if label is not None else make_text([Hole("argument", False), ".log"])
    machine.access(Operation.APPEND, as_value(join_paths(folder, log)), call)


def _changes_folder(section: dict[str, Any], version: AnyValue | None) -> bool:
    """Whether the program runs in the folder of its run: so it was before version 1.2."""
    job = section.get("job")
    chosen = job.get("chdir") if isinstance(job, dict) else None
    if chosen is not None:
        return bool(chosen)
    if version is None:
        return True
    return isinstance(version, Known) and isinstance(version.value, str) and version.value in ("1.0", "1.1")


def _run(machine: Machine, func: AnyValue, settings: Arguments) -> AnyValue:
    """Call the decorated function with what the files and the command line say."""
    words = _command_words(machine)
    overrides, options = _options(words or [])
    if "path" in options:
        given: AnyValue | None = Known(options["path"])
    else:
        given = settings.get(1, "config_path")
    folder = _folder(machine, func, given)
    name = options.get("name") or text_of(settings.get(2, "config_name") or NONE)
    composition = Composition(machine, folder, overrides)
    composition.compose(name if isinstance(name, str) else "")
    whole = composition.whole
    section = whole.pop("hydra", None)
    section = section if isinstance(section, dict) else {}
    many = "m" in options or section.get("mode") == "MULTIRUN"
    config: DictObj = configuration(machine, whole)
    if not composition.known or words is None or many or (folder is None and isinstance(name, str)):
        config = _open(config)
    place = _run_folder(machine, whole, section, many=many)
    _files_of_run(machine, place, section, composition.choices)
    machine.library["hydra"] = converted(
        machine.dict_of(
            {
                "runtime": machine.dict_of(
                    {"output_dir": as_value(machine.absolute(place)), "cwd": as_value(machine.cwd)}
                ),
                "job": machine.dict_of({"name": text_hole("argument")}),
                "run": machine.dict_of({"dir": as_value(place)}),
            }
        ),
        CONFIG,
    )
    if _changes_folder(section, settings.get(0, "version_base")):
        FUNCTIONS["os.chdir"](machine, Arguments([as_value(place)]))
    return machine.call(func, Arguments([config]))  # type: ignore[no-any-return]


def _open(config: DictObj) -> DictObj:
    """The same with further entries that are not known, on every level."""
    out = DictObj(CONFIG, None, Unknown("a configuration that is not wholly known", "data"))
    for key, value in config.slots.items():
        out.slots[key] = _open(value) if isinstance(value, DictObj) else value
    return out


@function("hydra.main")
def main(machine: Machine, args: Arguments) -> AnyValue:
    """`@hydra.main(version_base, config_path, config_name)`."""
    del machine

    def decorate(_: Machine, decorated: Arguments) -> AnyValue:
        func = decorated.pos[0] if decorated.pos else UNKNOWN

        def run(machine: Machine, given: Arguments) -> AnyValue:
            return machine.call(func, given) if given.pos else _run(machine, func, args)

        return Native("hydra.main", run)

    return Native("hydra.main", decorate)


@function("hydra.initialize", "hydra.initialize_config_dir")
def initialize(machine: Machine, args: Arguments) -> AnyValue:
    """`with hydra.initialize(config_path=...)`: where `compose` finds its files."""
    given = args.get(0, "config_path") or args.kw.get("config_dir") or NONE
    text = path_text(given)
    if text is None:
        machine.library.pop("hydra folder", None)
        return UNKNOWN
    file = machine.frame.module.file if machine.frame is not None else ""
    base = join_paths(machine.root, file.rpartition("/")[0]) if not file.startswith("/") else file.rpartition("/")[0]
    machine.library["hydra folder"] = as_value(normalise(join_paths(base, text)))
    return UNKNOWN


@function("hydra.compose")
def compose(machine: Machine, args: Arguments) -> AnyValue:
    """`compose(config_name, overrides=[...])`."""
    name = text_of(args.get(0, "config_name") or Known("config"))
    given = machine.iterate(args.get(1, "overrides") or ListObj("list"))
    words = [text_of(item) for item in given.items]
    folder = path_text(machine.library.get("hydra folder", NONE))
    composition = Composition(machine, folder, [word for word in words if isinstance(word, str)])
    composition.compose(name if isinstance(name, str) else "")
    composition.whole.pop("hydra", None)
    config = configuration(machine, composition.whole)
    known = composition.known and given.rest is None and all(isinstance(word, str) for word in words)
    return config if known and isinstance(name, str) else _open(config)


@function("hydra.utils.to_absolute_path")
def to_absolute_path(machine: Machine, args: Arguments) -> AnyValue:
    """`to_absolute_path(path)`: relative to where the program was started."""
    text = path_text(args.get(0, "path") or UNKNOWN)
    return as_value(join_paths(_start(machine), text)) if text is not None else UNKNOWN


@function("hydra.utils.get_original_cwd")
def original_folder(machine: Machine, args: Arguments) -> AnyValue:
    """`get_original_cwd()`."""
    del args
    return as_value(_start(machine))


def _start(machine: Machine) -> TextLike:
    """Where the program was started."""
    settings = machine.library.get("hydra")
    runtime = settings.slots.get(Known("runtime")) if isinstance(settings, DictObj) else None
    found = text_of(runtime.slots.get(Known("cwd"), NONE)) if isinstance(runtime, DictObj) else None
    return found if found is not None else machine.cwd


@function("hydra.core.hydra_config.HydraConfig.get")
def hydra_config(machine: Machine, args: Arguments) -> AnyValue:
    """`HydraConfig.get()`: what Hydra knows of the run."""
    del args
    return machine.library.get("hydra", UNKNOWN)  # type: ignore[no-any-return]


@function("hydra.utils.instantiate", "hydra.utils.call")
def instantiate(machine: Machine, args: Arguments) -> AnyValue | None:
    """`instantiate(config, **more)`: the object of the class that `_target_` names."""
    config = args.get(0, "config") or UNKNOWN
    if not isinstance(config, DictObj):
        return None
    return _instance(machine, config, {name: value for name, value in args.kw.items() if name != "config"})


def _instance(machine: Machine, config: DictObj, more: dict[str, AnyValue]) -> AnyValue:
    target = config.slots.get(Known("_target_"))
    if not (isinstance(target, Known) and isinstance(target.value, str) and "." in target.value):
        return config
    given: dict[str, AnyValue] = {}
    for key, value in config.known():
        if isinstance(key, Known) and isinstance(key.value, str) and not key.value.startswith("_"):
            given[key.value] = _instance(machine, value, {}) if isinstance(value, DictObj) else value
    given.update(more)
    module, _, name = target.value.rpartition(".")
    func = machine.get_attr(machine.import_module(module), name)
    partial = config.slots.get(Known("_partial_"))
    if isinstance(partial, Known) and partial.value is True:
        return FUNCTIONS["functools.partial"](machine, Arguments([func], given)) or UNKNOWN
    return machine.call(func, Arguments((), given))  # type: ignore[no-any-return]


@function("hydra.utils.get_class", "hydra.utils.get_method", "hydra.utils.get_object")
def get_object(machine: Machine, args: Arguments) -> AnyValue:
    """`get_class("package.module.Class")`."""
    name = text_of(args.get(0, "path") or UNKNOWN)
    if not isinstance(name, str) or "." not in name:
        return UNKNOWN
    module, _, last = name.rpartition(".")
    return machine.get_attr(machine.import_module(module), last)  # type: ignore[no-any-return]
