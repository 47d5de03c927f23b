"""Send events from Python to a Tributary collector, without making your code wait."""

from tributary_client.client import AsyncClient, Client, Details, Money, Problem

__all__ = ["AsyncClient", "Client", "Details", "Money", "Problem"]
