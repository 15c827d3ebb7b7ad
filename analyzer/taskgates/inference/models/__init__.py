"""What library names mean at the level of values: strings, containers, paths, the operating system, command lines.

Importing this package registers every model; see `registry`.
"""
