"""The half-life of time decay, fitted to converting and non-converting journeys.

In: the ages of the touches of each journey at its end, and whether the journey converted there.
Out: the half-life in days with the highest likelihood and its 95 % profile-likelihood interval, or `NotEnoughData`.

The rate at which a customer converts is m + b * (the sum of 2^(-age / half-life) over the touches so far), with m and b
of at least 0. Under this model, the probability that a touch caused the conversion is proportional to
2^(-age / half-life), which is the weight of time decay. A journey is observed from its first touch to its end: the
conversion, or the last moment at which a conversion would have counted. The likelihood is that of a point process: the
product of the rates at the conversions times exp(-the integral of the rate). See Zhang, Wei and Ren, "Multi-touch
attribution in online advertising with survival theory", ICDM 2014, for additive rates that decay exponentially, and
Venzon and Moolgavkar, "A method for computing profile-likelihood-based confidence intervals", Applied Statistics 37(1),
1988.

On a website, every conversion follows a touch by minutes: the visit that converts is a touch itself. Such a touch is
how people convert, not why, and would make every half-life an hour. `ignored_days` lets a touch act only after that
time. The observation of a journey then begins that time after its first touch, so nothing is biased (left truncation).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log

import numpy as np
import numpy.typing as npt

from attribution.journeys import Booleans, Floats, Integers
from attribution.paths import totals

SHORTEST, LONGEST = 1 / 24, 365.0  # days: the range that is searched
GRID = 25  # half-lives that are tried before the best is refined
MIN_CONVERSIONS = 50
MIN_NON_CONVERTING = 50
CHI2_95 = 3.841458820694124  # the 95 % quantile of a chi-squared distribution with one degree of freedom
BISECTIONS = 40
PRECISION = 1e-5  # of the logarithm of a half-life


class NotEnoughData(ValueError):
    """The journeys do not determine a half-life. The message says what is missing."""


@dataclass(frozen=True, slots=True)
class HalfLife:
    """The fitted half-life and its 95 % interval in days.

    `base_rate` is the rate of conversions per journey and day without a touch, `touch_rate` the additional rate right
    after a touch. `journeys` and `conversions` count the observed journeys.
    """

    days: float
    low: float
    high: float
    base_rate: float
    touch_rate: float
    journeys: int
    conversions: int


@dataclass(frozen=True, slots=True)
class _Observed:
    """All touches by age, those of converting journeys again, and the days of observation."""

    ages: Floats
    age_weights: Floats
    converting_ages: Floats
    converting_journeys: Integers
    converting_weights: Floats
    exposure: float

    def at_half_life(self, half_life: float) -> _Decayed:
        """Return the decayed touches of each conversion and of all journeys."""
        decays = np.exp2(-self.converting_ages / half_life)
        at_conversion = totals(self.converting_journeys, decays, len(self.converting_weights))
        order = np.lexsort((self.converting_weights, at_conversion))
        decayed_days = half_life / log(2) * float((self.age_weights * -np.expm1(-self.ages * log(2) / half_life)).sum())
        return _Decayed(self.converting_weights[order], self.exposure, at_conversion[order], decayed_days)


@dataclass(frozen=True, slots=True)
class _Decayed:
    """The decayed touches at each conversion, their integral over the time of all journeys, and that time."""

    weights: Floats
    exposure: float
    at_conversion: Floats
    decayed_days: float

    def rates(self, share: float) -> Floats:
        """Return the rate at each conversion per expected conversion, of which touches cause a share."""
        return (1 - share) / self.exposure + share * self.at_conversion / self.decayed_days

    def likelihood(self, share: float) -> float:
        """Return the log likelihood without the terms that depend on the number of conversions only."""
        return float((self.weights * np.log(self.rates(share))).sum())

    def slope(self, share: float) -> float:
        """Return the derivative of the log likelihood by the share."""
        gained = self.at_conversion / self.decayed_days - 1 / self.exposure
        return float((self.weights * gained / self.rates(share)).sum())

    def best_share(self) -> float:
        """Return the share with the highest likelihood, which is concave in the share.

        At the maximum, the expected number of conversions equals the observed one, so the share is the one parameter
        beside the half-life.
        """
        if self.slope(0.0) <= 0:
            return 0.0
        if self.at_conversion[0] > 0 and self.slope(1.0) >= 0:
            return 1.0
        low, high = 0.0, 1.0
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.slope(middle) > 0 else (low, middle)
        return low


def fit_half_life(
    *,
    lengths: npt.ArrayLike,
    ages: npt.ArrayLike,
    conversions: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    ignored_days: float = 0.0,
) -> HalfLife:
    """Return the half-life with the highest likelihood.

    `lengths`, `conversions` (0 or 1) and `weights` (1 if not given) have one value per journey. `ages` has the ages in
    days of the touches of all journeys, one journey after the other, `lengths[i]` of them for journey i. The age is the
    time from the touch to the end of the journey, so the oldest touch begins the observation. Touches in the last
    `ignored_days` of a journey are ignored, and then journeys without a touch. Equal journeys give equal bits in any
    order. Raise NotEnoughData if the journeys are too few, if touches do not raise the rate of conversions, or if the
    interval has no end between one hour and 365 days.
    """
    counts, flags = np.asarray(lengths, dtype=np.int64), np.asarray(conversions)
    days = np.asarray(ages, dtype=np.float64)
    weight = np.ones(len(counts)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not (np.isfinite(days) & (days >= 0)).all():
        raise ValueError("ages has negative, infinite or missing values: give the days from each touch to the end")
    if not np.isin(flags, (0, 1)).all():
        raise ValueError("conversions has values other than 0 and 1: split the journey after each conversion")
    if counts.sum() != len(days):
        raise ValueError(f"lengths sum to {counts.sum():,}, but there are {len(days):,} ages")
    journey = np.repeat(np.arange(len(counts)), counts)
    acts = days > ignored_days if ignored_days else np.ones(len(days), dtype=bool)
    counts, days = np.bincount(journey[acts], minlength=len(counts)), days[acts] - ignored_days
    observed_journeys = (counts > 0) & (weight > 0)
    converted = int(np.count_nonzero(observed_journeys & (flags == 1)))
    lost = int(np.count_nonzero(observed_journeys)) - converted
    before = f" more than {ignored_days * 24:g} h before its end" if ignored_days else ""
    _require(converted, MIN_CONVERSIONS, "converting", before)
    _require(lost, MIN_NON_CONVERTING, "non-converting", before)
    observed = _observe(counts, days, flags == 1, weight)

    def profile(log_half_life: float) -> float:
        decayed = observed.at_half_life(exp(log_half_life))
        return decayed.likelihood(decayed.best_share())

    grid = np.linspace(log(SHORTEST), log(LONGEST), GRID)
    likelihoods = np.array([profile(float(point)) for point in grid])
    best = int(likelihoods.argmax())
    peak = _maximise(profile, float(grid[max(best - 1, 0)]), float(grid[min(best + 1, GRID - 1)]))
    fitted = observed.at_half_life(exp(peak))
    share = fitted.best_share()
    found = f"{converted:,} conversions, {lost:,} journeys without one"
    threshold = fitted.likelihood(share) - CHI2_95 / 2 * float(fitted.weights.mean())
    if fitted.likelihood(0.0) > threshold:
        raise NotEnoughData(
            f"Touches do not raise the rate of conversions measurably ({found}). Use more journeys, or keep the"
            " half-life of the settings."
        )
    outside = grid[likelihoods < threshold]
    low = _crossing(profile, threshold, peak, outside[outside < peak][::-1])
    high = _crossing(profile, threshold, peak, outside[outside > peak])
    if low is None:
        raise NotEnoughData(
            f"Too few conversions are later than {ignored_days * 24 + 1:g} h after a touch to fit a half-life"
            f" ({found}). If the visits that convert are touches, ignore the touches of more hours before a conversion."
        )
    if high is None:
        raise NotEnoughData(
            f"The 95 % interval of the half-life has no upper end below {LONGEST:.0f} days ({found}). Use more"
            " journeys, or journeys that are observed for longer."
        )
    total = float(fitted.weights.sum())
    return HalfLife(
        days=exp(peak),
        low=exp(low),
        high=exp(high),
        base_rate=(1 - share) * total / fitted.exposure,
        touch_rate=share * total / fitted.decayed_days * 2 ** (ignored_days / exp(peak)),
        journeys=converted + lost,
        conversions=converted,
    )


def _require(found: int, least: int, kind: str, before: str) -> None:
    if found < least:
        raise NotEnoughData(
            f"The half-life needs at least {least} {kind} journeys with a touch{before}; there are {found}."
        )


def _observe(counts: Integers, ages: Floats, converted: Booleans, weight: Floats) -> _Observed:
    """Return the touches in an order that depends on their values alone."""
    journey = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((ages, journey))
    ages, journey = ages[order], journey[order]
    last = (np.cumsum(counts) - 1)[counts > 0]
    exposure = np.sort(ages[last] * weight[counts > 0])
    is_converting = converted[journey] & (weight[journey] > 0)
    _, number = np.unique(journey[is_converting], return_inverse=True)
    by_age = np.lexsort((weight[journey], ages))
    return _Observed(
        ages=ages[by_age],
        age_weights=weight[journey][by_age],
        converting_ages=ages[is_converting],
        converting_journeys=number.astype(np.int64),
        converting_weights=weight[converted & (counts > 0) & (weight > 0)],
        exposure=float(exposure.sum()),
    )


def _maximise(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the position of the maximum between two bounds, by golden section."""
    ratio = (5**0.5 - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > PRECISION:
        if at_left >= at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return (low + high) / 2


def _crossing(function: Callable[[float], float], threshold: float, peak: float, outside: Floats) -> float | None:
    """Return where the function falls to the threshold between the peak and the first point outside, if any."""
    if not len(outside):
        return None
    inner, outer = peak, float(outside[0])
    while abs(outer - inner) > PRECISION:
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if function(middle) >= threshold else (inner, middle)
    return inner
