"""Documents: made from the record, kept sealed, handed to the borrower they are about and to nobody else."""

from __future__ import annotations

import base64
import re
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select

from bot.lending.money import format_yuan
from bot.outreach.gate import Purpose
from bot.services import accounts, document_store, documents, identity
from bot.services.accounts import Portfolio
from bot.services.conversations import QuickReply, Reply, document_payload
from bot.services.deps import Deps
from bot.services.document_store import DocumentKind, DocumentView
from bot.services.documents import NotMade
from bot.services.history import MessageView, messages_after, messages_now_readable
from bot.store.tables import AuditEntry, Conversation, Document, Message, MessageDocument, Outbox
from tests.builders.accounts import Owed, a_debt_of, a_payment, a_plan, verified
from tests.builders.desk import SetClock, a_borrower, an_operator, reviewing
from tests.builders.documents import fetched, prove, tell, text_of, the_statement
from tests.builders.threads import at_once


def last(deps: Deps, conversation_id: str) -> MessageView:
    return messages_after(deps, conversation_id, 0)[-1]


def count(deps: Deps) -> int:
    with deps.read() as session:
        return session.scalar(select(func.count()).select_from(Document)) or 0


class TestMaking:
    def test_the_statement_says_what_the_accounts_say(self, deps: Deps, chat: str, debt: str) -> None:
        a_payment(deps, debt, 123_456)
        owed = accounts.portfolio(deps, chat)
        assert isinstance(owed, Portfolio)
        document = the_statement(deps, chat)
        file = fetched(deps, chat, document)
        text = text_of(file.content)
        assert f"一共{format_yuan(owed.total_fen)}" in text
        assert "您还的钱冲抵" in text
        assert "按这个顺序冲抵：费用，再利息，再罚息，再本金" in text
        assert "王**" in text
        assert "王小明" not in text
        assert (document.title, document.kind, file.media_type) == (
            "对账单（PDF）",
            DocumentKind.STATEMENT,
            "application/pdf",
        )
        assert re.fullmatch(r"明细 DZ20261121-[0-9A-F]{8}\.pdf", file.name)

    def test_unchanged_figures_are_one_document_and_changed_ones_another(
        self, deps: Deps, chat: str, debt: str, clock: SetClock
    ) -> None:
        first = the_statement(deps, chat)
        clock.move(timedelta(minutes=5))
        assert the_statement(deps, chat).id == first.id
        a_payment(deps, debt, 5_000)
        assert the_statement(deps, chat).id != first.id
        assert count(deps) == 2

    def test_two_who_ask_at_once_get_the_same_document(self, deps: Deps, chat: str) -> None:
        made = at_once(3, lambda _: documents.statement(deps, chat))
        assert len({each.id for each in made if isinstance(each, DocumentView)}) == 1
        assert count(deps) == 1

    def test_an_agreement_is_handed_over_as_text_and_as_a_picture(self, deps: Deps, chat: str) -> None:
        plan = a_plan(deps, chat)
        made = documents.agreement(deps, chat, plan.number)
        assert isinstance(made, tuple)
        paper, picture = made
        file = fetched(deps, chat, paper)
        text = text_of(file.content)
        assert re.sub(r"\s", "", plan.text) in text_of(file.content, frame_lines=4)
        assert plan.text_hash in text
        assert text.count("编号" + plan.number) >= 2
        assert file.name == f"协议 {plan.number}.pdf"
        assert picture.kind is DocumentKind.SCHEDULE
        assert picture.size is not None
        assert fetched(deps, chat, picture).content.startswith(b"\x89PNG")
        assert documents.agreement(deps, chat, plan.number) == made

    def test_documents_are_in_the_conversations_script(self, deps: Deps, chat: str) -> None:
        with deps.begin() as session:
            session.get_one(Conversation, chat).script = "hant"
        document = the_statement(deps, chat)
        assert document.title == "對帳單（PDF）"
        assert "罰息" in text_of(fetched(deps, chat, document).content)

    def test_a_debt_in_a_plan_is_stated_as_standing_still(self, deps: Deps, chat: str, clock: SetClock) -> None:
        plan = a_plan(deps, chat)
        clock.move(timedelta(minutes=1))
        text = text_of(fetched(deps, chat, the_statement(deps, chat)).content)
        assert f"这一笔在协议{plan.number}里。按协议还款期间，利息、罚息和费用都不再增加" in text

    def test_nothing_is_made_for_the_unverified_or_about_others(self, deps: Deps, chat: str) -> None:
        plan = a_plan(deps, chat)
        stranger = verified(deps, None)
        assert documents.statement(deps, stranger) is NotMade.NOT_VERIFIED
        assert documents.agreement(deps, stranger, plan.number) is NotMade.NOT_VERIFIED
        other = verified(deps, a_borrower(deps, "李小红", "13800000002", "110101199002020023"))
        assert documents.agreement(deps, other, plan.number) is NotMade.NO_AGREEMENT
        assert documents.statement(deps, other) is NotMade.NOTHING_OWED
        assert count(deps) == 0

    def test_what_cannot_be_made_is_a_result_and_undoes_nothing(
        self, deps: Deps, chat: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plan = a_plan(deps, chat)

        def no_font(*_: object) -> bytes:
            raise OSError("no font")

        monkeypatch.setattr(documents, "agreement_pdf", no_font)
        assert documents.agreement(deps, chat, plan.number) is NotMade.TROUBLE
        assert count(deps) == 0


class TestSealed:
    def test_the_content_is_sealed_for_its_borrower(self, deps: Deps, chat: str, borrower: str) -> None:
        document = the_statement(deps, chat)
        plain = base64.b64encode(fetched(deps, chat, document).content).decode()
        with deps.begin() as session:
            row = session.get_one(Document, document.id)
            assert plain[:40] not in row.content_sealed, "kept in clear text"
            assert deps.vault.unseal(f"document:{borrower}", row.content_sealed) == plain
            with pytest.raises(InvalidTag):
                deps.vault.unseal("document:another", row.content_sealed)
            assert (row.borrower_id, row.conversation_id, row.agreement_id) == (borrower, chat, None)

    def test_that_it_was_made_is_on_record(self, deps: Deps, chat: str) -> None:
        document = the_statement(deps, chat)
        with deps.read() as session:
            entry = session.scalars(select(AuditEntry).where(AuditEntry.event == "document_made")).one()
            assert entry.subject_id == document.id
            assert set(entry.detail) == {"kind", "sha256"}

    def test_an_operator_may_have_it_and_that_is_on_record(self, deps: Deps, chat: str) -> None:
        document = the_statement(deps, chat)
        operator = reviewing(an_operator(deps))
        file = document_store.fetch_as_operator(deps, document.id, operator)
        assert file is not None
        assert file.content.startswith(b"%PDF")
        assert document_store.fetch_as_operator(deps, "0" * 32, operator) is None
        assert document_store.fetch_as_operator(deps, "x" * 999, operator) is None
        with deps.read() as session:
            entry = session.scalars(select(AuditEntry).where(AuditEntry.event == "document_read")).one()
            assert (entry.actor_kind, entry.actor_id, entry.subject_id) == (
                "operator",
                operator.operator_id,
                document.id,
            )


class TestCarried:
    def test_a_message_carries_a_document_and_keeps_its_other_buttons(self, deps: Deps, chat: str) -> None:
        document = the_statement(deps, chat)
        buttons = (QuickReply("对账单", document_payload(document.id)), QuickReply("这笔账不对", "/dispute_debt"))
        tell(deps, chat, Reply("在这里。", buttons))
        shown = last(deps, chat)
        assert shown.document == document
        assert [button.title for button in shown.buttons] == ["这笔账不对"]

    def test_it_is_withheld_with_its_message_and_comes_back_with_it(
        self, deps: Deps, chat: str, borrower: str, clock: SetClock
    ) -> None:
        document = the_statement(deps, chat)
        tell(deps, chat, Reply("在这里。", document_id=document.id))
        clock.move(timedelta(minutes=31))
        hidden = last(deps, chat)
        assert (hidden.document, hidden.withheld) == (None, True)
        prove(deps, chat, borrower)
        [back] = messages_now_readable(deps, chat, [hidden.seq])
        assert (back.text, back.document) == ("在这里。", document)

    def test_a_notice_is_read_without_proof_but_its_document_is_not(
        self, deps: Deps, chat: str, borrower: str, clock: SetClock
    ) -> None:
        document = the_statement(deps, chat)
        tell(deps, chat, Reply("您有一份文件。", document_id=document.id), purpose=Purpose.PLAN_NOTICE.value)
        clock.move(timedelta(minutes=31))
        hidden = last(deps, chat)
        assert (hidden.text, hidden.document, hidden.withheld) == ("您有一份文件。", None, True)
        prove(deps, chat, borrower)
        assert last(deps, chat).document == document

    def test_somebody_elses_document_is_not_carried(self, deps: Deps, chat: str) -> None:
        document = the_statement(deps, chat)
        other = verified(deps, a_borrower(deps, "李小红", "13800000002", "110101199002020023"))
        tell(deps, other, Reply("在这里。", document_id=document.id))
        tell(deps, other, Reply("在这里。", document_id="0" * 32))
        assert [view.document for view in messages_after(deps, other, 0)[-2:]] == [None, None]
        with deps.read() as session:
            assert session.scalars(select(MessageDocument)).all() == []

    def test_a_messenger_gets_what_was_said_to_somebody_verified_and_no_notices_document(
        self, deps: Deps, borrower: str, debt: str
    ) -> None:
        chat = verified(deps, borrower, channel="telegram")
        document = the_statement(deps, chat)
        tell(deps, chat, Reply("在这里。", document_id=document.id))
        tell(deps, chat, Reply("您有一份文件。", document_id=document.id), purpose=Purpose.PLAN_NOTICE.value)
        told, notice = outbox_ids(deps)
        pushed = document_store.to_push(deps, told)
        assert pushed is not None
        assert pushed.content == fetched(deps, chat, document).content
        assert document_store.to_push(deps, notice) is None

    def test_a_messenger_gets_nothing_once_the_conversation_is_no_longer_theirs(
        self, deps: Deps, borrower: str, debt: str
    ) -> None:
        chat = verified(deps, borrower, channel="telegram")
        tell(deps, chat, Reply("在这里。", document_id=the_statement(deps, chat).id))
        identity.release_binding(deps, chat, "not_the_borrower")
        [told] = outbox_ids(deps)
        assert document_store.to_push(deps, told) is None


def outbox_ids(deps: Deps) -> list[str]:
    with deps.read() as session:
        return list(session.scalars(select(Outbox.id).join(Message).order_by(Message.seq)))


def test_a_card_debt_older_than_three_years_asks_for_nothing(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(days_late=1_200, lent_days_ago=1_400))
    chat = verified(deps, borrower)
    text = text_of(fetched(deps, chat, the_statement(deps, chat)).content)
    assert "12348" in text
    assert "还款页面" not in text
