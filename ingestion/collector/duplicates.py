"""The events of the recent past: event id -> hash of the content. In: what became durable. Out: is this one known?

A bounded memory in front of the load, which knows every event for ever: what is forgotten here is found there. The
same id with other content is no duplicate but a contradiction, which the load keeps as such.
"""

from __future__ import annotations

GENERATION = 200_000  # ids; two generations are some 80 MB


class Recent:
    """Two generations; when the young one is full it becomes the old one, which goes."""

    def __init__(self) -> None:
        self.young: dict[str, int] = {}
        self.old: dict[str, int] = {}

    def remember(self, contents: dict[str, int]) -> None:
        self.young.update(contents)
        if len(self.young) > GENERATION:
            self.young, self.old = {}, self.young
