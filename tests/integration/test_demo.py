"""The demo accounts: every ledger adds up, the plans are real ones, and writing them is safe to repeat."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.clock import business_date
from bot.identity.factors import Claim, read_claim
from bot.lending.limitation import LimitationStatus
from bot.services import accounts, demo, identity, negotiation, reminders
from bot.services.accounts import DebtView, Portfolio
from bot.services.demo import DemoRefusal, DemoReport
from bot.services.demo_data import DemoData, DemoDataError, load_demo_data
from bot.services.deps import Deps
from bot.services.identity import Step
from bot.services.negotiation import Blocked, NoPlan, Stage, State
from bot.services.proof import DeskWork, Purpose
from bot.settings import ROOT
from bot.store.tables import Agreement, Base, Borrower, Instalment, LedgerEntry, Reminder
from bot.workout.offer import NoOfferReason
from bot.workout.policy import load_policies
from tests.builders.accounts import shown_code, verified
from tests.builders.desk import SetClock, a_desk
from tests.builders.threads import at_once

FILE = ROOT / "data" / "demo" / "accounts.yml"


@pytest.fixture
def data() -> DemoData:
    return load_demo_data(FILE)


def borrower_of(deps: Deps, name: str) -> str:
    with deps.begin() as session:
        return session.scalars(select(Borrower.id).where(Borrower.name_hash == deps.vault.lookup("name", name))).one()


def portfolios(deps: Deps) -> list[Portfolio]:
    with deps.begin() as session:
        return [
            accounts.portfolio_of(session, deps, DeskWork(key, Purpose.PAYMENT))
            for key in session.scalars(select(Borrower.id))
        ]


def debts(deps: Deps) -> dict[str, DebtView]:
    return {debt.reference: debt for owed in portfolios(deps) for debt in owed.debts}


def row_counts(deps: Deps) -> dict[str, int]:
    with deps.begin() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def test_everybody_in_the_file_is_written(deps: Deps, data: DemoData) -> None:
    report = demo.seed(deps)
    people = data.borrowers
    assert report == DemoReport(len(people), sum(len(p.debts) for p in people), sum(p.plan is not None for p in people))
    assert len(people) >= 11
    assert {owed.name for owed in portfolios(deps)} == {person.name for person in people}


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=40)])
def test_writing_twice_changes_nothing(deps: Deps, clock: SetClock, later: timedelta) -> None:
    demo.seed(deps)
    before = row_counts(deps)
    clock.move(later)
    assert demo.seed(deps) == DemoReport()
    assert row_counts(deps) == before


def test_written_by_two_at_once_everybody_is_there_once(deps: Deps, data: DemoData) -> None:
    reports = at_once(2, lambda _: demo.seed(deps))
    assert DemoReport() in reports
    assert row_counts(deps)["borrower"] == len(data.borrowers)
    assert row_counts(deps)["agreement"] == 2


def test_production_gets_no_demo_accounts(deps: Deps) -> None:
    deps.settings.mode = "production"
    assert demo.seed(deps) is DemoRefusal.NOT_DEMO_MODE
    assert demo.demo_identities(deps) == []
    assert row_counts(deps)["borrower"] == 0


def test_every_statement_adds_up_and_every_account_of_it_is_positive(deps: Deps) -> None:
    demo.seed(deps)
    for debt in debts(deps).values():
        statement = debt.statement
        for component in ("principal", "interest", "penalty", "fee"):
            lines = sum(line.amount_fen for line in statement.lines if line.component == component)
            assert lines == getattr(statement.balances, f"{component}_fen"), (debt.reference, component)
        assert sum(line.amount_fen for line in statement.lines if line.component is None) == 0
        assert statement.balances.credit_fen == 0


def test_interest_is_booked_up_to_the_last_full_month(deps: Deps) -> None:
    demo.seed(deps)
    with deps.begin() as session:
        latest = session.scalar(select(func.max(LedgerEntry.effective_on)).where(LedgerEntry.kind == "interest"))
    assert latest is not None
    assert timedelta(0) <= business_date(deps.now()) - latest < timedelta(days=31)


def test_each_situation_is_what_it_says(deps: Deps) -> None:
    demo.seed(deps)
    found = debts(deps)
    assert {key: found[key].statement.days_past_due for key in ("1001", "2002", "3003")} == {
        "1001": 45,
        "2002": 70,
        "3003": 20,
    }
    assert found["1001"].statement.balances.fee_fen > 0
    assert found["2002"].statement.balances.penalty_fen > 0
    assert len({found[key].creditor for key in ("4004", "4014", "4024")}) == 2
    assert found["7007"].disputed
    assert found["8008"].limitation is LimitationStatus.POSSIBLY_EXPIRED
    assert found["9009"].limitation is LimitationStatus.UNKNOWN


def test_the_settled_debt_is_settled_to_the_fen(deps: Deps, clock: SetClock) -> None:
    demo.seed(deps)
    assert debts(deps)["1010"].statement.balances.total_fen == 0
    clock.move(timedelta(days=100))
    assert debts(deps)["1010"].statement.balances.total_fen == 0


def test_plans_have_a_past_and_a_next_instalment(deps: Deps) -> None:
    demo.seed(deps)
    today = business_date(deps.now())
    with deps.begin() as session:
        found = {
            deps.vault.unseal("name", session.get_one(Borrower, plan.borrower_id).name_sealed): session.scalars(
                select(Instalment).where(Instalment.agreement_id == plan.id).order_by(Instalment.number)
            ).all()
            for plan in session.scalars(select(Agreement).where(Agreement.state == "in_force"))
        }
    states = {name: [part.state for part in parts] for name, parts in found.items()}
    assert states == {"陈强演示": ["paid"] * 2 + ["due"] * 4, "刘洋演示": ["paid", "missed"] + ["due"] * 7}
    for parts in found.values():
        upcoming = next(part for part in parts if part.state == "due")
        assert all(part.due_on < today for part in parts if part.state != "due")
        assert today < upcoming.due_on
        assert all(part.paid_fen == (part.amount_fen if part.state == "paid" else 0) for part in parts)
    assert (found["陈强演示"][2].due_on - today).days == 5


def test_nobody_is_reminded_of_the_past(deps: Deps, clock: SetClock) -> None:
    demo.seed(deps)
    with deps.begin() as session:
        planned = session.scalars(select(Reminder.send_at).where(Reminder.state == "planned")).all()
    assert planned
    assert min(planned) > deps.now()
    assert reminders.sweep(deps) == reminders.Swept()
    clock.move(timedelta(days=2))
    # The demo's people have no browser open yet: a notice has no mailbox to go to, and P1 says so.
    assert reminders.sweep(deps) == reminders.Swept(refused=1)


@pytest.mark.parametrize("day", ["2026-11-30", "2027-02-26", "2027-02-28", "2027-04-26", "2028-02-29", "2027-05-26"])
def test_the_accounts_can_be_written_on_any_day(tmp_path: Path, clock: SetClock, day: str) -> None:
    clock.instant = clock.instant.fromisoformat(f"{day}T02:00:00+00:00")
    deps = a_desk(tmp_path, clock)
    assert isinstance(demo.seed(deps), DemoReport)
    with deps.begin() as session:
        ahead = session.scalar(select(func.min(Instalment.due_on)).where(Instalment.state == "due"))
    deps.database.engine.dispose()
    assert ahead is not None
    assert 2 <= (ahead - business_date(clock.now())).days <= 5


def test_the_first_identity_gets_at_least_two_plans(deps: Deps) -> None:
    demo.seed(deps)
    chat = verified(deps, borrower_of(deps, demo.demo_identities(deps)[0].name))
    negotiation.open_negotiation(deps, chat)
    answer = negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    assert isinstance(answer, State)
    assert answer.stage is Stage.CHOICE
    assert len(answer.offers) >= 2
    assert all(offer.waived_fee_fen > 0 for offer in answer.offers)


def test_the_others_get_what_their_situation_says(deps: Deps) -> None:
    demo.seed(deps)

    def opened(name: str) -> object:
        return negotiation.open_negotiation(deps, verified(deps, borrower_of(deps, name)))

    assert opened("周婷演示") is Blocked.ALL_DISPUTED
    assert opened("吴军演示") is Blocked.OLD_DEBT
    assert opened("郑芳演示") is Blocked.OLD_DEBT
    assert opened("孙浩演示") is Blocked.NOTHING_OWED
    assert opened("陈强演示") is Blocked.PLAN_IN_FORCE
    two = opened("赵敏演示")
    assert isinstance(two, State)
    assert two.stage is Stage.CREDITOR


def test_whom_the_bot_cannot_help_is_told_why(deps: Deps) -> None:
    demo.seed(deps)
    chat = verified(deps, borrower_of(deps, "何静演示"))
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=260_000, essential_fen=300_000)
    answer = negotiation.leave_unsaid(deps, chat)
    assert answer == NoPlan(NoOfferReason.NO_SURPLUS)


def test_a_debt_above_the_bots_authority_gets_plans_that_a_person_has_to_grant(deps: Deps) -> None:
    demo.seed(deps)
    chat = verified(deps, borrower_of(deps, "马涛演示"))
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=900_000, essential_fen=400_000)
    answer = negotiation.leave_unsaid(deps, chat)  # what goes to others
    assert isinstance(answer, negotiation.State)
    assert answer.offers
    assert all(offer.needs_approval for offer in answer.offers)


@pytest.mark.parametrize("by_phone", [True, False])
def test_the_printed_identities_prove_who_they_are(deps: Deps, by_phone: bool) -> None:
    demo.seed(deps)
    shown = demo.demo_identities(deps)
    assert len(shown) == 3
    for person in shown:
        chat = verified(deps, None)
        identity.answer_claim(deps, chat, Claim(person.phone, None) if by_phone else Claim(None, person.name))
        code = shown_code(deps, chat)
        assert identity.answer_code(deps, chat, code).step is Step.ID_TAIL
        assert identity.answer_id_tail(deps, chat, person.id_tail).step is Step.DONE


def test_every_name_is_understood_when_the_desk_asks_for_it(data: DemoData) -> None:
    for person in data.borrowers:
        assert read_claim(person.name, expected=True) == Claim(None, person.name)


def test_every_product_has_the_policy_of_its_kind(data: DemoData) -> None:
    policies = {policy.code: policy.product_kind for policy in load_policies(ROOT / "data" / "policies").values()}
    assert {p.code: policies.get(p.policy_code) for p in data.products.values()} == {
        p.code: p.kind for p in data.products.values()
    }


@pytest.mark.parametrize(
    ("right", "wrong", "field"),
    [
        ('phone: "13800000001"', 'phone: "13912345678"', "borrowers.0.phone"),
        ('phone: "13800000002"', 'phone: "13800000001"', "borrowers.phone: 13800000001"),
        ('"110101199001011001"', '"11010119900101100X"', "borrowers.0: id_number has a right check digit"),
        ('"110101199001011002"', '"110101199001011001"', "borrowers.id_number (last four): 1001"),
        ("amount_fen: 900000", "amount_fen: 9000.5", "borrowers.0.debts.0.drawdowns.0.amount_fen"),
        ("amount_fen: 900000", "amount_yuan: 9000", "borrowers.0.debts.0.drawdowns.0.amount_yuan"),
        ("- product: gold_card", "- product: golden_card", "debts.product: unknown golden_card"),
        ("[principal, interest, penalty, fee]", "[principal, interest, penalty, penalty]", "creditors.0.products.0"),
        ("name: 张明演示", "name: 张小明", "borrowers.0.name"),
        ("settled_days_ago: 15", "settled_days_ago: 95", "borrowers.9.debts.0"),
        ("months: 6", "months: 2", "borrowers.4.plan"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_field(tmp_path: Path, right: str, wrong: str, field: str) -> None:
    text = FILE.read_text("utf-8")
    assert right in text
    path = tmp_path / "accounts.yml"
    path.write_text(text.replace(right, wrong, 1), "utf-8")
    with pytest.raises(DemoDataError) as caught:
        load_demo_data(path)
    assert str(caught.value).startswith("accounts.yml: ")
    assert field in str(caught.value)


def test_a_plan_nobody_could_get_is_refused_and_nothing_is_written(tmp_path: Path, clock: SetClock) -> None:
    shutil.copytree(ROOT / "data", tmp_path / "data")
    path = tmp_path / "data" / "demo" / "accounts.yml"
    path.write_text(
        path.read_text("utf-8").replace("monthly_income_fen: 520000", "monthly_income_fen: 400100"), "utf-8"
    )
    whole = a_desk(tmp_path, clock)
    deps = Deps(whole.settings, whole.database, clock, whole.vault, data=tmp_path / "data")
    with pytest.raises(DemoDataError, match="刘洋演示: plan"):
        demo.seed(deps)
    assert set(row_counts(deps).values()) == {0}
    whole.database.engine.dispose()
