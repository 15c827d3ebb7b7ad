"""Rows of the standard library name real parameters in the real order."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import warnings

from taskgates.inference.effects import EffectTable, Kind, Row, load_effects

# Parameters that only other versions of Python than the one that runs the tests have.
OTHER_VERSIONS = {
    "action",
    "append",
    "autocommit",
    "aware_datetime",
    "buffersize",
    "cadefault",
    "cafile",
    "capath",
    "case_sensitive",
    "category",
    "cert_file",
    "certfile",
    "check_hostname",
    "context",
    "converters",
    "delete",
    "delete_on_close",
    "dir_fd",
    "dirs_exist_ok",
    "eager_start",
    "echo_char",
    "follow_symlinks",
    "ignore_missing_files",
    "is_safe",
    "key_file",
    "keyfile",
    "lineno",
    "local_exit",
    "loop_factory",
    "merge_extra",
    "newline",
    "onexc",
    "preserve_metadata",
    "process_group",
    "recurse_symlinks",
    "scm_ignore_files",
    "shallow",
    "skip_file_prefixes",
    "stream",
    "timeout",
    "track",
    "walk_up",
}

# What some versions give a signature that says less than the object takes.
UNTOLD = {"threading.local"}

# Parameters that have another name in some versions, by module: rows name them as the oldest of these versions does.
RENAMED = {("importlib.resources", "anchor"): "package", ("os.path", "path"): "p"}


@functools.cache
def table() -> EffectTable:
    return load_effects()


def standard_rows() -> list[Row]:
    return [
        row
        for row in table().rows()
        if row.name.split(".")[0] in sys.stdlib_module_names
        and row.kind in (Kind.CALLABLE, Kind.TYPE)
        and row.params is not None
    ]


def resolve(name: str) -> tuple[object, bool] | None:
    """The object of a qualified name and whether `self` must be dropped; None when this Python has none."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value: object = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        owner: object = None
        for part in parts[end:]:
            owner = value
            try:
                value = inspect.getattr_static(value, part) if inspect.isclass(value) else getattr(value, part)
            except AttributeError:
                return None
        if isinstance(value, (staticmethod, classmethod)):
            return getattr(owner, parts[-1]), False
        return value, inspect.isclass(owner) and not inspect.isclass(value)
    return None


def signature(name: str) -> inspect.Signature | None:
    found = resolve(name)
    if found is None or not callable(found[0]):
        return None
    try:
        real = inspect.signature(found[0])
    except (ValueError, TypeError):
        return None
    parameters = list(real.parameters.values())
    return real.replace(parameters=parameters[1:]) if found[1] else real


def mismatch(row: Row) -> str:
    real = signature(row.name)
    if real is None or row.params is None or row.name in UNTOLD:
        return ""
    kinds = inspect.Parameter
    module = row.name.rpartition(".")[0]
    positional = [
        p.name if p.name in row.params.positional else RENAMED.get((module, p.name), p.name)
        for p in real.parameters.values()
        if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
    ]
    keyword_only = {p.name for p in real.parameters.values() if p.kind is kinds.KEYWORD_ONLY}
    star = any(p.kind is kinds.VAR_POSITIONAL for p in real.parameters.values())
    double_star = any(p.kind is kinds.VAR_KEYWORD for p in real.parameters.values())
    ours = row.params
    extra = ours.positional[len(positional) :]
    nameless = {
        index
        for index, p in enumerate(real.parameters.values())
        # Names that nobody can use differ from version to version; rows have those of the oldest.
        if p.kind is kinds.POSITIONAL_ONLY and sys.version_info >= (3, 12)
    }
    pairs = enumerate(zip(ours.positional, positional, strict=False))
    if any(mine != theirs for index, (mine, theirs) in pairs if index not in nameless):
        return f"positional {ours.positional} != {positional}"
    if len(ours.positional) < len(positional) and not ours.star:
        return f"lacks {positional[len(ours.positional) :]}"
    if not (star or double_star):
        # What could once be given by its place may be left to be given by its name.
        unknown = [name for name in extra if name not in OTHER_VERSIONS | keyword_only]
        if unknown:
            return f"has no positional {unknown}"
    if ours.star and not star:
        return f"has no *{ours.star}"
    if ours.double_star and not double_star:
        return f"has no **{ours.double_star}"
    if not double_star:
        unknown = [name for name in ours.keyword_only if name not in keyword_only and name not in OTHER_VERSIONS]
        if unknown:
            return f"has no keyword-only {unknown}"
    return ""


def test_parameters_are_those_of_the_real_callables() -> None:
    faults = [f"{row.file}:{row.line}: {row.name}: {fault}" for row in standard_rows() if (fault := mismatch(row))]
    assert not faults, "\n".join(faults)


def test_most_rows_can_be_compared() -> None:
    rows = standard_rows()
    compared = sum(signature(row.name) is not None for row in rows)
    assert compared > 900
    assert compared > 0.8 * len(rows)
