"""Turn postbacks and impression pixels of affiliate networks into rows of postbacks and interactions.

In: the parameters of a request and the network's entry in tributary.yaml. Out: a row, or a Problem.

A network fills the placeholders of a URL that its customer writes, so that the customer chooses the parameters' names.
PARAMETERS has the names that each network documents; `parameters` in tributary.yaml changes them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from ingestion.affiliate_pages import matcher
from ingestion.collector.problems import Problem
from ingestion.collector.webhooks.report import instant, row
from ingestion.files.contracts import CONTRACTS
from ingestion.placeholders import real_id
from ingestion.privacy.redact import redact_id, redact_text
from ingestion.settings.model import Network

COLUMNS = tuple(column.name for column in CONTRACTS["postbacks"].columns)
_IDS = ("transaction_id", "click_id", "order_id", "visitor_id")  # of these, two addresses must stay two
_LONGEST = 500  # characters of a value

# Contract column -> parameter. A column that is not listed is a parameter of the same name.
PARAMETERS: dict[str, dict[str, str]] = {
    "everflow": {
        "transaction_id": "conversion_id",  # Everflow's transaction_id is the click
        "click_id": "transaction_id",
        "campaign_id": "offer_id",
        "campaign": "offer_name",
        "affiliate": "affiliate_name",
        "payout": "payout_amount",
        "value": "sale_amount",
        "visitor_id": "adv1",
        "occurred_at": "timestamp",
    },
    "tune": {
        "click_id": "transaction_id",
        "campaign_id": "offer_id",
        "campaign": "offer_name",
        "affiliate": "affiliate_name",
        "value": "sale_amount",
        "order_id": "adv_sub",
        "visitor_id": "adv_sub2",
        "occurred_at": "datetime",
    },
    "trackier": {
        "transaction_id": "conversion_id",
        "campaign": "campaign_name",
        "affiliate_id": "publisher_id",
        "affiliate": "publisher_name",
        "value": "sale_amount",
        "order_id": "txn_id",
        "visitor_id": "sub1",
        "occurred_at": "conversion_datetime",
    },
    "generic": {},
}
# The parameter that carries the secret, as each network names it.
SECRETS = {"everflow": "verification_token", "tune": "security_token", "trackier": "security_token", "generic": "token"}
_GOAL = "goal_id"  # a parameter of TUNE: one click can reach several goals, and each is a payout
# The currency of {payout} unless the entry sets one, for networks whose {currency} is that of the sale.
_PAYOUT_CURRENCIES = {"trackier": "USD"}
_STATUSES = {"approved": "approved", "pending": "pending", "rejected": "rejected", "cancelled": "rejected"}


def is_from(network: Network, given: Mapping[str, str], header: str | None, secrets: Iterable[bytes]) -> bool:
    """Return whether the network's parameter, or the header X-Postback-Token, has one of the secrets."""
    token = (header or given.get(SECRETS[network.kind], "")).encode()
    return any(hmac.compare_digest(token, secret) for secret in secrets)


def postback(network: Network, given: Mapping[str, str], now: str) -> dict[str, Any]:
    """Return a row of postbacks. now: when it was received, the transaction's time where the network sends none."""
    names = {column: column for column in COLUMNS} | PARAMETERS[network.kind] | network.parameters
    found = {column: _text(given, name, is_id=column in _IDS) for column, name in names.items()}
    statuses = _STATUSES | {word.lower(): status for word, status in network.statuses.items()}
    status = statuses.get((found["status"] or "").lower())
    found["transaction_id"] = _transaction_id(network, given, found)
    if not found["transaction_id"]:
        raise Problem(400, "No transaction", f"{names['transaction_id']} is missing. Add it to the postback's URL")
    if not status:
        raise Problem(
            400,
            "Unknown status",
            f"{names['status']}={found['status'] or ''} is not one of {', '.join(statuses)}. Send one of them,"
            f" or map the network's words under networks.statuses in tributary.yaml",
        )
    moment = _moment(names["occurred_at"], found["occurred_at"], network.timezone) or now
    page = _text(given, "landing_url") or _text(given, "referrer")
    currency, sale = found["currency"] or network.currency, {}
    if found["payout"] and (paid_in := _PAYOUT_CURRENCIES.get(network.kind)):
        currency = network.currency or paid_in
        if found["value"] and (found["currency"] or currency).upper() != currency:
            sale = {"sale_amount": found["value"], "sale_currency": found["currency"]}
            found["value"] = None  # a row has one currency, that of the payout
    fixed = {
        "platform": network.name.lower(),
        "status": status,
        "occurred_at": moment,
        "currency": currency,
        "site_id": None,  # the receipt has it
        "postback_id": None,  # the load derives it from the content
    }
    return row(**(found | fixed), properties=row(affiliate_pattern=_pattern(network, page), **sale))


def impression(
    network: Network, given: Mapping[str, str], referrer: str | None, visitor: str, now: str
) -> dict[str, Any]:
    """Return a row of interactions: a view of an affiliate's page. visitor: used where no parameter names one."""
    names = {column: column for column in COLUMNS} | PARAMETERS[network.kind] | network.parameters
    identity = _text(given, "impression_id", is_id=True)
    return row(
        occurred_at=now,
        visitor_id=_text(given, names["visitor_id"], is_id=True) or visitor,
        interaction_id=identity and f"{network.name.lower()}:{identity}",
        touch_type="view",
        platform=network.name.lower(),
        source=network.name.lower(),
        medium="affiliate",
        campaign_id=_text(given, names["campaign_id"]),
        campaign=_text(given, names["campaign"]),
        creator_code=_text(given, names["affiliate_id"]),
        properties=row(affiliate_pattern=_pattern(network, referrer)),
    )


def _transaction_id(network: Network, given: Mapping[str, str], found: Mapping[str, str | None]) -> str | None:
    """Return the id of the payout, or that of the click where the network leaves it empty.

    TUNE's transaction_id is the click. With the goal and the advertiser's order id it is one payout.
    """
    if network.kind != "tune" or "transaction_id" in network.parameters or not found["transaction_id"]:
        return found["transaction_id"] or found["click_id"]
    parts = {"goal": _text(given, _GOAL, is_id=True), "order": found["order_id"]}
    return ":".join([found["transaction_id"], *(f"{name}-{part}" for name, part in parts.items() if part)])


def digest(network: Network, given: Mapping[str, str]) -> str:
    """Return a hash of everything but the secret: a repeated postback has the same."""
    members = sorted((name, value) for name, value in given.items() if name != SECRETS[network.kind])
    return hashlib.sha256(json.dumps([network.name, members]).encode()).hexdigest()


_matcher = lru_cache(maxsize=100)(matcher)


def _pattern(network: Network, url: str | None) -> str | None:
    return _matcher(tuple(network.patterns))(url) if url and network.patterns else None


def _text(given: Mapping[str, str], name: str, *, is_id: bool = False) -> str | None:
    """Return the parameter's text, or None where it is empty or a placeholder, such as one that nobody filled."""
    value = given.get(name, "").strip()
    if len(value) > _LONGEST:
        raise Problem(400, "Too long", f"{name} has more than {_LONGEST} characters. Check the postback's URL")
    if not value or (value[0] == "{" and value[-1] == "}"):
        return None
    return real_id(redact_id(value)) or None if is_id else redact_text(value)


def _moment(name: str, text: str | None, timezone: str | None) -> str | None:
    """Return the instant of Unix seconds, Unix milliseconds or ISO 8601. timezone: of a time that states none."""
    if not text:
        return None
    try:
        if text.isdigit():
            return instant(int(text) / (1000 if len(text) > 11 else 1))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise Problem(
            400, "Not a time", f"{name}={text} is neither an ISO 8601 time nor a Unix time. Correct the URL"
        ) from None
    if moment.tzinfo is None:
        if not timezone:
            raise Problem(
                400,
                "No zone",
                f"{name}={text} has no zone. Set timezone under networks in tributary.yaml to that of the network",
            )
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    return instant(moment)
