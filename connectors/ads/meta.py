"""Meta (Facebook, Instagram): Insights of the Marketing API. Reports are jobs; days are the ad account's.

Source: developers.facebook.com/docs/marketing-api/insights, .../insights/async, .../graph-api/guides/error-handling.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx

from connectors.days import spans
from connectors.http.client import Api
from connectors.http.errors import Refused, Throttled, TokenRevoked, TooMuch, Transient
from connectors.http.responses import said
from connectors.links import destination
from connectors.money import from_units
from connectors.platform import Account, Entity, OAuth, Platform, SpendRow, entity_of, optional, required

VERSION = "v26.0"
PAGE = 500
NAMED = ("campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name")
FIELDS = ("date_start", "account_currency", "spend", "impressions", "clicks", "actions", "action_values")
THROTTLED = {4, 17, 32, 613, *range(80000, 80007), 80008}
TRANSIENT = {2, 104}
PURCHASES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")  # the first that a row has
# Budgets come in the currency's smallest unit; these have none (docs/marketing-api/currencies).
WITHOUT_CENTS = {"CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"}
ACCOUNT = "account_id,name,currency,timezone_name,account_status"


def check(response: httpx.Response) -> None:
    """Errors are told by their code, whatever the status."""
    error = said(response).get("error")
    if not error:
        return
    code, message = error.get("code"), str(error.get("message", "no message"))
    if code == 190 or (code == 102 and error.get("type") == "OAuthException"):
        raise TokenRevoked(f"the access token is not accepted: {message}")
    if "reduce the amount of data" in message.lower():
        raise TooMuch(message)
    if code in THROTTLED:
        raise Throttled(f"too many calls (code {code})", _regain(response))
    if error.get("is_transient") or code in TRANSIENT or error.get("error_subcode") == 99 or response.is_server_error:
        raise Transient(f"{message} (code {code})")
    raise Refused(f"{message} (code {code})")


def _regain(response: httpx.Response) -> float | None:
    """Seconds until calls are accepted again: a header has minutes, for each limit, and another seconds."""
    header = response.headers.get("x-business-use-case-usage", "{}")
    limits = [limit for limits in json.loads(header).values() for limit in limits]
    minutes = max((limit.get("estimated_time_to_regain_access", 0) for limit in limits), default=0)
    seconds = json.loads(response.headers.get("x-ad-account-usage", "{}")).get("reset_time_duration", 0)
    return max(minutes * 60.0, float(seconds)) or None


def accounts(api: Api) -> Iterator[Account]:
    for row in _rows(api, "/me/adaccounts", {"fields": ACCOUNT}):
        yield _account(row)


def _account(row: dict[str, Any]) -> Account:
    def told(name: str) -> str:
        return required(row, name, "Meta's ad account")

    status = "active" if row.get("account_status") == 1 else "inactive"
    return Account(told("account_id"), row.get("name"), told("currency"), told("timezone_name"), status=status)


def spend(api: Api, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    for since, until in spans(start, end, days=31):
        for level, fields in (("ad", (*NAMED, *FIELDS)), ("account", FIELDS)):
            question = {
                "level": level,
                "fields": ",".join(fields),
                "time_range": json.dumps({"since": f"{since}", "until": f"{until}"}),
                "time_increment": 1,
                "use_unified_attribution_setting": "true",  # claims as the account's own settings count them
            }
            job = required(
                api.post(f"/{VERSION}/act_{account.account_id}/insights", data=question),
                "report_run_id",
                "Meta's answer to a report",
            )
            api.job(  # 100 % with `Job Running` occurs: only the status tells
                lambda job=job: api.get(f"/{VERSION}/{job}"),
                f"the report of {since} to {until}",
                status="async_status",
                done="Job Completed",
                failed=("Job Failed", "Job Skipped"),
                every=5,
                limit=3600,
            )
            for row in _rows(api, f"/{job}/insights", {}):
                yield _spend_row(row, account, level)


def _spend_row(row: dict[str, Any], account: Account, level: str) -> SpendRow:
    def told(name: str) -> Any:
        return required(row, name, f"Meta's {level} report")

    names = {name.replace("_name", ""): told(name) for name in NAMED} if level == "ad" else {}
    return SpendRow(
        date=date.fromisoformat(told("date_start")),
        account_id=account.account_id,
        currency=told("account_currency"),
        spend_micros=from_units(told("spend")),
        level=None if level == "ad" else "account",
        impressions=int(told("impressions")),
        clicks=int(row.get("clicks", 0)),
        video_views=int(_action(row, "actions", ("video_view",)) or 0),
        platform_conversions=Decimal(_action(row, "actions", PURCHASES) or 0),
        platform_value_micros=from_units(_action(row, "action_values", PURCHASES) or 0),
        **names,
    )


def _action(row: dict[str, Any], member: str, types: tuple[str, ...]) -> Any:
    """The figure of the first of the action types that the row has; actions that did not happen are left out."""
    values = {action["action_type"]: action["value"] for action in row.get(member) or []}
    return next((values[type_] for type_ in types if type_ in values), None)


def entities(api: Api, account: Account) -> Iterator[Entity]:
    now = _account(api.get(f"/{VERSION}/act_{account.account_id}", {"fields": ACCOUNT}))
    yield entity_of(now)
    common, budgets = "id,name,effective_status", "daily_budget,lifetime_budget"
    creative = "creative{id,name,object_story_spec,asset_feed_spec,link_url,url_tags}"
    for level, edge, fields in (
        ("campaign", "campaigns", f"{common},objective,{budgets}"),
        ("adset", "adsets", f"{common},campaign_id,optimization_goal,{budgets}"),
        ("ad", "ads", f"{common},campaign_id,adset_id,{creative}"),
    ):
        for row in _rows(api, f"/act_{account.account_id}/{edge}", {"fields": fields}):
            shown = row.get("creative") or {}
            if shown:
                yield Entity(
                    account.account_id,
                    "creative",
                    shown["id"],
                    name=shown.get("name"),
                    destination_url=_destination(shown),
                )
            yield Entity(
                account.account_id,
                level,
                row["id"],
                campaign_id=row.get("campaign_id"),
                adset_id=row.get("adset_id"),
                creative_id=shown.get("id"),
                name=row.get("name"),
                status=row.get("effective_status"),
                objective=row.get("objective") or row.get("optimization_goal"),
                destination_url=_destination(shown),
                daily_budget_micros=_budget(row.get("daily_budget"), now),
                lifetime_budget_micros=_budget(row.get("lifetime_budget"), now),
                currency=now.currency,
            )


def _destination(creative: dict[str, Any]) -> str | None:
    """Where a click leads, with the parameters that Meta adds."""
    story = creative.get("object_story_spec") or {}
    link = optional(story, "link_data.link") or optional(story, "video_data.call_to_action.value.link")
    feed = optional(creative, "asset_feed_spec.link_urls") or [{}]
    url = link or feed[0].get("website_url") or creative.get("link_url")
    return destination(url, parameters=creative.get("url_tags") or "")


def _budget(amount: str | None, account: Account) -> int | None:
    if not amount or amount == "0":  # the budget is kept at another level
        return None
    return int(amount) * (1_000_000 if account.currency in WITHOUT_CENTS else 10_000)


def _rows(api: Api, path: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of all pages; half as many a page each time that Meta finds them too many."""
    limit = PAGE

    def ask(after: str) -> dict[str, Any]:
        nonlocal limit
        while True:
            try:
                return api.get(f"/{VERSION}{path}", {**params, "limit": limit, **({"after": after} if after else {})})
            except TooMuch:
                if limit == 1:
                    raise
                limit //= 2

    def following(answer: dict[str, Any], after: str) -> str | None:
        return required(answer, "paging.cursors.after", "Meta's list") if optional(answer, "paging.next") else None

    for answer in api.pages("", ask, following):
        yield from required(answer, "data", f"Meta's answer to {path}")


def exchange(client: httpx.Client, client_id: str, secret: str, code: str, redirect: str) -> dict[str, Any]:
    """The code becomes a token of an hour, which becomes one of sixty days."""
    short = _token(client, {"client_id": client_id, "client_secret": secret, "code": code, "redirect_uri": redirect})
    return refresh(client, {"client_id": client_id, "client_secret": secret, "access_token": short["access_token"]})


def refresh(client: httpx.Client, credentials: dict[str, str]) -> dict[str, Any]:
    """A token that still holds becomes one of sixty days; one that does not needs a person."""
    answer = _token(
        client,
        {
            "grant_type": "fb_exchange_token",
            "client_id": credentials["client_id"],
            "client_secret": credentials["client_secret"],
            "fb_exchange_token": credentials["access_token"],
        },
    )
    return {"access_token": answer["access_token"], "expires_in": answer.get("expires_in", 5_184_000)}


def _token(client: httpx.Client, form: dict[str, str]) -> dict[str, Any]:
    response = client.post(f"{BASE}/{VERSION}/oauth/access_token", data=form)
    check(response)
    return response.raise_for_status().json()


BASE = "https://graph.facebook.com"
PLATFORM = Platform(
    name="meta",
    label="Meta",
    base_url=BASE,
    repull_days=28,
    check=check,
    accounts=accounts,
    spend=spend,
    entities=entities,
    oauth=OAuth(
        authorize_url=f"https://www.facebook.com/{VERSION}/dialog/oauth",
        token_url=f"{BASE}/{VERSION}/oauth/access_token",
        scopes=("ads_read", "business_management"),
        scope_separator=",",
        exchange=exchange,
        refresh=refresh,
        renew_seconds_before=30 * 86_400,
    ),
)
