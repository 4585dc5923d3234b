"""Whether a goal's values have stopped moving: a robust trend, held against the measure's noise.

The trend is Theil-Sen's: the median of the slopes between all pairs of values (Theil, H. 1950, A
rank-invariant method of linear and polynomial regression analysis, Proc. Kon. Ned. Akad. v.
Wetensch. A 53; Sen, P. K. 1968, Estimates of the regression coefficient based on Kendall's tau,
JASA 63:1379-1389). One odd week does not bend it.

The noise is what a measure shows without anything having moved, the largest of

- half a step of its resolution: of 1 for values in whole numbers, else of their finest decimal;
- how far single values scatter about the trend: the median absolute deviation of the residuals
  times 1.4826, which for normal scatter is its standard deviation;
- for an instrument, its published minimal clinically important difference.

Values stand still when the change that their trend makes of the whole period is smaller than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import combinations
from statistics import median
from typing import NamedTuple

from domain.goals import Measure
from domain.policy import DEFAULT_POLICY, Policy

FINE = 32
"""From so many values on every second one is enough for their trend: pairs grow with the square."""
NORMAL_SCATTER = 1.4826
INSTRUMENT_NOISE: dict[str | None, float] = {"phq9": 5, "gad7": 4}
"""Minimal clinically important difference of the totals: PHQ-9 5 points (Löwe, Unützer, Callahan,
Perkins & Kroenke 2004, Med Care 42:1194-1201), GAD-7 4 points (Toussaint et al. 2020, J Affect
Disord 265:395-401)."""

Reading = tuple[datetime, float]
"""A moment and the value that was true then."""


class Trend(NamedTuple):
    """How values move: how far a day, over how many days, and what would be mere noise."""

    slope: float
    days: float
    noise: float

    @property
    def still(self) -> bool:
        """Whether the change over the whole period is smaller than the noise."""
        return abs(self.slope) * self.days < self.noise

    def keeps_up_with(self, other: Trend) -> bool:
        """Whether values move the other trend's way, and at least half as fast."""
        return self.slope * other.slope >= other.slope**2 / 2


def plateau_since(
    readings: Iterable[Reading], measure: Measure, policy: Policy = DEFAULT_POLICY
) -> datetime | None:
    """The moment since when the values have stood still short of their target; None: they do not.

    It looks at the newer half of the values, or at more of them until they are as many over as many
    days as the policy asks for: so what moved once and then stopped shows soon, and so does what
    moves again.
    Values that together do move, only too slowly for that half to show it, and that still keep up
    this pace, do not stand still.
    """
    held = sorted(readings)
    begin = _newer_half(held, policy)
    if begin is None or _as_wanted([value for _, value in held[begin:]], measure):
        return None
    least_noise = max(resolution(held) / 2, INSTRUMENT_NOISE.get(measure.instrument, 0))
    newer = trend(held[begin:], least_noise)
    if not newer.still:
        return None
    whole = trend([*held[: -1 : 1 + len(held) // FINE], held[-1]], least_noise)
    return held[begin][0] if whole.still or not newer.keeps_up_with(whole) else None


def trend(readings: Sequence[Reading], least_noise: float = 0) -> Trend:
    """The robust trend of readings in order of time; the last must be later than the first."""
    first = readings[0][0]
    points = [((at - first) / timedelta(days=1), value) for at, value in readings]
    slope = median([(v - u) / (t - s) for (s, u), (t, v) in combinations(points, 2) if t > s])
    levels = [value - slope * day for day, value in points]
    level = median(levels)
    scatter = median([abs(held - level) for held in levels])
    return Trend(slope, points[-1][0], max(least_noise, NORMAL_SCATTER * scatter))


def resolution(readings: Sequence[Reading]) -> float:
    """The step in which values are written: 1 for whole numbers, else 0.1, 0.01 and so on."""
    broken = {value for _, value in readings if value % 1}
    finest = min((Decimal(str(held)).as_tuple().exponent for held in broken), default=0)
    return 10.0 ** int(finest)


def _newer_half(held: Sequence[Reading], policy: Policy) -> int | None:
    """Where the newer half begins, or more that is enough to judge by; None: nothing is enough."""
    period = timedelta(days=policy.plateau_days)
    if len(held) < policy.plateau_values or held[-1][0] - held[0][0] < period:
        return None
    latest = held[-1][0] - period
    begin = min(len(held) // 2, len(held) - policy.plateau_values)
    return next(place for place in range(begin, -1, -1) if held[place][0] <= latest)


def _as_wanted(values: Sequence[float], measure: Measure) -> bool:
    """Whether standing still is what was agreed: the goal maintains, or the target is reached.

    It is reached when the newest value or the middle one is there: neither one good week nor one
    less good week decides.
    """
    ends = values[-1], median(values)
    if measure.direction == "decrease":
        return min(ends) <= measure.target
    return measure.direction == "maintain" or max(ends) >= measure.target
