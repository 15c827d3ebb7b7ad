"""Code scanning's line hash, by which it recognises an alert whose line has moved.

The algorithm is the one of GitHub's `upload-sarif` action (`primaryLocationLineHash`): the hash of a line is a
polynomial hash, base 37 modulo 2^64, of the 100 UTF-16 code units that begin with the line. Spaces and tabs are left
out, every line ending counts as one line feed, the end of the file is the code unit 65535, and zeros follow it. A colon
and the number of times that the same hash has occurred so far come behind. Computing it here means that a file uploaded
without the sources at hand still carries it.
"""

from __future__ import annotations

from array import array

_WINDOW = 100
_BASE = 37
_MASK = (1 << 64) - 1
_END_OF_FILE = 0xFFFF
_LINE_FEED = 0x0A
_WINDOW_FACTOR = pow(_BASE, _WINDOW, 1 << 64)
_BLANKS = {0x09: None, 0x20: None}


def line_hashes(text: str) -> list[str]:
    r"""Hash every line of a file.

    Args:
        text: the file's content with its line endings as they are (`\n`, `\r` and `\r\n` end a line).

    Returns:
        One `hash:occurrence` a line, the first line's first; a final line ending is followed by one more, empty line.
    """
    significant = text.replace("\r\n", "\n").replace("\r", "\n").translate(_BLANKS)
    units = array("H")
    units.frombytes(significant.encode("utf-16-le", "surrogatepass"))
    units.append(_END_OF_FILE)

    starts = [0]
    starts.extend(place + 1 for place, unit in enumerate(units) if unit == _LINE_FEED)

    # prefix[i] is the hash of the first i units; a window's hash is the difference of two prefixes.
    prefix = [0]
    value = 0
    for unit in units:
        value = (value * _BASE + unit) & _MASK
        prefix.append(value)
    for _ in range(_WINDOW):
        value = (value * _BASE) & _MASK
        prefix.append(value)

    seen: dict[int, int] = {}
    hashes = []
    for start in starts:
        hashed = (prefix[start + _WINDOW] - prefix[start] * _WINDOW_FACTOR) & _MASK
        seen[hashed] = seen.get(hashed, 0) + 1
        hashes.append(f"{hashed:x}:{seen[hashed]}")
    return hashes
