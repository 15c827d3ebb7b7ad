"""The vocabulary shared by every stage: tasks, accesses, path patterns, findings and source spans.

This package imports nothing else of taskgates.
"""
