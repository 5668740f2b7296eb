"""Plan notices against both databases: planned with the plan, decided again when due, sent once or not at all."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from string import Template

import pytest
from sqlalchemy import func, select

from bot.clock import SHANGHAI, local
from bot.outreach.gate import HoldKind
from bot.services import contact_wishes, identity, reminders, web_sessions
from bot.services.agreements import AgreementView
from bot.services.conversations import Author, Reply, locked, say
from bot.services.deps import Deps
from bot.services.handoff import place_hold
from bot.services.history import MessageView, messages_after
from bot.services.inbound import record_text
from bot.services.reminders import Swept
from bot.store.tables import Agreement, Conversation, Instalment, Outbox, Reminder, WebSession
from tests.builders.accounts import a_debt_of, a_plan, verified
from tests.builders.desk import SetClock, a_borrower
from tests.builders.threads import at_once


@pytest.fixture
def borrower(deps: Deps) -> str:
    made = a_borrower(deps)
    a_debt_of(deps, made)
    return made


@pytest.fixture
def chat(deps: Deps, borrower: str) -> str:
    return verified(deps, borrower, "telegram")


@pytest.fixture
def plan(deps: Deps, chat: str) -> AgreementView:
    return a_plan(deps, chat)


def in_browser(deps: Deps, borrower: str) -> tuple[str, str]:
    """Let a borrower prove identity in a browser's conversation; returns its id and the browser's token."""
    opened = web_sessions.open_session(deps)
    with deps.begin() as session:
        row = session.get_one(Conversation, opened.conversation_id)
        row.borrower_id, row.verified_at, row.last_inbound_at = borrower, deps.now(), deps.now()
    return opened.conversation_id, opened.token


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=SHANGHAI)


def before(plan: AgreementView, days: int, hour: int = 10, number: int = 1) -> datetime:
    return at(plan.instalments[number - 1].due_on - timedelta(days=days), hour)


def notices(deps: Deps, conversation_id: str) -> list[MessageView]:
    lender = deps.settings.lender_name
    wordings = [texts for name, texts in deps.notice_words.wordings.items() if name.startswith("plan")]
    said = {Template(text).substitute(lender=lender) for texts in wordings for text in texts}
    return [message for message in messages_after(deps, conversation_id, 0) if message.text in said]


def rules(deps: Deps, state: str) -> set[str | None]:
    with deps.begin() as session:
        return set(session.scalars(select(Reminder.rule).where(Reminder.state == state)))


def hold(deps: Deps, conversation_id: str, kind: HoldKind) -> None:
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        assert conversation is not None
        place_hold(session, kind, deps.now(), conversation)


def mark(deps: Deps, number: int, state: str) -> None:
    with deps.begin() as session:
        session.scalars(select(Instalment).where(Instalment.number == number)).one().state = state


def test_each_instalment_has_a_notice_three_days_and_one_day_before_at_ten(deps: Deps, plan: AgreementView) -> None:
    with deps.begin() as session:
        planned = [local(send_at) for send_at in session.scalars(select(Reminder.send_at).order_by(Reminder.send_at))]
    assert planned == [at(part.due_on - timedelta(days=days), 10) for part in plan.instalments for days in (3, 1)]


def test_nothing_is_sent_before_its_time(deps: Deps, clock: SetClock, chat: str, plan: AgreementView) -> None:
    clock.instant = before(plan, 3) - timedelta(seconds=1)
    assert reminders.sweep(deps) == Swept()
    assert notices(deps, chat) == []


def test_a_notice_is_sent_once_and_tells_nothing_about_the_debt(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView
) -> None:
    clock.instant = before(plan, 3)
    assert reminders.sweep(deps) == Swept(sent=1)
    assert reminders.sweep(deps) == Swept()
    [notice] = notices(deps, chat)
    assert not any(character.isdigit() for character in notice.text)
    clock.instant = before(plan, 1)
    assert reminders.sweep(deps) == Swept(sent=1)
    clock.instant = before(plan, 0, hour=19)
    assert reminders.sweep(deps) == Swept()
    assert len(notices(deps, chat)) == 2


def test_who_answers_is_reminded_twice_again_next_month(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView
) -> None:
    for number in (1, 2):
        for days in (3, 1):
            clock.instant = before(plan, days, number=number)
            assert reminders.sweep(deps).sent == 1
        clock.move(timedelta(hours=1))
        record_text(deps, chat, f"answer {number}", "查看")
    assert len(notices(deps, chat)) == 4


def test_who_never_answers_is_reminded_less_but_every_month(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView
) -> None:
    sent = []
    for number in (1, 2, 3):
        for days in (3, 1):
            clock.instant = before(plan, days, number=number)
            sent.append(reminders.sweep(deps).sent)
    assert sent == [1, 1, 1, 0, 1, 0]
    assert "F3" in rules(deps, "planned")


@pytest.mark.parametrize(("hour", "rule"), [(22, "T1"), (23, "T1"), (21, "T2")])
def test_what_falls_due_at_night_waits_for_the_morning(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView, hour: int, rule: str
) -> None:
    clock.instant = before(plan, 3, hour=hour)
    assert reminders.sweep(deps) == Swept(deferred=1)
    assert reminders.sweep(deps) == Swept()
    assert rule in rules(deps, "planned")
    clock.instant = before(plan, 2, hour=9) - timedelta(seconds=1)
    assert reminders.sweep(deps) == Swept()
    clock.instant = before(plan, 2, hour=9)
    assert reminders.sweep(deps) == Swept(sent=1)


def test_after_an_outage_one_notice_is_sent_and_the_other_waits_a_day(
    deps: Deps, clock: SetClock, plan: AgreementView
) -> None:
    clock.instant = before(plan, 1)
    assert reminders.sweep(deps) == Swept(sent=1, deferred=1)
    assert rules(deps, "planned") == {"F1", None}
    clock.instant = before(plan, 0)
    assert reminders.sweep(deps) == Swept(sent=1)


def test_after_an_outage_over_the_due_date_nobody_is_reminded_of_it(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView
) -> None:
    clock.instant = before(plan, -1)
    assert reminders.sweep(deps) == Swept(superseded=2)
    assert notices(deps, chat) == []


def test_opting_out_stops_every_notice_at_once(deps: Deps, clock: SetClock, chat: str, plan: AgreementView) -> None:
    assert contact_wishes.opt_out(deps, chat) == 2 * len(plan.instalments)
    assert contact_wishes.opt_out(deps, chat) == 0
    assert rules(deps, "refused") == {"F5"}
    clock.instant = before(plan, 3)
    assert reminders.sweep(deps) == Swept()
    assert notices(deps, chat) == []


def test_opting_out_in_one_conversation_counts_for_all_and_for_later_plans(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    contact_wishes.opt_out(deps, verified(deps, borrower, channel="telegram"))
    plan = a_plan(deps, chat)
    clock.instant = before(plan, 3)
    assert reminders.sweep(deps) == Swept(refused=1)
    assert rules(deps, "refused") == {"F5"}


@pytest.mark.parametrize("kind", [HoldKind.DISTRESS, HoldKind.COMPLAINT, HoldKind.DISPUTE, HoldKind.DECEASED])
def test_a_hold_silences_the_notice(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView, kind: HoldKind
) -> None:
    hold(deps, chat, kind)
    clock.instant = before(plan, 3)
    assert reminders.sweep(deps) == Swept(refused=1)
    assert rules(deps, "refused") == {"F6"}
    assert notices(deps, chat) == []


def test_a_paid_instalment_needs_no_notice(deps: Deps, clock: SetClock, chat: str, plan: AgreementView) -> None:
    mark(deps, 1, "paid")
    clock.instant = before(plan, 3)
    assert reminders.sweep(deps) == Swept(superseded=1)
    assert notices(deps, chat) == []
    clock.instant = before(plan, 3, number=2)
    assert reminders.sweep(deps) == Swept(sent=1, superseded=1), "of the paid one, the other notice is not sent either"


def test_a_plan_that_has_ended_needs_no_notice(deps: Deps, clock: SetClock, chat: str, plan: AgreementView) -> None:
    with deps.begin() as session:
        session.scalars(select(Agreement)).one().state = "ended"
    clock.instant = before(plan, 3)
    assert reminders.sweep(deps) == Swept(superseded=1)


def test_a_released_conversation_is_nobodys_mailbox(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView
) -> None:
    identity.release_binding(deps, chat, "third_party")
    clock.instant = before(plan, 3)
    assert reminders.sweep(deps) == Swept(refused=1)
    assert rules(deps, "refused") == {"P1"}
    assert notices(deps, chat) == []


def test_the_notice_goes_to_the_conversation_used_last(
    deps: Deps, clock: SetClock, borrower: str, chat: str, plan: AgreementView
) -> None:
    used, silent = verified(deps, borrower, "telegram"), in_browser(deps, borrower)[0]
    with deps.begin() as session:
        session.get_one(Conversation, silent).last_inbound_at = None
    clock.move(timedelta(hours=1))
    record_text(deps, used, "k", "在吗")
    clock.instant = before(plan, 3)
    reminders.sweep(deps)
    assert [len(notices(deps, each)) for each in (chat, used, silent)] == [0, 1, 0]
    with deps.begin() as session:
        waiting = session.scalars(select(Outbox.message_id)).all()
        assert waiting == session.scalars(select(Reminder.message_id).where(Reminder.state == "sent")).all()


def test_the_notice_does_not_go_where_nobody_can_read_it(
    deps: Deps, clock: SetClock, borrower: str, chat: str, plan: AgreementView
) -> None:
    browser, _ = in_browser(deps, borrower)
    clock.move(timedelta(hours=1))
    record_text(deps, browser, "k", "在吗")
    with deps.begin() as session:
        session.scalars(select(WebSession)).one().expires_at = before(plan, 1)
    for days in (3, 1):
        clock.instant = before(plan, days)
        assert reminders.sweep(deps) == Swept(sent=1)
    assert [len(notices(deps, each)) for each in (browser, chat)] == [1, 1]


def test_who_can_open_no_conversation_any_more_gets_no_notice(deps: Deps, clock: SetClock, borrower: str) -> None:
    plan = a_plan(deps, in_browser(deps, borrower)[0])
    with deps.begin() as session:
        session.scalars(select(WebSession)).one().expires_at = before(plan, 3)
    clock.instant = before(plan, 3)
    assert reminders.sweep(deps) == Swept(refused=1)
    assert rules(deps, "refused") == {"P1"}


def test_a_session_lives_on_from_each_visit_and_not_after_it_has_expired(
    deps: Deps, clock: SetClock, borrower: str
) -> None:
    chat, token = in_browser(deps, borrower)
    life = timedelta(days=deps.settings.session_days)
    for _ in range(3):
        clock.move(life - timedelta(seconds=1))
        assert web_sessions.conversation_of(deps, token) == chat
        assert web_sessions.renew(deps, token)
    clock.move(life)
    assert not web_sessions.renew(deps, token)
    assert web_sessions.conversation_of(deps, token) is None
    assert not web_sessions.renew(deps, "made up")
    assert not web_sessions.renew(deps, None)


def test_what_a_person_wrote_that_day_counts_as_a_notice(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView
) -> None:
    clock.instant = before(plan, 3) - timedelta(minutes=10)
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        say(session, deps, conversation, Reply("在吗"), author=Author.OPERATOR, purpose="collection")
    clock.instant = before(plan, 3)
    assert reminders.sweep(deps) == Swept(deferred=1)
    assert "F1" in rules(deps, "planned")


def test_of_sweepers_at_once_one_sends(deps: Deps, clock: SetClock, chat: str, plan: AgreementView) -> None:
    clock.instant = before(plan, 3)
    swept = at_once(4, lambda _: reminders.sweep(deps))
    assert sum(each.sent for each in swept) == 1
    assert len(notices(deps, chat)) == 1


def test_sweepers_at_once_do_not_send_one_person_two_notices_in_a_day(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView
) -> None:
    clock.instant = before(plan, 1)
    swept = at_once(4, lambda _: reminders.sweep(deps))
    assert (sum(each.sent for each in swept), sum(each.deferred for each in swept)) == (1, 1)
    assert len(notices(deps, chat)) == 1


def test_a_sweeper_that_dies_leaves_the_notice_to_the_next(
    deps: Deps, clock: SetClock, chat: str, plan: AgreementView, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_what: object) -> None:
        raise SystemExit

    clock.instant = before(plan, 3)
    with monkeypatch.context() as dying:
        dying.setattr(reminders, "_decide_locked", die)
        with pytest.raises(SystemExit):
            reminders.sweep(deps)
    assert reminders.sweep(deps) == Swept()
    clock.move(reminders.LEASE)
    assert reminders.sweep(deps) == Swept(sent=1)
    assert len(notices(deps, chat)) == 1


def test_one_sweep_takes_no_more_than_its_limit(deps: Deps, clock: SetClock, plan: AgreementView) -> None:
    clock.instant = before(plan, -1, number=3)
    assert reminders.sweep(deps, limit=2) == Swept(superseded=2)
    with deps.begin() as session:
        left = session.scalar(select(func.count()).where(Reminder.state == "planned"))
    assert left == 2 * len(plan.instalments) - 2
