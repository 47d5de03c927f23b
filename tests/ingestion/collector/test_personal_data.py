"""Markers of personal data through every door of the collector: no file of the home has one afterwards."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest

from ingestion.segments.loading import load_landing
from ingestion.settings.load import load_settings
from ingestion.warehouse import build_lock, connect
from tests.support.collector import Running, collecting, receipts
from tests.support.webhooks import changed, shopify_signature, stripe_signature

SETTINGS = """
orgs: [{id: default, currency: USD}]
sites: [{id: shop, org: default, public_key: pk_shop, domains: [shop.example]}]
webhooks:
  - {kind: shopify, site: shop, secret: SHOPIFY_SECRET}
  - {kind: stripe, site: shop, secret: STRIPE_SECRET}
networks:
  - {name: partners, kind: generic, site: shop, secret: PARTNERS_TOKEN}
"""
SECRETS = {"SHOPIFY_SECRET": "shh-shopify", "STRIPE_SECRET": "whsec_shh", "PARTNERS_TOKEN": "shh-partners"}
ORIGIN = {"Origin": "https://www.shop.example", "Content-Type": "text/plain"}
MAIL, PHONE = "zoe.marker@personal.example", "+49 (170) 5550177"
IPS = ("203.0.113.77", "2001:db8:85a3::8a2e:370:7334", "::ffff:cb00:714d", "64:ff9b::cb00:714d")
TRACES = ("zoe.marker", "5550177", "203.0.113.77", "8a2e:370", "cb00:714d", "3405803853")
IP_NAMES = (
    *("ip", "clientIp", "client_address", "clientAddress", "remote_addr", "X-Forwarded-For", "x_forwarded_for"),
    *("forwarded_for", "true-client-ip", "ipv4", "user_ip_address", "peerAddr", "sourceAddress"),
)
PHONE_NAMES = ("phone", "customerPhone", "telephone", "phone_no", "mobileNumber", "tel", "msisdn")


def texts() -> list[str]:
    """Return texts around each marker."""
    found = []
    for marker in (MAIL, MAIL.replace("@", "%40"), *IPS):
        found += [marker, f"a {marker}, b", f"tcp://{marker}:4711", json.dumps({"note": marker}), f"x={marker}&y=1"]
    return found


def events() -> list[dict]:
    found = []
    for text in texts():
        ids = dict.fromkeys(("anonId", "sessionId", "userId", "orderId", "entityId"), text)
        named = dict.fromkeys(IP_NAMES, f"tcp://{IPS[0]}") | dict.fromkeys(PHONE_NAMES, PHONE)
        page = {"url": f"https://shop.example/?q={text}", "referrer": text, "path": f"/{text}", "title": text}
        properties = {"note": text, text: 1, "list": [text], "deep": {"in": named}, **named, "ipAddress": 3405803853}
        event = {**ids, **page, "type": "CUSTOM", "entityType": "x", "properties": properties}
        event |= {"email": MAIL, "phone": PHONE}
        found += [event, event | {"type": text}, event | {"title": [text]}, event | {"value": "many", "eventId": text}]
        found.append(event | {"phone": 491705550177, "email": [MAIL], "timestamp": text, "currency": text})
    return found


def deliver(collector: Running) -> list[httpx.Response]:
    """Send the markers to every route."""
    agent = f"Mozilla/5.0 (Linux; {MAIL}) {IPS[0]} Chrome/126.0.0.0 [{IPS[1]}]"
    headers = ORIGIN | {"User-Agent": agent, "X-Forwarded-For": f"{IPS[0]}, {IPS[1]}", "Referer": f"https://a/?{MAIL}"}
    answers, all_events = [], events()
    with httpx.Client(base_url=collector.url, headers=headers) as http:
        for start in range(0, len(all_events), 5):
            body = {"publicKey": "pk_shop", "events": all_events[start : start + 5]}
            answers.append(http.post("/api/track", content=json.dumps(body)))
        for n, text in enumerate(texts()):
            page = {"publicKey": "pk_shop", "anonId": text, "userId": text, "sessionId": text, "orderId": text}
            step = page | {"event": "checkout_started", "url": text, "checkoutToken": text}
            answers.append(http.post("/api/events/checkout", content=json.dumps(step)))
            survey = page | {"orderId": "o1", "question": f"{n} {text}", "answer": text}
            answers.append(http.post("/api/survey", content=json.dumps(survey)))
            answers += [from_shopify(http, n, text), from_stripe(http, n, text)]
            names = ("click_id", "order_id", "visitor_id", "campaign_id", "campaign", "affiliate_id", "affiliate")
            given = dict.fromkeys(names, text) | {"transaction_id": f"t{n}", "status": "approved", "payout": "1"}
            given |= {"token": "shh-partners", "currency": text, "landing_url": f"https://shop.example/?{text}"}
            answers += [http.get("/postbacks/partners", params=given), http.post("/postbacks/partners", data=given)]
            answers.append(http.get("/pixel/partners.gif", params={"impression_id": f"{n} {text}", "campaign": text}))
    return answers


def from_shopify(http: httpx.Client, n: int, text: str) -> httpx.Response:
    body = changed(
        "shopify_orders_paid",
        id=n + 1,
        name=text,
        currency=text,
        note=text,
        email=MAIL,
        phone=PHONE,
        note_attributes=[{"name": "tributary_anon_id", "value": text}],
    )
    headers = {"X-Shopify-Hmac-Sha256": shopify_signature(body, b"shh-shopify"), "X-Shopify-Topic": "orders/paid"}
    return http.post("/webhooks/shopify/shop", content=body, headers=headers | {"X-Shopify-Webhook-Id": text})


def from_stripe(http: httpx.Client, n: int, text: str) -> httpx.Response:
    event = json.loads(changed("stripe_session_completed"))
    event["id"] = f"evt {text}"
    event["data"]["object"] |= {"id": f"{n} {text}", "payment_intent": text, "client_reference_id": text}
    event["data"]["object"] |= {"metadata": {}, "customer_details": {"email": MAIL, "phone": PHONE}}
    body = json.dumps(event).encode()
    signature = stripe_signature(body, b"whsec_shh", int(time.time()))
    return http.post("/webhooks/stripe/shop", content=body, headers={"Stripe-Signature": signature})


def test_no_marker_is_in_any_file_of_the_home(tmp_path):
    with collecting(tmp_path / "home", SETTINGS, "--trusted-proxy", "127.0.0.1", **SECRETS) as collector:
        answers = deliver(collector)
        assert {answer.status_code for answer in answers} <= {200, 202}, {
            a.text for a in answers if a.status_code > 202
        }
        collector.stop()
    landed = receipts(collector.home)
    kinds = {receipt["kind"] for receipt in landed}
    assert kinds == {"events", "conversions", "survey-answers", "postbacks", "interactions"}
    assert sum(len(receipt.get("failed", [])) for receipt in landed) > 100  # payloads are redacted, too
    assert all("Chrome/126.0.0.0" in receipt["ua"] for receipt in landed if receipt.get("ua"))
    check_files(collector.home.root)
    with build_lock(collector.home, "test"), connect(collector.home) as raw:
        load_landing(raw, collector.home, load_settings(collector.home))
        tables = raw.execute("select table_name from duckdb_tables() where schema_name = 'raw'").fetchall()
        for (table,) in tables:
            for (row,) in raw.execute(f"select to_json(t)::varchar from raw.{table} as t").fetchall():
                check(row, table)
        for path in collector.home.archive.rglob("*.parquet"):  # compressed, so that its bytes show nothing
            for (row,) in raw.execute("select to_json(t)::varchar from read_parquet($1) as t", [str(path)]).fetchall():
                check(row, str(path))
    check_files(collector.home.root)


def check_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            check(path.read_text(errors="replace"), str(path))


def check(content: str, place: str) -> None:
    for trace in TRACES:
        found = content.find(trace)
        if found >= 0:
            pytest.fail(f"{place} has {trace}: {content[max(0, found - 200) : found + 100]}")
