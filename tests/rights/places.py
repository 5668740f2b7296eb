"""Every place of every flow at which a borrower may invoke a right, and the way there. All people are invented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from bot.services.deps import Deps
from tests.builders.accounts import Owed, a_plan, shown_code, verified
from tests.builders.chat import Chat, Said
from tests.builders.desk import a_conversation
from tests.builders.people import Person, a_person

OPENING = "还不上,想分期"
ONE = (Owed(),)
TWO_LENDERS = (Owed(), Owed(creditor="另一家银行", days_late=30))
LONG_LATE = (Owed(principal_fen=800_000, days_late=200, lent_days_ago=400),)
ABOVE_AUTHORITY = (Owed(principal_fen=11_000_000),)


class Dialogue(Protocol):
    """A conversation at a place: without the engine's process, or with the whole desk running."""

    deps: Deps
    conversation_id: str

    @property
    def form(self) -> str | None:
        """The form that is open."""

    @property
    def rejected(self) -> bool:
        """Whether the next answer goes past the form that is open."""

    @property
    def slots(self) -> dict[str, Any]:
        """What the engine remembers."""

    def say(self, text: str, intent: str) -> Said:
        """Say something that means ``intent``; returns what is answered."""

    def press(self, title: str) -> Said:
        """Press the latest button with these words; returns what is answered."""


@dataclass(frozen=True)
class Place:
    """A place in a flow.

    ``asks`` are the responses of which one puts its open question, empty where nothing is asked. ``form`` is what is
    open there. ``owes`` and ``is_planned`` say what the borrower brings along.
    """

    name: str
    reach: Callable[[Dialogue, Person], None]
    asks: tuple[str, ...] = ()
    form: str | None = None
    owes: tuple[Owed, ...] = ONE
    is_verified: bool = True
    is_planned: bool = False

    def person(self, deps: Deps) -> Person:
        """Make up somebody new who brings along what is needed here."""
        person = a_person(deps, self.owes)
        if self.is_planned:
            a_plan(deps, verified(deps, person.borrower_id))
        return person

    def chat(self, deps: Deps) -> Chat:
        """Open a chat with somebody new, and go to this place."""
        person = self.person(deps)
        conversation_id = verified(deps, person.borrower_id) if self.is_verified else a_conversation(deps)
        chat = Chat(deps, conversation_id)
        self.go(chat, person)
        return chat

    def go(self, chat: Dialogue, person: Person) -> None:
        """Lead a conversation here."""
        self.reach(chat, person)
        assert chat.form == self.form, f"{self.name}: in {chat.form}"


def _steps(*steps: tuple[str, str]) -> Callable[[Dialogue, Person], None]:
    def reach(chat: Dialogue, person: Person) -> None:
        for text, intent in steps:
            said = text.replace("$phone", person.phone).replace("$tail", person.id_tail)
            if "$code" in said:
                said = said.replace("$code", shown_code(chat.deps, chat.conversation_id))
            if intent == "press":
                chat.press(said)
            else:
                chat.say(said, intent)

    return reach


_CLAIM = (("我要核对身份", "verify_identity"),)
_CODE = (*_CLAIM, ("$phone", "inform"))
_TAIL = (*_CODE, ("$code", "inform"))
_INCOME = ((OPENING, "request_installment"),)
_ESSENTIALS = (*_INCOME, ("6000", "inform"))
_CHOICE = (*_ESSENTIALS, ("3500", "inform"))
_ABOVE = (*_INCOME, ("20000", "inform"), ("8000", "inform"), ("方案1", "press"))
_PROMISE = (("过几天我先还一点", "promise_to_pay"),)
_AMOUNT_SAID = (*_PROMISE, ("2000", "inform"))
_COMPLAINT = (("我要投诉", "complain_service"),)
_DISPUTE = (("利息算错了", "dispute_debt"),)
_VERIFY, _PLAN, _PROMISES, _CASES = "verify_form", "plan_form", "promise_form", "case_form"
_CONFIRMATION = ("utter_ask_confirmation", "utter_ask_confirmation_settlement")

PLACES = (
    Place("first_words", _steps(), is_verified=False),
    Place("claim", _steps(*_CLAIM), ("utter_ask_claim",), _VERIFY, is_verified=False),
    Place("code", _steps(*_CODE), ("utter_ask_code",), _VERIFY, is_verified=False),
    Place("id_tail", _steps(*_TAIL), ("utter_ask_id_tail",), _VERIFY, is_verified=False),
    Place("verified", _steps()),
    Place("balance_told", _steps(("我欠多少", "ask_balance"))),
    Place("payoff_quoted", _steps(("提前还清要多少", "ask_early_repayment"))),
    Place("plan_creditor", _steps(*_INCOME), ("utter_ask_creditor",), _PLAN, owes=TWO_LENDERS),
    Place(
        "plan_hardship",
        _steps(("这期还不上了", "report_missed_installment")),
        ("utter_ask_hardship",),
        _PLAN,
        is_planned=True,
    ),
    Place("plan_income", _steps(*_INCOME), ("utter_ask_income",), _PLAN),
    Place("plan_essentials", _steps(*_ESSENTIALS), ("utter_ask_essentials",), _PLAN),
    Place("plan_budget_check", _steps(*_INCOME, ("60", "inform")), ("utter_check_income_looks_small",), _PLAN),
    Place("plan_dependants", _steps(*_ESSENTIALS, ("2000", "inform")), ("utter_ask_dependants",), _PLAN),
    Place("plan_choice", _steps(*_CHOICE), ("utter_ask_choice",), _PLAN),
    Place("plan_confirmation", _steps(*_CHOICE, ("第二个", "inform")), _CONFIRMATION, _PLAN),
    Place("plan_approval", _steps(*_ABOVE), ("utter_ask_approval",), _PLAN, owes=ABOVE_AUTHORITY),
    Place("plan_waiting", _steps(*_ABOVE, ("替我申请", "press")), owes=ABOVE_AUTHORITY),
    Place("plan_start", _steps(("能不能宽限一下", "request_deferral")), ("utter_ask_start",), _PLAN, owes=ONE),
    Place(
        "settle_in_hand",
        _steps(("一次还清能少点吗", "request_settlement")),
        ("utter_ask_in_hand",),
        _PLAN,
        owes=LONG_LATE,
    ),
    Place("promise_creditor", _steps(*_PROMISE), ("utter_ask_promise_creditor",), _PROMISES, owes=TWO_LENDERS),
    Place("promise_amount", _steps(*_PROMISE), ("utter_ask_promise_amount",), _PROMISES),
    Place("promise_day", _steps(*_AMOUNT_SAID), ("utter_ask_promise_day",), _PROMISES),
    Place("promise_yes", _steps(*_AMOUNT_SAID, ("25号", "inform")), ("utter_ask_promise_yes",), _PROMISES),
    Place("dispute_debt", _steps(*_DISPUTE), ("utter_ask_case_debt",), _CASES, owes=TWO_LENDERS),
    Place("dispute_kind", _steps(("我有异议", "dispute_debt")), ("utter_ask_case_kind_dispute",), _CASES),
    Place("dispute_yes", _steps(*_DISPUTE), ("utter_ask_case_yes",), _CASES),
    Place("dispute_facts", _steps(*_DISPUTE, ("登记", "press")), ("utter_ask_case_facts",), _CASES),
    Place("complaint_kind", _steps(*_COMPLAINT), ("utter_ask_case_kind_complaint",), _CASES),
    Place("complaint_facts", _steps(("你们态度太差", "complain_service")), ("utter_ask_case_facts",), _CASES),
    Place("plan_in_force", _steps(("我的分期还剩几期", "ask_plan_status")), is_planned=True),
    Place("waits_for_person", _steps(("转人工", "request_human"))),
)
