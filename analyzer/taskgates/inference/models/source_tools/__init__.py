"""Formatters and checkers of Python sources: which files they look at, rewrite and report to."""
