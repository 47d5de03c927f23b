"""The events of the recent past, as hashes of their content. In: what became durable. Out: is this one known?

A bounded memory in front of the load, which knows every event for ever: what is forgotten here is found there. The
same id with other content is no duplicate but a contradiction, which the load keeps as such.
"""

from __future__ import annotations

GENERATION = 50_000  # hashes: two generations stay near the processor


class Recent:
    """Two generations; when the young one is full it becomes the old one, which goes."""

    def __init__(self) -> None:
        self.young: set[int] = set()
        self.old: set[int] = set()

    def remember(self, contents: set[int]) -> None:
        self.young |= contents
        if len(self.young) > GENERATION:
            self.young, self.old = set(), self.young
