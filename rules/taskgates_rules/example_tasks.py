"""Small task repositories that the examples of several rules share."""

from __future__ import annotations

from taskgates.scan.rule import native_task


def writer_and_reader(*, reader: str = "2", **fields: object) -> dict[str, str]:
    """The files of two tasks: task 1 writes `table.csv`, and the reader copies it.

    Args:
        reader: the id of the reader.
        fields: further keys of the reader's task file.
    """
    return {
        ".claude/tasks/task-1.json": native_task("1", command="python make.py", files_affected=["table.csv"]),
        f".claude/tasks/task-{reader}.json": native_task(
            reader, command="python show.py", files_affected=["show.txt"], **fields
        ),
        "make.py": 'open("table.csv", "w").write("a,b")\n',
        "show.py": 'open("show.txt", "w").write(open("table.csv").read())\n',
    }
