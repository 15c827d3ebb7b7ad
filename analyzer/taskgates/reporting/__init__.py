"""Reports: one module a format, all listed in `formats`."""
