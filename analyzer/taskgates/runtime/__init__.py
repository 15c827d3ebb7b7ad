"""Running tasks for real: locks, checkpoints, journal, executors, monitor, tracing.

Together with the tests' tracer this is the only package in which code of the repository is executed.
"""
