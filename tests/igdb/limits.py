"""How often the local IGDB lets itself be asked: 4 times in any second, 8 requests open at a time."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Limits:
    """Counts requests as they arrive. `per_second` and `most_open` may be changed, None is no limit."""

    def __init__(self) -> None:
        self.per_second: int | None = 4
        self.most_open: int | None = 8
        self._lock = threading.Lock()
        self._arrivals: deque[float] = deque()
        self._open = 0
        # The most that were open together.
        self.peak = 0

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Count a request as open; whether it is within the limits. One that is not counts all the same."""
        with self._lock:
            self._open += 1
            self.peak = max(self.peak, self._open)
            allowed = self._arrive(time.monotonic()) and (self.most_open is None or self._open <= self.most_open)
        try:
            yield allowed
        finally:
            with self._lock:
                self._open -= 1

    def _arrive(self, now: float) -> bool:
        while self._arrivals and self._arrivals[0] <= now - 1:
            self._arrivals.popleft()
        self._arrivals.append(now)
        return self.per_second is None or len(self._arrivals) <= self.per_second
