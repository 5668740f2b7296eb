"""The checker that judges a simulated year can fail: rows written wrong by hand, and what it says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, time
from pathlib import Path

import pytest

from bot.clock import SHANGHAI
from bot.store.tables import (
    ContactWish,
    Outbox,
)
from tests.builders.accounts import Owed, a_debt_of
from tests.builders.contact_book import START, Book, on
from tests.builders.desk import SetClock, Talk, a_borrower, a_conversation, a_desk
from tests.simulation.records import Relived
from tests.simulation.rules import CHECKS


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    clock = SetClock(START)
    deps = a_desk(tmp_path, clock)
    borrower_id = a_borrower(deps)
    yield Book(deps, borrower_id, a_conversation(deps, Talk(borrower_id=borrower_id)), clock)
    deps.database.engine.dispose()


def a_wish(book: Book, **columns: object) -> None:
    book.add(ContactWish(borrower_id=book.borrower_id, changed_at=START, **columns))


def at_night(book: Book) -> None:
    book.notice(on(1, 22, 30))


def before_eight(book: Book) -> None:
    book.notice(on(1, 7, 59))


def in_the_evening(book: Book) -> None:
    book.notice(on(1, 20))


def delivered_at_night(book: Book) -> None:
    book.notice(on(1, 19, 59), delivered_at=on(1, 22, 1))


def two_in_a_day(book: Book) -> None:
    book.notice(on(1, 10))
    book.notice(on(2, 9, 59))


def two_in_a_day_over_two_chats(book: Book) -> None:
    other = a_conversation(book.deps, Talk(borrower_id=book.borrower_id))
    book.notice(on(1, 10))
    book.notice(on(1, 18), chat=other)


def a_ladder_step_right_after_an_operator(book: Book) -> None:
    book.message(on(3, 9, 30), "collection", author="operator")
    book.notice(on(3, 10), "overdue", "collection")


def an_operator_after_an_hour(book: Book) -> None:
    book.message(on(3, 9, 30), "collection", author="operator")
    book.message(on(3, 10, 31), "collection", author="operator")


def four_in_a_week(book: Book) -> None:
    for days in (1, 3, 5, 7):
        book.message(on(days, 9), "reply", author="borrower")
        book.notice(on(days))


def a_third_unanswered(book: Book) -> None:
    for days in (1, 3, 9):
        book.notice(on(days))


def announced_three_times(book: Book) -> None:
    part = book.plan(on(30).date())
    for days in (10, 20, 28):
        book.notice(on(days), instalment_id=part, due_on=on(30).date())


def after_stop(book: Book) -> None:
    book.hold("opt_out", on(1, 9))
    book.notice(on(1))


def delivered_after_stop(book: Book) -> None:
    book.hold("opt_out", on(1, 10, 1))
    book.notice(on(1), delivered_at=on(1, 10, 2))


def in_a_pause(book: Book) -> None:
    book.hold("pause", on(1), until=on(8))
    book.notice(on(7))


def in_a_dispute(book: Book) -> None:
    book.hold("dispute", on(1))
    book.notice(on(7))


def the_ladder_under_a_plan(book: Book) -> None:
    book.hold("plan", on(1))
    book.notice(on(7), "overdue", "collection")


def the_ladder_while_a_payment_is_sought(book: Book) -> None:
    book.hold("payment_sought", on(1))
    book.notice(on(7), "overdue", "collection")


def on_national_day(book: Book) -> None:
    day = datetime(2027, 10, 1, 10, tzinfo=SHANGHAI)
    book.notice(day, "overdue", "collection")


def in_quiet_hours(book: Book) -> None:
    a_wish(book, quiet_from=time(18), quiet_to=time(12))
    book.notice(on(1, 11, 59))


def more_often_than_wished(book: Book) -> None:
    a_wish(book, per_seven_days=1)
    book.notice(on(1))
    book.notice(on(7))


def in_a_strangers_chat(book: Book) -> None:
    other = a_borrower(book.deps, "李雷", "13800000002", "110101199001010022")
    book.notice(on(1), chat=a_conversation(book.deps, Talk(borrower_id=other)))


def in_a_chat_of_nobody(book: Book) -> None:
    book.notice(on(1), chat=a_conversation(book.deps, Talk()))


def that_tells_a_stranger(book: Book) -> None:
    book.notice(on(1), text="示例银行的AI助手:您有一笔¥500.00的还款。")


def about_a_paid_instalment(book: Book) -> None:
    part = book.plan(on(30).date())
    book.pay(on(5), book.debt_of(part), 10_000)
    book.notice(on(27), instalment_id=part, due_on=on(30).date())


def about_a_paid_debt(book: Book) -> None:
    debt_id = a_debt_of(book.deps, book.borrower_id, Owed(principal_fen=100_000))
    book.pay(on(5), debt_id, 200_000)
    book.notice(on(9), "overdue", "collection", subject=f"debt:{debt_id}")


def after_the_day(book: Book) -> None:
    part = book.plan(on(30).date())
    book.notice(on(31), instalment_id=part, due_on=on(30).date())


def late_before_the_day(book: Book) -> None:
    part = book.plan(on(30).date())
    book.notice(on(30), "late", instalment_id=part, due_on=on(30).date())


def overdue_before_the_day(book: Book) -> None:
    debt_id = a_debt_of(book.deps, book.borrower_id, Owed(days_late=-20))
    book.notice(on(9), "overdue", "collection", subject=f"debt:{debt_id}")


def about_a_debt_that_may_be_too_old(book: Book) -> None:
    debt_id = a_debt_of(book.deps, book.borrower_id, Owed(limitation_known=False))
    book.notice(on(9), "overdue", "collection", subject=f"debt:{debt_id}")


def the_ladder_again_without_a_word(book: Book) -> None:
    book.hold("complaint", on(1), on(8))
    book.notice(on(10), "overdue", "collection")


def the_ladder_too_soon_after_the_word(book: Book) -> None:
    book.hold("complaint", on(1), on(8))
    book.notice(on(9), "resumed")
    book.notice(on(11), "overdue", "collection")


def one_notice_in_two_messages(book: Book) -> None:
    other = a_conversation(book.deps, Talk(borrower_id=book.borrower_id))
    for chat in (book.chat, other):
        book.message(on(1), "plan_notice", chat=chat, client_key="reminder:one")


def two_notices_in_one_message(book: Book) -> None:
    message_id = book.notice(on(1))
    book.notice(on(3), message_id=message_id)


def the_same_under_two_keys(book: Book) -> None:
    for days in (1, 3):
        book.notice(on(days), "overdue", "collection", subject="debt:x", stage="s1", send_at=on(1))


def one_that_the_history_does_not_know(book: Book) -> None:
    book.message(on(1), "plan_notice")


def still_planned(book: Book) -> None:
    book.notice(on(1), state="planned", decided_at=None, message_id=None, rule=None)


def ended_without_a_rule(book: Book) -> None:
    book.notice(on(1), state="refused", rule=None)


def sent_without_a_message(book: Book) -> None:
    book.notice(on(1), message_id=None)


def never_put_out(book: Book) -> None:
    book.notice(on(1), chat=a_conversation(book.deps, Talk(borrower_id=book.borrower_id, channel="telegram")))


def given_up_without_a_reason(book: Book) -> None:
    message_id = book.notice(on(1))
    book.add(Outbox(key="x", message_id=message_id, channel="telegram", state="dead", next_attempt_at=on(1)))


def forgotten_in_the_outbox(book: Book) -> None:
    message_id = book.notice(on(1))
    book.add(Outbox(key="x", message_id=message_id, channel="telegram", state="pending", next_attempt_at=on(1)))


def called_an_answer(book: Book) -> None:
    book.message(on(3), "reply")


WRONG: tuple[tuple[Callable[[Book], None], str], ...] = (
    (at_night, "T1"),
    (before_eight, "T1"),
    (in_the_evening, "T2"),
    (delivered_at_night, "T1"),
    (two_in_a_day, "F1"),
    (two_in_a_day_over_two_chats, "F1"),
    (a_ladder_step_right_after_an_operator, "F1"),
    (an_operator_after_an_hour, "F1"),
    (four_in_a_week, "F1"),
    (a_third_unanswered, "F3"),
    (announced_three_times, "F4"),
    (after_stop, "F5"),
    (delivered_after_stop, "F5"),
    (in_a_pause, "F6"),
    (in_a_dispute, "F6"),
    (the_ladder_under_a_plan, "F6"),
    (the_ladder_while_a_payment_is_sought, "F6"),
    (on_national_day, "D1"),
    (in_quiet_hours, "W1"),
    (more_often_than_wished, "W1"),
    (in_a_strangers_chat, "P1"),
    (in_a_chat_of_nobody, "P1"),
    (that_tells_a_stranger, "I2"),
    (about_a_paid_instalment, "paid"),
    (about_a_paid_debt, "paid"),
    (after_the_day, "past"),
    (late_before_the_day, "early"),
    (overdue_before_the_day, "early"),
    (about_a_debt_that_may_be_too_old, "N8"),
    (the_ladder_again_without_a_word, "resumed"),
    (the_ladder_too_soon_after_the_word, "resumed"),
    (one_notice_in_two_messages, "twice"),
    (two_notices_in_one_message, "twice"),
    (the_same_under_two_keys, "twice"),
    (one_that_the_history_does_not_know, "unrecorded"),
    (still_planned, "lost"),
    (ended_without_a_rule, "lost"),
    (sent_without_a_message, "lost"),
    (never_put_out, "lost"),
    (given_up_without_a_reason, "lost"),
    (forgotten_in_the_outbox, "lost"),
    (called_an_answer, "unasked"),
)


@pytest.mark.parametrize(("write", "rule"), WRONG, ids=[write.__name__ for write, _ in WRONG])
def test_a_wrong_row_is_found(book: Book, write: Callable[[Book], None], rule: str) -> None:
    write(book)
    assert rule in book.rules()


def test_every_check_of_the_table_is_made_to_fail() -> None:
    broken = {rule for _, rule in WRONG}
    assert broken >= {"T1", "T2", "F1", "F3", "F4", "F5", "F6", "D1", "W1", "P1", "I2", "N8", "paid", "lost", "twice"}
    assert len(WRONG) >= len(CHECKS)


def test_what_keeps_the_rules_is_not_found(book: Book) -> None:
    part = book.plan(on(30).date())
    debt_id = a_debt_of(book.deps, book.borrower_id)
    book.hold("complaint", on(1), on(3))
    book.notice(on(4), "resumed")
    book.notice(on(7, 9), "overdue", "collection", subject=f"debt:{debt_id}", stage="s1")
    book.notice(on(14, 19, 59), "overdue", "collection", subject=f"debt:{debt_id}", stage="s2")
    book.message(on(15, 23), "reply", author="borrower")
    book.message(on(15, 23), "reply")
    book.message(on(20, 9), "collection", author="operator")
    book.message(on(20, 9, 59), "collection", author="operator")
    book.notice(on(27), instalment_id=part, due_on=on(30).date())
    book.pay(on(28), book.debt_of(part), 9_999)
    book.notice(on(29), instalment_id=part, due_on=on(30).date())
    book.notice(on(33), state="superseded", rule="paid", message_id=None)
    assert book.found() == []


def test_a_notice_that_came_twice_is_found_and_an_answer_is_not(book: Book) -> None:
    notice = book.notice(on(1))
    book.message(on(2, 9), "reply", author="borrower")
    answer = book.message(on(2, 9), "reply")
    assert {each.rule for each in book.found(received={notice: 1, answer: 2})} == set()
    assert {each.rule for each in book.found(received={notice: 2, answer: 1})} == {"twice"}


def test_what_was_recorded_while_the_clock_was_wrong_gets_the_benefit_of_the_doubt(book: Book) -> None:
    book.hold("opt_out", on(2))
    book.notice(on(3))
    assert "F5" in book.rules()
    wrong = Relived(on(1), on(4), on(1))
    assert book.found(relived=(wrong,)) == []


def test_a_person_who_looks_after_somebody_gets_the_benefit_of_the_doubt_too(book: Book) -> None:
    book.message(on(3, 23), "safety", author="operator")
    assert book.rules() == {"unasked"}
    book.hold("distress", on(2))
    assert book.found() == []
    wrong = Relived(on(1), on(4), on(1))
    assert book.found(relived=(wrong,)) == []


def test_a_wish_made_while_the_clock_was_wrong_gets_the_benefit_of_the_doubt(book: Book) -> None:
    in_quiet_hours(book)
    assert "W1" in book.rules()
    before_the_wish = Relived(on(-30), on(60), on(-30))
    assert "W1" not in {each.rule for each in book.found(relived=(before_the_wish,))}
