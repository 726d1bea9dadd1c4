"""The one function that unwraps keys: whoever asks, it judges by what is on record and by its own clock."""

from __future__ import annotations

import base64
import io
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.bidding import actions as bidding_actions
from chalicelib.bidding import store
from chalicelib.bidding.imports import IMPORTER
from chalicelib.competitions import actions as competitions
from chalicelib.edge.entrance import CouldNotAnswer
from chalicelib.edge.observe import logger
from chalicelib.files import actions as files
from chalicelib.files import actions_exporting
from chalicelib.files import store as files_store
from chalicelib.files.imports import import_file
from chalicelib.files.keeping import kept_of, made_by
from chalicelib.files.models import ExportRequest
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Forbidden, NotFound, Refusal, Refused, Stale
from chalicelib.storage.clients import client
from chalicelib.storage.commit import commit
from chalicelib.storage.key_words import Answered, Asked, ask_of
from chalicelib.storage.sealing import count_sealed, file_key, forget_keys_held, opening_keys, own_keys
from chalicelib.storage.sealing_cipher import NotSealedHere, OwnerKey, Scope
from functions import keep_keys
from tests.builders.bidding import CLOSED, OPEN, OPENED, BiddingMarket, bid_workbook
from tests.builders.calls import a_call, a_system_call
from tests.builders.files import put_drop
from tests.builders.keeper import KEEPER

CLOSE, OPENING = datetime(2026, 5, 9, 16, tzinfo=UTC), datetime(2026, 5, 9, 16, 1, tzinfo=UTC)
JUST_BEFORE = timedelta(milliseconds=1)
LONG_AFTER = "2027-01-01T00:00:00Z"


@pytest.fixture
def bidding(keeper) -> BiddingMarket:
    """A market with one ballot of one bid."""
    made = BiddingMarket()
    made.submit(0, price="173.6291")
    forget_keys_held()
    return made


def asked(ask: Asked) -> Answered:
    return Answered.model_validate_json(KEEPER("keep-keys", ask.model_dump_json().encode()).content)


def competition_of(bidding) -> str:
    return bidding.competition_1.id


def own_key(call: Call, bidding, owner: str | None = None, make: bool = False) -> OwnerKey:
    return own_keys(call, owner or call.organisation, {competition_of(bidding): None}, make)[competition_of(bidding)]


def refusal_of(act) -> Refusal:
    with pytest.raises(Refusal) as refused:
        act()
    return refused.value


def opened(bidding, now: str = OPENED) -> None:
    bidding.opened(now)


class TestOwn:
    def test_an_fsp_gets_the_key_of_its_own_ballots_and_it_opens_nobody_elses(self, bidding):
        [sheet] = store.load_sheets(competition_of(bidding), ["org_fsp1"])
        assert own_key(bidding.fsp(), bidding).unseal(sheet.content)
        other = own_key(bidding.fsp(organisation="org_fsp2"), bidding)
        with pytest.raises(NotSealedHere):
            other.unseal(sheet.content)

    @pytest.mark.parametrize(
        "stranger",
        [
            a_call("org_fsp2", now=LONG_AFTER),
            a_call("org_so", "so", now=LONG_AFTER),
            a_call("org_market_operator", "market_operator", now=LONG_AFTER),
            a_system_call(LONG_AFTER),
        ],
    )
    def test_another_organisation_is_told_that_there_is_no_such_ballot(self, bidding, stranger):
        refusal = refusal_of(lambda: own_key(stranger, bidding, owner="org_fsp1"))
        assert (type(refusal), refusal.code) == (NotFound, "ballot.not_found")

    def test_the_operator_of_the_competition_gets_no_fsps_own_key_however_late(self, bidding):
        opened(bidding)
        assert isinstance(refusal_of(lambda: own_key(bidding.operator(LONG_AFTER), bidding, "org_fsp1")), NotFound)

    def test_the_fsps_own_people_need_the_role(self, bidding):
        refusal = refusal_of(lambda: own_key(bidding.fsp(roles={"read", "account"}), bidding))
        assert (type(refusal), refusal.code) == (Forbidden, "identity.role")

    def test_nobody_says_of_themself_that_they_are_the_market_and_an_organisation(self, bidding):
        ask = ask_of(bidding.fsp(roles={"read"}), "own", (competition_of(bidding),), "org_fsp1").model_dump(mode="json")
        ask["asker"]["kind"] = "system"
        with pytest.raises(CouldNotAnswer, match="ValidationError"):
            keep_keys.handler(ask, None)

    def test_no_key_is_made_for_a_draft_or_for_nothing(self, bidding):
        draft = bidding.competition("DRAFT", publish=False)
        for unknown in (draft.id, "cmp_unknown"):
            refusal = refusal_of(lambda unknown=unknown: own_keys(bidding.fsp(), "org_fsp1", {unknown: None}, True))
            assert (type(refusal), refusal.code) == (NotFound, "competition.not_found")

    def test_one_competition_that_is_not_there_spoils_the_whole_ask(self, bidding):
        both = {competition_of(bidding): None, "cmp_unknown": None}
        assert refusal_of(lambda: own_keys(bidding.fsp(LONG_AFTER), "org_fsp1", both)).code == "competition.not_found"

    def test_in_a_withdrawn_competition_the_fsp_still_reads_its_own(self, bidding):
        competitions.withdraw_competition(bidding.operator(OPEN), competition_of(bidding), "no longer needed")
        assert own_key(bidding.fsp(LONG_AFTER), bidding).owner == "org_fsp1"


class TestOpened:
    def keys(self, call: Call, bidding) -> dict[str, OwnerKey]:
        return opening_keys(call, competition_of(bidding))

    def test_once_opened_the_operator_and_the_market_itself_get_the_key_of_each_bidder(self, bidding):
        opened(bidding)
        for reader in (bidding.operator(OPENED), a_system_call(OPENED)):
            assert set(self.keys(reader, bidding)) == {"org_fsp1"}

    def test_before_close_the_operator_gets_nothing_though_a_record_says_opened(self, bidding, keeper):
        """The record was forged, or written by a clock that ran ahead: the keeper's own clock stands in the way."""
        opened(bidding)
        keeper.at = CLOSE - JUST_BEFORE
        assert refusal_of(lambda: self.keys(bidding.operator(OPENED), bidding)).code == "bidding.sealed"

    @pytest.mark.parametrize("now", [OPENED, LONG_AFTER])
    def test_an_asker_whose_clock_runs_ahead_opens_nothing_earlier(self, bidding, keeper, now):
        opened(bidding)
        keeper.at = OPENING - JUST_BEFORE
        refusal = refusal_of(lambda: self.keys(bidding.operator(now), bidding))
        assert (type(refusal), refusal.code, refusal.retry_after) == (Refused, "bidding.sealed", 1)
        keeper.at = OPENING
        assert self.keys(bidding.operator(now), bidding)

    def test_an_asker_that_acts_as_of_an_earlier_instant_is_judged_by_that(self, bidding, keeper):
        opened(bidding)
        keeper.at = OPENING + timedelta(days=1)
        assert refusal_of(lambda: self.keys(bidding.operator(CLOSED), bidding)).code == "bidding.sealed"

    def test_after_close_what_was_not_opened_on_record_stays_sealed(self, bidding):
        refusal = refusal_of(lambda: self.keys(bidding.operator(LONG_AFTER), bidding))
        assert (type(refusal), refusal.code) == (Refused, "bidding.sealed")
        assert "have not been opened" in refusal.detail

    def test_what_was_opened_too_early_on_record_stays_sealed(self, bidding):
        commit(a_call(), [store.opened_write(competition_of(bidding), CLOSE)])
        assert refusal_of(lambda: self.keys(bidding.operator(LONG_AFTER), bidding)).code == "bidding.sealed"

    def test_the_operator_of_a_withdrawn_competition_gets_nothing(self, bidding):
        opened(bidding)
        competitions.withdraw_competition(bidding.operator(OPENED), competition_of(bidding), "no longer needed")
        for reader in (bidding.operator(LONG_AFTER), a_system_call(LONG_AFTER)):
            refusal = refusal_of(lambda reader=reader: self.keys(reader, bidding))
            assert (type(refusal), refusal.code) == (Refused, "competition.withdrawn")

    @pytest.mark.parametrize(
        "stranger",
        [
            a_call("org_so2", "so", now=LONG_AFTER),
            a_call("org_fsp1", now=LONG_AFTER),
            a_call("org_market_operator", "market_operator", now=LONG_AFTER),
        ],
    )
    def test_to_everybody_else_the_competition_does_not_exist(self, bidding, stranger):
        opened(bidding)
        refusal = refusal_of(lambda: self.keys(stranger, bidding))
        assert (type(refusal), refusal.code) == (NotFound, "competition.not_found")

    def test_a_competition_nobody_bid_in_has_no_keys(self, keeper):
        made = BiddingMarket()
        opened(made)
        assert self.keys(made.operator(OPENED), made) == {}


class TestProposals:
    def key(self, call: Call, bidding, owner: str | None = None, make: bool = True) -> OwnerKey:
        so = bidding.competition_1.so
        return file_key(call, Scope("proposals", competition_of(bidding)), owner or so, make)

    def test_once_opened_the_operator_and_the_market_itself_get_one_key_which_opens_no_ballot(self, bidding):
        opened(bidding)
        sealed = self.key(a_system_call(OPENED), bidding).seal(b"173.6291")
        assert self.key(bidding.operator(LONG_AFTER), bidding, make=False).unseal(sealed) == b"173.6291"
        [sheet] = store.load_sheets(competition_of(bidding), ["org_fsp1"])
        with pytest.raises(NotSealedHere):
            self.key(bidding.operator(LONG_AFTER), bidding).unseal(sheet.content)

    def test_it_is_asked_for_once_a_minute_and_organisation(self, bidding, keeper):
        opened(bidding)
        before = keeper.asked
        for _ in range(3):
            self.key(bidding.operator(OPENED), bidding)
        self.key(a_system_call(OPENED), bidding)
        assert keeper.asked - before == 2

    def test_before_the_ballots_are_opened_by_record_and_clock_there_is_none(self, bidding, keeper):
        assert refusal_of(lambda: self.key(bidding.operator(LONG_AFTER), bidding)).code == "bidding.sealed"
        opened(bidding)
        keeper.at = OPENING - JUST_BEFORE
        assert refusal_of(lambda: self.key(bidding.operator(LONG_AFTER), bidding)).code == "bidding.sealed"

    def test_to_everybody_else_the_competition_does_not_exist(self, bidding):
        opened(bidding)
        for stranger, owner in ((a_call("org_so2", "so", now=LONG_AFTER), None), (bidding.operator(OPENED), "org_so2")):
            refusal = refusal_of(lambda who=stranger, owner=owner: self.key(who, bidding, owner))
            assert (type(refusal), refusal.code) == (NotFound, "competition.not_found")


class TestCount:
    def test_the_number_comes_back_and_no_key(self, bidding):
        bidding.submit(1, 2, mw="2")
        told = asked(ask_of(a_system_call(CLOSED), "count", (competition_of(bidding),)))
        assert (told.number, told.keys) == (2, ())

    def test_nobody_counts_before_close_by_the_keepers_clock(self, bidding, keeper):
        keeper.at = CLOSE - JUST_BEFORE
        for early in (a_system_call(LONG_AFTER), bidding.operator(LONG_AFTER)):
            refusal = refusal_of(lambda early=early: count_sealed(early, competition_of(bidding)))
            assert (type(refusal), refusal.code) == (Refused, "bidding.sealed")

    def test_nobody_else_counts(self, bidding):
        for stranger in (a_call("org_so2", "so", now=LONG_AFTER), bidding.fsp(LONG_AFTER)):
            assert (
                refusal_of(lambda who=stranger: count_sealed(who, competition_of(bidding))).code == "ballot.not_found"
            )

    def test_where_nobody_bid_there_are_none(self, keeper):
        made = BiddingMarket()
        assert count_sealed(a_system_call(CLOSED), competition_of(made)) == 0

    def test_it_is_what_the_rest_of_the_market_is_told(self, bidding):
        assert bidding_actions.count_bids(a_system_call(CLOSED), competition_of(bidding)) == 1


class TestFile:
    @pytest.fixture
    def receipt(self, bidding):
        """A workbook of bids that arrived and is still to be read."""
        drop = put_drop("inbox/org_fsp1/bids/b.xlsx", bid_workbook([]), datetime.fromisoformat(OPEN))
        return files.receive(bidding.fsp().as_system(), drop, "org_fsp1", "fsp")

    def key(self, call: Call, receipt, owner: str = "org_fsp1", make: bool = False) -> OwnerKey:
        return file_key(call, Scope("file", receipt.id), owner, make)

    def test_the_market_gets_the_key_while_the_file_is_read_and_the_owner_at_any_time(self, bidding, receipt):
        sealed = self.key(bidding.fsp().as_system(), receipt, make=True).seal(b"173.6291")
        assert self.key(bidding.fsp(LONG_AFTER), receipt).unseal(sealed) == b"173.6291"

    def test_once_a_file_is_closed_it_is_its_owners_alone(self, bidding, receipt):
        import_file(bidding.fsp().as_system(), receipt.id, IMPORTER)
        refusal = refusal_of(lambda: self.key(bidding.fsp().as_system(), receipt))
        assert (type(refusal), refusal.code) == (Stale, "file.closed")
        assert self.key(bidding.fsp(), receipt, make=True).owner == "org_fsp1"

    def test_another_organisation_is_told_that_there_is_no_such_file(self, bidding, receipt):
        for stranger in (bidding.fsp(organisation="org_fsp2"), bidding.operator(LONG_AFTER)):
            for owner in ("org_fsp1", stranger.organisation):
                refusal = refusal_of(lambda who=stranger, owner=owner: self.key(who, receipt, owner, True))
                assert (type(refusal), refusal.code) == (NotFound, "file.not_found")

    def test_the_market_gets_no_key_in_another_owners_name(self, bidding, receipt):
        refusal = refusal_of(lambda: self.key(bidding.fsp().as_system(), receipt, "org_fsp2", True))
        assert refusal.code == "file.not_found"

    def test_the_owners_people_need_the_role(self, bidding, receipt):
        assert isinstance(refusal_of(lambda: self.key(bidding.fsp(roles={"read"}), receipt)), Forbidden)

    def test_files_of_kinds_that_are_not_sealed_have_no_key(self, bidding):
        drop = put_drop("inbox/org_fsp1/assets/a.csv", b"x", datetime.fromisoformat(OPEN))
        receipt = files.receive(bidding.fsp().as_system(), drop, "org_fsp1", "fsp")
        for call in (bidding.fsp(), bidding.fsp().as_system()):
            assert refusal_of(lambda call=call: self.key(call, receipt, make=True)).code == "file.not_found"

    def test_a_file_of_which_nothing_was_kept_has_no_key_to_open_it_with(self, bidding, receipt):
        with pytest.raises(NotSealedHere, match="nothing was sealed"):
            self.key(bidding.fsp(), receipt)

    def test_a_history_is_sealed_while_it_is_made_and_opened_for_its_owner(self, bidding):
        view = actions_exporting.request_export(bidding.fsp(), ExportRequest(kind="bid-history"))
        job = files_store.load_job(view.id)
        made_by(bidding.fsp().as_system(), job).put_file("exports/x", b"173.6291")
        with pytest.raises(NotFound, match=r"job\.not_found"):
            made_by(bidding.fsp(organisation="org_fsp2"), job).link_to("exports/x", "x")
        actions_exporting.finish_job(bidding.fsp().as_system(), job, b"173.6291", "x.xlsx", 1)
        with pytest.raises(Stale, match=r"job\.closed"):
            made_by(bidding.fsp().as_system(), job).put_file("exports/x", b"173.6291")
        assert actions_exporting.get_job(bidding.fsp(), job.id).link is not None

    def test_two_acts_on_a_file_have_the_same_key(self, bidding, receipt):
        place = kept_of(bidding.fsp().as_system(), receipt).put_json(["173.6291"], "chunks")
        assert kept_of(bidding.fsp(), receipt).get_json(place) == ["173.6291"]


class TestAnswers:
    def test_refusals_pass_as_they_are(self, bidding, keeper):
        """Code, status, sentence and when to come back: the user is told the same as where the ballots are read."""
        keeper.at = OPENING - timedelta(seconds=30)
        mine = refusal_of(lambda: opening_keys(bidding.operator(LONG_AFTER), competition_of(bidding)))
        theirs = refusal_of(lambda: bidding.opened("2026-05-09T16:00:30Z"))
        same = ("code", "status", "title", "detail", "retry_after")
        assert [getattr(mine, name) for name in same] == [getattr(theirs, name) for name in same]

    def test_an_ask_or_door_of_another_version_is_a_fault(self, bidding):
        ask = ask_of(bidding.fsp(), "own", (competition_of(bidding),), "org_fsp1").model_dump(mode="json")
        for wrong in ({"version": 2}, {"door": "every"}, {"ids": []}, {"ids": ["c"] * 101}, {"more": 1}):
            with pytest.raises(CouldNotAnswer, match="ValidationError"):
                keep_keys.handler(ask | wrong, None)

    def test_a_fault_is_told_by_its_name_alone(self, bidding, monkeypatch):
        def broken(**_: Any) -> None:
            raise ValueError("plaintext 173.6291")

        monkeypatch.setattr(client("kms"), "decrypt", broken)
        ask = ask_of(bidding.fsp(), "own", (competition_of(bidding),), "org_fsp1")
        with pytest.raises(CouldNotAnswer) as fault:
            keep_keys.handler(ask.model_dump(mode="json"), None)
        assert str(fault.value).startswith("ValueError;")
        assert fault.value.__suppress_context__

    def test_an_answer_shows_its_keys_only_as_json(self, bidding):
        told = asked(ask_of(bidding.fsp(), "own", (competition_of(bidding),), "org_fsp1"))
        [key] = told.keys
        secret = key.secret.get_secret_value()
        assert secret in told.model_dump_json()
        assert secret not in repr(told) + str(told) + str(told.model_dump())

    def test_a_bad_answer_is_told_without_what_was_in_it(self, bidding):
        told = asked(ask_of(bidding.fsp(), "own", (competition_of(bidding),), "org_fsp1")).model_dump(mode="json")
        secret = told["keys"][0]["secret"]
        with pytest.raises(ValueError, match="validation error") as bad:
            Answered.model_validate_json(json.dumps(told | {"secrets": [secret]}))
        assert secret not in str(bad.value)


def test_neither_keys_nor_prices_come_into_any_log(bidding, keeper, caplog, capsys, monkeypatch):
    """Everything logged at any level, while every door answers, refuses and fails."""
    caplog.set_level(logging.DEBUG)
    for wire in ("botocore", "boto3", "moto", "urllib3"):  # they log what is sent, which IAM and TLS guard
        logging.getLogger(wire).setLevel(logging.INFO)
    stream = io.StringIO()
    monkeypatch.setattr(logger().registered_handler, "stream", stream)
    bidding.submit(1, price="173.6291")
    bidding_actions.count_bids(a_system_call(CLOSED), competition_of(bidding))
    opened(bidding)
    refusal_of(lambda: own_key(bidding.fsp(LONG_AFTER, roles={"read"}), bidding))
    with monkeypatch.context() as patched:
        patched.setattr(client("kms"), "decrypt", lambda **_: {"Plaintext": None})
        with pytest.raises(RuntimeError):
            own_key(bidding.fsp(LONG_AFTER), bidding)
    messages = [record.getMessage() for record in caplog.records]
    logged = "\n".join([stream.getvalue(), *messages, *capsys.readouterr()])
    doors = {json.loads(line).get("door") for line in stream.getvalue().splitlines()}
    assert doors >= {"own", "count", "opened"}
    assert "what was asked could not be answered" in logged
    secrets = [key["secret"] for reply in keeper.heard if reply for key in json.loads(reply)["keys"]]
    assert len(secrets) >= 2
    for secret in {*secrets, "173.6291"}:
        assert secret not in logged
        if secret != "173.6291":
            assert base64.b64decode(secret).hex() not in logged
