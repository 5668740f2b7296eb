"""What people do in a simulated year: pay, agree, promise, write, stop, complain, fall silent; and what operators do.

Everything goes through the desk's own services, at the time its clock shows. Each act may bring about later ones.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import count

from sqlalchemy import select

from bot.clock import SHANGHAI, business_date
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind
from bot.services import (
    accounts,
    agreements,
    contact_wishes,
    handoff,
    inbound,
    negotiation,
    notice_planning,
    payment_traces,
    payments,
    promises,
    web_sessions,
)
from bot.services.agreements import AgreementView, ReadBack
from bot.services.conversations import Author, Reply, Stored, locked, say
from bot.services.deps import Deps
from bot.services.payments import IncomingPayment
from bot.services.promises import Promised, Step
from bot.services.proof import DeskWork, Purpose
from bot.store.tables import Borrower, ContactWish, Contract, Debt, Hold
from bot.workout.promise_reading import StatedPromise
from tests.builders.desk import an_operator
from tests.simulation.people import Person, in_days, open_chat, prove

NOON = time(12)


@dataclass(order=True, slots=True)
class Event:
    """Something that somebody will do."""

    at: datetime
    order: int
    person: Person = field(compare=False)
    act: Callable[[Person], None] = field(compare=False)


class Life:
    """The people of one database, and what is still ahead of them. ``done`` counts their acts."""

    def __init__(self, deps: Deps, people: Sequence[Person], days: int) -> None:
        self.deps = deps
        self.done: Counter[str] = Counter()
        self._ahead: list[Event] = []
        self._order = count()
        self._ends = deps.now() + timedelta(days=days)
        self._operator = an_operator(deps, "simulated", "小陈", Role.SUPERVISOR)
        self._people = {person.borrower_id: person for person in people}
        for person in people:
            self._plan_life(person, days)

    def next_at(self) -> datetime | None:
        """When the next thing happens."""
        return self._ahead[0].at if self._ahead else None

    def go_on(self) -> None:
        """Let the next thing happen; the clock must show its time."""
        event = heapq.heappop(self._ahead)
        self.done[event.act.__name__] += 1
        event.act(event.person)

    def were_told(self, borrower_ids: Sequence[str]) -> None:
        """Let some of those who have just got a notice answer it within the day."""
        for borrower_id in borrower_ids:
            person = self._people[borrower_id]
            if person.chance.random() < person.answers:
                self._after(person, 0, 0, self.writes)

    def _later(self, person: Person, at: datetime, act: Callable[[Person], None]) -> None:
        if self.deps.now() < at < self._ends:
            heapq.heappush(self._ahead, Event(at, next(self._order), person, act))

    def _after(self, person: Person, soonest: int, latest: int, act: Callable[[Person], None]) -> None:
        self._later(person, self.deps.now() + in_days(person.chance, soonest, latest), act)

    def _plan_life(self, person: Person, days: int) -> None:
        """Draw what happens to somebody by itself, within the days of the run."""
        chances: tuple[tuple[float, int, Callable[[Person], None]], ...] = (
            (0.45, 1, self.agrees),
            (0.50, 2, self.pays_something),
            (0.15, 1, self.pays_all),
            (0.90, 4, self.writes),
            (0.20, 1, self.stops),
            (0.15, 1, self.pauses),
            (0.25, 2, self.wishes),
            (0.08, 1, self.complains),
            (0.08, 1, self.disputes),
            (0.06, 1, self.is_in_distress),
            (0.01, 1, self.dies),
            (0.30, 2, self.promises),
            (0.10, 1, self.says_it_was_paid),
            (0.20, 3, self.is_written_to),
            (0.15, 1, self.opens_another_chat),
            (0.40, 6, self.visits),
        )
        for likely, most, act in chances:
            if person.chance.random() < likely:
                for _ in range(person.chance.randint(1, most)):
                    self._after(person, 0, days, act)

    # Money.

    def agrees(self, person: Person) -> None:
        """Agree to a plan, and mean to pay it in one's own way."""
        chat = self._verified_chat(person)
        view = self._agreement(person, chat) if chat else None
        if view is None:
            return
        self.done["agreed"] += 1
        for part in view.instalments:
            luck = person.chance.random()
            if luck > 0.35 + 0.6 * person.pays:
                continue
            days = person.chance.choice((-2, 0, 0, 0, 2, 5, 20))
            at = datetime.combine(part.due_on + timedelta(days=days), NOON, tzinfo=SHANGHAI)
            self._later(person, at, self._paying(part.amount_fen))

    def pays_something(self, person: Person) -> None:
        """Pay a part of a debt."""
        self._pay(person, person.debt_ids[0], person.chance.randrange(5_000, 80_000))

    def pays_all(self, person: Person) -> None:
        """Pay everything that is owed."""
        with self.deps.read() as session:
            owed = accounts.portfolio_of(session, self.deps, DeskWork(person.borrower_id, Purpose.PAYMENT))
        for debt in owed.open_debts:
            self._pay(person, debt.debt_id, debt.statement.balances.total_fen)

    def promises(self, person: Person) -> None:
        """Promise a small sum soon, and keep it or not."""
        chat = self._verified_chat(person)
        if chat is None:
            return
        amount_fen, days = person.chance.randrange(10_000, 60_000, 100), person.chance.randint(2, 10)
        due_on = business_date(self.deps.now()) + timedelta(days=days)
        told = promises.tell(self.deps, chat, StatedPromise(amount_fen, due_on))
        if not isinstance(told, Promised) or told.step is not Step.CONFIRMATION:
            return
        asked = self._write(person, chat, "过几天还一点")
        promises.put_question(self.deps, chat, asked)
        self._answer(chat, asked, "要记下来吗?")
        made = promises.make(self.deps, chat, self._write(person, chat, "好的"))
        if isinstance(made, Promised) and made.step is Step.MADE:
            self.done["promised"] += 1
            if person.chance.random() < person.pays:
                at = datetime.combine(due_on, NOON, tzinfo=SHANGHAI)
                self._later(person, at, self._paying(amount_fen))

    def says_it_was_paid(self, person: Person) -> None:
        """Say that something was paid; it is, some days later, or never was."""
        chat = self._verified_chat(person)
        if chat is None:
            return
        amount_fen = person.chance.randrange(10_000, 90_000, 100)
        stated = payment_traces.Stated(amount_fen, business_date(self.deps.now()))
        payment_traces.report_paid(self.deps, chat, "我已经还了", stated)
        if person.chance.random() < 0.6:
            self._after(person, 1, 6, self._paying(amount_fen))

    # What borrowers say about being written to.

    def stops(self, person: Person) -> None:
        """Say 别再发了, and take it back some time later or never."""
        if person.chats:
            contact_wishes.opt_out(self.deps, person.chance.choice(person.chats))
            if person.chance.random() < 0.5:
                self._after(person, 5, 90, self.resumes)

    def resumes(self, person: Person) -> None:
        """Say 恢复提醒."""
        if chat := self._verified_chat(person):
            contact_wishes.opt_in(self.deps, chat)

    def pauses(self, person: Person) -> None:
        """Say 这周别发了."""
        now = self.deps.now()
        with self.deps.begin() as session:
            session.add(
                Hold(
                    borrower_id=person.borrower_id,
                    kind="pause",
                    placed_at=now,
                    until=now + in_days(person.chance, 2, 40),
                )
            )
            notice_planning.touch(session, person.borrower_id, now)

    def wishes(self, person: Person) -> None:
        """Ask for another hour, another day, quiet hours, or less."""
        chance, now = person.chance, self.deps.now()
        with self.deps.begin() as session:
            wish = session.get(ContactWish, person.borrower_id) or ContactWish(borrower_id=person.borrower_id)
            wish.changed_at = now
            match chance.randrange(6):
                case 0:
                    wish.quiet_from, wish.quiet_to = time(chance.randint(11, 18)), time(chance.randint(8, 12))
                case 1:
                    wish.send_at = time(chance.randint(9, 19), chance.choice((0, 30)))
                case 2:
                    wish.day_of_month = chance.randint(1, 31)
                case 3:
                    wish.days_before = chance.randint(0, 5)
                case 4:
                    wish.per_seven_days = chance.randint(1, 2)
                case _:
                    wish.channel = chance.choice(("telegram", "web"))
            session.add(wish)
            notice_planning.touch(session, person.borrower_id, now)

    def writes(self, person: Person) -> None:
        """Write something ordinary, and be answered at whatever hour it is."""
        if person.chats:
            chat = person.chance.choice(person.chats)
            self._answer(chat, self._write(person, chat, "查看"), "好的,我在。")

    def opens_another_chat(self, person: Person) -> None:
        """Prove identity over another channel."""
        open_chat(self.deps, person, person.chance.choice(("telegram", "web")))

    def visits(self, person: Person) -> None:
        """Open the web page again, so that its session lives on."""
        for token in person.tokens:
            web_sessions.renew(self.deps, token)

    # What silences.

    def complains(self, person: Person) -> None:
        """Complain."""
        self._hold(person, HoldKind.COMPLAINT, 3, 60)

    def disputes(self, person: Person) -> None:
        """Dispute a debt."""
        self._hold(person, HoldKind.DISPUTE, 3, 60)

    def is_in_distress(self, person: Person) -> None:
        """Show a sign of danger."""
        self._hold(person, HoldKind.DISTRESS, 7, 90)

    def dies(self, person: Person) -> None:
        """Be reported dead."""
        with self.deps.begin() as session:
            now = self.deps.now()
            session.add(Hold(borrower_id=person.borrower_id, kind=HoldKind.DECEASED.value, placed_at=now))
            session.get_one(Borrower, person.borrower_id).deceased = True

    def _hold(self, person: Person, kind: HoldKind, soonest: int, latest: int) -> None:
        if not person.chats:
            return
        with self.deps.begin() as session:
            conversation = locked(session, person.chance.choice(person.chats))
            assert conversation is not None
            handoff.place_hold(session, kind, self.deps.now(), conversation)
        if person.chance.random() < 0.8:
            self._after(person, soonest, latest, self.is_settled)

    def is_settled(self, person: Person) -> None:
        """Have a person lift what silences."""
        kinds = (HoldKind.COMPLAINT, HoldKind.DISPUTE, HoldKind.DISTRESS)
        with self.deps.read() as session:
            held = session.scalars(
                select(Hold.id).where(
                    (Hold.borrower_id == person.borrower_id) | Hold.conversation_id.in_(person.chats),
                    Hold.kind.in_(kinds),
                    Hold.lifted_at.is_(None),
                )
            ).all()
        for hold_id in held:
            handoff.lift_hold(self.deps, hold_id, self._operator)

    # What operators do.

    def is_written_to(self, person: Person) -> None:
        """Be written to by an operator, two lines at once, at any hour; the gate has its say."""
        if not person.chats:
            return
        chat = person.chance.choice(person.chats)
        handoff.take(self.deps, chat, self._operator)
        for _ in range(person.chance.randint(1, 3)):
            said = handoff.reply(self.deps, chat, self._operator, "您好,有什么可以帮您?", f"{next(self._order)}")
            self.done["operator spoke" if isinstance(said, handoff.Done) else "operator refused"] += 1
        handoff.give_back(self.deps, chat, self._operator)

    # How it is done.

    def _paying(self, amount_fen: int) -> Callable[[Person], None]:
        def pays(person: Person) -> None:
            self._pay(person, person.debt_ids[0], amount_fen)

        return pays

    def _pay(self, person: Person, debt_id: str, amount_fen: int) -> None:
        with self.deps.read() as session:
            number = session.scalars(
                select(Contract.number).join(Debt, Debt.contract_id == Contract.id).where(Debt.id == debt_id)
            ).one()
        day = self._last_possible_day()
        outcome = payments.receive(
            self.deps, IncomingPayment(number, day, amount_fen, f"S-{person.number}-{next(self._order)}", "bank")
        )
        self.done[type(outcome).__name__] += 1

    def _last_possible_day(self) -> date:
        return business_date(self.deps.now())

    def _agreement(self, person: Person, chat: str) -> AgreementView | None:
        opened = negotiation.open_negotiation(self.deps, chat)
        if not isinstance(opened, negotiation.State):
            return None
        income_fen = person.chance.randrange(300_000, 1_500_000, 1000)
        negotiation.state_means(
            self.deps, chat, income_fen=income_fen, essential_fen=income_fen // 2, dependants=0, other_debts_fen=0
        )
        negotiation.choose(self.deps, chat, 1)
        shown = agreements.read_back(self.deps, chat)
        if not isinstance(shown, ReadBack):
            return None
        accepted = agreements.accept(self.deps, chat, shown.text_hash)
        return accepted if isinstance(accepted, AgreementView) else None

    def _verified_chat(self, person: Person) -> str | None:
        """A chat in which somebody writes and proves identity now; None if they have none."""
        if not person.chats:
            return None
        chat = person.chance.choice(person.chats)
        self._write(person, chat, "我要核对身份")
        prove(self.deps, chat)
        return chat

    def _write(self, person: Person, chat: str, text: str) -> str:
        person.said += 1
        stored = inbound.record_text(self.deps, chat, f"said {person.said}", text)
        assert isinstance(stored, Stored), stored
        return stored.message_id

    def _answer(self, chat: str, message_id: str, text: str) -> None:
        with self.deps.begin() as session:
            conversation = locked(session, chat)
            assert conversation is not None
            say(session, self.deps, conversation, Reply(text), author=Author.BOT, in_reply_to=message_id)
