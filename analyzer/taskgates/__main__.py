"""`python -m taskgates`."""

from __future__ import annotations

import sys

from taskgates.cli import main

if __name__ == "__main__":
    sys.exit(main())
