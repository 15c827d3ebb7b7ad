"""Libraries for command lines: what a program makes of its arguments."""
