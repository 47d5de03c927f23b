"""Compare the money of random payments with an oracle, whichever of Stripe's reports state it.

Each payment has a random life: it is captured in full or in part, refunded, disputed, or its first debit fails.
Each is reported by the webhooks, the balance report, the payments export or several of them, in files of random order.
The oracle adds up the life itself. Two homes load the reports in different orders.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.collector.webhooks import stripe
from ingestion.home import Home
from ingestion.warehouse import connect
from tests.support.models import Project, import_files, load_raw_tables

PAYMENTS = 600
START = datetime(2026, 6, 1, 10, tzinfo=UTC)
REPORTING_RATE, CHARGE_RATE, REFUND_RATE = (
    110,
    200,
    190,
)  # US cents for a euro: of the org, and of the account's balance
WEBHOOK, BALANCE, EXPORT = "webhook", "balance", "export"
BALANCE_COLUMNS = (
    "balance_transaction_id,created_utc,reporting_category,gross,fee,net,currency,source_id,charge_id,payment_intent_id,"
    "customer_facing_amount,customer_facing_currency"
)
EXPORT_COLUMNS = (
    "id,Created (UTC),Amount,Amount Refunded,Currency,Status,PaymentIntent ID,Dispute Status,Disputed Amount"
)


@dataclass
class Payment:
    """Amounts are in cents of the currency, times in minutes after the start. The account is in USD."""

    name: str
    doors: frozenset[str]
    authorized: int
    captured: int
    is_basil: bool
    currency: str
    exported_at: int  # the time of the payment in the export
    refunds: list[tuple[int, int, bool]] = field(default_factory=list)  # amount, time, failed
    dispute: tuple[int, str] | None = None  # amount and status
    failed_debit: int | None = None  # amount


def random_payment(seed: int) -> Payment:
    pick = random.Random(seed)
    doors = pick.choice(
        [{WEBHOOK}, {BALANCE}, {EXPORT}, {WEBHOOK, BALANCE}, {WEBHOOK, EXPORT}, {BALANCE, EXPORT}]
        + [{WEBHOOK, BALANCE, EXPORT}] * 2
    )
    authorized = pick.choice([1000, 5000, 9999])
    is_basil, currency, exported_at = pick.random() < 0.5, pick.choice(["usd", "eur"]), pick.choice([-5, 2])
    payment = Payment(str(seed), frozenset(doors), authorized, authorized, is_basil, currency, exported_at)
    # The export of a later API version does not state the captured part.
    if pick.random() < 0.3 and not (payment.is_basil and EXPORT in doors):
        payment.captured = pick.randint(1, authorized - 1)
    left, minutes = payment.captured, 60
    for _ in range(pick.choice([0, 0, 1, 1, 2, 3])):
        minutes += pick.choice([5, 600, 2000])
        amount = pick.choice([left, left // 2, 100])
        has_failed = pick.random() < 0.2 and BALANCE in doors  # the webhooks do not report it
        if 0 < amount <= left:
            payment.refunds.append((amount, minutes, has_failed))
            left -= 0 if has_failed else amount
    # The balance report states a dispute in the currency of the account only, at the rate of another day.
    if left and pick.random() < 0.3 and not (currency == "eur" and BALANCE in doors):
        payment.dispute = pick.choice([left, max(left // 3, 1)]), pick.choice(["lost", "won", "needs_response"])
    if BALANCE in doors and pick.random() < 0.15:
        payment.failed_debit = pick.choice([payment.authorized, 7000])
    return payment


def net_micros(payment: Payment) -> int:
    """Return what the merchant keeps, in USD. Only the balance report withdraws the money of an open dispute."""
    refunded = sum(amount for amount, _, has_failed in payment.refunds if not has_failed)
    amount, status = payment.dispute or (0, "won")
    is_withdrawn = status == "lost" or (status == "needs_response" and BALANCE in payment.doors)
    net = payment.captured - refunded - (amount if is_withdrawn else 0)
    times = {WEBHOOK: -1, BALANCE: 0, EXPORT: payment.exported_at}
    earliest = min(payment.doors, key=times.__getitem__)
    rates = {"usd": 100, "eur": CHARGE_RATE if earliest == BALANCE else REPORTING_RATE}
    return net * rates[payment.currency] * 100


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def decimal(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def deliveries(payment: Payment) -> Iterator[Any]:
    """Yield the rows of the webhooks."""
    charge, intent = f"ch_{payment.name}", f"pi_{payment.name}"

    def event(kind: str, minutes: int, **members: Any) -> Any:
        previous = {"amount_refunded": members.pop("before", None)}
        body = {
            "id": f"evt_{kind}_{payment.name}_{minutes}_{members.get('amount_refunded')}",
            "type": kind,
            "created": int(at(minutes).timestamp()),
            "api_version": "2025-06-30.basil" if payment.is_basil else "2024-06-20",
            "data": {
                "object": {"created": int(at(minutes).timestamp()), "currency": payment.currency, **members},
                "previous_attributes": previous,
            },
        }
        return stripe.report(json.dumps(body).encode())

    yield event("payment_intent.succeeded", -1, id=intent, amount_received=payment.captured, latest_charge=charge)
    uncaptured = 0 if payment.is_basil else payment.authorized - payment.captured
    amounts = {"amount": payment.authorized, "amount_captured": payment.captured}
    changes = ([(uncaptured, 1)] if uncaptured else []) + [(amount, minutes) for amount, minutes, _ in payment.refunds]
    refunded, failed = 0, {minutes: amount for amount, minutes, has_failed in payment.refunds if has_failed}
    for amount, minutes in changes:
        refunded += amount
        before = refunded - amount
        yield event(
            "charge.refunded",
            minutes,
            id=charge,
            amount_refunded=refunded,
            before=before,
            payment_intent=intent,
            **amounts,
        )
        refunded -= failed.get(minutes, 0)
    if payment.dispute and payment.dispute[1] != "needs_response":
        amount, status = payment.dispute
        members = {"status": status, "amount": amount, "charge": charge, "payment_intent": intent}
        yield event("charge.dispute.closed", 50_000, id=f"dp_{payment.name}", **members)


def balance_lines(payment: Payment) -> Iterator[str]:
    def line(minutes: int, category: str, cents: int, source: str, charge: str = f"ch_{payment.name}") -> str:
        is_capture = category in ("charge", "charge_failure", "partial_capture_reversal")
        rate = 100 if payment.currency == "usd" else CHARGE_RATE if is_capture else REFUND_RATE
        gross, paid = decimal(cents * rate // 100), decimal(cents)
        ids = f"{source},{charge},pi_{payment.name},{paid},{payment.currency}"
        return f"txn_{category}_{source},{at(minutes):%Y-%m-%d %H:%M:%S},{category},{gross},0.00,{gross},usd,{ids}"

    if cents := payment.failed_debit:
        yield line(-3000, "charge", cents, f"py_{payment.name}", f"py_{payment.name}")
        yield line(-200, "charge_failure", -cents, f"pyr_{payment.name}", f"py_{payment.name}")
    uncaptured = payment.authorized - payment.captured
    charged = payment.captured if payment.is_basil else payment.authorized
    yield line(0, "charge", charged, f"ch_{payment.name}")
    if uncaptured and not payment.is_basil:
        yield line(0, "partial_capture_reversal", -uncaptured, f"re_{payment.name}_0")
    for number, (amount, minutes, has_failed) in enumerate(payment.refunds, 1):
        yield line(minutes, "refund", -amount, f"re_{payment.name}_{number}")
        if has_failed:
            yield line(minutes + 3, "refund_failure", amount, f"re_{payment.name}_{number}")
    if payment.dispute:
        amount, status = payment.dispute
        yield line(20_000, "dispute", -amount, f"dp_{payment.name}")
        if status == "won":
            yield line(50_000, "dispute_reversal", amount, f"dp_{payment.name}")


def export_line(payment: Payment) -> str:
    uncaptured = 0 if payment.is_basil else payment.authorized - payment.captured
    refunded = uncaptured + sum(amount for amount, _, has_failed in payment.refunds if not has_failed)
    status = "Refunded" if refunded == payment.authorized else "Paid"
    amount, dispute = payment.dispute or (0, "")
    return (
        f"ch_{payment.name},{at(payment.exported_at):%Y-%m-%d %H:%M},{decimal(payment.authorized)},{decimal(refunded)},"
        f"{payment.currency},{status},pi_{payment.name},{dispute},{decimal(amount)}"
    )


@pytest.fixture(scope="module")
def payments() -> list[Payment]:
    return [random_payment(seed) for seed in range(PAYMENTS)]


@pytest.fixture(scope="module", params=[1, 2])
def found(
    request: pytest.FixtureRequest,
    payments: list[Payment],
    new_home: Callable[[str], Path],
    project: Project,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, int]:
    """The value of each order in micros. The parameter is the seed of the order of the files' rows."""
    home, folder = new_home(f"stripe_{request.param}"), tmp_path_factory.mktemp("files")
    (home / "tributary.yaml").write_text("orgs:\n  - {id: default, currency: USD, timezone: UTC}\n")
    (folder / "rates.csv").write_text(f"date,base,quote,rate\n2026-05-01,EUR,USD,{decimal(REPORTING_RATE)}\n")
    load_raw_tables(home)
    import_files(home, "exchange-rates", folder / "rates.csv")
    shuffle = random.Random(request.param).shuffle
    reports = [report for payment in payments if WEBHOOK in payment.doors for report in deliveries(payment)]
    lines = [line for payment in payments if BALANCE in payment.doors for line in balance_lines(payment)]
    exported = [export_line(payment) for payment in payments if EXPORT in payment.doors]
    for rows in (reports, lines, exported):
        shuffle(rows)
    files = [
        (kind, f"{name}.csv", "\n".join((columns, *rows)) + "\n")
        for name, columns, rows in ((BALANCE, BALANCE_COLUMNS, lines), (EXPORT, EXPORT_COLUMNS, exported))
        for kind in ("conversions", "refunds")
    ] + [
        (
            kind,
            f"{kind}.ndjson",
            "".join(json.dumps(each.row) + "\n" for each in reports if each.row and each.kind == kind),
        )
        for kind in ("conversions", "refunds")
    ]
    shuffle(files)
    for kind, name, text in files:
        (folder / name).write_text(text)
        import_files(home, kind, folder / name)
    project.build_models(home, "conversions")
    with connect(Home(home), read_only=True) as connection:
        rows = connection.execute("select order_id, value_micros from marts.conversions").fetchall()
    assert len({order for order, _ in rows}) == len(rows)
    return {order.removeprefix("pi_"): micros for order, micros in rows}


def test_an_order_has_the_money_that_the_merchant_keeps(found: dict[str, int], payments: list[Payment]) -> None:
    # Refunds at the rate of the balance are rounded, by less than a hundredth of a cent.
    wrong = [
        (payment, found.get(payment.name))
        for payment in payments
        if abs(found.get(payment.name, -1) - net_micros(payment)) > (99 if net_micros(payment) else 0)
    ]
    assert not wrong, f"{len(wrong)} of {len(payments)}: {wrong[:5]}"
