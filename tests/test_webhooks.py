"""Webhooks, postbacks and pixels: signatures, what a delivery says, and that it counts once."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import hmac
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.affiliates import matcher, problem
from ingestion.collector.problems import Refused
from ingestion.collector.webhooks import networks, shopify, stripe
from ingestion.settings import Network

PAYLOADS = Path(__file__).parent / "fixtures" / "webhooks"
MAIL = {
    name: hashlib.sha256(f"{name}@example.{tld}".encode()).hexdigest()
    for name, tld in [("ada", "com"), ("grace", "org")]
}


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def changed(name: str, **members: object) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(payload(name)) | members)


# Shopify


def test_shopify_order_counts_once_it_is_paid_and_alike_from_either_topic():
    unpaid = shopify.report(payload("shopify_orders_create"), "orders/create")
    assert unpaid.row is None
    assert "not paid yet (pending)" in unpaid.ignored
    paid = shopify.report(payload("shopify_orders_paid"), "orders/paid")
    assert paid == shopify.report(payload("shopify_orders_paid"), "orders/create")
    assert paid.kind == "conversions"
    assert paid.row == {
        "conversion_id": "shopify:5678901234567",
        "occurred_at": "2026-11-12T14:15:30.000000Z",
        "visitor_id": "v-3f9c2a10",
        "customer_id": "7012345678901",
        "order_id": "5678901234567",
        "value": "112.89",
        "currency": "USD",
        "properties": {
            "order_name": "#1042",
            "email_hash": MAIL["ada"],
            "phone_hash": hashlib.sha256(b"+15556251199").hexdigest(),
        },
    }


def test_shopify_guest_is_known_by_the_address_else_by_the_order():
    guest = {"customer": None, "note_attributes": []}
    row = shopify.report(changed("shopify_orders_paid", **guest), "orders/paid").row
    assert (row["customer_id"], "visitor_id" in row) == (f"email:{MAIL['ada']}", False)
    row = shopify.report(changed("shopify_orders_paid", **guest, email=""), "orders/paid").row
    assert row["customer_id"] == "order:5678901234567"


def test_shopify_refund_is_the_money_that_went_back():
    assert shopify.report(payload("shopify_refunds_create"), "refunds/create").row == {
        "refund_id": "shopify:929361464001",
        "occurred_at": "2026-11-13T15:34:55.000000Z",
        "order_id": "5678901234567",
        "value": "33.90",  # 20.00 by card and 13.90 by gift card; the failed attempt gave nothing
        "currency": "USD",
    }
    restocked = shopify.report(changed("shopify_refunds_create", transactions=[]), "refunds/create")
    assert restocked.row is None
    assert "no money went back" in restocked.ignored


def test_shopify_cancellation():
    assert shopify.report(payload("shopify_orders_cancelled"), "orders/cancelled").row == {
        "refund_id": "shopify:5678901234567:cancelled",
        "occurred_at": "2026-11-14T17:00:00.000000Z",
        "order_id": "5678901234567",
        "reason": "cancelled",
    }
    # The topic is not signed: a body that says nothing of a cancellation cancels nothing.
    assert shopify.report(payload("shopify_orders_paid"), "orders/cancelled").row is None


@pytest.mark.parametrize("topic", ["orders/create", "orders/paid", "orders/cancelled"])
def test_shopify_test_orders_count_nothing(topic):
    report = shopify.report(changed("shopify_orders_cancelled", test=True), topic)
    assert (report.row, report.ignored) == (None, "a test order")


def test_shopify_signature_is_of_every_byte():
    body, secret = payload("shopify_orders_paid"), b"hush"
    signature = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
    assert shopify.is_signed(body, signature, secret)
    assert not shopify.is_signed(body[:-1], signature, secret)
    assert not shopify.is_signed(body, signature, b"other")
    assert not shopify.is_signed(body, "", secret)
    assert not shopify.is_signed(body, "\xff", secret)


# Stripe


def signed(body: bytes, secret: bytes, at: int, scheme: str = "v1") -> str:
    return f"t={at},{scheme}={hmac.new(secret, f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def test_stripe_signature():
    body, secret, now = payload("stripe_session_completed"), b"whsec_1", 1_794_470_500
    good = signed(body, secret, now)
    stripe.check_signature(body, good, secret, now + 299)
    rolled = f"t={now},v1={'0' * 64}," + good.partition(",")[2]  # two secrets while one is being replaced
    stripe.check_signature(body, rolled, secret, now)
    for header, at, title in [
        (good, now + 301, "Old signature"),
        (good.replace(f"t={now}", f"t={now + 400}"), now + 400, "Wrong signature"),  # replayed with a newer time
        (signed(body, b"other", now), now, "Wrong signature"),
        (signed(body, secret, now, "v0"), now, "Wrong signature"),
        (good.partition(",")[2], now, "Not signed"),
        ("", now, "Not signed"),
    ]:
        with pytest.raises(Refused) as refused:
            stripe.check_signature(body, header, secret, at)
        assert (refused.value.status, refused.value.title) == (401, title)
    with pytest.raises(Refused):
        stripe.check_signature(body + b" ", good, secret, now)


def test_stripe_session_counts_once_it_is_paid_now_or_later():
    unpaid = stripe.report(payload("stripe_session_unpaid"))
    assert unpaid.row is None
    assert "payment_status is unpaid" in unpaid.ignored
    paid = stripe.report(payload("stripe_session_completed"))
    assert paid == stripe.report(payload("stripe_session_async_succeeded"))
    assert paid.row == {
        "conversion_id": "stripe:cs_live_a1b2c3d4",
        "occurred_at": "2026-11-12T08:00:00.000000Z",
        "visitor_id": "v-77aa",
        "customer_id": "42",
        "order_id": "A-1001",
        "value": "54.50",
        "currency": "EUR",
        "properties": {
            "payment_intent": "pi_3Nabc",
            "email_hash": MAIL["grace"],
            "phone_hash": hashlib.sha256(b"+49301234567").hexdigest(),
        },
    }
    test_mode = stripe.report(changed("stripe_session_completed", livemode=False))
    assert (test_mode.row, test_mode.ignored) == (None, "an event of the test mode")


def test_stripe_refunds_are_what_each_event_gave_back():
    rows = [stripe.report(payload(f"stripe_charge_refunded{which}")).row for which in ("", "_again")]
    assert [(row["refund_id"], row["order_id"], row["value"], row["currency"]) for row in rows] == [
        ("stripe:evt_1Refund", "A-1001", "10.00", "EUR"),
        ("stripe:evt_2Refund", "A-1001", "44.50", "EUR"),
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1050, "usd", "10.50"),
        (1050, "jpy", "1050"),
        (500, "ugx", "5.00"),
        (1, "kwd", "0.001"),
        (10**18 + 1, "eur", "10000000000000000.01"),
    ],
)
def test_stripe_amounts(amount, currency, text):
    assert stripe.decimal_text(amount, currency) == text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"id": 1}', b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_not_the_payload_is_a_400_that_says_so(body):
    for read in (
        stripe.report,
        lambda body: shopify.report(body, "orders/paid"),
        lambda body: shopify.report(body, "refunds/create"),
    ):
        with pytest.raises(Refused) as refused:
            read(body)
        assert refused.value.status == 400
        assert "send the payload as its vendor documents it" in refused.value.detail


# Networks

NOW = "2026-11-20T10:00:00.000000Z"
EVERFLOW = Network(
    "partners", "everflow", "shop", "EVERFLOW_TOKEN", currency="USD", patterns=["blog.example/kettles/*"]
)


def parameters(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True))


def test_everflow_postback():
    told = parameters(
        "verification_token=s3cret&conversion_id=c-1&transaction_id=4c9dd7&offer_id=12&offer_name=Kettles&affiliate_id=7"
        "&affiliate_name=Blog&payout_amount=4.25&sale_amount=112.89&order_id=5678901234567&status=Approved"
        "&timestamp=1794470400&adv1={adv1}&landing_url=https%3A%2F%2Fwww.blog.example%2Fkettles%2Fbest%3Fx%3D1"
    )
    assert networks.is_from(EVERFLOW, told, None, b"s3cret")
    assert not networks.is_from(EVERFLOW, told, None, b"other")
    assert not networks.is_from(EVERFLOW, {}, None, b"s3cret")
    assert networks.is_from(EVERFLOW, {}, "s3cret", b"s3cret")
    assert networks.postback(EVERFLOW, told, NOW) == {
        "occurred_at": "2026-11-12T08:00:00.000000Z",
        "platform": "partners",
        "transaction_id": "c-1",
        "status": "approved",
        "campaign_id": "12",
        "campaign": "Kettles",
        "affiliate_id": "7",
        "affiliate": "Blog",
        "click_id": "4c9dd7",
        "order_id": "5678901234567",
        "payout": "4.25",
        "value": "112.89",
        "currency": "USD",
        "properties": {"affiliate_pattern": "blog.example/kettles/*"},
    }


@pytest.mark.parametrize(
    ("network", "query", "expected"),
    [
        (
            Network("tune", "tune", "shop", "S"),
            "transaction_id=102&offer_id=3&affiliate_id=9&payout=1.5&adv_sub=A-1&status=pending"
            "&datetime=2026-11-12 08:00:00Z",
            {
                "transaction_id": "102",
                "click_id": "102",
                "order_id": "A-1",
                "status": "pending",
                "payout": "1.5",
                "campaign_id": "3",
            },
        ),
        (
            Network("trackier", "trackier", "shop", "S"),
            "conversion_id=7&click_id=k&txn_id=A-2&publisher_id=5&sale_amount=10&status=cancelled&currency=INR",
            {
                "transaction_id": "7",
                "click_id": "k",
                "order_id": "A-2",
                "affiliate_id": "5",
                "status": "rejected",
                "currency": "INR",
            },
        ),
        (
            Network(
                "own", "generic", "shop", "S", parameters={"transaction_id": "tid"}, statuses={"Confirmed": "approved"}
            ),
            "tid=1&status=CONFIRMED&payout=2",
            {"transaction_id": "1", "status": "approved", "payout": "2", "occurred_at": NOW},
        ),
    ],
)
def test_each_network_names_things_its_own_way(network, query, expected):
    row = networks.postback(network, parameters(query), NOW)
    assert {name: row.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("status=approved", "conversion_id is missing"),
        ("conversion_id={conversion_id}&status=approved", "conversion_id is missing"),
        ("conversion_id=1", "status= is none of approved"),
        ("conversion_id=1&status=maybe", "status=maybe is none of approved"),
        ("conversion_id=1&status=approved&timestamp=2026-11-12 08:00:00", "has no zone"),
        ("conversion_id=1&status=approved&timestamp=soon", "is no ISO 8601 time"),
        ("conversion_id=1&status=approved&timestamp=" + "9" * 400, "is no ISO 8601 time"),
        ("status=approved&conversion_id=" + "9" * 501, "more than 500 characters"),
    ],
)
def test_a_postback_that_says_too_little_is_refused(query, detail):
    with pytest.raises(Refused) as refused:
        networks.postback(EVERFLOW, parameters(query), NOW)
    assert refused.value.status == 400
    assert detail in refused.value.detail


# Affiliates' pages

_LABELS = st.sampled_from(["a", "b", "ab", "shop", "*", "a*", "*b"])
_HOSTS = st.builds(
    lambda labels, tld: ".".join([*labels, tld]),
    st.lists(_LABELS, min_size=0, max_size=3),
    st.sampled_from(["com", "de"]),
)
_PATHS = st.text(alphabet="ab/*", max_size=8).map(lambda path: f"/{path}" if path else "")
_URLS = st.builds(
    lambda host, path, rest: f"https://{host}{path}{rest}",
    _HOSTS.map(lambda host: host.replace("*", "x")),
    _PATHS.map(lambda path: path.replace("*", "ba")),
    st.sampled_from(["", "?a=b", "#a"]),
)


def naive(patterns: list[str], url: str) -> str | None:
    """The same, by trying every pattern."""
    parts = urlsplit(url)

    def fits(pattern: str) -> bool:
        host, slash, path = pattern.partition("/")
        hosts = [host] if "*" in host else [host, f"*.{host}"]
        return any(fnmatch.fnmatchcase(parts.netloc, h) for h in hosts) and fnmatch.fnmatchcase(
            parts.path or "/", slash + path or "*"
        )

    return min(filter(fits, patterns), key=lambda p: (-len(p.replace("*", "")), p), default=None)


@given(st.lists(st.builds(str.__add__, _HOSTS, _PATHS), max_size=8), st.lists(_URLS, min_size=1, max_size=5))
def test_the_index_finds_what_trying_every_pattern_finds(patterns, urls):
    match = matcher(patterns)
    assert [match(url) for url in urls] == [naive(patterns, url) for url in urls]


@pytest.mark.parametrize(
    "pattern", ["", "*", "*.*", "example.*", "https://", "exa mple.com", "example.com/?id=*", "/blog"]
)
def test_a_pattern_that_could_be_any_host_is_refused(pattern):
    assert "write a host and a path" in problem(pattern)


@pytest.mark.parametrize("url", ["", "https://", "https://[", "not a url", "https://a.com:port/x", "//" + "a." * 5000])
def test_what_is_no_url_is_nobodys_page(url):
    assert matcher(["*.com/x*", "b.com"])(url) in (None, "*.com/x*")


def test_ten_thousand_patterns():
    """Timing decides nothing here: it is printed (pytest -s)."""
    patterns = [f"blog{i}.example/*/kettle-{i}*" for i in range(5000)] + [
        f"tube.example/*creator{i}x*" for i in range(5000)
    ]
    match = matcher(patterns)
    for url, expected in [
        ("https://www.blog77.example/2026/kettle-77-review", "blog77.example/*/kettle-77*"),
        ("https://tube.example/watch/creator4999x/1", "tube.example/*creator4999x*"),
        ("https://tube.example/" + "creator" * 200, None),  # where a backtracking matcher would never end
    ]:
        started = time.perf_counter()
        assert match(url) == expected
        print(f"{len(patterns):,} patterns: {(time.perf_counter() - started) * 1000:.3f} ms for {url[:60]}")
