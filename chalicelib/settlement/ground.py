"""Owns what all clusters of a run stand on: its days, the obligations and who is behind them, the rules. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.assets.models import Commitment
from chalicelib.contracts.models import ObligatedAsset, Obligation
from chalicelib.kernel.periods import Span, days_span
from chalicelib.settlement.inputs import LOOK_BACK_DAYS
from chalicelib.settlement.models import MarketRules
from chalicelib.settlement.models_runs import Run
from chalicelib.settlement.points import Point
from chalicelib.settlement.rules import standing_rules

_NEVER_SETTLED = ("awarded",)


@dataclass(frozen=True, slots=True)
class Ground:
    """The obligations a run settles and those that share their meters, by id; `points` and `held` are by asset."""

    run: Run
    now: datetime
    zone: ZoneInfo
    holidays: frozenset[date]
    versions: Sequence[MarketRules]
    obligations: Mapping[str, Obligation]
    behind: Mapping[str, Sequence[ObligatedAsset]]
    points: Mapping[str, Point]
    held: Mapping[str, Sequence[Commitment]]

    @property
    def span(self) -> Span:
        return days_span(self.run.first, self.run.last, self.zone)

    @property
    def longest(self) -> Span:
        """The run's days and the history any baseline of theirs may ask for."""
        return self.span[0] - timedelta(days=LOOK_BACK_DAYS + 1), self.span[1]

    def rules_of(self, obligation: Obligation, day: date) -> MarketRules:
        return standing_rules(self.versions, obligation.market_rules, day)

    def is_settled(self, obligation_id: str) -> bool:
        """Whether the run pays for an obligation, rather than for what shares its meters."""
        obligation, run = self.obligations[obligation_id], self.run
        return (
            obligation.so == run.so
            and run.obligation_id in (None, obligation_id)
            and obligation.state not in _NEVER_SETTLED
            and obligation.period_start <= run.last
            and obligation.period_end >= run.first
        )
