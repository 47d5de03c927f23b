"""X (Twitter): ad accounts, campaigns, line items and promoted posts.

In: lists of the Ads API. Out: accounts in the currency of their funding instruments; entities, where a promoted
post's destination is that of its card, or its first link; the ids and names for spend rows.
Source: docs.x.com/x-ads-api (campaign-management, creatives).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from connectors.http.client import PlatformClient
from connectors.http.responses import field_reader, optional, required
from connectors.platform import Account, Entity, account_entity

VERSION = "12"
T = TypeVar("T")
PAGE, CARDS_PAGE, POSTS_PAGE = 1000, 200, 200  # rows, at most


def accounts(client: PlatformClient) -> Iterator[Account]:
    for row in rows(client, "/accounts"):
        yield _account(client, row)


def _account(client: PlatformClient, row: dict[str, Any]) -> Account:
    field = field_reader(row, "X's ad account")
    instruments = rows(client, f"/accounts/{field('id')}/funding_instruments")
    return Account(
        account_id=field("id"),
        name=row.get("name"),
        currency=next((instrument["currency"] for instrument in instruments), None),
        timezone=field("timezone"),
        status=row.get("approval_status"),
    )


def current_account(client: PlatformClient, account: Account) -> Account:
    response = client.get(f"/{VERSION}/accounts/{account.account_id}")
    return _account(client, required(response, "data", "X's ad account"))


def ids_and_names(
    client: PlatformClient, account: Account
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return the ids, names and currency of line items and of promoted posts, by id. A promoted post has no name."""
    where = f"/accounts/{account.account_id}"
    campaigns = {row["id"]: row for row in rows(client, f"{where}/campaigns", with_deleted="true")}
    lines = {
        row["id"]: {
            "currency": campaigns[row["campaign_id"]]["currency"],
            "campaign_id": row["campaign_id"],
            "campaign": campaigns[row["campaign_id"]].get("name"),
            "adset_id": row["id"],
            "adset": row.get("name"),
        }
        for row in rows(client, f"{where}/line_items", with_deleted="true")
        if row["campaign_id"] in campaigns
    }
    ads = {
        row["id"]: {**lines[row["line_item_id"]], "ad_id": row["id"]}
        for row in rows(client, f"{where}/promoted_tweets", with_deleted="true")
        if row["line_item_id"] in lines
    }
    return lines, ads


def batches(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Split the values into batches of at most `size`."""
    return (values[start : start + size] for start in range(0, len(values), size))


def entities(client: PlatformClient, account: Account) -> Iterator[Entity]:
    where, id_ = f"/accounts/{account.account_id}", account.account_id
    yield account_entity(current_account(client, account))
    for row in rows(client, f"{where}/campaigns", with_deleted="true"):
        yield Entity(account_id=id_, level="campaign", entity_id=row["id"], **_settings(row))
    parents: dict[str, str] = {}
    for row in rows(client, f"{where}/line_items", with_deleted="true"):
        parents[row["id"]] = row["campaign_id"]
        yield Entity(
            account_id=id_,
            level="adset",
            entity_id=row["id"],
            campaign_id=row["campaign_id"],
            objective=row.get("objective"),
            **_settings(row),
        )
    cards = {card["card_uri"]: _destination_url(card) for card in rows(client, f"{where}/cards", count=CARDS_PAGE)}
    promoted = list(rows(client, f"{where}/promoted_tweets", with_deleted="true"))
    for batch in batches(promoted, POSTS_PAGE):
        params = {
            "tweet_ids": ",".join({row["tweet_id"] for row in batch}),
            "tweet_type": "PUBLISHED",
            "timeline_type": "ALL",
            "trim_user": "true",
        }
        posts = {post["tweet_id"]: post for post in rows(client, f"{where}/tweets", **params)}
        for row in batch:
            post = posts.get(row["tweet_id"], {})
            links = [url["expanded_url"] for url in optional(post, "entities.urls") or ()]
            yield Entity(
                account_id=id_,
                level="ad",
                entity_id=row["id"],
                campaign_id=parents.get(row["line_item_id"]),
                adset_id=row["line_item_id"],
                creative_id=row["tweet_id"],
                name=post.get("name") or post.get("full_text"),
                status=row.get("entity_status"),
                destination_url=cards.get(post.get("card_uri", "")) or next(iter(links), None),
            )


def _settings(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row.get("name"),
        "status": row.get("entity_status"),
        "daily_budget_micros": row.get("daily_budget_amount_local_micro"),
        "lifetime_budget_micros": row.get("total_budget_amount_local_micro"),
        "currency": row.get("currency"),
    }


def _destination_url(card: dict[str, Any]) -> str | None:
    destinations = (part.get("destination") or {} for part in card.get("components") or ())
    return next((destination["url"] for destination in destinations if "url" in destination), None)


def rows(client: PlatformClient, path: str, **params: Any) -> Iterator[dict[str, Any]]:
    """Return the rows of all pages of a list."""
    params = {"count": PAGE, **params}
    return client.rows(f"/{VERSION}{path}", "data", cursor="cursor", next_cursor="next_cursor", params=params)
