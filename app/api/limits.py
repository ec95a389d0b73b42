"""Announced limits: a token bucket per credential, kept by each process for itself."""

from __future__ import annotations

WINDOW = 60.0
"""Seconds in which an empty bucket fills."""
MOST_KEPT = 10_000


class Buckets:
    """A bucket of `quota` tokens per key that fills evenly in WINDOW seconds. A quota of 0 is no limit."""

    def __init__(self, name: str, quota: int):
        self.name = name
        self.quota = quota
        self.rate = quota / WINDOW
        self.policy = b'"%s";q=%d;w=%d' % (name.encode(), quota, WINDOW)
        self._line = b'"%s";r=%%d;t=%%d' % name.encode()
        self._kept: dict[object, tuple[float, float]] = {}
        self._told: tuple[int, list[tuple[bytes, bytes]]] = (-1, [])

    def take(self, key: object, at: float) -> float:
        """Tokens left after taking one at this time in seconds; negative when there was none to take."""
        if not self.quota:
            return 1.0
        kept = self._kept.get(key)
        left = float(self.quota) if kept is None else min(self.quota, kept[0] + (at - kept[1]) * self.rate)
        left -= 1
        if kept is None and len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        # What was refused is not charged, or a client that keeps asking would never be served again.
        self._kept[key] = (left + 1 if left < 0 else left, at)
        return left

    def headers(self, left: float) -> list[tuple[bytes, bytes]]:
        """RateLimit and RateLimit-Policy after a take."""
        if not self.quota:
            return []
        whole = max(0, int(left))
        if self._told[0] != whole:  # a bucket that is hardly used says the same again and again
            full = int((self.quota - left) / self.rate) + 1
            self._told = whole, [(b"ratelimit-policy", self.policy), (b"ratelimit", self._line % (whole, full))]
        return self._told[1]

    def wait(self, left: float) -> int:
        """Whole seconds until a token is there again."""
        return max(1, int(-left / self.rate) + 1) if self.quota else 0
