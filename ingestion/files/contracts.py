"""The input contracts as data: the columns of each kind of file, their types, and the key of a row.

In: seeds/source_platforms.csv. Out: CONTRACTS, by which column_mapping.py, row_values.py, row_checks.py and merge.py
read files.

A row's content is hashed in the order of its columns. Append new columns at the end, and list them in `added` if the
contract is in use already, so that rows without them keep their hash.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

from ingestion.seeds import seed
from ingestion.text import printable

Type = Literal[
    "text",  # trimmed; empty is null
    "name",  # text in lower case
    "address",  # text; the host of a URL is stored in ASCII
    "platform",  # text; an alias such as facebook or fb becomes the platform's name
    "account",  # id of an ad account; id_spellings.py gives it one spelling
    "entity",  # id of a campaign, ad set or ad, likewise
    "event",  # a type of ingestion/event_types.py or of tributary.yaml
    "status",  # pending, approved or rejected
    "instant",  # ISO 8601 with a zone -> UTC
    "date",  # ISO 8601 day
    "money",  # decimal -> micros, exactly
    "currency",  # three letters (ISO 4217)
    "count",  # whole number, not negative, below 1e12
    "number",  # below 1e12
    "rate",  # decimal above 0
    "level",  # account, campaign or adset; ad is null
    "basis",  # period or conversion
]


@cache
def platform_aliases() -> dict[str, str]:
    """Return alias -> platform, from the seed that dbt applies to touches too, so that spend joins them."""
    return {row["alias"]: row["platform"] for row in seed("source_platforms")}


def platform_name(alias: str) -> str:
    """Return the name of the platform that an alias means, such as meta for Facebook."""
    name = alias.strip().lower()
    return platform_aliases().get(name, name)


class ContractError(Exception):
    """The input, or the way to read it, cannot be imported at all. Nothing was written."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class Column(NamedTuple):
    """One column of a contract."""

    name: str
    type: Type = "text"
    required: bool = False
    default: str | None = None
    same_as: str | None = None  # the column that gives the value if this one is empty
    unless: tuple[str, tuple[str, ...]] | None = None  # (column, values) of the rows that can lack a required column
    may_be_placeholder: bool = False  # of a required id: a row with a placeholder stays, without the id
    may_be_future: bool = False  # a day or time; the others fail if they are after the day of the load

    @property
    def stored(self) -> str:
        """The column of the raw table: money is stored in micros."""
        return f"{self.name}_micros" if self.type == "money" else self.name

    @property
    def is_id(self) -> bool:
        """Whether its text identifies something: a placeholder is null, and a number has no decimals and no exponent.

        tributary.yaml declares the ids of sites.
        """
        return self.name.endswith("_id") and self.name != "site_id"


class Contract(NamedTuple):
    """One kind of input row."""

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]  # columns of the raw table that identify a row; ids among them may be null
    # Other columns by which a failed row and its correction are the same row, if its key has no id. The first is never
    # null; a null in another optional column equals a null only.
    identities: tuple[tuple[str, ...], ...] = ()
    derived_id: str | None = None  # derived from the row's content if the file has none, or a placeholder
    one_of: tuple[str, ...] = ()  # at least one of these columns is required
    replaces: bool = False  # a later import of the same key replaces; else the first occurrence in time stays
    history: str | None = None  # the table of replaced rows
    adds_up: bool = False  # equal rows of a file may be parts of a sum; else they are duplicates
    retired: str | None = None  # the table of keys and contents of archived rows
    aliases: tuple[tuple[str, str], ...] = ()  # (another header, the column that it means)
    added: tuple[str, ...] = ()  # raw columns of a later version: part of the content only if they have a value


_PERSON = ("visitor_id", "customer_id")

CONTRACTS: dict[str, Contract] = {
    "events": Contract(
        table="raw.events",
        columns=(
            Column("event_id", required=True, may_be_placeholder=True),
            Column("site_id", required=True),
            Column("type", "event", required=True),
            Column("occurred_at", "instant", required=True),
            # An order without a visitor counts, and so does its refund.
            Column("anon_id", required=True, unless=("type", ("CONVERSION", "REFUND")), may_be_placeholder=True),
            *map(Column, ("session_id", "user_id")),
            Column("url", "address"),
            Column("path"),
            Column("referrer", "address"),
            Column("user_agent"),
            Column("value", "money"),
            Column("currency", "currency"),
            *map(Column, ("order_id", "conversion_type", "title", "email_hash", "phone_hash")),
            *map(Column, ("entity_type", "entity_id")),
            # The link's own campaign, where the URL does not have it; click_ids as in a URL: gclid=a&dclid=b.
            *map(Column, ("source", "medium", "campaign")),
            Column("campaign_id", "entity"),
            *map(Column, ("content", "term", "click_ids", "channel")),
        ),
        key=("org_id", "site_id", "event_id"),
        derived_id="event_id",
        retired="raw.retired_events",
        added=(
            *("title", "email_hash", "phone_hash", "entity_type", "entity_id"),
            *("source", "medium", "campaign", "campaign_id", "content", "term", "click_ids", "channel"),
        ),
    ),
    "interactions": Contract(
        table="raw.interactions",
        columns=(
            Column("occurred_at", "instant", required=True),
            *map(Column, (*_PERSON, "interaction_id", "site_id", "touch_type", "channel")),
            Column("platform", "name"),
            *map(Column, ("source", "medium", "campaign", "content", "term")),
            *(Column(name, "entity") for name in ("campaign_id", "adset_id", "ad_id")),
            Column("creator_code"),
        ),
        key=("org_id", "interaction_id"),
        derived_id="interaction_id",
        one_of=_PERSON,
    ),
    "conversions": Contract(
        table="raw.conversions",
        columns=(
            Column("occurred_at", "instant", required=True),
            *map(Column, (*_PERSON, "conversion_id", "site_id")),
            Column("conversion_type", default="purchase"),
            Column("value", "money"),
            Column("currency", "currency"),
            Column("order_id"),
            Column("presentment_value", "money"),
            Column("presentment_currency", "currency"),
            Column("payment_ids"),
        ),
        key=("org_id", "conversion_id"),
        identities=(("order_id", "conversion_type", "site_id"),),
        derived_id="conversion_id",
        one_of=(*_PERSON, "order_id"),  # an order has the visitor of the event that names it
        added=("presentment_value_micros", "presentment_currency", "payment_ids"),
    ),
    "spend": Contract(
        table="raw.ad_spend",
        columns=(
            Column("date", "date", required=True),
            Column("platform", "platform", required=True),
            Column("account_id", "account", required=True),
            Column("campaign_id", "entity", required=True, unless=("level", ("account",))),
            Column("currency", "currency", required=True),
            Column("spend", "money", required=True),
            Column("campaign"),
            Column("adset_id", "entity"),
            Column("adset"),
            Column("ad_id", "entity"),
            Column("ad"),
            Column("impressions", "count"),
            Column("clicks", "count"),
            Column("platform_conversions", "number"),
            Column("platform_value", "money"),
            Column("level", "level"),
            Column("video_views", "count"),
        ),
        key=("org_id", "platform", "account_id", "level", "campaign_id", "adset_id", "ad_id", "date"),
        replaces=True,
        adds_up=True,
        history="raw.ad_spend_history",
        added=("level", "video_views"),
    ),
    "fees": Contract(
        table="raw.fees",
        columns=(
            Column("fee_id", required=True),
            Column("platform", "platform", required=True),
            Column("account_id", "account", same_as="platform"),
            Column("campaign_id", "entity", required=True),
            Column("campaign"),
            Column("adset_id", "entity"),
            *map(Column, ("adset", "creator_code", "channel")),
            Column("basis", "basis", default="period"),
            Column("amount", "money", required=True),
            Column("currency", "currency", required=True),
            Column("starts_on", "date", required=True),
            Column("ends_on", "date", same_as="starts_on", may_be_future=True),
            Column("conversion_type"),
        ),
        key=("org_id", "fee_id"),
        replaces=True,
    ),
    "exchange-rates": Contract(
        table="raw.exchange_rates",
        columns=(
            Column("date", "date", required=True),
            Column("base", "currency", required=True),
            Column("quote", "currency", required=True),
            Column("rate", "rate", required=True),
        ),
        key=("date", "base", "quote"),
        replaces=True,
    ),
    "refunds": Contract(
        table="raw.refunds",
        columns=(
            Column("occurred_at", "instant", required=True),
            Column("order_id", required=True),
            *map(Column, ("refund_id", "site_id")),
            Column("value", "money"),
            Column("currency", "currency"),
            Column("reason", default="refund"),
            Column("order_value", "money"),
            Column("payment_ids"),
            Column("refunded_total", "money"),
        ),
        key=("org_id", "refund_id"),
        identities=(("order_id", "occurred_at", "site_id"),),
        derived_id="refund_id",
        added=("order_value_micros", "payment_ids", "refunded_total_micros"),
    ),
    "postbacks": Contract(
        table="raw.postbacks",
        columns=(
            Column("occurred_at", "instant", required=True),
            Column("platform", "platform", required=True),
            Column("transaction_id", required=True),
            Column("status", "status", required=True),
            Column("postback_id"),
            Column("account_id", "account"),
            Column("campaign_id", "entity"),
            *map(Column, ("campaign", "affiliate_id", "affiliate")),
            *map(Column, ("click_id", "order_id", "visitor_id", "site_id")),
            Column("payout", "money"),
            Column("value", "money"),
            Column("currency", "currency"),
        ),
        key=("org_id", "postback_id"),
        identities=(("transaction_id", "platform", "status", "occurred_at", "site_id"),),
        derived_id="postback_id",
    ),
    "survey-answers": Contract(
        table="raw.survey_answers",
        columns=(
            Column("occurred_at", "instant", required=True),
            Column("question", required=True),
            Column("answer", required=True),
            *map(Column, ("answer_id", "site_id", *_PERSON, "order_id")),
        ),
        key=("org_id", "answer_id"),
        derived_id="answer_id",
    ),
    "entities": Contract(
        table="raw.entities",
        columns=(
            Column("entity_type", required=True),
            Column("entity_id", required=True),
            Column("valid_from", "instant", required=True, may_be_future=True),
        ),
        key=("org_id", "entity_type", "entity_id", "valid_from"),
        replaces=True,
        aliases=(("type", "entity_type"), ("id", "entity_id"), ("attributes", "properties")),
    ),
}

KINDS = tuple(CONTRACTS)
