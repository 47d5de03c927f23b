"""Country and region of visitors, from a MaxMind file that the user provides.

In: addresses, held in memory for less than a second. Out: receipts of kind `addresses` that say where a hash is from;
each distinct address once. The address itself is written nowhere.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingestion.collector.process import timestamp
from ingestion.segments.format import Receipt, as_line
from ingestion.segments.writer import Landing
from ingestion.settings.model import SettingsError

_REMEMBERED = 200_000  # hashes
_WAITING = 10_000  # addresses; more in half a second stay unknown
_HOSTING = re.compile(
    r"(?i)\b(amazon|aws|google cloud|microsoft|azure|digitalocean|hetzner|ovh|linode|akamai|alibaba|tencent"
    r"|vultr|choopa|scaleway|leaseweb|contabo|ionos|hosting|host|datacenter|data center|server|colo|cloud)"
)


class Geo:
    def __init__(self, database: Path) -> None:
        """database: an .mmdb file. Raises SettingsError where it cannot be read."""
        try:
            import maxminddb

            self._reader = maxminddb.open_database(database)
        except ImportError:
            raise SettingsError("collector.geo_database: run `pip install 'tributary[geo]'` to read it") from None
        except (OSError, RuntimeError):
            raise SettingsError(f"collector.geo_database: {database} is no readable MaxMind file") from None
        self._known: set[str] = set()
        self._waiting: dict[str, tuple[str, str]] = {}

    def note(self, org: str, ip_hash: str, address: str) -> None:
        """Look the address up, soon, unless its hash is known."""
        if ip_hash not in self._known and len(self._waiting) < _WAITING:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            self._known.add(ip_hash)
            self._waiting[ip_hash] = org, address

    async def land(self, landing: Landing) -> None:
        """Write a receipt of what waits."""
        if self._waiting:
            for line in await asyncio.to_thread(self.lines):
                landing.append_soon(line)

    def lines(self) -> list[bytes]:
        """What waits, looked up: a receipt an org."""
        waiting, self._waiting = self._waiting, {}
        rows: dict[str, list[dict[str, Any]]] = {}
        for ip_hash, (org, address) in waiting.items():
            found = self._found(address)
            if found:
                rows.setdefault(org, []).append({"ip_hash": ip_hash, **found})
        at = timestamp(datetime.now(UTC))
        return [as_line(Receipt("addresses", at, org, rows=part)) for org, part in rows.items()]

    def _found(self, address: str) -> dict[str, Any]:
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
        found = {
            "country": country,
            "region": f"{country}-{region}" if country and region else None,
            "is_data_centre": is_hosting,
        }
        return {name: value for name, value in found.items() if value is not None}
