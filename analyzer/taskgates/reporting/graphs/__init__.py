"""Graphs of tasks and of calls as pictures and as text that other programs draw."""
