"""Who answers a conversation: every owner and every act, and nobody answers beside the owner."""

from itertools import product

import pytest

from bot.desk.ownership import (
    PRIORITY,
    Act,
    NotAllowed,
    Owner,
    QueueReason,
    after,
    bot_may_answer,
    more_urgent,
)

NOT_POSSIBLE = None
TABLE: dict[tuple[Owner, Act], Owner | None] = {
    (Owner.BOT, Act.ASK_HUMAN): Owner.QUEUED,
    (Owner.BOT, Act.WITHDRAW): NOT_POSSIBLE,
    (Owner.BOT, Act.TAKE): Owner.HUMAN,
    (Owner.BOT, Act.GIVE_BACK): NOT_POSSIBLE,
    (Owner.BOT, Act.CLOSE): Owner.CLOSED,
    (Owner.BOT, Act.REOPEN): NOT_POSSIBLE,
    (Owner.QUEUED, Act.ASK_HUMAN): Owner.QUEUED,
    (Owner.QUEUED, Act.WITHDRAW): Owner.BOT,
    (Owner.QUEUED, Act.TAKE): Owner.HUMAN,
    (Owner.QUEUED, Act.GIVE_BACK): NOT_POSSIBLE,
    (Owner.QUEUED, Act.CLOSE): Owner.CLOSED,
    (Owner.QUEUED, Act.REOPEN): NOT_POSSIBLE,
    (Owner.HUMAN, Act.ASK_HUMAN): NOT_POSSIBLE,
    (Owner.HUMAN, Act.WITHDRAW): NOT_POSSIBLE,
    (Owner.HUMAN, Act.TAKE): NOT_POSSIBLE,
    (Owner.HUMAN, Act.GIVE_BACK): Owner.BOT,
    (Owner.HUMAN, Act.CLOSE): Owner.CLOSED,
    (Owner.HUMAN, Act.REOPEN): NOT_POSSIBLE,
    (Owner.CLOSED, Act.ASK_HUMAN): Owner.QUEUED,
    (Owner.CLOSED, Act.WITHDRAW): NOT_POSSIBLE,
    (Owner.CLOSED, Act.TAKE): Owner.HUMAN,
    (Owner.CLOSED, Act.GIVE_BACK): NOT_POSSIBLE,
    (Owner.CLOSED, Act.CLOSE): NOT_POSSIBLE,
    (Owner.CLOSED, Act.REOPEN): Owner.BOT,
}
REASONS: list[QueueReason | None] = [None, *QueueReason]


def test_the_table_lists_every_owner_and_act() -> None:
    assert set(TABLE) == set(product(Owner, Act))


@pytest.mark.parametrize(("owner", "act"), TABLE)
def test_each_act_leads_to_one_owner_or_says_that_it_is_not_possible(owner: Owner, act: Act) -> None:
    expected = TABLE[owner, act]
    assert after(owner, act) == (NotAllowed(owner, act) if expected is NOT_POSSIBLE else expected)


@pytest.mark.parametrize("act", [act for act in Act if act is not Act.TAKE])
@pytest.mark.parametrize("owner", [owner for owner in Owner if owner is not Owner.HUMAN])
def test_only_taking_makes_a_person_the_owner(owner: Owner, act: Act) -> None:
    assert after(owner, act) is not Owner.HUMAN


def test_a_conversation_that_a_person_has_cannot_be_taken_by_another() -> None:
    assert isinstance(after(Owner.HUMAN, Act.TAKE), NotAllowed)


@pytest.mark.parametrize("act", [Act.ASK_HUMAN, Act.WITHDRAW, Act.REOPEN])
def test_nothing_a_borrower_does_takes_a_conversation_from_a_person(act: Act) -> None:
    assert isinstance(after(Owner.HUMAN, act), NotAllowed)


@pytest.mark.parametrize("owner", Owner)
def test_a_person_can_be_reached_from_every_state_in_one_act(owner: Owner) -> None:
    assert owner is Owner.HUMAN or after(owner, Act.ASK_HUMAN) is Owner.QUEUED


@pytest.mark.parametrize("owner", Owner)
def test_from_every_state_the_bot_can_get_the_conversation_back(owner: Owner) -> None:
    reachable = {owner}
    for _ in Owner:
        steps = {after(now, act) for now in reachable for act in Act}
        reachable |= {step for step in steps if isinstance(step, Owner)}
    assert reachable == set(Owner)


@pytest.mark.parametrize(("owner", "reason"), list(product(Owner, REASONS)))
def test_the_bot_answers_unless_a_person_does_or_distress_waits(owner: Owner, reason: QueueReason | None) -> None:
    silent = owner is Owner.HUMAN or (
        owner is Owner.QUEUED and reason in (QueueReason.DISTRESS, QueueReason.VULNERABLE)
    )
    assert bot_may_answer(owner, reason) is not silent


def test_distress_comes_before_everything_and_misunderstandings_come_last() -> None:
    assert PRIORITY[0] is QueueReason.DISTRESS
    assert PRIORITY[-1] is QueueReason.NOT_UNDERSTOOD
    assert sorted(PRIORITY) == sorted(QueueReason)


@pytest.mark.parametrize(("first", "second"), list(product(QueueReason, repeat=2)))
def test_the_more_urgent_reason_stays_whichever_came_first(first: QueueReason, second: QueueReason) -> None:
    chosen = more_urgent(first, second)
    assert chosen == more_urgent(second, first)
    assert chosen in (first, second)
    assert PRIORITY.index(chosen) == min(PRIORITY.index(first), PRIORITY.index(second))
