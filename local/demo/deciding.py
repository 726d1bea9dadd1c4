"""Owns the demo's deciding: proposals asked for, shown with cost and reasons, and decided from by API and by file."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from chalicelib.decisions.models_proposals import ProposalRecord
from local.demo import files, workbooks
from local.demo.stages import Shortfall
from local.replay_proposal import differences

if TYPE_CHECKING:
    from local.demo.line import Line

Told = dict[str, Any]


class Deciding:
    """Deciding the demo's round: every competition gets a proposal, one a what-if, and all are decided from them."""

    def __init__(self, line: Line) -> None:
        self.line, self.story, self.operator = line, line.story, line.operator.session

    def walk(self) -> None:
        self.propose()
        self.decide()

    def propose(self) -> None:
        with self.story.stage("The operator asks which bids cost least"):
            made = [self._proposed(each["id"]) for each in self._competitions()]
            for told in made:
                self._tell(told)
            states = Counter(told["state"] for told in made)
            self.story.expect("proposals made", states["made"], len(self.line.competitions))
            decided = sum(view["accepted"] + view["rejected"] for view in self.line.overviews())
            self.story.expect("bids decided by looking", decided, 0)
            self._look_at_half(max(made, key=lambda told: len(told["bids"])))
            self._make_again(made[0])

    def decide(self) -> None:
        with self.story.stage("The operator decides as proposed, by file and by API"):
            blank = self.operator.download("decisions", round_ref=self.line.round_ref)
            bids = workbooks.read(blank, "Bids")
            first = min((str(bid["Competition Ref"]) for bid in bids), default="")  # the same in every run; ids are not
            own = [bid for bid in bids if str(bid["Competition Ref"]) == first]
            content = workbooks.amend(blank, "Bids", files.copied_decisions(own), "Bid ID")
            self.line.keep("decisions.xlsx", content)
            receipt = self.operator.upload("decisions", "decisions.xlsx", content)
            self.line.tell_receipt(receipt)
            self.story.expect("bids decided by file", receipt["counts"]["updated"], len(own))
            for competition in self._competitions():
                self.operator.post(f"/competitions/{competition['id']}/proposals/1/decisions", {})
            self._tell_overviews()

    def _competitions(self) -> list[Told]:
        return sorted(self.line.competitions.values(), key=lambda each: str(each["reference"]))

    def _proposed(self, competition_id: str, number: int = 1, options: Told | None = None) -> Told:
        path = f"/competitions/{competition_id}/proposals"
        asked = self.operator.post(path, options or {}, key=f"propose/{competition_id}/{number}")
        if asked["number"] != number:
            raise Shortfall(f"proposal {number} of {competition_id} has number {asked['number']}")
        self.line.market.settle()
        found: Told = self.operator.get(f"{path}/{number}")
        return found

    def _tell(self, told: Told) -> None:
        figures, reference = told["figures"], told["competition_reference"]
        self.story.say(
            f"{reference}: {figures['accepted_bids']} of {figures['bids']} bids for {figures['cost']}, "
            f"{figures['finding']}; merit order {figures['merit_order_cost']}, "
            f"difference {figures['merit_order_difference']}"
        )
        for window in told["windows"]:
            self.story.say(f"  {window['service_window_name']}: {window['message']}")
        for reason, count in Counter(bid["reason"] for bid in told["bids"] if bid["reason"]).items():
            example = next(bid["text"] for bid in told["bids"] if bid["reason"] == reason)
            self.story.say(f"  {count} x {reason}: {example}")

    def _look_at_half(self, told: Told) -> None:
        """What if only half of every window were needed?"""
        windows = [
            {"window_id": each["window_id"], "capacity_required_mw": str(Decimal(each["required_mw"]) / 2)}
            for each in told["windows"]
        ]
        looked = self._proposed(told["competition_id"], 2, {"windows": windows, "note": "half of it"})
        difference = looked["figures"]["plain_difference"]
        self.story.say(f"{told['competition_reference']}, what if half were needed: {difference} beside the proposal")
        self._tell(looked)

    def _make_again(self, told: Told) -> None:
        """What an auditor does: the record is fetched and made again, here, apart from the market."""
        link = self.operator.get(f"/competitions/{told['competition_id']}/proposals/{told['number']}/record")
        content = self.operator.fetch(link["url"])
        self.line.keep(link["name"], content)
        found = list(differences(ProposalRecord.model_validate(json.loads(content))))
        self.story.expect("differences when made again from its record", found, [])

    def _tell_overviews(self) -> None:
        views = sorted(self.line.overviews(), key=lambda view: str(view["competition_reference"]))
        self.story.expect("bids left undecided", sum(view["undecided"] for view in views), 0)
        names = ("competition_reference", "bidders", "bids", "accepted", "rejected", "message")
        rows = [tuple(view[name] for name in names) for view in views]
        self.story.table(("competition", "bidders", "bids", "accepted", "rejected", ""), rows)
