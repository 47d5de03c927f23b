"""Claims: every figure sums to the mart, campaigns sum to their platform, the sentence fits the figures."""

from __future__ import annotations

import pytest

from tests.support.home import published
from tests.support.questions import answer

SUMS = ("claimed_conversions", "attributed_conversions", "claimed_value_micros", "attributed_value_micros")
PERIOD = {"from_": "2026-07-03", "to": "2026-07-12"}


@pytest.mark.parametrize("model", ["linear", "last_touch"])
def test_claims_sum_to_the_mart_on_every_level(built, model):
    with published(built, "northwind") as marts:
        expected = marts.execute(
            f"select {', '.join(f'sum({name})' for name in SUMS)} from claimed_vs_attributed"
            " where attribution_model = ? and date >= '2026-07-03' and date < '2026-07-13'",
            [model],
        ).fetchone()
    assert expected[0] > 0
    (total,) = answer(built, "northwind", "claim_totals", model=model, **PERIOD)
    platforms = answer(built, "northwind", "claims_by_platform", model=model, **PERIOD)
    campaigns = answer(built, "northwind", "claims_by_campaign", model=model, **PERIOD)
    assert tuple(total[name] for name in SUMS) == expected
    assert tuple(sum(row[name] for row in platforms) for name in SUMS) == expected
    assert tuple(sum(row[name] for row in campaigns) for name in SUMS) == expected
    assert total["claimed_ratio"] == pytest.approx(float(expected[0] / expected[1]))
    gap = {
        (row["platform"], row["figure"]): row["conversions"]
        for row in answer(built, "northwind", "claim_gap", model=model, **PERIOD)
    }
    for row in platforms:
        only = answer(built, "northwind", "claims_by_campaign", model=model, platform=row["platform"], **PERIOD)
        assert {other["platform"] for other in only} == {row["platform"]}
        assert sum(other["touched_conversions"] for other in only) == row["touched_conversions"]
        assert gap[row["platform"], "Touched"] == row["touched_conversions"]
        assert row["overlap_conversions"] <= row["touched_conversions"]


def test_the_sentence_fits_the_figures(built):
    rows = answer(built, "northwind", "claims_by_platform")
    assert rows
    for row in rows:
        claimed, touched, attributed = (row[f"{name}_conversions"] for name in ("claimed", "touched", "attributed"))
        if claimed == 0:
            assert "reports no conversions" in row["reading"] or "claims none" in row["reading"]
        elif claimed > touched:
            assert f"claims {round(claimed - touched)} more than it touched" in row["reading"]
        elif claimed > attributed:
            assert f"claims {round(claimed - attributed)} more than the model credits" in row["reading"]
        else:
            assert "no more than the model credits" in row["reading"]
