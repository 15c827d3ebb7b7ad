"""Delays between attempts."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Backoff:
    """Growing delays with jitter, so that those who collided do not collide again.

    "Equal jitter" after M. Brooker, "Exponential backoff and jitter" (2015): half of the delay is fixed, half random.

    Args:
        delays: seconds for the first, second, ... attempt; the last one is kept from then on.
        source: randomness, for tests.

    Raises:
        ValueError: no delays, or one that is not positive.
    """

    def __init__(self, delays: Sequence[float], source: random.Random | None = None) -> None:
        if not delays or min(delays) <= 0:
            raise ValueError("retry_delays needs at least one number, and all of them above zero")
        self._delays = tuple(delays)
        self._source = source or random.SystemRandom()

    def delay(self, attempt: int) -> float:
        """Seconds to wait after the given attempt, counted from 0."""
        full = self._delays[min(max(attempt, 0), len(self._delays) - 1)]
        return full / 2 + self._source.random() * full / 2
