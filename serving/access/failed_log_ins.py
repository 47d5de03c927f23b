"""Audit rows of failed log-ins.

In: who tried, and why it failed. Out: rows of the audit; a flood of failures becomes one row with their number.
"""

from __future__ import annotations

import threading
import time

from serving.access.state import State

SECONDS, MOST = 60, 20  # rows per window: an attacker must not fill the disk


class FailedLogIns:
    """Records failed log-ins of this process."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._window, self._count = 0, 0

    def record(self, principal: str, reason: str) -> None:
        """Add an audit row. principal: an e-mail address, `key <id>` or `unknown`. reason: never a secret."""
        with self._lock:
            window = int(time.monotonic() // SECONDS)
            hidden = max(0, self._count - MOST) if window != self._window else 0
            if window != self._window:
                self._window, self._count = window, 0
            self._count += 1
            is_shown = self._count <= MOST
        if hidden:
            self._state.record("unknown", "log_in_failed", detail={"reason": f"{hidden:,} further failures"})
        if is_shown:
            self._state.record(principal, "log_in_failed", detail={"reason": reason})
