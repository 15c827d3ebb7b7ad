"""Readers of task manifests: one module a format, files in, tasks out."""

from taskgates.manifests.registry import READERS, Manifests, load_tasks

__all__ = ["READERS", "Manifests", "load_tasks"]
