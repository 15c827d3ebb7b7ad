"""The repository as the analyser may see it: its files, the Python environment around it, and the result cache."""

from taskgates.tree.evidence import Evidence
from taskgates.tree.tree import Tree

__all__ = ["Evidence", "Tree"]
