"""Meta (Facebook, Instagram): Insights reports of the Marketing API, which are jobs.

In: Graph API responses. Out: rows by ad and by account; days are the ad account's.
Source: developers.facebook.com/docs/marketing-api/insights, .../insights/async, .../insights/best-practices,
.../insights/error-codes, .../graph-api/guides/error-handling, .../storing_adobjects (archived and deleted objects).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any

import httpx

from connectors.auth.token_response import parse_token
from connectors.destination_url import destination_url
from connectors.http.client import PlatformClient
from connectors.http.errors import (
    JobFailed,
    Rejected,
    ResponseTooLarge,
    Throttled,
    TokenRevoked,
    Transient,
    VendorError,
)
from connectors.http.responses import error_body, field_reader, figure, optional, required
from connectors.http.service import OAuth, Secrets
from connectors.micros import units_to_micros
from connectors.platform import Account, Entity, EntityLevel, Platform, SpendRow, account_entity
from connectors.reporting_days import split_range

VERSION = "v26.0"
PAGE = 500  # rows
IDS_AND_NAMES = ("campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name")
FIELDS = ("date_start", "account_currency", "spend", "impressions", "clicks", "actions", "action_values")
BY_ACCOUNT = {"level": "account", "fields": ",".join(FIELDS)}
BY_AD = {"level": "ad", "fields": ",".join((*IDS_AND_NAMES, *FIELDS))}
THROTTLED = {4, 17, 32, 341, 613, *range(80000, 80007), 80008, 80014}
TRANSIENT = {1, 2, 104}
TOO_MANY_DAYS = {1504018, 1504038, 1504045, 1487534}  # subcodes
JOB_CODES = {-2}  # temporary ones that only jobs have
TOO_MUCH = "reduce the amount of data"
ATTEMPTS = 3  # to make a report that failed for a moment
PAUSE = 30.0  # seconds after the first attempt
JOB = re.compile(r"/\d+(/insights)?$")  # the end of its path; an account is act_ and a number
SMALLER_PAGE_AFTER = 5.0  # seconds
DELETED = [{"field": "ad.effective_status", "operator": "IN", "value": ["DELETED"]}]
ARCHIVED = {"effective_status": '["ARCHIVED"]'}  # lists have these only on request, and deleted objects never
PURCHASES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")  # use the first that a row has
# Budgets are in the currency's smallest unit; these currencies have no cents (docs/marketing-api/currencies).
WITHOUT_CENTS = {"CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"}
ACCOUNT_FIELDS = "account_id,name,currency,timezone_name,account_status"


class TooManyDays(VendorError):
    """Meta asks for a smaller range of days."""


def raise_for_error(response: httpx.Response) -> None:
    """Raise by the error code, whatever the HTTP status."""
    error = error_body(response).get("error")
    if not error:
        return
    code, message = error.get("code"), str(error.get("message", "no message"))
    if code == 190 or (code == 102 and error.get("type") == "OAuthException"):
        raise TokenRevoked(f"the access token was rejected: {message}")
    is_too_much = error.get("error_subcode") in TOO_MANY_DAYS or TOO_MUCH in message.lower()
    if is_too_much and not _has_large_page(response):
        raise TooManyDays(f"Meta: {message}")
    if code in THROTTLED:
        raise Throttled(f"too many calls (code {code})", _seconds_until_reset(response))
    is_unknown = code == 1 or (response.status_code == 500 and not error.get("is_transient"))
    if is_too_much or (is_unknown and _has_large_page(response)):
        raise ResponseTooLarge(f"{message} (code {code})")
    if (code, error.get("error_subcode")) == (100, 33) and JOB.search(response.request.url.path):
        raise Transient("the report that Meta has just made is not there yet")  # of an account: no such account
    if error.get("is_transient") or code in TRANSIENT or error.get("error_subcode") == 99 or response.is_server_error:
        raise Transient(f"{message} (code {code})")
    raise Rejected(f"{message} (code {code})")


def _has_large_page(response: httpx.Response) -> bool:
    """Return whether a smaller page could help: an unknown error often means that a page took too long."""
    return int(response.request.url.params.get("limit", 1)) > 1


def _seconds_until_reset(response: httpx.Response) -> float | None:
    """Return the seconds until Meta accepts calls: one header has minutes for each limit, another has seconds."""
    header = response.headers.get("x-business-use-case-usage", "{}")
    limits = [limit for limits in json.loads(header).values() for limit in limits]
    minutes = max((limit.get("estimated_time_to_regain_access", 0) for limit in limits), default=0)
    seconds = json.loads(response.headers.get("x-ad-account-usage", "{}")).get("reset_time_duration", 0)
    return max(minutes * 60.0, float(seconds)) or None


def accounts(client: PlatformClient) -> Iterator[Account]:
    for row in _rows(client, "/me/adaccounts", {"fields": ACCOUNT_FIELDS}):
        yield _account(row)


def _account(row: dict[str, Any]) -> Account:
    field = field_reader(row, "Meta's ad account")
    return Account(
        account_id=field("account_id"),
        name=row.get("name"),
        currency=field("currency"),
        timezone=field("timezone_name"),
        status="active" if row.get("account_status") == 1 else "inactive",
    )


def spend(client: PlatformClient, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    for since, until in split_range(start, end, days=31):
        residual, listed = 0, set()
        for row in _report_rows(client, account, since, until, BY_ACCOUNT):
            residual += row.spend_micros
            yield row
        for row in _report_rows(client, account, since, until, BY_AD):
            residual -= row.spend_micros
            listed.add(row.ad_id)
            yield row
        if residual:
            yield from (row for row in _deleted_ads(client, account, since, until) if row.ad_id not in listed)


def _deleted_ads(client: PlatformClient, account: Account, since: date, until: date) -> Iterator[SpendRow]:
    """Yield the rows of deleted ads, which the report of ads has only by a filter; none if Meta rejects the filter."""
    try:
        yield from _report_rows(client, account, since, until, BY_AD | {"filtering": json.dumps(DELETED)})
    except Rejected as error:
        client.log(f"Meta: deleted ads of {since} to {until} are (unmatched): {error}")


def _report_rows(
    client: PlatformClient, account: Account, since: date, until: date, report: dict[str, str]
) -> Iterator[SpendRow]:
    """Yield the rows of the days. Split the days if Meta asks for fewer."""
    try:
        job = _finished_job(client, account, since, until, report)
    except TooManyDays:
        if since == until:
            raise
        for first, last in split_range(since, until, days=((until - since).days + 1) // 2):
            yield from _report_rows(client, account, first, last, report)
        return
    for row in _rows(client, f"/{job}/insights", {}):
        yield _spend_row(row, account, report["level"])


def _finished_job(client: PlatformClient, account: Account, since: date, until: date, report: dict[str, str]) -> str:
    """Return the id of a finished report. Request it again if it failed for a moment."""
    days = json.dumps({"since": f"{since}", "until": f"{until}"})
    what = f"the report of {since} to {until}"
    for attempt in range(1, ATTEMPTS + 1):
        job = required(
            client.post(
                f"/{VERSION}/act_{account.account_id}/insights",
                data={**report, "time_range": days, "time_increment": 1},
            ),
            "report_run_id",
            "Meta's response to a report request",
        )
        try:
            client.wait_for_job(  # the status decides: `Job Running` occurs at 100 %
                partial(client.get, f"/{VERSION}/{job}"),
                what,
                status="async_status",
                done="Job Completed",
                failed=("Job Failed", "Job Skipped"),
                reason=("error_message", "error_user_msg"),
                interval=5,
                timeout=3600,
            )
            break
        except JobFailed as failure:
            if failure.response.get("error_subcode") in TOO_MANY_DAYS or TOO_MUCH in _reason(failure):
                raise TooManyDays(str(failure)) from None
            if attempt == ATTEMPTS or not _is_temporary(failure):
                raise
            client.log(f"{failure}. Requesting it again")
            client.clock.sleep(PAUSE * attempt)
    return str(job)


def _reason(failure: JobFailed) -> str:
    members = (failure.response.get(name) for name in ("error_message", "error_user_msg"))
    return " ".join(str(member) for member in members if member).lower()


def _is_temporary(failure: JobFailed) -> bool:
    """Return whether the same report may succeed: by its code, by Meta's advice, or because Meta gives no reason.

    A skipped job has waited for too long.
    """
    code, reason = failure.response.get("error_code"), _reason(failure)
    return (
        failure.response["async_status"] == "Job Skipped"
        or code in JOB_CODES | TRANSIENT | THROTTLED
        or "try again" in reason
        or "retry" in reason
        or (code is None and not reason)
    )


def _spend_row(row: dict[str, Any], account: Account, level: str) -> SpendRow:
    where = f"Meta's {level} report"
    field = field_reader(row, where)
    names = {name.replace("_name", ""): field(name) for name in IDS_AND_NAMES} if level == "ad" else {}
    return SpendRow(
        date=date.fromisoformat(field("date_start")),
        account_id=account.account_id,
        currency=field("account_currency"),
        spend_micros=units_to_micros(field("spend")),
        level=None if level == "ad" else "account",
        impressions=int(figure(row, "impressions", where)),
        clicks=int(row.get("clicks") or 0),
        video_views=int(_action(row, "actions", ("video_view",)) or 0),
        platform_conversions=Decimal(_action(row, "actions", PURCHASES) or 0),
        platform_value_micros=units_to_micros(_action(row, "action_values", PURCHASES) or 0),
        **names,
    )


def _action(row: dict[str, Any], member: str, types: tuple[str, ...]) -> Any:
    """Return the value of the first of the action types that the row has. Meta omits actions that did not happen."""
    values = {action["action_type"]: action["value"] for action in row.get(member) or []}
    return next((values[type_] for type_ in types if type_ in values), None)


def entities(client: PlatformClient, account: Account) -> Iterator[Entity]:
    account = _account(client.get(f"/{VERSION}/act_{account.account_id}", {"fields": ACCOUNT_FIELDS}))
    yield account_entity(account)
    common, budgets = "id,name,effective_status", "daily_budget,lifetime_budget"
    creative_fields = "creative{id,name,object_story_spec,asset_feed_spec,link_url,url_tags}"
    lists: tuple[tuple[EntityLevel, str, str], ...] = (
        ("campaign", "campaigns", f"{common},objective,{budgets}"),
        ("adset", "adsets", f"{common},campaign_id,optimization_goal,{budgets}"),
        ("ad", "ads", f"{common},campaign_id,adset_id,{creative_fields}"),
    )
    for level, edge, fields in lists:
        path = f"/act_{account.account_id}/{edge}"
        for row in chain(_rows(client, path, {"fields": fields}), _rows(client, path, {"fields": fields, **ARCHIVED})):
            creative = row.get("creative") or {}
            if creative:
                yield Entity(
                    account_id=account.account_id,
                    level="creative",
                    entity_id=creative["id"],
                    name=creative.get("name"),
                    destination_url=_destination_url(creative),
                )
            yield Entity(
                account_id=account.account_id,
                level=level,
                entity_id=row["id"],
                campaign_id=row.get("campaign_id"),
                adset_id=row.get("adset_id"),
                creative_id=creative.get("id"),
                name=row.get("name"),
                status=row.get("effective_status"),
                objective=row.get("objective") or row.get("optimization_goal"),
                destination_url=_destination_url(creative),
                daily_budget_micros=_budget(row.get("daily_budget"), account),
                lifetime_budget_micros=_budget(row.get("lifetime_budget"), account),
                currency=account.currency,
            )


def _destination_url(creative: dict[str, Any]) -> str | None:
    """Return the address to which a click leads, with the parameters that Meta adds."""
    story = creative.get("object_story_spec") or {}
    link = optional(story, "link_data.link") or optional(story, "video_data.call_to_action.value.link")
    feed = optional(creative, "asset_feed_spec.link_urls") or [{}]
    url = link or feed[0].get("website_url") or creative.get("link_url")
    return destination_url(url, parameters=creative.get("url_tags") or "")


def _budget(amount: str | None, account: Account) -> int | None:
    if not amount or amount == "0":  # the budget is set at another level
        return None
    return int(amount) * (1_000_000 if account.currency in WITHOUT_CENTS else 10_000)


def _rows(client: PlatformClient, path: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of all pages. Halve the page size each time that Meta rejects it or fails for it."""
    limit = PAGE

    def fetch(after: str) -> Any:
        nonlocal limit
        while True:
            page = {"limit": limit, **({"after": after} if after else {})}
            try:
                return client.get(f"/{VERSION}{path}", {**params, **page})
            except ResponseTooLarge:
                if limit == 1:
                    raise
                limit //= 2
                client.clock.sleep(SMALLER_PAGE_AFTER)

    def next_page(response: Any, after: str) -> Any:
        return required(response, "paging.cursors.after", "Meta's list") if optional(response, "paging.next") else None

    for response in client.pages("", fetch, next_page):
        yield from required(response, "data", f"Meta's response to {path}")


def exchange(http: httpx.Client, client_id: str, secret: str, code: str, redirect: str) -> dict[str, Any]:
    """Exchange the code for a token of one hour, and that for one of sixty days."""
    short = _token(http, {"client_id": client_id, "client_secret": secret, "code": code, "redirect_uri": redirect})
    return refresh(http, {"client_id": client_id, "client_secret": secret, "access_token": short["access_token"]})


def refresh(http: httpx.Client, credentials: Secrets) -> dict[str, Any]:
    """Exchange a valid token for one of sixty days. Raise TokenRevoked if it is no longer valid."""
    response = _token(
        http,
        {
            "grant_type": "fb_exchange_token",
            "client_id": credentials["client_id"],
            "client_secret": credentials["client_secret"],
            "fb_exchange_token": credentials["access_token"],
        },
    )
    return {"access_token": response["access_token"], "expires_in": response.get("expires_in", 5_184_000)}


def _token(http: httpx.Client, form: dict[str, str]) -> dict[str, Any]:
    response = http.post(f"{BASE}/{VERSION}/oauth/access_token", data=form)
    raise_for_error(response)
    return parse_token(response.raise_for_status())


BASE = "https://graph.facebook.com"
PLATFORM = Platform(
    name="meta",
    label="Meta",
    base_url=BASE,
    repull_days=28,
    optional_secrets=("config_id",),
    raise_for_error=raise_for_error,
    accounts=accounts,
    spend=spend,
    entities=entities,
    oauth=OAuth(
        authorize_url=f"https://www.facebook.com/{VERSION}/dialog/oauth",
        token_url=f"{BASE}/{VERSION}/oauth/access_token",
        scopes=("ads_read", "business_management"),
        scope_separator=",",
        scope_parameters=("config_id",),  # of Facebook Login for Business
        exchange=exchange,
        refresh=refresh,
        renew_seconds_before=30 * 86_400,
    ),
)
