"""Wait for a state instead of for a time.

In: a condition. Out: nothing, or a failed test that names the state that was not reached.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(is_reached: Callable[[], object], state: str, seconds: float = 120, pause: float = 0.05) -> None:
    """Ask until the state is reached; fail after `seconds`, which a busy machine may need."""
    deadline = time.monotonic() + seconds
    while not is_reached():
        assert time.monotonic() < deadline, f"not reached within {seconds} s: {state}"
        time.sleep(pause)
