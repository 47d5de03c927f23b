"""Recompute each rule for rows of the collector and of webhooks in plain Python, on random worlds.

One small warehouse is built once. Each org in it is a world of its own.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.home import Home
from ingestion.warehouse import connect
from tests.support.models import Project
from tests.support.raw_rows import insert
from tests.support.rounding import rounded

Connection = duckdb.DuckDBPyConnection
Row = dict[str, Any]
START = datetime(2026, 7, 1, 12)
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
SHOP = "https://shop.example/"
AGENTS = {"Crawler": True, "Browser": False}


def event(org: str, event_id: str, at: datetime, visitor: str | None, kind: str = "PAGE_VIEW", **more: Any) -> Row:
    known = {"org_id": org, "site_id": "shop", "event_id": event_id, "occurred_at": at, "anon_id": visitor}
    return known | {"type": kind} | more


# ---- orders of one org: late values, ties, negative rows, two shops, refunds in several currencies
RATES = {("USD", date(2026, 7, 1)): Fraction("0.9"), ("USD", date(2026, 7, 5)): Fraction("0.8123")}


def worth(currency: str, day: date) -> Fraction | None:
    if currency == "EUR":
        return Fraction(1)
    return next((rate for (name, since), rate in reversed(RATES.items()) if name == currency and day >= since), None)


def order_world() -> dict[str, list[Row]]:
    pick = random.Random(1)
    orders: list[Row] = []
    refunds: list[Row] = []
    events: list[Row] = []

    def amount() -> int:
        return pick.choice([pick.randrange(1, 10**9), pick.randrange(1, 50)])

    for number in range(220):
        order, start = f"o{number}", START + DAY * pick.randrange(9)
        sites = pick.choice([[None], ["shop"], ["shop", "outlet"], ["shop", "undeclared"]])
        currency = pick.choice(["EUR", "USD", "USD", "BRL"])
        sold = amount()
        for part in range(pick.choice([1, 1, 2, 3, 4]) + len(sites) - 1):
            row = {"org_id": "orders", "conversion_id": f"{order}-{part}", "order_id": order}
            site = sites[part] if part < len(sites) else pick.choice([*sites, None])
            row |= {"site_id": site, "conversion_type": "purchase", "customer_id": f"c{number % 40}"}
            row["occurred_at"] = start + HOUR * pick.choice([0, 0, 1, 50])
            row["value_micros"] = pick.choice([None, 0, sold, sold, sold, amount(), -amount() // 3])
            row["currency"] = pick.choice([currency, currency, "EUR"])
            if pick.random() < 0.3:
                row |= {"presentment_value_micros": amount(), "presentment_currency": "SEK"}
            orders.append(row)
        for part in range(pick.choice([0, 0, 1, 2, 3])):
            back = pick.choice([None, 0, sold, -sold, sold // 3, amount()])
            row = {"occurred_at": start + HOUR * pick.randrange(200), "order_id": order, "value_micros": back}
            row["currency"] = pick.choice([currency, currency, "EUR", "USD", "SEK", None])
            if pick.random() < 0.3:
                events.append(event("orders", f"{order}-{part}", row.pop("occurred_at"), None, "REFUND", **row))
            else:
                reason = "cancelled" if pick.random() < 0.1 else "refund"
                site = pick.choice([*sites, None, None])
                refunds.append(
                    {"org_id": "orders", "refund_id": f"{order}-{part}", "reason": reason, "site_id": site, **row}
                )
    for amounts in (5, 0):
        stray = {"org_id": "orders", "refund_id": f"stray {amounts}", "order_id": "nobody's", "occurred_at": START}
        refunds.append(stray | {"value_micros": amounts, "currency": "EUR", "reason": "refund"})
    rates = [
        {"date": since, "base": base, "quote": "EUR", "rate": Decimal(str(float(rate)))}
        for (base, since), rate in RATES.items()
    ]
    return {"conversions": orders, "refunds": refunds, "events": events, "exchange_rates": rates}


def orders_of(world: dict[str, list[Row]]) -> Callable[[Row], tuple | None]:
    """Return order(row): the site and number of a row's order, or None if the number alone is ambiguous."""
    selling = defaultdict(set)
    for row in world["conversions"]:
        if row["site_id"] in ("shop", "outlet") and (row["value_micros"] or 0) >= 0:
            selling[row["order_id"]].add(row["site_id"])

    def order(row: Row) -> tuple | None:
        sites, number = selling[row["order_id"]], row["order_id"]
        if not sites:
            return None, number
        if row.get("site_id") in ("shop", "outlet"):
            return row["site_id"], number
        return (next(iter(sites)), number) if len(sites) == 1 else None

    return order


def priced(reports: list[Row]) -> tuple[Row, Row, int, Fraction | None]:
    """Return the earliest report, the report that gives the money, the value and the rate of the money's currency."""
    earliest = min(reports, key=lambda row: (row["occurred_at"], not row["value_micros"], row["conversion_id"]))
    day = earliest["occurred_at"].date()

    def rank(row: Row) -> tuple:
        value, rate = row["value_micros"], worth(row["currency"], day)
        converted = rounded(value * rate) if value and rate is not None else 0
        return not converted, not value, value is None, row["occurred_at"], row["conversion_id"]

    money = min(reports, key=rank)
    rate = worth(money["currency"], day)
    return earliest, money, rounded((money["value_micros"] or 0) * (rate or 0)), rate


def amounts_by_currency(reports: list[Row], money: Row) -> dict[str, int]:
    """Return the whole order in each currency in which a report states it, first the report that gives the money."""
    amounts: dict[str, int] = {}
    for stated in ([money], sorted(reports, key=lambda row: (row["occurred_at"], row["conversion_id"]))):
        for value, currency in (("value_micros", "currency"), ("presentment_value_micros", "presentment_currency")):
            for row in stated:
                if row.get(value):
                    amounts.setdefault(row[currency], row[value])
    return amounts


def by_order(world: dict[str, list[Row]]) -> tuple[dict[tuple, list[Row]], dict[tuple, list[Row]], Counter]:
    """Return the reports of each order, its refunds, and the number of excluded rows by reason."""
    order, reports, returned, excluded = orders_of(world), defaultdict(list), defaultdict(list), Counter()
    back = [*world["refunds"], *world["events"]]
    back += [row for row in world["conversions"] if (row["value_micros"] or 0) < 0]
    for row in world["conversions"]:
        if (row["value_micros"] or 0) >= 0 and (key := order(row)):
            reports[key].append(row)
    for row in [*world["conversions"], *world["refunds"], *world["events"]]:
        excluded["ambiguous_order"] += order(row) is None
    for row in back:
        if not (key := order(row)):
            continue
        if "conversion_id" in row and not any(report["value_micros"] for report in reports[key]):
            excluded["negative_value"] += 1
        elif reports[key]:
            returned[key].append(row)
        else:
            excluded["unknown_order"] += row["value_micros"] != 0
    return {key: known for key, known in reports.items() if known}, returned, excluded


def settled(reports: list[Row], back: list[Row]) -> tuple[int, int, Counter]:
    """Return the value of an order, its refunds, and what is excluded."""
    _, money, value, rate = priced(reports)
    excluded, amounts, sums = Counter(), amounts_by_currency(reports, money), Counter()
    is_without_rate = money["value_micros"] is not None and rate is None
    excluded["no_exchange_rate"] += is_without_rate
    for row in (row for row in back if row["value_micros"]):
        currency = row["currency"] or money["currency"]
        if is_without_rate:
            excluded["no_exchange_rate"] += 1
        elif currency not in amounts and currency != "EUR":
            excluded["unknown_currency"] += 1
        else:
            sums[currency] += abs(row["value_micros"])
    given_back = sum(
        rounded(total * Fraction(value, amounts[name])) if name in amounts else total for name, total in sums.items()
    )
    takes_all = any(row["value_micros"] is None for row in back)
    excluded["refund_exceeds_value"] += max(given_back - value, 0)
    return value, value if takes_all else min(given_back, value), excluded


def expected_orders(world: dict[str, list[Row]]) -> tuple[dict[tuple, tuple[int, int]], Counter]:
    """Return (value, refunded) by order, and the excluded rows by reason."""
    reports, returned, excluded = by_order(world)
    expected = {}
    for key, known in reports.items():
        excluded["duplicate_order"] += len(known) - 1
        if any(row.get("reason") == "cancelled" for row in returned[key]):
            excluded["cancelled"] += 1
            continue
        value, taken, reasons = settled(known, returned[key])
        expected[key] = (value - taken, taken)
        excluded += reasons
    return expected, +excluded


def test_orders_have_their_earliest_money_less_their_refunds(warehouse: Connection) -> None:
    world = order_world()
    expected, excluded = expected_orders(world)
    order = orders_of(world)
    by_id = {row["conversion_id"]: order(row) for row in world["conversions"]}
    found = warehouse.execute(
        "select conversion_id, value_micros, refunded_micros from marts.conversions where org_id = 'orders'"
    ).fetchall()
    assert len(found) == len(expected)
    assert {by_id[name]: tuple(amounts) for name, *amounts in found} == expected
    reasons = dict(
        warehouse.execute("""
        select reason, case when reason = 'refund_exceeds_value' then sum(amount_micros) else count(*) end
        from marts.quarantine where org_id = 'orders' group by reason
    """).fetchall()
    )
    assert reasons == excluded
    assert any(value == 0 < taken for value, taken in expected.values()), "no order was given back in full"
    assert {key[0] for key in expected} == {None, "shop", "outlet"}
    assert all(excluded[reason] >= 5 for reason in excluded.keys() - {"cancelled"}), excluded


# ---- sampling: all visitors, and the two halves that a site with a sample of 50 % may measure
def sampling_world() -> list[Row]:
    pick, rows = random.Random(2), []
    for number in range(120):
        visitor, at, kept = f"v{number}", START, []
        for visit in range(pick.randrange(1, 5)):
            at += HOUR * pick.randrange(2, 90)
            source = pick.choice(["", "?utm_source=google&utm_medium=cpc", "?utm_source=news&utm_medium=email"])
            session = {"session_id": f"{visitor}-{visit}"}
            landing = event("", f"{visitor}-{visit}-0", at, visitor, url=SHOP + source, **session)
            more = [
                event("", f"{visitor}-{visit}-{page}", at + MINUTE * page, visitor, url=f"{SHOP}{page}", **session)
                for page in range(1, pick.randrange(1, 4))
            ]
            sale = pick.random() < 0.25
            if sale:
                value = {"value_micros": pick.randrange(10**9)}
                name = f"{visitor}-{visit}-sale"
                more.append(event("", name, at + HOUR / 4, visitor, "CONVERSION", **value, **session))
            kept.append(landing)
            rows += [row | {"org_id": "whole"} for row in (landing, *more)]
            for half in ("even", "odd"):
                share = {"org_id": half, "sample_percent": 50}
                if (number % 2 == 0) == (half == "even"):
                    rows += [row | share for row in (landing, *more)]
                elif sale:
                    rows += [row | share | {"is_replay": True} for row in kept] + [more[-1] | share]
            if sale:
                kept = []
    return rows


# These models learn from all journeys, and a sample has others.
NOT_LEARNED = "and attribution_model not in ('data_driven', 'shapley')"


@pytest.mark.parametrize(
    ("mart", "key", "total"),
    [
        ("touchpoints", "channel", "sum(sample_weight)"),
        ("sessions", "channel", "sum(sample_weight)"),
        ("sessions", "date", "sum(weighted_page_views)"),
        ("conversion_paths", "path", "sum(non_conversions)"),
        ("conversion_paths", "path", "sum(conversions)"),
        ("conversion_paths", "path", "sum(value_micros)"),
        ("model_comparison", "(channel, attribution_model, lookback_days)", "sum(conversion_value_micros)"),
    ],
)
def test_two_halves_of_a_sample_are_on_average_the_whole(warehouse, mart, key, total) -> None:
    found = defaultdict(Counter)
    for org, value, amount in warehouse.execute(
        f"select org_id, {key}, {total} from marts.{mart} where org_id in ('whole', 'even', 'odd')"
        f" {NOT_LEARNED if 'attribution_model' in key else ''} group by all"
    ).fetchall():
        found[org][value] += amount
    halves = found["even"] + found["odd"]
    assert {value: amount / 2 for value, amount in (+halves).items()} == +found["whole"]
    differs = not total.endswith(("(conversions)", "(value_micros)", "_value_micros)"))
    assert (found["even"] != found["odd"]) == differs, "traffic differs by half, what converted is whole in each"


def test_a_sample_of_converters_keeps_every_journey(warehouse: Connection) -> None:
    def links(org: str) -> list[tuple]:
        return warehouse.execute(
            "select conversion_id, attribution_model, occurred_at, channel, weight from marts.attribution_links"
            f" join marts.touchpoints using (org_id, touchpoint_id) where org_id = ? {NOT_LEARNED} order by all",
            [org],
        ).fetchall()

    assert links("whole")
    assert links("even") == links("odd") == links("whole")


# ---- identity: logins, e-mail addresses and orders identify visitors
def identity_world() -> dict[str, list[Row]]:
    pick = random.Random(3)
    visitors, customers, mails = ([f"{kind}{number}" for number in range(40)] for kind in ("v", "c", "m"))
    rows: dict[str, list[Row]] = {"events": [], "conversions": []}
    for number in range(160):
        at = START + MINUTE * pick.randrange(10_000) + SECOND * pick.randrange(60)
        visitor = pick.choice(visitors)
        identified_by = pick.choice(["nothing", "customer", "mail", "both", "order", "guest"])
        customer, mail = pick.choice(customers), pick.choice(mails)
        name = f"{number}"
        if identified_by in ("order", "guest"):
            rows["events"].append(event("people", f"checkout{name}", at, visitor, "CHECKOUT_COMPLETED", order_id=name))
            who = (
                {"customer_id": customer}
                if identified_by == "order"
                else {"properties": json.dumps({"email_hash": mail})}
            )
            if identified_by == "guest" and pick.random() < 0.5:
                who["customer_id"] = pick.choice([f"email:{mail}", f"order:{name}"])
            if pick.random() < 0.3:
                who["visitor_id"] = visitor
            rows["conversions"].append(
                {
                    "org_id": "people",
                    "conversion_id": f"w{name}",
                    "order_id": name,
                    "occurred_at": at + SECOND,
                    "conversion_type": "purchase",
                    "value_micros": 10**6,
                    **who,
                }
            )
        else:
            more = {"user_id": customer if identified_by in ("customer", "both") else None}
            more |= {"email_hash": mail if identified_by in ("mail", "both") else None}
            rows["events"].append(event("people", name, at, visitor, path="/", session_id=name, **more))
    return rows


def test_logins_addresses_and_orders_identify_people(warehouse: Connection) -> None:
    world = identity_world()
    facts = [(row["occurred_at"], row["anon_id"], row.get("user_id"), row.get("email_hash")) for row in world["events"]]
    buyer = {row["order_id"]: row["anon_id"] for row in world["events"] if row.get("order_id")}
    for row in world["conversions"]:
        known = row.get("customer_id")
        known = None if known and known.startswith(("email:", "order:")) else known
        mail = json.loads(row.get("properties", "{}")).get("email_hash")
        facts.append((row["occurred_at"], buyer[row["order_id"]], known, mail))
    owners = defaultdict(set)
    for _, _, customer, mail in facts:
        if mail and customer:
            owners[mail].add(customer)

    def owner(mail: str) -> str | None:
        return next(iter(owners[mail])) if len(owners[mail]) == 1 else None

    sightings, weak = defaultdict(list), defaultdict(list)
    for at, visitor, customer, mail in facts:
        if customer or (mail and owner(mail)):
            sightings[visitor].append((at, customer or owner(mail)))
        elif mail:
            weak[visitor].append((at, f"email:{mail}"))

    def person(visitor: str, at: datetime) -> str:
        seen = sorted(sightings[visitor] or weak[visitor])
        if not seen:
            return f"v:{visitor}"
        return "c:" + next((customer for moment, customer in seen if moment >= at), seen[-1][1])

    touches = warehouse.execute(
        "select visitor_id, occurred_at, customer_id, person_key from marts.touchpoints where org_id = 'people'"
    ).fetchall()
    own = {(row["anon_id"], row["occurred_at"]): row for row in world["events"]}
    for visitor, at, _, key in touches:
        login = own[visitor, at].get("user_id")
        assert key == (f"c:{login}" if login else person(visitor, at)), (visitor, at)
    assert len(touches) > 50
    found = warehouse.execute(
        "select order_id, visitor_id, person_key, occurred_at from marts.conversions where org_id = 'people'"
    ).fetchall()
    assert len(found) == len(world["conversions"])
    for order, visitor, key, at in found:
        (row,) = (row for row in world["conversions"] if row["order_id"] == order)
        named = row.get("customer_id", "")
        named = "" if named.startswith(("email:", "order:")) else named
        mail = json.loads(row.get("properties", "{}")).get("email_hash")
        assert visitor == buyer[order]
        assert key == (f"c:{named}" if named else f"c:{owner(mail)}" if owner(mail) else person(visitor, at)), order
    assert {key[:2] for _, _, key, _ in found} == {"c:"}
    assert {key.startswith("c:email:") for _, _, _, key in touches} == {True, False}


def test_an_order_belongs_to_the_session_of_its_checkout(warehouse: Connection) -> None:
    (sold,) = warehouse.execute("select sum(conversions) from marts.sessions where org_id = 'people'").fetchone()
    assert sold == len(identity_world()["conversions"])


# ---- entities
def entity_world() -> dict[str, list[Row]]:
    pick = random.Random(4)
    states = {(f"a{pick.randrange(8)}", START + HOUR * pick.randrange(40)) for _ in range(60)}
    entities = [
        {
            "org_id": "assets",
            "entity_type": "asset",
            "entity_id": name,
            "valid_from": since,
            "properties": json.dumps({"since": str(since)}),
        }
        for name, since in states
    ]
    events = [
        event(
            "assets",
            f"e{n}",
            START + HOUR * pick.randrange(45) + MINUTE * pick.choice([0, 30]),
            "v",
            "ASSET_VIEW",
            entity_type="asset",
            entity_id=f"a{pick.randrange(9)}",
        )
        for n in range(150)
    ]
    return {"entities": entities, "events": events}


def test_an_event_shows_its_entity_as_it_was(warehouse: Connection) -> None:
    world = entity_world()
    expected = {}
    for row in world["events"]:
        states = [
            state
            for state in world["entities"]
            if state["entity_id"] == row["entity_id"] and state["valid_from"] <= row["occurred_at"]
        ]
        last = max(states, key=lambda state: state["valid_from"], default=None)
        expected[row["event_id"]] = last and str(last["valid_from"])
    found = warehouse.execute(
        "select event_id, attributes ->> 'since' from marts.entity_events where org_id = 'assets'"
    ).fetchall()
    assert dict(found) == expected
    assert None in expected.values()


# ---- postbacks
def postback_world() -> dict[str, list[Row]]:
    pick, rows = random.Random(5), []
    for number in range(80):
        for part in range(pick.randrange(1, 4)):
            rows.append(
                {
                    "org_id": "partners",
                    "postback_id": f"{number}-{part}",
                    "transaction_id": f"t{number}",
                    "platform": "net",
                    "status": pick.choice(["pending", "approved", "rejected", "approved"]),
                    "occurred_at": START + DAY * (number % 5) + HOUR * part,
                    "campaign_id": f"offer{number % 3}",
                    "affiliate_id": "jane",
                    "payout_micros": pick.randrange(1, 10**8),
                    "currency": pick.choice(["EUR", "USD", None]),
                    "order_id": f"p{number}",
                }
            )
    orders = [
        {
            "org_id": "partners",
            "conversion_id": f"sale{n}",
            "order_id": f"p{n}",
            "customer_id": f"c{n}",
            "conversion_type": "purchase",
            "occurred_at": START + DAY,
            "value_micros": 10**7,
        }
        for n in range(0, 80, 2)
    ]
    return {"postbacks": rows, "conversions": orders}


def test_only_an_approved_payout_is_spend(warehouse: Connection) -> None:
    rank = {"pending": 1, "approved": 2, "rejected": 3}
    of_transaction = defaultdict(list)
    for row in postback_world()["postbacks"]:
        of_transaction[row["transaction_id"]].append(row)
    expected, spend = {}, Counter()
    for name, rows in of_transaction.items():
        last = max(rows, key=lambda row: (rank[row["status"]], row["occurred_at"], row["postback_id"]))
        day = min(row["occurred_at"] for row in rows).date()
        payout = rounded(last["payout_micros"] * worth(last["currency"] or "EUR", day))
        sale = f"sale{name[1:]}" if int(name[1:]) % 2 == 0 else None
        expected[name] = (last["status"], day, payout, len(rows), sale)
        if last["status"] == "approved":
            spend[day, last["campaign_id"]] += payout
    found = warehouse.execute("""
        select transaction_id, status, date, payout_micros, postbacks, conversion_id
        from marts.affiliate_transactions where org_id = 'partners'
    """).fetchall()
    assert {name: tuple(rest) for name, *rest in found} == expected
    rolled = warehouse.execute("""
        select date, campaign_id, spend_micros from marts.daily_rollups
        where org_id = 'partners' and platform = 'net' and grain = 'CAMPAIGN' and attribution_model = 'linear'
            and accounting_mode = 'cash'
    """).fetchall()
    assert {(day, campaign): micros for day, campaign, micros in rolled} == spend
    assert {status for status, *_ in expected.values()} == set(rank)
    by_channel = warehouse.execute(
        "select channel, sum(spend_micros) from marts.channel_summary where org_id = 'partners'"
        " and attribution_model = 'linear' and lookback_days = 30 and spend_micros > 0 group by channel"
    ).fetchall()
    assert by_channel == [("Affiliates", spend.total())]
    topics = warehouse.execute("select topic from marts.notices where org_id = 'partners'").fetchall()
    assert topics == [("no_touches",)], "the org has spend"


# ---- bots, consent, duplicates, suspicion: cases
def bot_rows(org: str) -> list[Row]:
    """Return the same events of a person and of a crawler."""
    return [
        event(org, f"{agent}-{kind}", START, agent, kind, url=SHOP + "?utm_source=x", user_agent=agent, value_micros=7)
        for agent in AGENTS
        for kind in ("PAGE_VIEW", "CONVERSION")
    ]


def test_bots_are_excluded_unless_the_site_includes_them(warehouse: Connection) -> None:
    def seen(org: str) -> dict[str, list]:
        count = "select visitor_id from marts.{} where org_id = '{}' order by 1"
        return {
            mart: [visitor for (visitor,) in warehouse.execute(count.format(mart, org)).fetchall()]
            for mart in ("touchpoints", "conversions", "sessions")
        }

    orders = {"conversions": ["Browser", "Crawler"], "sessions": ["Browser", "Crawler"]}  # an agent excludes no order
    assert seen("strict") == {"touchpoints": ["Browser"]} | orders
    assert set(map(str, seen("lenient").values())) == {"['Browser', 'Crawler']"}
    quarantined = "select source_id, reason from marts.quarantine where org_id = '{}'"
    assert warehouse.execute(quarantined.format("strict")).fetchall() == []
    assert warehouse.execute(quarantined.format("lenient")).fetchall() == []
    bots = "select visitor_id, is_bot, device_type from marts.sessions where org_id = 'lenient' order by 1"
    assert warehouse.execute(bots).fetchall() == [("Browser", False, "desktop"), ("Crawler", True, "bot")]
    reasons = "select visitor_id, reason, is_excluded from marts.suspicious_touches where org_id = 'lenient'"
    assert warehouse.execute(reasons).fetchall() == [("Crawler", "bot", False)]


CONSENTLESS = [
    event("private", "tagged", START, None, url=SHOP + "?utm_source=news&utm_medium=email"),
    event("private", "clicked on the tagged page", START + SECOND, None, "CTA_CLICK", url=SHOP + "?utm_source=news"),
    event("private", "second page", START + MINUTE, None, url=SHOP + "a", referrer=SHOP),
    event("private", "referred", START + MINUTE, None, url=SHOP, referrer="https://forum.test/"),
    event("private", "sale", START + 2 * MINUTE, None, "CONVERSION", url=SHOP + "b", order_id="A", value_micros=5),
    event("private", "another sale", START + 2 * MINUTE, None, "CONVERSION", value_micros=6),
]


def test_events_without_consent_count_and_belong_to_nobody(warehouse: Connection) -> None:
    def found(columns: str, mart: str, where: str = "true") -> list[tuple]:
        sql = f"select {columns} from marts.{mart} where org_id = 'private' and {where} order by all"
        return warehouse.execute(sql).fetchall()

    own_key = "person_key = 'touch:' || touchpoint_id"
    assert found(f"channel, {own_key}", "touchpoints") == [("Email", True), ("Referral", True)]
    assert found("conversion_id, person_key, is_first_conversion", "conversions") == [
        (name, f"conversion:{name}", True) for name in ("shop:another sale", "shop:sale")
    ]
    sums = "count(*), sum(events), sum(page_views), sum(conversions), count(visitor_id)"
    assert found(sums, "sessions") == [(6, 6, 3, 2, 0)]
    assert found("path", "conversion_paths") == []
    credit = found("distinct channel, conversions", "channel_summary", "attribution_model = 'linear'")
    assert credit == [("(unattributed)", 2)]


REPEATED = [
    event("doubled", name, START + SECOND * 0.1 * n, "v", "CONVERSION", value_micros=5, has_own_id=False)
    for n, name in enumerate("ba")
]


def test_a_repeated_event_without_an_id_counts_once(warehouse: Connection) -> None:
    found = "select conversion_id from marts.conversions where org_id = 'doubled'"
    assert warehouse.execute(found).fetchall() == [("shop:b",)]
    quarantined = "select source_id, reason, amount_micros from marts.quarantine where org_id = 'doubled'"
    assert warehouse.execute(quarantined).fetchall() == [("shop:a", "probable_duplicate", 5)]


def affiliate_world(org: str) -> dict[str, list[Row]]:
    """Return clicks of visitors who are named after their behaviour; each buys an hour after START."""
    link = SHOP + "?utm_source=net&utm_medium=affiliate&utm_campaign=c"
    buys, clicks = START + HOUR, []
    events = [
        event(org, "fair", START, "fair", url=link),
        event(org, "stuffed at the end", buys - 20 * SECOND, "late", url=link),
        event(org, "faster than anybody", buys - SECOND, "instant", url=SHOP + "?gclid=1"),
        event(org, "hidden", START, "framed", url=link, properties='{"framed": true}'),
        event(org, "server", START, "cloud", url=link, ip_hash="cloud"),
        *(event(org, f"flood{n}", START + MINUTE * n, "flood", url=link, session_id=f"f{n}") for n in range(21)),
        *(event(org, f"many{n}", START + MINUTE * n, "many", url=link, session_id=f"m{n}") for n in range(20)),
    ]
    for visitor in ("unseen", "seen"):
        click = {"org_id": org, "interaction_id": f"click of {visitor}", "visitor_id": visitor, "occurred_at": START}
        clicks.append(click | {"touch_type": "click", "channel": "Affiliates", "platform": "net", "site_id": "shop"})
    events.append(event(org, "page", START + MINUTE, "seen", url=SHOP))
    visitors = [row["anon_id"] for row in events] + ["unseen"]
    events += [event(org, f"sale of {v}", buys, v, "CONVERSION", value_micros=100) for v in dict.fromkeys(visitors)]
    return {"events": events, "interactions": clicks}


SUSPICIOUS = {
    ("late", "just_before_conversion"): 1,
    ("instant", "impossible_time_to_convert"): 1,
    ("framed", "no_page_view"): 1,
    ("unseen", "no_page_view"): 1,
    ("cloud", "data_centre"): 1,
    ("flood", "click_flooding_by_visitor"): 21,
}


@pytest.mark.parametrize("org", ["trusting", "wary"])
def test_suspicious_touches_lose_credit_only_where_the_site_excludes_them(warehouse: Connection, org: str) -> None:
    found = warehouse.execute(
        "select visitor_id, reason, is_excluded, count(*), bool_and(json_valid(evidence)) from marts.suspicious_touches"
        " where org_id = ? group by all",
        [org],
    ).fetchall()
    assert {tuple(row[:2]): row[3] for row in found} == SUSPICIOUS
    assert {row[2:3] + row[4:] for row in found} == {(org == "wary", True)}
    dropped = warehouse.execute(
        "select split_part(conversion_id, ' of ', 2), count(*) from marts.attribution_candidates"
        " where org_id = ? and reason = 'suspicious' group by all",
        [org],
    ).fetchall()
    by_visitor = {visitor: count for (visitor, _), count in SUSPICIOUS.items()}
    assert dict(dropped) == (by_visitor if org == "wary" else {})
    unattributed = warehouse.execute(
        "select sum(conversions) from marts.channel_summary where org_id = ? and channel = '(unattributed)'"
        " and attribution_model = 'last_touch' and lookback_days = 30",
        [org],
    ).fetchone()
    assert unattributed == ((len(by_visitor) if org == "wary" else None),)


# ---- one visitor with very many events: comparing all pairs would not end in time
CROWD = 300_000
CROWDED = f"""
    insert into raw.events by name
    select 'crowded' as org_id, 'shop' as site_id, visitor || n as event_id, 'PAGE_VIEW' as type, visitor as anon_id,
        timestamp '{START}' + interval 1 second * n as occurred_at, visitor || n as session_id,
        if(visitor = 'server', 'customer' || n, null) as user_id,
        if(visitor = 'robot', '{{"webdriver": true}}'::json, null) as properties,
        '{SHOP}?utm_source=net&utm_medium=affiliate' as url,
        '' as _content_hash, 'load' as _load_id, timestamp '{START}' as _loaded_at
    from range({CROWD}) as numbers(n), (values ('robot'), ('server')) as visitors(visitor)
"""


def test_a_robot_and_a_server_under_one_visitor_id_are_read_in_one_pass(warehouse: Connection) -> None:
    people = "visitor_id, count(*), count(distinct customer_id)"
    for mart in ("touchpoints", "sessions"):
        found = warehouse.execute(f"select {people} from marts.{mart} where org_id = 'crowded' group by 1").fetchall()
        assert sorted(found) == [("robot", CROWD, 0), ("server", CROWD, CROWD)]
    reasons = "select visitor_id, reason, count(*) from marts.suspicious_touches where org_id = 'crowded' group by all"
    assert {row[:2]: row[2] for row in warehouse.execute(reasons).fetchall()} == {
        ("robot", "bot"): CROWD,
        **{(visitor, "click_flooding_by_visitor"): CROWD for visitor in ("robot", "server")},
    }


# ---- surveys
def test_a_survey_answer_is_shown_beside_the_credit_and_changes_none(warehouse: Connection) -> None:
    found = warehouse.execute(
        "select answer, answer_channel, conversion_id, linear_channel from marts.survey_answers order by answer_id"
    ).fetchall()
    assert found == [
        ("A friend told me", "Word of mouth", "shop:sale of fair", "Affiliates"),
        ("Im Radio gehört", "Audio", None, None),
        ("weiß nicht", None, None, None),
    ]


ANSWERS = [
    {"org_id": "trusting", "answer_id": str(n), "occurred_at": START + DAY, "question": "How?", "answer": answer, **who}
    for n, (answer, who) in enumerate(
        [
            ("A friend told me", {"visitor_id": "fair"}),
            ("Im Radio gehört", {}),
            ("weiß nicht", {"order_id": "none"}),
        ]
    )
]


# ---- the whole warehouse
def test_every_promise_is_kept(warehouse: Connection) -> None:
    broken = warehouse.execute("from marts.promises where not coalesce(is_kept, false)").fetchall()
    assert broken == []
    checked = {what for (what,) in warehouse.execute("select distinct what from marts.promises").fetchall()}
    assert {
        "value reported less refunds, in micros",
        "refunds received reduce a conversion, or are excluded with a reason",
        "events received are in sessions, or are excluded as bots or as probable duplicates",
    } <= checked


USUAL = ["orders", "whole", "even", "odd", "people", "assets", "partners", "private", "doubled", "strict", "trusting"]
# org: exclude_bots, exclude_suspicious of its site
ORGS = {**dict.fromkeys(USUAL, (True, False)), "lenient": (False, False), "wary": (True, True)}
ORGS["crowded"] = (False, True)


def worlds() -> Iterator[dict[str, list[Row]]]:
    yield {"events": [*sampling_world(), *CONSENTLESS, *REPEATED, *bot_rows("strict"), *bot_rows("lenient")]}
    yield {"survey_answers": ANSWERS}
    yield from (order_world(), identity_world(), entity_world(), postback_world())
    yield from (affiliate_world("trusting"), affiliate_world("wary"))


@pytest.fixture(scope="module")
def warehouse(new_home: Callable[[str], Path], project: Project) -> Iterator[Connection]:
    home = new_home("collected")
    with connect(Home(home)) as connection:
        connection.execute("begin")
        for org, (exclude_bots, exclude_suspicious) in ORGS.items():
            insert(connection, "orgs", org_id=org, currency="EUR", timezone="UTC", lookback_days=30)
            site = {"site_id": "shop", "org_id": org, "domains": ["shop.example"]}
            insert(connection, "sites", **site, exclude_bots=exclude_bots, exclude_suspicious=exclude_suspicious)
        insert(connection, "sites", site_id="outlet", org_id="orders", domains=["outlet.example"])
        for agent, is_bot in AGENTS.items():
            insert(connection, "user_agents", user_agent=agent, device_type="desktop", is_bot=is_bot)
        insert(connection, "addresses", ip_hash="cloud", country="US", is_data_centre=True)
        for world in worlds():
            for table, rows in world.items():
                for row in rows:
                    insert(connection, table, **row)
        connection.execute(CROWDED)
        connection.execute("commit")
    warnings = project.build_models(home)
    assert "assert_event_duplicates_below_limit" in warnings, "half of a day repeats"
    with connect(Home(home), read_only=True) as connection:
        yield connection
