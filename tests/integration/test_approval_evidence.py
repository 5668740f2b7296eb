"""Proof for an offer that a person decides on: asked by policy, brought by the right party, seen, and deleted again."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.desk.uploads import Brought, UploadRefusal
from bot.identity.roles import Role
from bot.services import (
    approval_asking,
    approval_decisions,
    approval_evidence,
    approval_news,
    consents,
    data_export,
    evidence,
    identity,
    intake,
    negotiation,
    retention,
    sealed_files,
)
from bot.services.approval_asking import LONGEST_WISH, AskedForMore, NotAsked, UnfitWish
from bot.services.approval_decisions import Decided, Decision, NotDecided
from bot.services.approval_notes import EvidenceStanding
from bot.services.approvals import EvidenceFinding
from bot.services.consents import Answer
from bot.services.conversations import FACT, Author
from bot.services.deps import Deps
from bot.services.document_store import fetch
from bot.services.documents import NotMade
from bot.services.history import messages_after
from bot.services.inbound import record_order, record_text
from bot.services.operators import OperatorView
from bot.store.tables import ApprovalNote, AuditEntry, EvidenceConsent, Message
from bot.workout.authority import DecisionRefusal
from bot.workout.policy_sections import ApprovalRole, HardshipKind
from tests.builders.accounts import verified
from tests.builders.approvals import (
    Asked,
    an_approval,
    an_approval_on_proof,
    an_operator_view,
    decide,
    events_of,
    news_of,
    payloads_of,
    stored,
)
from tests.builders.cases import a_complaint
from tests.builders.desk import SetClock, a_borrower

PNG = b"\x89PNG\r\n\x1a\n"
BECAUSE = "单位倒闭，人事联系不上，流水对得上"


@pytest.fixture
def asked(deps: Deps) -> Asked:
    return an_approval_on_proof(deps)


@pytest.fixture
def agent(deps: Deps) -> OperatorView:
    return an_operator_view(deps, Role.AGENT)


def says(deps: Deps, chat: str, text: str, order: str | None = None) -> str:
    """Write or press something; returns what the desk itself answers."""
    before = max((message.seq for message in messages_after(deps, chat, 0)), default=0)
    if order is None:
        record_text(deps, chat, f"key-{before:08d}", text)
    else:
        record_order(deps, chat, f"key-{before:08d}", text, order)
    return "\n".join(each.text for each in messages_after(deps, chat, before) if each.author != Author.BORROWER)


def consents_to(deps: Deps, asked: Asked) -> None:
    says(deps, asked.conversation_id, "同意提供材料")


def brings(deps: Deps, asked: Asked, content: bytes = PNG) -> Brought | UploadRefusal:
    return evidence.bring(deps, asked.conversation_id, "离职证明.png", content)


def a_file(deps: Deps, asked: Asked) -> str:
    """Have a consented file kept; returns its id."""
    consents_to(deps, asked)
    assert brings(deps, asked) is Brought.KEPT_FOR_PLAN
    return notes(deps, "file")[0].id


def notes(deps: Deps, kind: str) -> list[ApprovalNote]:
    with deps.read() as session:
        return list(session.scalars(select(ApprovalNote).where(ApprovalNote.kind == kind)))


def page(deps: Deps, agent: OperatorView, asked: Asked) -> approval_decisions.Case:
    case = approval_decisions.open_case(deps, agent, asked.id)
    assert isinstance(case, approval_decisions.Case)
    return case


def grant(
    deps: Deps, agent: OperatorView, asked: Asked, finding: EvidenceFinding | None, reason: str = BECAUSE
) -> object:
    return approval_decisions.decide(deps, agent.id, asked.id, Decision.APPROVE, reason, evidence=finding)


# What is asked -------------------------------------------------------------------------------------------------------


def test_only_what_the_policy_wants_proof_for_asks_for_any(deps: Deps) -> None:
    plain = an_approval(deps)
    assert not plain.view.offer.needs_evidence
    assert approval_evidence.asked_in(deps, plain.conversation_id, for_consent=True) is None
    assert evidence.hindrance(deps, plain.conversation_id) is Brought.NO_CASE
    assert isinstance(decide(deps, plain), Decided)
    assert stored(deps, plain).evidence_finding is None


def test_what_helps_follows_from_the_hardship_that_was_told(deps: Deps, asked: Asked) -> None:
    negotiation.tell_hardship(deps, asked.conversation_id, HardshipKind.JOB_LOSS)
    found = approval_evidence.asked_in(deps, asked.conversation_id, for_consent=True)
    assert found is not None
    assert "leaving_paper" in found.helps
    assert found.standing is EvidenceStanding.AWAITED
    assert found.consent is not None
    assert "90 天删除" in found.consent.text
    consents_to(deps, asked)
    again = approval_evidence.asked_in(deps, asked.conversation_id, for_consent=True)
    assert again is not None
    assert again.consent is None


# What is taken -------------------------------------------------------------------------------------------------------


def test_a_file_counts_only_after_a_consent_for_this_decision(deps: Deps, asked: Asked) -> None:
    assert evidence.awaits(deps, asked.conversation_id)
    assert evidence.hindrance(deps, asked.conversation_id) is Brought.NO_CONSENT
    assert brings(deps, asked) is Brought.NO_CONSENT
    consents_to(deps, asked)
    assert evidence.hindrance(deps, asked.conversation_id) is None
    assert brings(deps, asked) is Brought.KEPT_FOR_PLAN
    with deps.read() as session:
        (given,) = session.scalars(select(EvidenceConsent)).all()
    assert given.approval_id == asked.id


def test_a_consent_for_a_case_is_none_for_a_plan(deps: Deps) -> None:
    borrower = a_borrower(deps)
    chat = verified(deps, borrower)
    a_complaint(deps, chat)
    says(deps, chat, "同意提供材料")
    asked = an_approval_on_proof(deps, borrower_id=borrower)
    assert evidence.hindrance(deps, asked.conversation_id) is Brought.NO_CONSENT


def test_the_question_that_comes_with_a_file_names_the_decision(deps: Deps, asked: Asked) -> None:
    assert consents.ask(deps, asked.conversation_id, "upload-1")
    assert "只用来决定这份方案" in messages_after(deps, asked.conversation_id, 0)[-1].text


def test_what_is_said_of_a_plan_is_withheld_like_every_fact(deps: Deps, asked: Asked) -> None:
    consents.ask(deps, asked.conversation_id, "upload-1")
    intake.tell(
        deps,
        asked.conversation_id,
        "evidence_kept_for_plan",
        "upload-1",
        evidence.spoken_by("kept_for_plan"),
        **evidence.values_for(deps, asked.conversation_id, "kept_for_plan"),
    )
    with deps.read() as session:
        said = session.scalars(select(Message).where(Message.client_key.like("%upload-1"))).all()
    assert [message.purpose for message in said] == [FACT, FACT]
    assert evidence.spoken_by("kept") is Author.NOTICE


@pytest.mark.parametrize("channel", ["web", "telegram"])
def test_a_file_is_kept_sealed_once_with_its_request(deps: Deps, channel: str) -> None:
    asked = an_approval_on_proof(deps, channel)
    consents_to(deps, asked)
    assert [brings(deps, asked) for _ in range(2)] == [Brought.KEPT_FOR_PLAN] * 2
    (kept,) = notes(deps, "file")
    assert kept.approval_id == asked.id
    assert "离职证明" not in kept.text_sealed
    assert events_of(deps, asked).count("approval_file_kept") == 1


def test_another_channel_of_the_same_borrower_may_bring_it(deps: Deps, asked: Asked) -> None:
    consents_to(deps, asked)
    elsewhere = verified(deps, asked.borrower_id, "telegram")
    assert evidence.bring(deps, elsewhere, "离职证明.png", PNG) is Brought.KEPT_FOR_PLAN


def test_what_is_no_picture_and_what_is_too_much_is_refused(
    deps: Deps, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    consents_to(deps, asked)
    assert brings(deps, asked, b"MZ") is UploadRefusal.UNKNOWN_KIND
    monkeypatch.setattr(approval_evidence, "MOST_FILES", 1)
    assert [brings(deps, asked, PNG + bytes([n])) for n in (1, 2)] == [Brought.KEPT_FOR_PLAN, Brought.ENOUGH]


def test_nobody_but_the_right_party_brings_anything(deps: Deps, clock: SetClock, asked: Asked) -> None:
    consents_to(deps, asked)
    stranger = verified(deps, a_borrower(deps, "李小红", "13800000002", "110101199001010022"))
    assert evidence.hindrance(deps, stranger) is Brought.NO_CASE
    assert evidence.bring(deps, stranger, "x.png", PNG) is Brought.NO_CASE
    clock.move(deps.idle + timedelta(minutes=1))
    assert not evidence.awaits(deps, asked.conversation_id)
    assert evidence.hindrance(deps, asked.conversation_id) is Brought.NOT_VERIFIED
    assert brings(deps, asked) is Brought.NOT_VERIFIED
    assert notes(deps, "file") == []


def test_a_relative_on_the_phone_brings_nothing(deps: Deps, asked: Asked) -> None:
    consents_to(deps, asked)
    identity.lapse(deps, asked.conversation_id)
    assert brings(deps, asked) is Brought.NOT_VERIFIED


def test_what_was_decided_takes_no_more(deps: Deps, agent: OperatorView, asked: Asked) -> None:
    consents_to(deps, asked)
    assert isinstance(grant(deps, agent, asked, EvidenceFinding.WITHOUT), Decided)
    assert brings(deps, asked) is Brought.NO_CASE


def test_a_complaint_that_asks_here_gets_the_file(deps: Deps, asked: Asked) -> None:
    consents_to(deps, asked)
    a_complaint(deps, asked.conversation_id)
    assert brings(deps, asked) is Brought.KEPT
    assert notes(deps, "file") == []


def test_the_acknowledgement_says_what_is_still_missing(deps: Deps, agent: OperatorView, asked: Asked) -> None:
    a_file(deps, asked)
    values = evidence.values_for(deps, asked.conversation_id, Brought.KEPT_FOR_PLAN)
    assert "有一样就够" in values["still"]
    assert isinstance(approval_asking.ask_for_more(deps, agent.id, asked.id, "近三个月的流水"), AskedForMore)
    assert "近三个月的流水" in evidence.values_for(deps, asked.conversation_id, "kept_for_plan")["still"]
    assert evidence.values_for(deps, asked.conversation_id, Brought.KEPT) == {}


# There is none -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [None, approval_evidence.HAS_NONE])
def test_that_there_is_none_is_noted_in_the_borrowers_words(
    deps: Deps, agent: OperatorView, asked: Asked, order: str | None
) -> None:
    answered = says(deps, asked.conversation_id, "公司倒闭了，开不出离职证明", order)
    assert "没有也没关系" in answered
    case = page(deps, agent, asked)
    assert case.view.evidence is EvidenceStanding.LACKING
    assert [line.text for line in case.evidence] == ["公司倒闭了，开不出离职证明"]
    with deps.read() as session:
        said = session.scalars(select(Message).where(Message.text.startswith("公司倒闭了"))).one()
    assert said.handling == "handled", "the open question of the talk goes on"


def test_a_bare_no_counts_right_after_the_question(deps: Deps, agent: OperatorView, asked: Asked) -> None:
    assert says(deps, asked.conversation_id, "没有") == ""
    assert isinstance(approval_asking.ask_for_more(deps, agent.id, asked.id, "近三个月的流水"), AskedForMore)
    assert "没有也没关系" in says(deps, asked.conversation_id, "没有")


def test_without_a_request_such_words_are_left_to_the_talk(deps: Deps) -> None:
    plain = an_approval(deps)
    assert says(deps, plain.conversation_id, "没有证明") == ""
    assert "没有在等材料" in says(deps, plain.conversation_id, "没有这些材料", approval_evidence.HAS_NONE)


def test_pressed_by_somebody_unproved_it_asks_for_proof_of_identity(deps: Deps, clock: SetClock, asked: Asked) -> None:
    clock.move(deps.idle + timedelta(minutes=1))
    answered = says(deps, asked.conversation_id, "没有这些材料", approval_evidence.HAS_NONE)
    assert "先核对身份" in answered
    assert notes(deps, "lacking") == []


def test_a_no_to_the_consent_is_noted_as_well(deps: Deps, agent: OperatorView, asked: Asked) -> None:
    says(deps, asked.conversation_id, "不同意提供材料")
    assert page(deps, agent, asked).view.evidence is EvidenceStanding.LACKING


# Seeing and deciding -------------------------------------------------------------------------------------------------


def test_opening_a_file_is_on_record(deps: Deps, agent: OperatorView, asked: Asked) -> None:
    note_id = a_file(deps, asked)
    assert approval_evidence.file_of(deps, agent, asked.id, note_id) == ("image/png", PNG)
    assert approval_evidence.file_of(deps, agent, "0" * 32, note_id) is None
    assert approval_evidence.file_of(deps, agent, asked.id, "0" * 32) is None
    assert events_of(deps, asked).count("approval_file_read") == 1


def test_an_offer_that_needs_proof_is_not_granted_without_a_word_on_it(
    deps: Deps, agent: OperatorView, asked: Asked
) -> None:
    assert grant(deps, agent, asked, None) is NotDecided.EVIDENCE_OPEN
    assert grant(deps, agent, asked, EvidenceFinding.SEEN) is NotDecided.NO_EVIDENCE
    assert stored(deps, asked).state == "waiting"


def test_seen_is_for_whoever_has_looked(deps: Deps, agent: OperatorView, asked: Asked) -> None:
    note_id = a_file(deps, asked)
    colleague = an_operator_view(deps, Role.SUPERVISOR, "boss")
    assert approval_evidence.file_of(deps, colleague, asked.id, note_id) is not None
    assert grant(deps, agent, asked, EvidenceFinding.SEEN) is NotDecided.EVIDENCE_UNREAD
    assert approval_evidence.file_of(deps, agent, asked.id, note_id) is not None
    assert isinstance(grant(deps, agent, asked, EvidenceFinding.SEEN), Decided)
    assert stored(deps, asked).evidence_finding == "seen"


def test_granted_without_keeps_why_in_the_audit_log(deps: Deps, agent: OperatorView, asked: Asked) -> None:
    assert grant(deps, agent, asked, EvidenceFinding.WITHOUT, " ") is NotDecided.NO_REASON
    assert isinstance(grant(deps, agent, asked, EvidenceFinding.WITHOUT), Decided)
    with deps.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.event == "approval_approved")).one()
    assert (entry.detail["evidence"], entry.detail["without_evidence_because"]) == ("without", BECAUSE)
    assert BECAUSE not in "".join(message.text for message in news_of(deps, asked))


def test_a_rejection_takes_no_word_on_proof(deps: Deps, asked: Asked) -> None:
    assert isinstance(decide(deps, asked, Decision.REJECT), Decided)


# Asking for more -----------------------------------------------------------------------------------------------------


def test_more_is_asked_kindly_and_the_request_waits_on_as_long_as_it_would(
    deps: Deps, agent: OperatorView, asked: Asked
) -> None:
    done = approval_asking.ask_for_more(deps, agent.id, asked.id, "近三个月的流水")
    assert done == AskedForMore(asked.conversation_id)
    (told,) = news_of(deps, asked)
    assert "近三个月的流水" in told.text
    assert "没有也没关系" in told.text
    assert payloads_of(deps, told) == [approval_evidence.HAS_NONE]
    row = stored(deps, asked)
    assert (row.state, row.expires_at) == ("waiting", asked.view.expires_at)
    assert isinstance(approval_asking.ask_for_more(deps, agent.id, asked.id, "离职证明"), AskedForMore)
    assert len(news_of(deps, asked)) == 2


def test_whoever_has_not_proved_identity_only_reads_that_something_is_asked(
    deps: Deps, clock: SetClock, agent: OperatorView, asked: Asked
) -> None:
    clock.move(deps.idle + timedelta(minutes=1))
    approval_asking.ask_for_more(deps, agent.id, asked.id, "近三个月的流水")
    (hint,) = news_of(deps, asked)
    assert "流水" not in hint.text
    assert payloads_of(deps, hint) == ["/ask_plan_status"], "what was chosen stays chosen"
    clock.move(timedelta(minutes=1))
    with deps.begin() as session:
        identity.bind(session, deps, asked.conversation_id, asked.borrower_id)
    approval_news.sweep(deps)
    assert "近三个月的流水" in news_of(deps, asked)[-1].text


def test_whoever_has_been_away_for_long_is_told_by_a_notice(
    deps: Deps, clock: SetClock, agent: OperatorView, asked: Asked
) -> None:
    clock.move(timedelta(days=3))
    approval_asking.ask_for_more(deps, agent.id, asked.id, "近三个月的流水")
    (notice,) = news_of(deps, asked)
    assert notice.purpose == "plan_notice"
    assert "还想问一句" in notice.text or "再了解一点" in notice.text
    assert "流水" not in notice.text


def test_after_it_was_asked_the_decision_is_told_all_the_same(deps: Deps, agent: OperatorView, asked: Asked) -> None:
    approval_asking.ask_for_more(deps, agent.id, asked.id, "近三个月的流水")
    assert isinstance(grant(deps, agent, asked, EvidenceFinding.WITHOUT), Decided)
    assert "批准了" in news_of(deps, asked)[-1].text


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [(" ", NotAsked.NO_WORDS), ("流" * (LONGEST_WISH + 1), NotAsked.WORDS_TOO_LONG)],
)
def test_words_that_are_none_or_too_many_are_refused(
    deps: Deps, agent: OperatorView, asked: Asked, wanted: str, refusal: NotAsked
) -> None:
    assert approval_asking.ask_for_more(deps, agent.id, asked.id, wanted) is refusal
    assert news_of(deps, asked) == []


def test_words_that_threaten_are_refused_with_what_is_wrong(deps: Deps, agent: OperatorView, asked: Asked) -> None:
    done = approval_asking.ask_for_more(deps, agent.id, asked.id, "再不交材料就上门找你家人")
    assert isinstance(done, UnfitWish)
    assert done.findings
    assert news_of(deps, asked) == []


def test_nothing_is_asked_that_the_policy_does_not_ask(deps: Deps, agent: OperatorView) -> None:
    plain = an_approval(deps)
    assert approval_asking.ask_for_more(deps, agent.id, plain.id, "流水") is NotAsked.EVIDENCE_NOT_NEEDED
    assert approval_asking.ask_for_more(deps, agent.id, "0" * 32, "流水") is NotAsked.UNKNOWN


def test_only_who_may_decide_asks(deps: Deps, agent: OperatorView, asked: Asked) -> None:
    reader = an_operator_view(deps, Role.COMPLIANCE)
    assert approval_asking.ask_for_more(deps, reader.id, asked.id, "流水") is DecisionRefusal.ROLE_TOO_LOW
    grant(deps, agent, asked, EvidenceFinding.WITHOUT)
    assert approval_asking.ask_for_more(deps, agent.id, asked.id, "流水") is DecisionRefusal.NOTHING_TO_DECIDE
    assert ApprovalRole.AGENT is asked.view.needs


# The end of it -------------------------------------------------------------------------------------------------------


def test_taking_the_consent_back_deletes_and_tells_who_decides(deps: Deps, agent: OperatorView, asked: Asked) -> None:
    note_id = a_file(deps, asked)
    assert "删掉了 1 份" in says(deps, asked.conversation_id, "撤回同意", Answer.WITHDRAW.value)
    assert approval_evidence.file_of(deps, agent, asked.id, note_id) is None
    case = page(deps, agent, asked)
    assert case.view.evidence is EvidenceStanding.WITHDRAWN
    assert [line.text for line in case.evidence] == ["", ""], "the name of the file is gone too"
    assert grant(deps, agent, asked, EvidenceFinding.SEEN) is NotDecided.NO_EVIDENCE
    assert evidence.hindrance(deps, asked.conversation_id) is Brought.NO_CONSENT
    consents_to(deps, asked)
    assert brings(deps, asked) is Brought.KEPT_FOR_PLAN, "who thinks better of it may send it again"


def test_files_go_some_days_after_the_decision_and_not_before(
    deps: Deps, clock: SetClock, agent: OperatorView, asked: Asked
) -> None:
    a_file(deps, asked)
    assert isinstance(grant(deps, agent, asked, EvidenceFinding.WITHOUT), Decided)
    clock.move(timedelta(days=deps.retention.evidence_days))
    assert retention.run(deps).evidence_files == 0
    clock.move(timedelta(minutes=1))
    assert retention.run(deps).evidence_files == 1
    (left,) = notes(deps, "file")
    assert (left.media_type, left.sha256) == (None, sealed_files.digest(PNG))
    assert retention.run(deps).evidence_files == 0


def test_files_of_a_request_that_nobody_decided_go_some_days_after_it_lapsed(
    deps: Deps, clock: SetClock, asked: Asked
) -> None:
    a_file(deps, asked)
    clock.move(asked.view.expires_at - clock.now() + timedelta(days=deps.retention.evidence_days))
    assert retention.run(deps).evidence_files == 0
    clock.move(timedelta(minutes=1))
    assert retention.run(deps).evidence_files == 1


def test_the_copy_of_ones_data_tells_of_it_without_its_content(deps: Deps, asked: Asked) -> None:
    a_file(deps, asked)
    made = data_export.copy_of_data(deps, asked.conversation_id)
    assert not isinstance(made, NotMade)
    file = fetch(deps, asked.conversation_id, made.id)
    assert file is not None
    (told,) = [each["content"] for each in json.loads(file.content)["records"] if each["kind"] == "approval_note"]
    assert (told["kind"], told["media_type"]) == ("file", "image/png")
    assert not {"text_sealed", "content_sealed", "operator_id"} & set(told)
