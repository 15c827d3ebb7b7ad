"""Paths, folders, open files, and what stands in files of known formats."""
