"""The routes that shops, payment providers and affiliate networks call.

In: their requests, verified by a signature or a secret, not by address. Out: landed rows, or a Problem.
"""

from __future__ import annotations

import base64
import time
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ingestion.collector.limits import address_limit, events_limit
from ingestion.collector.problems import Problem
from ingestion.collector.request import MAX_USER_AGENT, MAX_WEBHOOK_BODY, client_address, network_of
from ingestion.collector.sites import KnownSite
from ingestion.collector.webhooks import networks, shopify, stripe
from ingestion.collector.webhooks.land_row import answer, body_of, land_row, now, site_of, state_of
from ingestion.collector.webhooks.report import Report, not_found, secrets_of
from ingestion.files.contracts import CONTRACTS
from ingestion.privacy.redact import redact_user_agent
from ingestion.settings.model import Network

# The smallest GIF there is: one transparent pixel, 43 bytes.
_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")


async def shopify_order(request: Request) -> Response:
    """POST /webhooks/shopify/{site}"""
    site, secrets = _webhook(request, "shopify")
    body = await body_of(request, MAX_WEBHOOK_BODY)
    if not shopify.is_signed(body, request.headers.get("x-shopify-hmac-sha256", ""), secrets):
        detail = (
            "X-Shopify-Hmac-Sha256 does not fit this body. Check the webhook's secret, and that no proxy changes bodies"
        )
        raise Problem(401, "Wrong signature", detail)
    report = shopify.report(body, request.headers.get("x-shopify-topic", ""))
    return await _land(request, site, report, request.headers.get("x-shopify-webhook-id"))


async def stripe_event(request: Request) -> Response:
    """POST /webhooks/stripe/{site}"""
    site, secrets = _webhook(request, "stripe")
    body = await body_of(request, MAX_WEBHOOK_BODY)
    stripe.check_signature(body, request.headers.get("stripe-signature", ""), secrets, time.time())
    return await _land(request, site, stripe.report(body))


async def postback(request: Request) -> Response:
    """GET or POST /postbacks/{network}"""
    entries = _entries(request)
    given = dict(request.query_params) | await _form(request)
    header, unset = request.headers.get("x-postback-token"), None
    for network in entries:
        try:
            secrets = secrets_of(network.secret, f"the network {network.name}")
        except Problem as problem:
            unset = problem
            continue
        if networks.is_from(network, given, header, secrets):
            row, digest = networks.postback(network, given, now()), networks.digest(network, given)
            site = site_of(request, network.site)
            is_known = await land_row(state_of(request), site, "postbacks", row, identity=digest, content=digest)
            return answer(accepted=int(not is_known), duplicate=int(is_known))
    if unset:
        raise unset
    parameter = networks.SECRETS[entries[0].kind]
    raise Problem(401, "Wrong secret", f"Send the network's secret as {parameter}, or in the header X-Postback-Token")


async def pixel(request: Request) -> Response:
    """GET /pixel/{network}.gif"""
    state, entries = state_of(request), _entries(request)
    wanted = request.query_params.get("site", entries[0].site)
    network = next((entry for entry in entries if entry.site == wanted), None)
    if network is None:
        raise not_found(f"the network has no site {wanted} in tributary.yaml")
    site = site_of(request, network.site)
    address, moment = client_address(request.scope) or "", time.time()
    views = msgspec.structs.replace(site.settings, id=f"pixel of {site.settings.id}")
    for buckets, limit in (
        (state.addresses, address_limit(views, state.identity.ip_hash(network_of(address), moment))),
        (state.buckets, events_limit(views)),
    ):
        if wait := buckets.take(limit, 1, time.monotonic()):
            detail = "The pixel of this site is requested too often. Show it less often"
            raise Problem(429, "Too many views", detail, retry_after=wait)
    if not any(request.headers.get(signal) == "1" for signal in ("sec-gpc", "dnt")):
        agent = request.headers.get("user-agent", "")[:MAX_USER_AGENT]
        visitor = state.identity.daily_id(site.settings.id, address, agent, moment)
        row = networks.impression(network, request.query_params, request.headers.get("referer"), visitor, now())
        interaction_id = row.get("interaction_id")
        await land_row(
            state,
            site,
            "interactions",
            row,
            identity=interaction_id or f"{row['occurred_at']} {visitor}",
            content=interaction_id,
            ip=state.identity.ip_hash(address, moment),
            ua=redact_user_agent(agent) or None,
        )
    return Response(_PIXEL, media_type="image/gif", headers={"cache-control": "no-store"})


def _webhook(request: Request, kind: str) -> tuple[KnownSite, list[bytes]]:
    site = site_of(request, request.path_params["site"])
    name = site.settings.id
    for webhook in state_of(request).settings.webhooks:
        if (webhook.kind, webhook.site) == (kind, name):
            return site, secrets_of(webhook.secret, f"the {kind} webhook of {name}")
    raise not_found(f"add {{kind: {kind}, site: {name}, secret: NAME_OF_A_VARIABLE}} under webhooks in tributary.yaml")


async def _land(request: Request, site: KnownSite, report: Report, delivery: str | None = None) -> Response:
    if report.row is None:
        return answer(ignored=report.ignored)
    id_column = CONTRACTS[report.kind].derived_id
    assert id_column, f"rows of {report.kind} have an id"
    known = [
        await land_row(
            state_of(request),
            site,
            report.kind,
            row,
            identity=row[id_column],
            delivery=f"{delivery} {number}" if delivery else None,
        )
        for number, row in enumerate((report.row, *report.more))
    ]
    return answer(accepted=known.count(False), duplicate=known.count(True))


def _entries(request: Request) -> list[Network]:
    name = request.path_params["network"].lower()
    entries = [network for network in state_of(request).settings.networks if network.name.lower() == name]
    if not entries:
        raise not_found(f"tributary.yaml has no network {name} under networks")
    return entries


async def _form(request: Request) -> dict[str, str]:
    """Return the parameters of a body: a form, or a flat JSON object."""
    body = await body_of(request) if request.method == "POST" else b""
    if not body.strip():
        return {}
    try:
        if body.lstrip()[:1] == b"{":
            members = msgspec.json.decode(body, type=dict[str, str | int | float | None])
            return {name: str(value) for name, value in members.items() if value is not None}
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
    except (ValueError, RecursionError):
        detail = "The body is neither a form nor a flat JSON object. Send the parameters in the URL"
        raise Problem(400, "Malformed body", detail) from None
