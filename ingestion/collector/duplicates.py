"""Remember recent events by hashes of their content. In: contents, as they become durable. Out: whether one is known.

A bounded memory in front of the load, which knows every event for ever: the load finds what is forgotten here. The same
id with other content is not a duplicate but a contradiction, which the load records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Set
from contextlib import contextmanager

GENERATION = 50_000  # hashes: two generations stay near the processor


class Recent:
    """Two generations of contents: when the young one is full, it replaces the old one.

    A repetition may arrive while its first sending waits for the disk. It is a duplicate only if that write succeeds:
    until then its content is `pending`, and the request that repeats it has to wait.
    """

    def __init__(self) -> None:
        self.young: set[int] = set()
        self.old: set[int] = set()
        self.pending: dict[int, asyncio.Future[None]] = {}  # content -> done once its write has ended

    @contextmanager
    def storing(self, contents: Set[int]) -> Iterator[None]:
        """Hold contents as pending while the block writes them; know them afterwards unless it fails."""
        ended = asyncio.get_running_loop().create_future()
        self.pending |= dict.fromkeys(contents, ended)
        try:
            yield
            self.remember(contents)
        finally:
            for content in contents:
                del self.pending[content]
            ended.set_result(None)

    async def written(self, contents: Set[int]) -> None:
        """Wait until no write of these contents is under way."""
        while under_way := {self.pending[content] for content in contents & self.pending.keys()}:
            await asyncio.wait(under_way)

    def knows(self, content: int) -> bool:
        return content in self.young or content in self.old

    def remember(self, contents: Set[int]) -> None:
        self.young |= contents
        if len(self.young) > GENERATION:
            self.young, self.old = set(), self.young
