"""Look up country and region of visitors in a MaxMind file that the user provides.

In: addresses, in memory for less than a second. Out: receipts of kind `addresses`, which hold the place of an address's
hash, each once. The address itself is written nowhere.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingestion.segments.format import Receipt, as_line, timestamp
from ingestion.segments.writer import Landing
from ingestion.settings.model import SettingsError

_REMEMBERED = 200_000  # hashes
_WAITING = 10_000  # addresses; more in half a second are not looked up
_HOSTING = re.compile(
    r"(?i)\b(amazon|aws|google cloud|microsoft|azure|digitalocean|hetzner|ovh|linode|akamai|alibaba|tencent"
    r"|vultr|choopa|scaleway|leaseweb|contabo|ionos|hosting|host|datacenter|data center|server|colo|cloud)"
)


class Geo:
    """A MaxMind database, and the addresses that wait to be looked up."""

    def __init__(self, database: Path) -> None:
        """database: an .mmdb file. Raises SettingsError where it cannot be read."""
        try:
            import maxminddb

            self._reader = maxminddb.open_database(database)
        except ImportError:
            raise SettingsError("collector.geo_database: run `pip install 'tributary[geo]'` to read it") from None
        except (OSError, RuntimeError):
            raise SettingsError(f"collector.geo_database: {database} is not a readable MaxMind file") from None
        self._known: set[str] = set()
        self._waiting: dict[str, tuple[str, str]] = {}

    def note(self, org: str, ip_hash: str, address: str) -> None:
        """Queue an address for look-up, unless its hash is known."""
        if ip_hash not in self._known and len(self._waiting) < _WAITING:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            self._known.add(ip_hash)
            self._waiting[ip_hash] = org, address

    async def store(self, landing: Landing) -> None:
        """Write receipts of the queued addresses."""
        if self._waiting:
            for line in await asyncio.to_thread(self.lines):
                landing.append_soon(line)

    def lines(self) -> list[bytes]:
        """Return the receipts of the queued addresses, one for each org, and empty the queue."""
        waiting, self._waiting = self._waiting, {}
        rows: dict[str, list[dict[str, Any]]] = {}
        for ip_hash, (org, address) in waiting.items():
            place = self._place(address)
            if place:
                rows.setdefault(org, []).append({"ip_hash": ip_hash, **place})
        at = timestamp(datetime.now(UTC))
        return [as_line(Receipt(kind="addresses", at=at, org=org, rows=part)) for org, part in rows.items()]

    def _place(self, address: str) -> dict[str, Any]:
        try:
            record: Any = self._reader.get(address)
        except ValueError:
            return {}
        if not isinstance(record, dict):
            return {}
        country = record.get("country", {}).get("iso_code")
        region = next((part.get("iso_code") for part in record.get("subdivisions", [])), None)
        owner = record.get("autonomous_system_organization")
        traits = record.get("traits", {})
        is_hosting = traits.get("is_hosting_provider")
        if is_hosting is None and traits.get("user_type"):
            is_hosting = traits["user_type"] == "hosting"
        if is_hosting is None and owner:
            is_hosting = bool(_HOSTING.search(owner))
        place = {
            "country": country,
            "region": f"{country}-{region}" if country and region else None,
            "is_data_centre": is_hosting,
        }
        return {name: value for name, value in place.items() if value is not None}
