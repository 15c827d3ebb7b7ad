"""Task runners whose tasks are no files: Invoke and Fabric, Nox, tox, just, Task, pre-commit, scripts of projects."""
