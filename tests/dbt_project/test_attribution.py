"""Compare credit with an oracle: plain Python over lists, in exact fractions, written from the definitions.

One home holds six orgs that share every visitor, customer, touch and conversion id, each with its own lookback windows,
time zone, rule for Direct and constants; some 4,500 conversions with every awkward case on purpose.
"""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from tests.support.home import published
from tests.support.models import Project, import_files
from tests.support.rounding import rounded

MICROSECOND = timedelta(microseconds=1)
MODELS = [
    "first_touch",
    "last_touch",
    "last_non_direct",
    "linear",
    "time_decay",
    "position_based",
    "daily_linear",
    "w_shaped",
    "lift_adjusted",
]
WINDOWS = [1, 3, 7, 14, 28, 30, 90, 365]
TRILLION = 10**12


class Org(NamedTuple):
    zone: str
    lookback_days: int
    own_windows: dict[str, int]
    direct: str = "include"
    half_life_days: float = 7
    first_percent: int = 40
    last_percent: int = 40
    credit_percent: Mapping[str, int] = MappingProxyType({})
    rollup_windows: Sequence[int] = ()


class Touch(NamedTuple):
    id: str
    at: datetime
    visitor: str | None
    customer: str | None
    touch_type: str
    channel: str
    campaign: str


class Conversion(NamedTuple):
    id: str
    at: datetime
    visitor: str | None
    customer: str | None
    value: int | None  # micros
    kind: str = "purchase"


class Link(NamedTuple):
    position: int
    touches: int
    weight: Fraction
    share_before: Fraction  # of the conversion, of all touches before this one
    value: int


ORGS = {
    "alpha": Org("UTC", 30, {}),
    "beta": Org("America/New_York", 7, {"view": 1, "call": 20}, rollup_windows=(3, 7, 90)),
    "gamma": Org("Asia/Kolkata", 90, {"email": 3}),
    "delta": Org("Australia/Lord_Howe", 1, {"view": 2}),
    "epsilon": Org("UTC", 14, {"view": 1}, "exclude", 3.5, 10, 60, {"view": 30}),
    "zeta": Org("Europe/Berlin", 7, {}, "last_resort", 30, 0, 100, {"email": 0}),
}
MEANS = {"impression": "view"}  # alias -> touch type
EMAIL_GAP = timedelta(minutes=30)  # between two reports of one e-mail


# ---- the input
VALUES = [None, 0, 1, 2, 5, 100, 1_000_001, -1, -7_000_003, 2**53 + 1, 49_990_000, 123_456_789_012]


def journeys(org: Org, seed: int) -> tuple[list[Touch], list[Conversion]]:
    """Simulate 300 people in eight weeks that include the daylight-saving changes of both hemispheres."""
    pick = random.Random(seed)
    touches: list[Touch] = []
    conversions: list[Conversion] = []
    start = datetime(2026, 2, 25, tzinfo=UTC)

    def moment() -> datetime:
        return start + timedelta(microseconds=pick.randrange(56 * 86_400_000_000))

    for person in range(300):
        visitors = [f"v{person}", f"v{person}b"][: pick.choice([1, 1, 2])]
        if person % 10 == 1:
            visitors.append(f"v{person - 1}")  # a device that two people share
        identified = person % 5 in (0, 1)

        def who(visitors=visitors, identified=identified, person=person) -> tuple[str | None, str | None]:
            known = identified and pick.random() < 0.5
            seen = not known or pick.random() < 0.6
            return (pick.choice(visitors) if seen else None), (f"c{person}" if known else None)

        def touch(at: datetime, only: str | None = None, who=who) -> None:
            kind = pick.choice(["click", "click", "view", "impression", "email", "call", "visit"])
            channel = only or pick.choice(["Paid Search", "Email", "Direct", "Direct", "Display"])
            campaign = pick.choice(["", "Weekly Digest", "weekly_digest"])
            touches.append(Touch(f"t{len(touches) * 7919 % 10_007}", at, *who(), kind, channel, campaign))

        only = "Direct" if person % 7 == 0 else None
        if person % 11:  # the others convert without a touch
            for _ in range(pick.randrange(16)):
                touch(moment(), only)
            at = moment()
            for _ in range(pick.choice([0, 0, 3, 6])):  # reports of one e-mail
                touch(at, "Email")
                at += pick.choice([timedelta(0), timedelta(minutes=7), EMAIL_GAP, EMAIL_GAP + MICROSECOND])
                if pick.random() < 0.1:
                    conversions.append(Conversion(f"k{len(conversions)}", at, *who(), 1_000_000))
        for _ in range(pick.choice([0, 1, 1, 2, 3, 8])):
            at = moment()
            value = pick.choice([*VALUES, *[pick.randrange(1, 10**10) for _ in VALUES]])
            kind = "lead" if pick.random() < 0.2 else "purchase"
            conversions.append(Conversion(f"k{len(conversions)}", at, *who(), value, kind))
            if person % 11 and pick.random() < 0.5:
                days = pick.choice([org.lookback_days, *org.own_windows.values()])
                edge = at - timedelta(days=days)
                tie = moment()
                for awkward in (edge, edge - MICROSECOND, edge + MICROSECOND, at, at + MICROSECOND, tie, tie):
                    touch(awkward, only)
    return touches, conversions


def amount(micros: int | None) -> str:
    return "" if micros is None else f"{Decimal(micros) / 1_000_000:f}"


def written(at: datetime, pick: random.Random) -> str:
    """Write an instant in one of the notations that files use."""
    local = at.astimezone(ZoneInfo(pick.choice(["UTC", "Asia/Kolkata", "America/New_York"])))
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if pick.random() < 0.5 else local.isoformat()


def files(folder: Path, kind: str, header: list[str], rows: list[list], pick: random.Random) -> list[Path]:
    """Shuffle the rows into three files; a tenth of them occur in two files or twice in one."""
    rows = rows + pick.sample(rows, len(rows) // 10)
    pick.shuffle(rows)
    paths = [folder / f"{kind}_{part}.csv" for part in range(3)]
    for part, path in enumerate(paths):
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([header, *rows[part::3]])
    return paths


class Build(NamedTuple):
    """An input, and the home that published it."""

    home: Path
    input: dict[str, tuple[list[Touch], list[Conversion]]]


@pytest.fixture(scope="module")
def build(new_home: Callable[[str], Path], project: Project, tmp_path_factory: pytest.TempPathFactory) -> Build:
    home = new_home("attribution")
    entries = [
        f"  - {{id: {name}, currency: USD, timezone: {org.zone}, lookback_days: {org.lookback_days},"
        f" lookback_days_by_touch_type: {org.own_windows}, direct: {org.direct}, half_life_days: {org.half_life_days},"
        f" first_touch_percent: {org.first_percent}, last_touch_percent: {org.last_percent},"
        f" credit_percent_by_touch_type: {org.credit_percent}, rollup_windows: {[*org.rollup_windows]}}}".replace(
            "'", ""
        )
        for name, org in ORGS.items()
    ]
    (home / "tributary.yaml").write_text("\n".join(["orgs:", *entries, ""]))
    made = {}
    for seed, (name, org) in enumerate(ORGS.items()):
        pick = random.Random(seed)
        folder = tmp_path_factory.mktemp(name)
        touches, conversions = made[name] = journeys(org, seed)
        rows = [[t.id, written(t.at, pick), *t[2:]] for t in touches]
        header = ["interaction_id", "occurred_at", "visitor_id", "customer_id", "touch_type", "channel", "campaign"]
        paths = files(folder, "touches", header, rows, pick)
        import_files(home, "interactions", *paths, org=name)
        rows = [[c.id, written(c.at, pick), c.visitor, c.customer, amount(c.value), c.kind] for c in conversions]
        header = ["conversion_id", "occurred_at", "visitor_id", "customer_id", "value", "conversion_type"]
        import_files(home, "conversions", *files(folder, "orders", header, rows, pick), org=name)
    project.build_home(home)
    return Build(home, made)


# ---- the oracle
def people(touches: list[Touch], conversions: list[Conversion]) -> Callable[[Any], str]:
    """Return person(row): the row's customer, else the next customer seen on its visitor, else the last one."""
    sightings = defaultdict(list)
    for row in [*touches, *conversions]:
        if row.visitor and row.customer:
            sightings[row.visitor].append((row.at, row.customer))

    def person(row: Touch | Conversion) -> str:
        if row.customer:
            return f"customer {row.customer}"
        seen = sorted(sightings[row.visitor])
        if not seen:
            return f"visitor {row.visitor}"
        return "customer " + next((customer for at, customer in seen if at >= row.at), seen[-1][1])

    return person


def counts(conversion: Conversion) -> bool:
    """Return whether a conversion counts: a negative one is a refund, and these have no order to refund."""
    return (conversion.value or 0) >= 0


def merged_reports(touches: list[Touch], conversions: list[Conversion], person: Callable[[Any], str]) -> dict[str, str]:
    """Return the touch that contains each report of an e-mail which is part of another touch."""
    bought, sendings = defaultdict(list), defaultdict(list)
    for conversion in filter(counts, conversions):
        bought[person(conversion)].append(conversion.at)
    for touch in touches:
        if touch.channel == "Email" and touch.touch_type in ("email", "click", "visit"):
            sendings[person(touch), touch.campaign.lower().replace("_", " ")].append(touch)
    merged = {}
    for (who, _), reports in sendings.items():
        chains: list[list[Touch]] = []
        for report in sorted(reports, key=lambda touch: (touch.at, touch.id)):
            last = chains[-1][-1] if chains else None
            if last and report.at - last.at <= EMAIL_GAP and not any(last.at <= at < report.at for at in bought[who]):
                chains[-1].append(report)
            else:
                chains.append([report])
        for chain in chains:
            for index, report in enumerate(chain):
                later = [touch.id for touch in chain[index:] if touch.touch_type == "visit"]
                earlier = [touch.id for touch in chain[:index] if touch.touch_type == "visit"][::-1]
                clicks = [touch.id for touch in chain if touch.touch_type == "click"]
                whole = [*later, *earlier, *clicks, chain[0].id][0]
                if whole != report.id:
                    merged[report.id] = whole
    return merged


def touch_type(touch: Touch) -> str:
    return MEANS.get(touch.touch_type, touch.touch_type)


def verdict(touch: Touch, conversion: Conversion, org: Org, window: int) -> str:
    """Return "kept", or the reason why a touch of the same person does not count, whatever the other touches are."""
    own = org.own_windows.get(touch_type(touch))
    days = (own or window) if window == org.lookback_days else min(window, own or window)
    if touch.at > conversion.at:
        return "after_conversion"
    return "kept" if touch.at >= conversion.at - timedelta(days=days) else "outside_lookback_window"


def journey_of(touches: list[Touch], conversion: Conversion, org: Org, window: int) -> list[Touch]:
    """Return the touches that get credit, in order. touches: all of the person, without merged ones."""
    in_order = sorted(touches, key=lambda touch: (touch.at, touch.id))
    kept = [touch for touch in in_order if verdict(touch, conversion, org, window) == "kept"]
    others = [touch for touch in kept if touch.channel != "Direct"]
    if org.direct == "include":
        return kept
    if others or org.direct == "exclude":
        return others or kept
    # The latest other touch of the year, or of its own window, stands in for Direct.
    limits = {touch.id: org.own_windows.get(touch_type(touch), max(WINDOWS)) for touch in touches}
    earlier = [
        touch
        for touch in in_order
        if touch.channel != "Direct" and conversion.at - timedelta(days=limits[touch.id]) <= touch.at <= conversion.at
    ]
    return earlier[-1:] or kept


def weights(
    model: str, journey: list[Touch], conversion: Conversion, org: Org, lead: datetime | None
) -> list[Fraction]:
    """Return a model's weights of the kept touches, in their order; they sum to 1. lead: when the person became one."""
    count = len(journey)
    if model == "first_touch":
        shares = [index == 0 for index in range(count)]
    elif model == "last_touch":
        shares = [index == count - 1 for index in range(count)]
    elif model == "last_non_direct":
        marketing = [index for index, touch in enumerate(journey) if touch.channel != "Direct"]
        shares = [index == (marketing or [count - 1])[-1] for index in range(count)]
    elif model in ("linear", "lift_adjusted"):  # no experiment
        shares = [1] * count
    elif model == "time_decay":
        days = [(conversion.at - touch.at) / timedelta(days=1) for touch in journey]
        shares = [2.0 ** (-(age - min(days)) / org.half_life_days) for age in days]
    elif model == "daily_linear":
        dates = [touch.at.astimezone(ZoneInfo(org.zone)).date() for touch in journey]
        shares = [Fraction(1, dates.count(date)) for date in dates]
    else:
        before_lead = [index for index, touch in enumerate(journey) if lead and touch.at <= lead]
        if model == "w_shaped" and lead and lead <= conversion.at and before_lead:
            places = [0, before_lead[-1], count - 1]
            others = [index for index in range(count) if index not in places]
            shares = [
                Fraction(1, 10 * len(others)) if index in others else Fraction(3, 10) * places.count(index)
                for index in range(count)
            ]
        else:
            first, last = Fraction(org.first_percent, 100), Fraction(org.last_percent, 100)
            middle = (1 - first - last) / max(count - 2, 1)
            shares = [1] if count == 1 else [first, *[middle] * (count - 2), last]
    exact = [
        Fraction(share) * org.credit_percent.get(touch_type(touch), 100)
        for share, touch in zip(shares, journey, strict=True)
    ]
    total = sum(exact)
    return [share / total for share in exact] if total else [Fraction(1, count)] * count


Links = dict[tuple[str, str, str, str], Link]  # by org, conversion, model, touch
Candidates = dict[tuple[str, str, str], str]  # reason by org, conversion, touch


def split(value: int, shares: list[Fraction]) -> list[int]:
    """Return the parts of a value by cumulative rounding: they sum to the value."""
    ends = [rounded(value * share) for share in (0, *accumulate(shares))]
    return [after - before for before, after in pairwise(ends)]


class Case(NamedTuple):
    """A conversion of an org, with all that decides about its touches."""

    org: str
    conversion: Conversion
    touches: list[Touch]  # of the person, without merged ones
    merged: list[Touch]
    lead: datetime | None


def cases(build: Build) -> Iterator[Case]:
    for name, (touches, conversions) in build.input.items():
        person = people(touches, conversions)
        merged = merged_reports(touches, conversions, person)
        of_person, leads = defaultdict(list), {}
        for touch in touches:
            of_person[person(touch)].append(touch)
        for conversion in filter(counts, conversions):
            if conversion.kind == "lead":
                leads[person(conversion)] = min(conversion.at, leads.get(person(conversion), conversion.at))
        for conversion in filter(counts, conversions):
            known = of_person[person(conversion)]
            yield Case(
                name,
                conversion,
                [touch for touch in known if touch.id not in merged],
                [touch for touch in known if touch.id in merged],
                leads.get(person(conversion)),
            )


def oracle(build: Build) -> tuple[Links, Candidates]:
    links, candidates = {}, {}
    for name, conversion, touches, merged, lead in cases(build):
        org = ORGS[name]
        journey = journey_of(touches, conversion, org, org.lookback_days)
        kept = {touch.id for touch in journey}
        candidates |= {(name, conversion.id, touch.id): "merged" for touch in merged}
        for touch in touches:
            reason = "kept" if touch.id in kept else verdict(touch, conversion, org, org.lookback_days)
            candidates[name, conversion.id, touch.id] = (
                "direct" if reason == "kept" and touch.id not in kept else reason
            )
        for model in MODELS if journey else []:
            shares = weights(model, journey, conversion, org, lead)
            parts = split(conversion.value or 0, shares)
            for index, share in enumerate(shares):
                if share:
                    key = (name, conversion.id, model, journey[index].id)
                    links[key] = Link(index + 1, len(journey), share, sum(shares[:index], Fraction(0)), parts[index])
    return links, candidates


@pytest.fixture(scope="module")
def expected(build: Build) -> tuple[Links, Candidates]:
    return oracle(build)


@pytest.fixture(scope="module")
def actual(build: Build) -> dict[tuple, tuple]:
    """Return (position, touches, weight, value, lookback days) by org, conversion, model, touch."""
    with published(build.home) as connection:
        rows = connection.execute(
            "select org_id, conversion_id, attribution_model, touchpoint_id, position, touchpoint_count,"
            " weight, attributed_value_micros, lookback_days from attribution_links"
            " where attribution_model in (select unnest(?))",
            [MODELS],
        ).fetchall()
    found = {row[:4]: row[4:] for row in rows}
    assert len(found) == len(rows), "a touch has two links to one conversion under one model"
    return found


# ---- the comparison
def disagreements(expected: Links, actual: dict[tuple, tuple], values: dict[tuple, int]) -> Iterator[str]:
    """Yield a sentence for each difference between the published links and the oracle's."""
    for key in expected.keys() ^ actual.keys():
        yield f"{key}: only {'the oracle' if key in expected else 'the warehouse'} has it"
    for key in expected.keys() & actual.keys():
        link, (position, touches, weight, money, _) = expected[key], actual[key]
        value = values[key[:2]]
        if (position, touches) != (link.position, link.touches):
            yield f"{key}: position {position} of {touches}, not {link.position} of {link.touches}"
        # Every model is exact except time decay: its weights are stored to a trillionth of the last touch's weight.
        # Each is rounded by up to half of that, and a share has the errors of all touches above and below the line.
        rounding = max(touches, 2) if key[2] == "time_decay" else 2
        if abs(Fraction(weight) - link.weight) > Fraction(rounding, TRILLION):
            yield f"{key}: weight {weight}, not {float(link.weight):.13f}"
        allowed = 1 + 4 * abs(value) // TRILLION if key[2] == "time_decay" else 0
        if abs(money - link.value) > allowed:
            yield f"{key}: {money} micros, not {link.value}"


@pytest.fixture(scope="module")
def values(build: Build) -> dict[tuple, int]:
    return {(name, row.id): row.value or 0 for name, (_, rows) in build.input.items() for row in filter(counts, rows)}


def test_every_link_equals_the_oracle(expected, actual, values):
    wrong = list(disagreements(expected[0], actual, values))
    assert not wrong, f"{len(wrong)} disagreements, such as:\n" + "\n".join(sorted(wrong)[:20])


def test_the_comparison_finds_each_wrong_link(expected, actual, values):
    """Change a weight by 3e-12, money or a position; remove and invent a link: each gives one disagreement."""
    links = expected[0]
    key = next(key for key, link in links.items() if key[2] == "linear" and link.touches > 2)
    link = links[key]
    changed = [
        link._replace(weight=link.weight + Fraction(3, TRILLION)),
        link._replace(value=link.value + 2),
        link._replace(position=link.position + 1),
    ]
    for wrong in changed:
        assert len(list(disagreements({**links, key: wrong}, actual, values))) == 1
    assert len(list(disagreements({k: v for k, v in links.items() if k != key}, actual, values))) == 1
    assert len(list(disagreements({**links, (*key[:3], "t-none"): link}, actual, values))) == 1


def test_weights_and_money_of_each_conversion_sum_exactly(expected, actual, values):
    weight_sums, money_sums = defaultdict(Decimal), Counter()
    for (org, conversion, model, _), (_, _, weight, money, _) in actual.items():
        weight_sums[org, conversion, model] += weight
        money_sums[org, conversion, model] += money
    assert set(weight_sums.values()) == {Decimal(1)}
    assert {key: money for key, money in money_sums.items() if money != values[key[:2]]} == {}
    with_touches = {key[:2] for key, reason in expected[1].items() if reason == "kept"}
    assert {key[:2] for key in money_sums} == with_touches
    assert {model for *_, model in weight_sums} == set(MODELS)
    assert len(weight_sums) == len(with_touches) * len(MODELS)


def test_every_link_has_the_lookback_window_of_its_org(actual):
    assert {(key[0], link[4]) for key, link in actual.items()} == {(o, ORGS[o].lookback_days) for o in ORGS}


def test_every_window_equals_the_oracle(build):
    """channel_summary in each window: conversions to a billionth and value, by org, window, model and channel."""
    credit, money = defaultdict(Fraction), Counter()
    journeys = Counter()
    for name, conversion, touches, _, lead in cases(build):
        org, windows = ORGS[name], defaultdict(list)  # the windows of each journey
        for window in {*WINDOWS, org.lookback_days}:
            windows[tuple(journey_of(touches, conversion, org, window))].append(window)
        for journey, days in windows.items():
            for model in MODELS:
                shares = weights(model, list(journey), conversion, org, lead) if journey else [Fraction(1)]
                channels = [touch.channel for touch in journey] or ["(unattributed)"]
                parts = split(conversion.value or 0, shares)
                credited = [each for each in zip(channels, shares, parts, strict=True) if each[1] or each[2]]
                for window in days:
                    journeys[name, window] += len(journey)
                    for channel, share, part in credited:
                        credit[name, window, model, channel] += share
                        money[name, window, model, channel] += part
    with published(build.home) as connection:
        rows = connection.execute(
            "select org_id, lookback_days, attribution_model, channel, sum(conversions), sum(conversion_value_micros)"
            " from channel_summary where attribution_model in (select unnest(?)) group by all",
            [MODELS],
        ).fetchall()
    found = {tuple(row[:4]): row[4:] for row in rows}
    expected = {key: share for key, share in credit.items() if share or money[key]}
    assert found.keys() == expected.keys()
    wrong = [
        (key, conversions, float(expected[key]), value, money[key])
        for key, (conversions, value) in found.items()
        # Time decay rounds each weight to a trillionth, so a large value can differ by some micros.
        if abs(Fraction(conversions) - expected[key]) > Fraction(1, 10**9)
        or abs(value - money[key]) > (10**6 if key[2] == "time_decay" else 0)
    ]
    assert wrong == []
    assert all(journeys[name, 1] < journeys[name, 7] < journeys[name, 90] for name in ORGS)  # windows differ


def test_every_link_of_every_window_sums_to_its_conversion(build, values):
    """window_links, which explains single conversions, agrees with the marts in every window."""
    with published(build.home) as connection:
        connection.execute("""
            create temp table links as
            select org_id, lookback_days, attribution_model, touches.channel, sum(weight) as conversions
            from window_links join touchpoints as touches using (org_id, touchpoint_id) where org_id in ('beta', 'zeta')
            group by all
        """)
        differences = connection.execute("""
            select * from temp.links full join (
                select org_id, lookback_days, attribution_model, channel, sum(conversions) as conversions
                from channel_summary where org_id in ('beta', 'zeta') and channel <> '(unattributed)' group by all
            ) as summary using (org_id, lookback_days, attribution_model, channel)
            where abs(coalesce(links.conversions, 0) - coalesce(summary.conversions, 0)) > 1e-9
        """).fetchall()
    assert differences == []


def test_rollups_have_the_windows_that_the_org_asks_for(build):
    """Their days agree with the links of each window in both modes, and their campaigns with the channel marts."""
    with published(build.home) as connection:
        windows = connection.execute(
            "select org_id, list(distinct lookback_days order by lookback_days) from daily_rollups"
            " where grain = 'ORGANIZATION' group by all"
        ).fetchall()
        days = connection.execute("""
            with links as (
                select links.lookback_days, attribution_model, accounting_mode,
                    case accounting_mode
                        when 'cash' then conversions.date
                        else timezone(orgs.timezone, timezone('UTC', touches.occurred_at))::date
                    end as date,
                    sum(weight) as conversions, sum(attributed_value_micros) as conversion_value_micros
                from window_links as links
                join conversions using (org_id, conversion_id)
                join touchpoints as touches using (org_id, touchpoint_id)
                join orgs using (org_id)
                cross join (values ('cash'), ('accrual')) as modes(accounting_mode)
                where org_id = 'beta' and links.lookback_days in (3, 7, 90)
                    and (weight > 0 or attributed_value_micros <> 0)
                group by all
            ),
            rollups as (
                select lookback_days, attribution_model, accounting_mode, date,
                    sum(conversions) as conversions, sum(conversion_value_micros) as conversion_value_micros
                from daily_rollups
                where org_id = 'beta' and grain = 'AD' and platform <> '(unattributed)'
                    and (conversions > 0 or conversion_value_micros <> 0)
                group by all
            )
            select links is null, rollups is null, * from links
            full join rollups using (lookback_days, attribution_model, accounting_mode, date)
            where links.conversions is distinct from rollups.conversions
                or links.conversion_value_micros is distinct from rollups.conversion_value_micros
        """).fetchall()
        columns = (
            "select lookback_days, attribution_model, date, platform, campaign_id,"
            " sum(conversions), sum(conversion_value_micros)"
        )
        sides = [
            f"{columns} from rollup_credit where org_id = 'beta' and grain = 'CAMPAIGN' and accounting_mode = 'cash'"
            " and (conversions > 0 or conversion_value_micros <> 0) group by all",
            f"{columns} from channel_credit where org_id = 'beta' and lookback_days in (3, 7, 90) group by all",
        ]
        rollups, channels = (set(connection.execute(side).fetchall()) for side in sides)
    assert dict(windows) == {name: sorted({org.lookback_days, *org.rollup_windows}) for name, org in ORGS.items()}
    assert days == []
    assert rollups == channels


def test_every_candidate_has_the_reason_of_the_oracle(build, expected):
    with published(build.home) as connection:
        rows = connection.execute(
            "select org_id, conversion_id, touchpoint_id, reason, is_kept from attribution_candidates"
        ).fetchall()
    found = {row[:3]: row[3] for row in rows}
    assert len(found) == len(rows)
    wrong = {key: (found.get(key), expected[1].get(key)) for key in found.keys() | expected[1].keys()}
    wrong = {key: pair for key, pair in wrong.items() if pair[0] != pair[1]}
    assert not wrong, f"{len(wrong)} candidates differ, such as {list(wrong.items())[:5]}"
    assert all(kept == (reason == "kept") for *_, reason, kept in rows)


def test_the_input_contains_every_awkward_case(build, expected, values):
    """Each case that the comparison is for occurs at least five times."""
    links, candidates = expected
    touch_of = {(name, t.id): t for name, (touches, _) in build.input.items() for t in touches}
    when = {(name, c.id): c.at for name, (_, rows) in build.input.items() for c in rows}
    seen = Counter()
    journeys = defaultdict(list)
    for (name, conversion, touch_id), reason in candidates.items():
        org, touch, at = ORGS[name], touch_of[name, touch_id], when[name, conversion]
        own = org.own_windows.get(MEANS.get(touch.touch_type, touch.touch_type))
        edge = at - timedelta(days=own or org.lookback_days)
        seen["at the conversion"] += touch.at == at and reason == "kept"
        seen["just after"] += touch.at == at + MICROSECOND and reason == "after_conversion"
        seen["at the edge"] += touch.at == edge and reason == "kept"
        seen["at the edge of its own window"] += touch.at == edge and own is not None
        seen["just outside"] += touch.at == edge - MICROSECOND and reason == "outside_lookback_window"
        seen["merged"] += reason == "merged"
        if reason == "kept":
            journeys[name, conversion].append(touch)
    for key, journey in journeys.items():
        seen["tie"] += len({touch.at for touch in journey}) < len(journey)
        seen["direct only"] += {touch.channel for touch in journey} == {"Direct"}
        seen["many touches"] += len(journey) > 10
        seen["zero value"] += values[key] == 0
        seen["one micro, three touches"] += values[key] == 1 and len(journey) >= 3
        seen["beyond what a double holds"] += values[key] > 2**53 and len(journey) > 1
        days = {touch.at.astimezone(ZoneInfo(ORGS[key[0]].zone)).date() for touch in journey}
        seen["several touches on a day"] += 1 < len(days) < len(journey)
    for touches, conversions in build.input.values():
        person = people(touches, conversions)
        with_sales = merged_reports(touches, conversions, person)
        seen["separated by a conversion"] += len(merged_reports(touches, [], person)) - len(with_sales)
        of_id = {touch.id: touch for touch in touches}
        for part, whole in with_sales.items():
            seen[f"merged into a {of_id[whole].touch_type}"] += 1
            seen["merged at the limit"] += abs(of_id[whole].at - of_id[part].at) == EMAIL_GAP
            seen["merged into an earlier touch"] += of_id[whole].at < of_id[part].at
    seen["without a touch"] = len(values) - len(journeys)
    seen["negative value"] = sum(not counts(row) for _, rows in build.input.values() for row in rows)
    shared = Counter(key[1:] for key in links)
    seen["ids that orgs share"] = sum(count > 1 for count in shared.values())
    assert len(values) > 2_500
    assert {case: count for case, count in seen.items() if count < 5} == {}
