"""What is deleted when it has been kept long enough, and what is not, against both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, create_engine, delete, select, text, update
from sqlalchemy.exc import OperationalError

from bot.cases.course import CaseAct, CaseState
from bot.cases.kinds import CaseKind
from bot.outreach.gate import HoldKind
from bot.outreach.notice import Topic, event_notice
from bot.services import (
    audit_chain,
    case_desk,
    case_files,
    case_pages,
    cases,
    holds,
    negotiation,
    notice_planning,
    retention,
)
from bot.services.conversations import Author, QuickReply, Reply, append, locked, say
from bot.services.deps import Deps
from bot.services.inbound import record_text
from bot.services.retention import Retained
from bot.store.dialogue_tracker import DialogueTracker
from bot.store.tables import (
    AuditEntry,
    Button,
    CaseFile,
    CaseNote,
    ChannelBinding,
    Conversation,
    Hold,
    Message,
    Negotiation,
    Offer,
    Outbox,
    QualityReview,
    Reminder,
    TalkFinding,
    VerificationAttempt,
    WebSession,
)
from tests.builders.accounts import Owed, a_debt_of, a_payment, a_plan, verified
from tests.builders.cases import a_complaint, a_dispute, somebody
from tests.builders.desk import SetClock, Talk, a_borrower, a_conversation

MONTH, YEAR = timedelta(days=31), timedelta(days=366)


def messages(deps: Deps, chat: str) -> int:
    with deps.read() as session:
        return len(session.scalars(select(Message).where(Message.conversation_id == chat)).all())


def answered(deps: Deps, chat: str) -> None:
    """Let the bot answer with a button, over a channel that is pushed to."""
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        say(session, deps, conversation, Reply("您好", (QuickReply("查", "/ask_balance"),)), author=Author.BOT)


def audited(deps: Deps, event: str) -> list[AuditEntry]:
    with deps.read() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.event == event)))


def a_tracker(url: str, *said: tuple[str, datetime]) -> Engine:
    """Make the engine's table of events as Rasa 3.6 does, with an event for each conversation at an instant."""
    engine = create_engine(url)
    with engine.begin() as connection:
        key = "INTEGER PRIMARY KEY" if engine.dialect.name == "sqlite" else "SERIAL PRIMARY KEY"
        connection.execute(text(f"CREATE TABLE events (id {key}, sender_id VARCHAR(255), timestamp FLOAT, data TEXT)"))
        for sender, at in said:
            row = {"sender": sender, "at": at.timestamp()}
            connection.execute(text("INSERT INTO events (sender_id, timestamp) VALUES (:sender, :at)"), row)
    return engine


def senders(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT sender_id FROM events ORDER BY id")))


def a_bound_talk(deps: Deps, borrower_id: str) -> str:
    chat = a_conversation(deps, Talk(borrower_id=borrower_id, channel="telegram"))
    with deps.begin() as session:
        session.add(ChannelBinding(conversation_id=chat, borrower_id=borrower_id, bound_at=deps.now()))
    answered(deps, chat)
    return chat


def test_talk_with_nobody_goes_after_six_months_with_its_address(deps: Deps, clock: SetClock) -> None:
    chat = a_conversation(deps, Talk(channel="telegram"))
    answered(deps, chat)
    with deps.read() as session:
        address = session.get_one(Conversation, chat).address_hash
    clock.move(timedelta(days=182))
    assert retention.run(deps) == Retained()
    clock.move(timedelta(days=2))
    assert retention.run(deps) == Retained(anonymous_messages=2)
    assert messages(deps, chat) == 0
    with deps.read() as session:
        assert not session.scalars(select(Button)).all()
        assert not session.scalars(select(Outbox)).all()
        assert session.get_one(Conversation, chat).address_hash != address


def test_a_second_run_finds_nothing_and_leaves_no_record(deps: Deps, clock: SetClock) -> None:
    a_conversation(deps)
    clock.move(timedelta(days=200))
    assert retention.run(deps) == Retained(anonymous_messages=1)
    assert retention.run(deps) == Retained()
    with deps.read() as session:
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.event == "retention_run"))
        assert entry.detail["anonymous_messages"] == 1


def test_whoever_writes_while_old_talk_is_deleted_keeps_it(deps: Deps, clock: SetClock) -> None:
    chat = a_conversation(deps, Talk(channel="telegram"))
    clock.move(timedelta(days=200))
    with ThreadPoolExecutor(1) as pool, deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        if deps.database.engine.dialect.name != "sqlite":  # there one writes at a time
            run = pool.submit(retention.run, deps)
            assert run.result(timeout=20).anonymous_messages == 0, "it waits for nobody"
        append(session, conversation, deps.now(), author=Author.BORROWER, text="在吗", handling="pending")
    assert retention.run(deps).anonymous_messages == 0
    assert messages(deps, chat) == 2


def test_what_was_deleted_before_a_job_failed_is_on_record(
    deps: Deps, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_tracker: DialogueTracker, _ids: object) -> int:
        raise OperationalError("DELETE", None, Exception())

    monkeypatch.setattr(DialogueTracker, "forget", away)
    a_conversation(deps)
    clock.move(timedelta(days=200))
    with pytest.raises(OperationalError):
        retention.run(deps)
    [entry] = audited(deps, "retention_run")
    assert entry.detail["anonymous_messages"] == 1


@pytest.mark.parametrize("talk", [Talk(holds=(HoldKind.DISTRESS,)), Talk(borrower_id="theirs")])
def test_talk_that_somebody_has_to_look_at_or_that_is_a_borrowers_stays(
    deps: Deps, clock: SetClock, talk: Talk
) -> None:
    chat = a_bound_talk(deps, a_borrower(deps)) if talk.borrower_id else a_conversation(deps, talk)
    before = messages(deps, chat)
    clock.move(YEAR)
    retention.run(deps)
    assert messages(deps, chat) == before


def test_a_strangers_pause_keeps_their_talk_only_as_long_as_it_lasts(deps: Deps, clock: SetClock) -> None:
    chat = a_conversation(deps)
    with deps.begin() as session:
        end = deps.now() + timedelta(days=300)
        holds.place(session, deps.now(), HoldKind.PAUSE, conversation_id=chat, until=end)
    clock.move(timedelta(days=299))
    assert retention.run(deps).anonymous_messages == 0
    clock.move(timedelta(days=1))
    assert retention.run(deps).anonymous_messages == 1


def test_scorecards_and_flaws_that_were_found_go_after_five_years(deps: Deps, clock: SetClock) -> None:
    chat, now = a_conversation(deps, Talk(borrower_id=a_borrower(deps))), deps.now()
    with deps.begin() as session:
        for week, done_at in (("2026-W40", now), ("2026-W41", None), ("2026-W42", now + MONTH)):
            drawn = {"conversation_id": chat, "week": week, "round": 1, "reason": "by_chance", "drawn_at": now}
            session.add(QualityReview(**drawn, done_at=done_at, note_sealed="-"))
        for seq, at in ((1, now), (2, now + MONTH)):
            session.add(TalkFinding(id=f"f{seq}", conversation_id=chat, kind="unanswered", seq=seq, at=at))
    clock.move(5 * YEAR - timedelta(days=10))
    assert retention.run(deps) == Retained()
    clock.move(timedelta(days=20))
    assert retention.run(deps) == Retained(borrower_messages=1, reviews=2, findings=1)
    clock.move(MONTH)
    assert retention.run(deps) == Retained(reviews=1, findings=1)


def test_a_borrowers_talk_goes_after_five_years_or_with_settlement_if_that_is_later(
    deps: Deps, clock: SetClock
) -> None:
    borrower = a_borrower(deps)
    debt = a_debt_of(deps, borrower, Owed(principal_fen=50_000, annual_rate="0", penalty_annual_rate="0"))
    chat = a_bound_talk(deps, borrower)
    clock.move(5 * YEAR)
    assert retention.run(deps).borrower_messages == 0
    a_payment(deps, debt, 50_000)
    assert retention.run(deps).borrower_messages == 2
    assert messages(deps, chat) == 0


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_notices_over_one_way_channels_go_with_the_rest_of_the_talk(deps: Deps, clock: SetClock, channel: str) -> None:
    borrower = a_borrower(deps)
    debt = a_debt_of(deps, borrower, Owed(principal_fen=50_000, annual_rate="0", penalty_annual_rate="0"))
    chat = a_conversation(deps, Talk(borrower_id=borrower, channel=channel))
    clock.move(5 * YEAR)
    assert retention.run(deps).borrower_messages == 0
    a_payment(deps, debt, 50_000)
    assert retention.run(deps).borrower_messages == 1
    assert messages(deps, chat) == 0


def test_newer_talk_of_a_settled_borrower_stays(deps: Deps, clock: SetClock) -> None:
    chat = a_bound_talk(deps, a_borrower(deps))
    clock.move(4 * YEAR)
    answered(deps, chat)
    clock.move(YEAR)
    assert retention.run(deps).borrower_messages == 2
    assert messages(deps, chat) == 1


def test_means_told_for_no_plan_go_and_those_behind_a_plan_stay(deps: Deps, clock: SetClock) -> None:
    kept, gone = a_borrower(deps), a_borrower(deps, "孙兰", "13800000002", "110101199001010022")
    for borrower in (kept, gone):
        a_debt_of(deps, borrower)
    a_plan(deps, verified(deps, kept))
    chat = verified(deps, gone)
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    negotiation.end(deps, chat)
    clock.move(timedelta(days=29))
    assert retention.run(deps).means == 0
    clock.move(timedelta(days=2))
    assert retention.run(deps).means == 1
    with deps.read() as session:
        told = {row.borrower_id: row.monthly_income_fen for row in session.scalars(select(Negotiation))}
    assert told == {kept: 600_000, gone: None}


def test_a_talk_about_plans_that_nobody_goes_on_with_is_ended_and_its_means_go(deps: Deps, clock: SetClock) -> None:
    borrower = a_borrower(deps)
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    clock.move(timedelta(days=29))
    assert retention.run(deps).means == 0
    clock.move(timedelta(days=2))
    record_text(deps, chat, "key-00000001", "我回来了")
    assert retention.run(deps).means == 0, "they may be about to go on"
    clock.move(timedelta(days=2))
    assert retention.run(deps).means == 1
    with deps.read() as session:
        [row] = session.scalars(select(Negotiation))
        assert (row.state, row.active_key, row.monthly_income_fen) == ("ended", None, None)
    assert len(audited(deps, "negotiation_ended")) == 1


def test_a_talk_with_an_offer_to_accept_is_not_ended(deps: Deps, clock: SetClock) -> None:
    borrower = a_borrower(deps)
    a_debt_of(deps, borrower)
    chat = verified(deps, borrower)
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    clock.move(MONTH)
    with deps.begin() as session:
        for offer in session.scalars(select(Offer)):
            offer.expires_at = clock.now() + timedelta(days=1)
    assert retention.run(deps).means == 0
    clock.move(timedelta(days=2))
    assert retention.run(deps).means == 1


def test_answers_to_identity_questions_and_dead_sessions_go(deps: Deps, clock: SetClock) -> None:
    chat = a_bound_talk(deps, a_borrower(deps))
    with deps.begin() as session:
        session.add(VerificationAttempt(conversation_id=chat, factor="code", passed=False, at=deps.now()))
        session.add(
            WebSession(
                token_hash="a" * 64,
                conversation_id=chat,
                created_at=deps.now(),
                expires_at=deps.now() + timedelta(days=30),
            )
        )
    clock.move(timedelta(days=32))
    assert retention.run(deps) == Retained(sessions=1)
    clock.move(5 * YEAR)
    assert retention.run(deps).identity_rows == 1


def test_a_closed_case_goes_with_its_words_after_five_years_or_with_settlement(deps: Deps, clock: SetClock) -> None:
    owing, settled = a_borrower(deps), a_borrower(deps, "孙兰", "13800000002", "110101199001010022")
    debt = a_debt_of(deps, owing, Owed(principal_fen=50_000, annual_rate="0", penalty_annual_rate="0"))
    kept, gone, still_open = (a_complaint(deps, verified(deps, whose)) for whose in (owing, settled, None))
    boss = somebody(deps)
    for case_id in (kept, gone):
        case_desk.act(deps, boss, case_id, CaseAct.REVIEW)
        assert isinstance(case_desk.act(deps, boss, case_id, CaseAct.REJECT, "没有查到。"), case_desk.Acted)
    clock.move(5 * YEAR - timedelta(days=10))
    assert retention.run(deps).cases == 0
    clock.move(timedelta(days=20))
    done = retention.run(deps)
    assert (done.cases, done.holds) == (1, 1)
    with deps.read() as session:
        assert set(session.scalars(select(CaseFile.id))) == {kept, still_open}
        assert {note.case_id for note in session.scalars(select(CaseNote))} == {kept, still_open}
    a_payment(deps, debt, 50_000)
    assert retention.run(deps).cases == 1


def test_files_go_some_days_after_the_decision_and_leave_that_they_were_there(deps: Deps, clock: SetClock) -> None:
    chat, boss = verified(deps, a_borrower(deps)), somebody(deps)
    decided, still_open = a_complaint(deps, chat), a_complaint(deps, chat, CaseKind.FEES)
    for case_id in (decided, still_open):
        done = case_files.attach(deps, boss, case_id, "诊断书.pdf", b"%PDF-1.4 " + case_id.encode())
        assert isinstance(done, case_desk.Acted), done
    for what in (CaseAct.REVIEW, CaseAct.REJECT):
        assert isinstance(case_desk.act(deps, boss, decided, what, "查过了，没有查到。"), case_desk.Acted)
    days = timedelta(days=deps.retention.evidence_days)
    clock.move(days - timedelta(hours=1))
    assert retention.run(deps).evidence_files == 0
    clock.move(timedelta(hours=2))
    assert retention.run(deps).evidence_files == 1
    assert retention.run(deps).evidence_files == 0
    with deps.read() as session:
        files = {note.case_id: note for note in session.scalars(select(CaseNote).where(CaseNote.kind == "file"))}
        assert [files[each].content_sealed is None for each in (decided, still_open)] == [True, False]
        assert files[decided].sha256
    page = case_pages.open_page(deps, boss, decided)
    assert page is not None
    assert [note.text for note in page.notes if note.kind == "file"] == [""]
    assert case_files.file_of(deps, boss, decided, files[decided].id) is None
    assert [entry.subject_id for entry in audited(deps, "case_file_deleted")] == [decided]


def test_a_dispute_that_was_right_stays_until_the_account_is_corrected(deps: Deps, clock: SetClock) -> None:
    borrower = a_borrower(deps)
    debt = a_debt_of(deps, borrower, Owed(principal_fen=50_000, annual_rate="0", penalty_annual_rate="0"))
    case_id, boss = a_dispute(deps, verified(deps, borrower)), somebody(deps)
    for what in (CaseAct.REVIEW, CaseAct.UPHOLD):
        case_desk.act(deps, boss, case_id, what, "确实算错了。")
    a_payment(deps, debt, 50_000)
    clock.move(6 * YEAR)
    assert (retention.run(deps).cases, retention.run(deps).holds) == (0, 0)
    case_desk.act(deps, boss, case_id, CaseAct.CORRECT)
    assert retention.run(deps).cases == 1


def test_the_audit_log_outlives_what_it_is_about(deps: Deps, clock: SetClock) -> None:
    a_complaint(deps, verified(deps, None))
    audit_chain.seal(deps)
    clock.move(10 * YEAR - timedelta(days=10))
    retention.run(deps)
    assert len(audited(deps, "case_opened")) == 1
    clock.move(timedelta(days=20))
    audit_chain.seal(deps)
    assert retention.run(deps).audit_entries >= 1
    assert not audited(deps, "case_opened")
    assert audited(deps, "retention_run"), "that it was deleted stays on record"


def test_records_of_notices_and_of_ended_holds_go_after_five_years(deps: Deps, clock: SetClock) -> None:
    borrower = a_borrower(deps)
    with deps.begin() as session:
        notice = event_notice(Topic.CASE, "news", "case", deps.now())
        notice_planning.add(session, borrower, [notice], deps.now())
        for row in session.scalars(select(Reminder)):
            row.state, row.decided_at = "sent", deps.now()
        placed = holds.place(session, deps.now(), HoldKind.PERSON, borrower_id=borrower)
        holds.place(session, deps.now(), HoldKind.OPT_OUT, borrower_id=borrower)
    with deps.begin() as session:
        holds.lift(session, deps, placed.hold_id, lifted_by=None)
    clock.move(5 * YEAR - timedelta(days=10))
    assert retention.run(deps) == Retained()
    clock.move(timedelta(days=20))
    assert retention.run(deps) == Retained(sent_notices=1, holds=1)
    with deps.read() as session:
        assert [hold.kind for hold in session.scalars(select(Hold))] == [HoldKind.OPT_OUT], "it still stands"


def test_the_engine_forgets_what_is_deleted_here_and_what_nobody_goes_on_with(deps: Deps, clock: SetClock) -> None:
    now = clock.now()
    gone, goes_on = a_conversation(deps), a_conversation(deps)
    tracker = a_tracker(deps.settings.sqlalchemy_tracker_url, (gone, now), (gone, now), (goes_on, now))
    clock.move(timedelta(days=29))
    assert retention.run(deps) == Retained()
    with deps.begin() as session:
        session.execute(delete(Message).where(Message.conversation_id == gone))
    assert retention.run(deps) == Retained(tracker_events=2)
    assert senders(tracker) == [goes_on]
    clock.move(timedelta(days=2))
    assert retention.run(deps) == Retained(tracker_events=1)
    assert retention.run(deps) == Retained()


def test_the_engines_store_may_be_either_database_or_not_there(bare_database_url: str, clock: SetClock) -> None:
    now = clock.now()
    store = DialogueTracker(bare_database_url)
    assert store.forget(["a"]) == 0, "nothing was stored yet"
    tracker = a_tracker(bare_database_url, ("a", now), ("b", now), ("b", now + MONTH), ("c", now))
    assert store.forget(["a", "unknown"]) == 1
    assert store.forget_idle(now + timedelta(days=1)) == 1
    assert senders(tracker) == ["b", "b"], "what goes on is kept whole"
    tracker.dispose()


def test_what_was_told_for_a_complaint_stays_with_it_when_the_talk_goes(deps: Deps, clock: SetClock) -> None:
    chat = a_conversation(deps)
    with deps.read() as session:
        message_id = session.scalars(select(Message.id).where(Message.conversation_id == chat)).one()
    done = cases.complain(deps, chat, CaseKind.TONE, "骂人", message_id)
    assert done is not None
    clock.move(timedelta(days=200))
    assert retention.run(deps).anonymous_messages == 0, "an answer is still owed"

    with deps.begin() as session:
        session.get_one(CaseFile, done.case.case_id).state = CaseState.REJECTED
        session.execute(update(Hold).where(Hold.conversation_id == chat).values(lifted_at=deps.now()))
        session.get_one(Conversation, chat).owner = "bot"
    assert retention.run(deps).anonymous_messages >= 1
    with deps.read() as session:
        [note] = session.scalars(select(CaseNote))
        assert note.message_id is None
