"""Compare the orders that payments connect with an oracle, which merges sets that share a member.

One home holds many small orgs. Each has a random graph of orders and payments, with chains, cycles, order ids that are
payment ids, and order numbers that two sites share. Each org has a twin with the same reports in another order.
"""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from ingestion.home import Home
from ingestion.warehouse import connect
from tests.support.models import Project, import_files, load_raw_tables

ORGS = 150
MILLION = 1_000_000


class Sale(NamedTuple):
    """A report of a paid order."""

    site: str
    order: str
    payments: tuple[str, ...]
    day: int
    value: int


class Refund(NamedTuple):
    """A refund of 1. It names an order of the site, or an id of its own, and payments."""

    site: str
    order: str
    payments: tuple[str, ...]
    day: int


class Shop(NamedTuple):
    """The reports of an org."""

    sales: list[Sale]
    refunds: list[Refund]


def random_shop(seed: int) -> Shop:
    """Make a sparse graph, so that chains are as frequent as groups in which all orders share a payment."""
    pick = random.Random(seed)
    count = pick.randint(2, 12)
    payments = [f"pi_{number}" for number in pick.sample(range(100), pick.randint(count // 2 + 1, 2 * count))]
    sales = [
        Sale(
            pick.choice(["de", "fr"]),
            pick.choice([f"W-{pick.randint(1, count)}", f"W-{pick.randint(1, count)}", pick.choice(payments)]),
            tuple(pick.sample(payments, min(pick.choice([1, 1, 2, 2, 3]), len(payments)))),
            day,
            1000 + day,
        )
        for day in pick.sample(range(1, 29), count)
    ]
    refunds = []
    for number in range(pick.randint(0, 3)):
        sale = pick.choice(sales)
        order = pick.choice([f"re_{number}", sale.order])
        refunds.append(Refund(sale.site, order, sale.payments[: pick.randint(1, 3)], 28))
    return Shop(sales, refunds)


def chain(order_ids: list[str]) -> Shop:
    """Make a chain: each order shares one payment with the next one."""
    sales = [
        Sale("de", order, (f"pi_{number}", f"pi_{number + 1}"), number + 1, 1000 + number)
        for number, order in enumerate(order_ids)
    ]
    return Shop(sales, [])


def shops() -> list[Shop]:
    names = [f"W-{number:02}" for number in range(28)]
    shuffled = [random.Random(seed).sample(names, len(names)) for seed in range(10)]
    return [*map(random_shop, range(ORGS)), *map(chain, [names, names[::-1], *shuffled])]


def net_values(shop: Shop) -> Counter[int]:
    """Return the value of each order less its refunds, by merging sets. Refunds that name no order merge nothing."""
    sold = {(sale.site, sale.order) for sale in shop.sales}
    reported = {payment for row in (*shop.sales, *shop.refunds) for payment in row.payments}
    groups: list[set[object]] = []
    for row in (*shop.sales, *shop.refunds):
        if (row.site, row.order) not in sold:
            continue
        group: set[object] = {(row.site, row.order), *row.payments, *{row.order} & reported}
        for other in [other for other in groups if other & group]:
            groups.remove(other)
            group |= other
        groups.append(group)
    values = {}
    for sale in sorted(shop.sales, key=lambda sale: sale.day, reverse=True):
        values[next(index for index, group in enumerate(groups) if (sale.site, sale.order) in group)] = sale.value
    for refund in shop.refunds:
        named = {(refund.site, refund.order)} if (refund.site, refund.order) in sold else set(refund.payments)
        values[next(index for index, group in enumerate(groups) if group & named)] -= 1
    return Counter(values.values())


def write(path: Path, header: list[str], rows: list[list[object]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture(scope="module")
def found(
    new_home: Callable[[str], Path], project: Project, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Counter[int]]:
    """The values of each org's conversions."""
    home, folder = new_home("order_payments"), tmp_path_factory.mktemp("files")
    orgs = {f"o{number}{twin}": shop for number, shop in enumerate(shops()) for twin in "ab"}
    lines = [f"  - {{id: {org}, currency: USD, timezone: UTC}}" for org in orgs]
    sites = [
        f"  - {{id: {org}-{site}, org: {org}, domains: [{site}.{org}.example]}}"
        for org in orgs
        for site in ("de", "fr")
    ]
    (home / "tributary.yaml").write_text("\n".join(["orgs:", *lines, "sites:", *sites, ""]))
    load_raw_tables(home)
    sales: list[list[object]] = []
    refunds: list[list[object]] = []
    for org, shop in orgs.items():
        reports = [
            [
                org,
                f"{org}/{number}",
                f"2026-06-{sale.day:02}T00:00:00Z",
                f"{org}-{sale.site}",
                sale.order,
                sale.value,
                " ".join(sale.payments),
            ]
            for number, sale in enumerate(shop.sales)
        ]
        random.Random(org).shuffle(reports)
        sales += reports
        refunds += [
            [
                org,
                f"{org}/{number}",
                f"2026-06-{refund.day:02}T00:00:00Z",
                f"{org}-{refund.site}",
                refund.order,
                1,
                " ".join(refund.payments),
            ]
            for number, refund in enumerate(shop.refunds)
        ]
    columns = ["occurred_at", "site_id", "order_id", "value", "payment_ids"]
    import_files(home, "conversions", write(folder / "sales.csv", ["org_id", "conversion_id", *columns], sales))
    import_files(home, "refunds", write(folder / "refunds.csv", ["org_id", "refund_id", *columns], refunds))
    project.build_models(home, "conversions")
    values: dict[str, Counter[int]] = {org: Counter() for org in orgs}
    with connect(Home(home), read_only=True) as connection:
        for org, micros in connection.execute("select org_id, value_micros from marts.conversions").fetchall():
            values[org][micros // MILLION] += 1
    return values


def test_orders_that_share_a_payment_count_once(found: dict[str, Counter[int]]) -> None:
    expected = {f"o{number}a": net_values(shop) for number, shop in enumerate(shops())}
    assert {org: values for org, values in found.items() if org.endswith("a")} == expected


def test_the_order_of_reports_changes_nothing(found: dict[str, Counter[int]]) -> None:
    twins = {org: found[f"{org[:-1]}b"] for org in found if org.endswith("a")}
    assert {org: found[org] for org in twins} == twins
