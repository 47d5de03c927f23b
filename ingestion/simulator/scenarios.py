"""Markets with known causes as data: which channels touch whom, and how many purchases a touch causes.

In: nothing. Out: SCENARIOS by name, which causal.py simulates.
"""

from __future__ import annotations

from typing import NamedTuple


class Channel(NamedTuple):
    """A channel's chances. `reach` and `lift` are the chance of a touch in a round, and of a purchase by a touch."""

    name: str
    reach: float = 0.0
    lift: float = 0.0
    reach_of_buyers: float | None = None  # `reach` for people who intend to buy anyway, if it differs
    starts: float = 1.0  # after a touch, the reach of all other channels is multiplied by this
    closing: float = 0.0  # share of purchases that arrive through the channel, whatever caused them

    @property
    def buyer_reach(self) -> float:
        """Return the reach for people who intend to buy anyway."""
        return self.reach if self.reach_of_buyers is None else self.reach_of_buyers


class Scenario(NamedTuple):
    """One kind of market."""

    name: str
    description: str
    channels: tuple[Channel, ...]

    @property
    def marketing(self) -> list[str]:
        """Return the channels that marketing pays for."""
        return [channel.name for channel in self.channels if channel.name != DIRECT.name]


DIRECT = Channel("Direct", reach=0.03, reach_of_buyers=0.15, closing=0.3)
BRAND = Channel("Brand Search", reach=0.01, reach_of_buyers=0.05, closing=0.85)
RETARGETING = Channel("Retargeting", reach=0.01, reach_of_buyers=0.5)

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "lift",
            "Four channels touch equally many people and cause purchases at different rates.",
            (
                Channel("Paid Search", reach=0.06, lift=0.08),
                Channel("Paid Social", reach=0.06, lift=0.04),
                Channel("Email", reach=0.06, lift=0.02),
                Channel("Affiliates", reach=0.06, lift=0.01),
                DIRECT,
            ),
        ),
        Scenario(
            "bystander",
            "Display and video touch most people and cause nothing. Two smaller channels cause purchases.",
            (
                Channel("Paid Search", reach=0.05, lift=0.06),
                Channel("Email", reach=0.05, lift=0.03),
                Channel("Display", reach=0.25),
                Channel("Paid Video", reach=0.15),
                DIRECT,
            ),
        ),
        Scenario(
            "retarget",
            "Retargeting finds the people who buy anyway and causes nothing. Two channels cause purchases.",
            (
                Channel("Paid Search", reach=0.06, lift=0.05),
                Channel("Paid Social", reach=0.08, lift=0.03),
                RETARGETING,
                DIRECT,
            ),
        ),
        Scenario(
            "brand",
            "Nearly every purchase arrives through brand search, which causes nothing.",
            (
                Channel("Paid Search", reach=0.06, lift=0.05),
                Channel("Paid Social", reach=0.08, lift=0.03),
                Channel("Email", reach=0.05, lift=0.03),
                BRAND,
                DIRECT._replace(closing=0.1),
            ),
        ),
        Scenario(
            "starter",
            "Video sells nothing by itself. After it, search and e-mail reach a person six times as often.",
            (
                Channel("Paid Video", reach=0.08, starts=6),
                Channel("Paid Search", reach=0.02, lift=0.08),
                Channel("Email", reach=0.02, lift=0.05),
                DIRECT,
            ),
        ),
        Scenario(
            "mixed",
            "All of these together: lift, a bystander, retargeting, brand search and a channel that starts journeys.",
            (
                Channel("Paid Video", reach=0.06, lift=0.005, starts=3),
                Channel("Paid Search", reach=0.04, lift=0.06),
                Channel("Paid Social", reach=0.06, lift=0.03),
                Channel("Email", reach=0.04, lift=0.02),
                Channel("Display", reach=0.2),
                RETARGETING,
                BRAND._replace(closing=0.6),
                DIRECT._replace(closing=0.2),
            ),
        ),
    )
}
