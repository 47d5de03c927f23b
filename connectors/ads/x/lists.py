"""X's lists: accounts, campaigns, line items, promoted posts, cards and posts, page by page (connectors/ads/x/).

An account's currency is that of the funding instruments that pay for it; a promoted post's destination is its card's,
else its first link. Source: docs.x.com/x-ads-api (campaign-management, creatives).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from connectors.http.client import Api
from connectors.platform import Account, Entity, entity_of, optional, required

VERSION = "12"
T = TypeVar("T")
PAGE, CARDS_PAGE, TWEETS = 1000, 200, 200  # at most


def accounts(api: Api) -> Iterator[Account]:
    for row in listed(api, "/accounts"):
        yield _account(api, row)


def _account(api: Api, row: dict[str, Any]) -> Account:
    """Its currency is that of the funding instruments that pay for it."""
    id_ = required(row, "id", "X's ad account")
    currencies = [paid["currency"] for paid in listed(api, f"/accounts/{id_}/funding_instruments")]
    zone = required(row, "timezone", "X's ad account")
    return Account(id_, row.get("name"), next(iter(currencies), None), zone, status=row.get("approval_status"))


def as_of_now(api: Api, account: Account) -> Account:
    answer = api.get(f"/{VERSION}/accounts/{account.account_id}")
    return _account(api, required(answer, "data", "X's ad account"))


def names(api: Api, where: str) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """What line items and promoted posts are called and belong to, by id. A promoted post has no name."""
    campaigns = {row["id"]: row for row in listed(api, f"{where}/campaigns", with_deleted="true")}
    lines = {
        row["id"]: {
            "currency": campaigns[row["campaign_id"]]["currency"],
            "campaign_id": row["campaign_id"],
            "campaign": campaigns[row["campaign_id"]].get("name"),
            "adset_id": row["id"],
            "adset": row.get("name"),
        }
        for row in listed(api, f"{where}/line_items", with_deleted="true")
        if row["campaign_id"] in campaigns
    }
    ads = {
        row["id"]: {**lines[row["line_item_id"]], "ad_id": row["id"]}
        for row in listed(api, f"{where}/promoted_tweets", with_deleted="true")
        if row["line_item_id"] in lines
    }
    return lines, ads


def pieces(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The things, so many at a time."""
    return (things[at : at + size] for at in range(0, len(things), size))


def entities(api: Api, account: Account) -> Iterator[Entity]:
    where, id_ = f"/accounts/{account.account_id}", account.account_id
    yield entity_of(as_of_now(api, account))
    for row in listed(api, f"{where}/campaigns", with_deleted="true"):
        yield Entity(id_, "campaign", row["id"], **_settings(row))
    parents: dict[str, str] = {}
    for row in listed(api, f"{where}/line_items", with_deleted="true"):
        parents[row["id"]] = row["campaign_id"]
        yield Entity(
            id_, "adset", row["id"], campaign_id=row["campaign_id"], objective=row.get("objective"), **_settings(row)
        )
    cards = {card["card_uri"]: _destination(card) for card in listed(api, f"{where}/cards", count=CARDS_PAGE)}
    promoted = list(listed(api, f"{where}/promoted_tweets", with_deleted="true"))
    for batch in pieces(promoted, TWEETS):
        asked = {
            "tweet_ids": ",".join({row["tweet_id"] for row in batch}),
            "tweet_type": "PUBLISHED",
            "timeline_type": "ALL",
            "trim_user": "true",
        }
        posts = {post["tweet_id"]: post for post in listed(api, f"{where}/tweets", **asked)}
        for row in batch:
            post = posts.get(row["tweet_id"], {})
            links = [url["expanded_url"] for url in optional(post, "entities.urls") or ()]
            yield Entity(
                id_,
                "ad",
                row["id"],
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


def _destination(card: dict[str, Any]) -> str | None:
    places = (part.get("destination") or {} for part in card.get("components") or ())
    return next((place["url"] for place in places if "url" in place), None)


def listed(api: Api, path: str, **params: Any) -> Iterator[dict[str, Any]]:
    """The rows of all pages of a list."""
    question = {"count": PAGE, **params}
    return api.rows(f"/{VERSION}{path}", "data", cursor="cursor", following="next_cursor", params=question)
