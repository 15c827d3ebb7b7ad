"""Watching a command: which files it really reads and writes, seen by strace or by Python's audit hook."""

from taskgates.runtime.tracing.tracer import Traced, Tracer, trace_command

__all__ = ["Traced", "Tracer", "trace_command"]
