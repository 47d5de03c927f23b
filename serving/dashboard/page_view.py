"""The type of a page's view for computed tables and charts. In: View (serving/dashboard/pages.py). Out: its type."""

from __future__ import annotations

from typing import Any, Protocol

from serving.answers import Answer
from serving.filters import Filters
from serving.orgs import Version
from serving.service import Service


class PageView(Protocol):
    """One page of one org, which access has checked, in one version."""

    @property
    def service(self) -> Service: ...

    @property
    def version(self) -> Version: ...

    @property
    def filters(self) -> Filters: ...

    @property
    def currency(self) -> str: ...

    def answer(self, name: str, **changes: Any) -> Answer:
        """Return the answer to a question; changes: other values of parameters."""
