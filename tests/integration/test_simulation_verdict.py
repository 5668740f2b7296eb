"""A simulated run comes out the same twice, and its verdict sees a fen astray and a name in the wrong chat."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from bench.simulate import Part, live
from bot.services import audit
from bot.services.deps import Deps
from bot.store.tables import Borrower, Conversation, Instalment, Message, Reminder
from tests.builders.accounts import a_debt_of, a_plan, verified
from tests.builders.desk import a_borrower, a_conversation
from tests.builders.payments import paid
from tests.simulation.verdict import Money, Share, judge


def test_a_small_run_breaks_nothing_and_comes_out_the_same_twice(tmp_path: Path) -> None:
    verdict = live(Part(first=0, people=4, days=6, seed=3, is_replayed=True))
    assert not any(verdict.broken.values()), "\n".join(verdict.lines())
    assert set(verdict.broken) == {"contact rules", "fen errors", "leaks", "replay"}
    assert verdict.resolved.of == 4
    assert verdict.checked["decisions compared"] > 0


class TestWhatIsSeen:
    """Each thing that must never happen, brought about once."""

    @pytest.fixture
    def desk(self, deps: Deps) -> Deps:
        borrower = a_borrower(deps, "演示1")
        debt = a_debt_of(deps, borrower)
        a_plan(deps, verified(deps, borrower))
        paid(deps, debt, 10_000)
        return deps

    def broken(self, deps: Deps) -> dict[str, int]:
        with deps.read() as session:
            found = judge(session, deps.vault)
        return {kind: len(lines) for kind, lines in found.broken.items() if lines}

    def test_a_plan_that_is_kept_is_counted_and_nothing_is_broken(self, desk: Deps) -> None:
        with desk.read() as session:
            found = judge(session, desk.vault)
        assert self.broken(desk) == {}
        assert (found.resolved, found.plans_kept) == (Share(1, 1), Share(1, 1))
        assert found.checked["payments"] == 1
        ((received, owed),) = found.money.received_and_owed
        assert received == 10_000
        assert owed > received

    def test_a_notice_that_was_not_let_out_and_a_talk_without_an_offer(self, desk: Deps) -> None:
        with desk.begin() as session:
            borrower_id = session.scalars(select(Borrower.id)).one()
            session.add(a_refused_notice(borrower_id, "H1", desk.now()))
            audit.record(session, desk.now(), audit.BOT, "no_offer", ("negotiation", "1"), reason="no_surplus")
        with desk.read() as session:
            assert judge(session, desk.vault).refused == {"notice H1": 1, "offer no_surplus": 1}

    def test_a_fen_astray(self, desk: Deps) -> None:
        with desk.begin() as session:
            session.scalars(select(Instalment).order_by(Instalment.number)).first().amount_fen += 1  # type: ignore[union-attr]
        assert self.broken(desk) == {"fen errors": 1}

    def test_a_name_in_somebody_elses_chat_and_a_sum_in_a_notice(self, desk: Deps) -> None:
        chat = a_conversation(desk)
        with desk.begin() as session:
            for seq, (text, purpose) in enumerate((("演示1您好", "reply"), ("您欠¥5.00", "plan_notice")), start=7):
                session.add(
                    Message(
                        conversation_id=chat, seq=seq, author="bot", text=text, purpose=purpose, created_at=desk.now()
                    )
                )
        assert self.broken(desk) == {"leaks": 2}

    def test_a_person_who_was_needed(self, desk: Deps) -> None:
        with desk.begin() as session:
            session.scalars(select(Conversation)).first().owner = "queued"  # type: ignore[union-attr]
        with desk.read() as session:
            assert judge(session, desk.vault).contained == Share(0, 1)


def a_refused_notice(borrower_id: str, rule: str, at: datetime) -> Reminder:
    return Reminder(
        key="n1",
        borrower_id=borrower_id,
        purpose="collection",
        channel="web",
        send_at=at,
        state="refused",
        rule=rule,
        created_at=at,
        decided_at=at,
    )


def test_what_came_in_is_a_share_of_everything_owed_with_its_interval() -> None:
    assert str(Money()) == "nothing was owed"
    assert str(Money([(0, 100)] * 50)) == "0.0% (too little to tell how surely)"
    assert str(Money([(0, 100), (100, 100)] * 50)) == "50.0% (40.2% to 59.8%)"
    assert str(Money([(0, 100), (100, 100)] * 5)) == "50.0% (17.3% to 82.7%)"


@pytest.mark.parametrize(
    ("share", "low", "high"), [(Share(0, 0), 0.0, 1.0), (Share(50, 100), 0.404, 0.596), (Share(0, 100), 0.0, 0.037)]
)
def test_the_interval_is_wilsons(share: Share, low: float, high: float) -> None:
    assert share.interval == pytest.approx((low, high), abs=0.001)
