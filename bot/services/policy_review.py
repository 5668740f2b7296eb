"""Looking at relief policies before they are used: what is wrong with them, and whom a change would touch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.contract import ProductKind
from bot.lending.delinquency import DelinquencyBucket
from bot.lending.ledger import LedgerError
from bot.lending.money import format_yuan
from bot.services.accounts import portfolio_of
from bot.services.deps import Deps
from bot.services.offer_request import request_of
from bot.services.proof import DeskWork, Purpose
from bot.store import tables
from bot.workout.offer import OfferSet
from bot.workout.policy import PolicyError, PolicyFault, ReliefPolicy, load_policy
from bot.workout.policy_check import CoverageFault, CoverageProblem, check_policies, differences
from bot.workout.request import OfferRequest


@dataclass(frozen=True, slots=True)
class Review:
    """The policies of a folder that can be read, and everything wrong with the folder."""

    policies: tuple[ReliefPolicy, ...]
    faults: tuple[PolicyFault, ...]


@dataclass(frozen=True, slots=True)
class Touched:
    """A stored negotiation that would come out differently, as of a day in Asia/Shanghai."""

    negotiation_id: str
    state: str
    as_of: date
    before: OfferSet
    after: OfferSet


@dataclass(frozen=True, slots=True)
class Impact:
    """Whom other policies would touch, of how many that were compared.

    ``unreadable`` names negotiations that cannot be rebuilt, each with the reason: their policy is gone, or their
    ledger makes no sense.
    """

    compared: int
    touched: tuple[Touched, ...]
    unreadable: tuple[tuple[str, str], ...]


def review(folder: Path) -> Review:
    """Read every ``*.yml`` file of a folder and say what is wrong: unusable files, gaps and overlaps.

    A gap or an overlap stands where the buckets of its policies are listed. Gaps are looked for only once every file
    can be read: an unreadable one leaves a gap of its own.
    """
    paths = sorted(folder.glob("*.yml"))
    faults = [] if paths else [PolicyFault(folder, 1, "folder_has_policies", "no *.yml file here")]
    found: dict[Path, ReliefPolicy] = {}
    for path in paths:
        try:
            found[path] = load_policy(path)
        except PolicyError as error:
            faults += error.faults
    coverage = check_policies(found.values())
    if faults:
        coverage = tuple(fault for fault in coverage if fault.problem is CoverageProblem.OVERLAP)
    return Review(tuple(found.values()), (*faults, *_placed(folder, found, coverage)))


def impact(deps: Deps, new: Iterable[ReliefPolicy]) -> Impact:
    """Compare what stored negotiations come to under the policies in use and under others.

    An open negotiation is looked at as of today, another one as of the day it was begun; each with the debts of that
    day and the means that were told, before any offer was made. Both policies count as approved on that day, and holds
    are left out: what is compared is what the policies say.
    """
    rebuilt: list[tuple[tables.Negotiation, OfferRequest]] = []
    unreadable: list[tuple[str, str]] = []
    with deps.read() as session:
        for negotiation in session.scalars(select(tables.Negotiation).order_by(tables.Negotiation.created_at)):
            if not negotiation.debt_ids or None in (negotiation.monthly_income_fen, negotiation.monthly_essential_fen):
                continue
            try:
                rebuilt.append((negotiation, _request(session, deps, negotiation)))
            except (KeyError, ValueError, LedgerError) as error:
                unreadable.append((negotiation.id, f"{type(error).__name__}: {error}"))
    found = differences((request for _, request in rebuilt), _by_kind(deps.policies.values()), _by_kind(new))
    touched = []
    for each in found:
        negotiation, request = rebuilt[each.place]
        touched.append(Touched(negotiation.id, negotiation.state, request.as_of, each.before, each.after))
    return Impact(len(rebuilt), tuple(touched), tuple(unreadable))


def lines_of(found: Impact) -> list[str]:
    """Write an impact for a terminal: identifiers and figures, no personal data."""
    lines = [f"{found.compared} negotiations compared, {len(found.touched)} would come out differently"]
    for one in found.touched:
        lines += [
            f"{one.negotiation_id} ({one.state}, as of {one.as_of.isoformat()})",
            f"  now:   {_outcome(one.before)}",
            f"  other: {_outcome(one.after)}",
        ]
    lines += [f"{negotiation_id} cannot be rebuilt: {why}" for negotiation_id, why in found.unreadable]
    return lines


def _outcome(made: OfferSet) -> str:
    if made.no_offer is not None:
        return f"no offer, {made.no_offer.reason.value}"
    return "; ".join(
        f"{offer.kind.value} {len(offer.schedule)} x {format_yuan(offer.schedule[0].amount_fen)}"
        f", total {format_yuan(offer.total_fen)}, waived {format_yuan(offer.waived_fen)}"
        f"{f', needs {offer.needs_approval.value}' if offer.needs_approval else ''}"
        for offer in made.offers
    )


def _request(session: Session, deps: Deps, negotiation: tables.Negotiation) -> OfferRequest:
    work = DeskWork(negotiation.borrower_id, Purpose.POLICY_REVIEW)
    request = replace(request_of(session, deps, work, negotiation), history=(), on_hold=False)
    if negotiation.active_key is not None:
        return request
    begun_on = business_date(negotiation.created_at)
    then = {debt.debt_id: debt for debt in portfolio_of(session, deps, work, begun_on).debts}
    debts = tuple(
        replace(
            debt,
            balances=then[debt.debt_id].statement.balances,
            days_past_due=then[debt.debt_id].statement.days_past_due,
            limitation=then[debt.debt_id].limitation,
        )
        for debt in request.debts
    )
    return replace(request, debts=debts, as_of=begun_on)


def _by_kind(policies: Iterable[ReliefPolicy]) -> Mapping[ProductKind, ReliefPolicy]:
    return {policy.product_kind: policy.model_copy(update={"approved_on": date.min}) for policy in policies}


def _placed(folder: Path, found: Mapping[Path, ReliefPolicy], coverage: Sequence[CoverageFault]) -> list[PolicyFault]:
    """Coverage faults with file and line, those of one bucket that differ in the hardship alone in one."""
    cases: dict[tuple[CoverageProblem, ProductKind, DelinquencyBucket], list[str]] = {}
    for fault in coverage:
        case = cases.setdefault((fault.problem, fault.product_kind, fault.bucket), [])
        case.append(fault.hardship.value if fault.hardship else "no hardship")
    placed = []
    for (problem, kind, bucket), hardships in cases.items():
        message = f"{kind.value}, {bucket.value}: {', '.join(hardships)}"
        paths = [path for path, policy in found.items() if policy.product_kind is kind]
        placed += [PolicyFault(path, _line_of(path, "eligible_buckets"), problem.value, message) for path in paths]
        if not paths:
            placed.append(PolicyFault(folder, 1, problem.value, message))
    return placed


def _line_of(path: Path, key: str) -> int:
    lines = path.read_text("utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith(f"{key}:")), 1)
