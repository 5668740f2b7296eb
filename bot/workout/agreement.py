"""The text a borrower agrees to: exact, from a template that people have approved, identified by its hash.

The words live in ``data/templates/agreement_*.txt``. A template line is plain text with ``${name}`` placeholders; it
may start with directives: ``?name:`` keeps the line only if the fact holds, ``!name:`` only if it does not, ``*name:``
repeats it for each debt or instalment. They may follow one another, the repetition last.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from string import Template

from bot.lending.contract import ProductKind
from bot.lending.money import format_yuan
from bot.lending.schedule import ScheduledInstalment

_DIRECTIVE = re.compile(r"^(?P<mark>[?!*])(?P<name>[a-z_]+):(?P<rest>.*)$")


class TemplateError(Exception):
    """The template asks for something the terms do not hold; ``line`` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


@dataclass(frozen=True, slots=True)
class AgreedDebt:
    """One debt as agreed, in fen. ``label`` is masked, e.g. a product name and the last four digits."""

    label: str
    principal_fen: int
    interest_fen: int
    penalty_fen: int
    fee_fen: int
    waived_penalty_fen: int = 0
    waived_fee_fen: int = 0
    waived_interest_fen: int = 0
    waived_principal_fen: int = 0

    @property
    def owed_fen(self) -> int:
        """Before waivers."""
        return self.principal_fen + self.interest_fen + self.penalty_fen + self.fee_fen

    @property
    def waived_fen(self) -> int:
        """Everything waived."""
        return self.waived_penalty_fen + self.waived_fee_fen + self.waived_interest_fen + self.waived_principal_fen

    @property
    def waives_within_what_is_owed(self) -> bool:
        """Whether no component is waived beyond what is owed of it, and none below nothing."""
        return (
            0 <= self.waived_penalty_fen <= self.penalty_fen
            and 0 <= self.waived_fee_fen <= self.fee_fen
            and 0 <= self.waived_interest_fen <= self.interest_fen
            and 0 <= self.waived_principal_fen <= self.principal_fen
        )


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """What is agreed. The groups follow the six contents that a card agreement must have (card rules, art. 70).

    1 balance, structure, currency: ``debts``, ``as_of``, ``currency``. 2 period, method, dates, amounts:
    ``down_payment_fen`` due on ``down_payment_due_on``, monthly ``instalments``. 3 whether interest and fees run:
    ``interest_during_plan``, None while undecided; where it runs, ``plan_interest_fen`` is what it comes to if every
    payment is made on its day, and ``principal_parts_fen`` what each instalment then settles of principal. 4 promise
    not to apply for new cards: ``no_new_cards_promise``, for cards. 5 rights, duties, breach:
    ``missed_payment_grace_days``, the days to catch up before the plan may end, None while undecided; the words are the
    template's. 6 other: ``payment_channel``, the lender's own published account, and ``contact_line``, where to ask,
    object or complain.

    ``waiver_on_completion`` says the waivers become final when the plan is completed. ``is_settlement``: the payments
    close the debts for less than is owed, or all at once. ``deferral_months`` pass before the first instalment.
    ``replaces`` is the number of the agreement whose place this one takes, empty if there is none.
    Amounts in fen, currency CNY.

    Raises ``ValueError`` for another currency, if what is owed less the waivers and with the interest that runs is not
    exactly what is to be paid, if a waiver exceeds its debt, or if interest runs that no instalment contains.
    """

    product_kind: ProductKind
    lender_name: str
    offer_id: str
    policy_code: str
    policy_version: str
    as_of: date
    expires_on: date
    currency: str
    debts: tuple[AgreedDebt, ...]
    waiver_on_completion: bool
    down_payment_fen: int
    down_payment_due_on: date | None
    instalments: tuple[ScheduledInstalment, ...]
    interest_during_plan: bool | None
    no_new_cards_promise: bool
    missed_payment_grace_days: int | None
    payment_channel: str
    contact_line: str
    is_settlement: bool = False
    deferral_months: int = 0
    replaces: str = ""
    plan_interest_fen: int = 0
    principal_parts_fen: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.currency != "CNY":
            raise ValueError(f"amounts are in fen, so the currency is CNY, not {self.currency!r}")
        for debt in self.debts:
            if not debt.waives_within_what_is_owed:
                raise ValueError(f"{debt.label}: a waiver exceeds what is owed")
        paid_fen = self.down_payment_fen + sum(instalment.amount_fen for instalment in self.instalments)
        if paid_fen != self.total_fen:
            raise ValueError(f"the schedule pays {paid_fen} fen of {self.total_fen} fen")
        if len(self.principal_parts_fen) != (len(self.instalments) if self.interest_during_plan else 0):
            raise ValueError("where interest runs, and only there, every instalment has its part of principal")
        if self.plan_interest_fen and not self.interest_during_plan:
            raise ValueError("interest that does not run cannot be asked for")
        if (self.down_payment_fen > 0) != (self.down_payment_due_on is not None):
            raise ValueError("a down payment, and only a down payment, has a due date")

    @property
    def waived_fen(self) -> int:
        """Everything waived."""
        return sum(debt.waived_fen for debt in self.debts)

    @property
    def total_fen(self) -> int:
        """What is paid in all: owed less waived, and the interest that runs."""
        return self.owed_fen - self.waived_fen + self.plan_interest_fen

    @property
    def owed_fen(self) -> int:
        """What is owed on ``as_of``."""
        return sum(debt.owed_fen for debt in self.debts)


def six_contents_missing(terms: AgreementTerms) -> tuple[str, ...]:
    """Which of the six contents are missing (rule N2), in their order; empty when the agreement may be offered.

    The fourth, the promise not to apply for new cards, is asked of card agreements only (rule N6).
    """
    is_card = terms.product_kind is ProductKind.CREDIT_CARD
    present = {
        "balance_structure_currency": bool(terms.debts and terms.currency),
        "period_method_dates_amounts": bool(terms.instalments),
        "interest_and_fees": terms.interest_during_plan is not None,
        "no_new_cards_promise": terms.no_new_cards_promise or not is_card,
        "rights_duties_breach": terms.missed_payment_grace_days is not None,
        "other": bool(terms.payment_channel and terms.contact_line),
    }
    return tuple(name for name, holds in present.items() if not holds)


def render(terms: AgreementTerms, template: str) -> str:
    r"""The exact text to read back: equal terms and template give equal text, NFC, lines ended by ``\\n``.

    Raises ``TemplateError`` for a directive or placeholder the terms do not know, and ``ValueError`` if one of the six
    contents is missing: such a text must not reach a borrower.
    """
    if missing := six_contents_missing(terms):
        raise ValueError(f"the agreement lacks {', '.join(missing)}")
    facts, rows, values = _facts(terms), _rows(terms), _values(terms)
    made: list[str] = []
    for number, line in enumerate(template.splitlines(), start=1):
        made += _rendered(line, number, facts, rows, values)
    return unicodedata.normalize("NFC", "\n".join(made).strip() + "\n")


def text_hash(text: str) -> str:
    """SHA-256 in hex over the NFC form in UTF-8: what an acceptance must name."""
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode("utf-8")).hexdigest()


def _rendered(
    line: str,
    number: int,
    facts: Mapping[str, bool],
    rows: Mapping[str, Sequence[Mapping[str, str]]],
    values: Mapping[str, str],
) -> list[str]:
    directive = _DIRECTIVE.match(line)
    if directive is None:
        return [_filled(line, values, number)]
    mark, name, rest = directive["mark"], directive["name"], directive["rest"]
    if name not in (rows if mark == "*" else facts):
        raise TemplateError(number, f"unknown directive {mark}{name}:")
    if mark == "*":
        return [_filled(rest, {**values, **row}, number) for row in rows[name]]
    return _rendered(rest, number, facts, rows, values) if facts[name] == (mark == "?") else []


def _filled(line: str, values: Mapping[str, str], number: int) -> str:
    try:
        return Template(line).substitute(values)
    except KeyError as error:
        raise TemplateError(number, f"unknown placeholder {error}") from error
    except ValueError as error:
        raise TemplateError(number, str(error)) from error


def _facts(terms: AgreementTerms) -> Mapping[str, bool]:
    return {
        "interest_runs": terms.interest_during_plan is True,
        "has_waiver": terms.waived_fen > 0,
        "waives_interest": any(debt.waived_interest_fen for debt in terms.debts),
        "waives_principal": any(debt.waived_principal_fen for debt in terms.debts),
        "waiver_on_completion": terms.waived_fen > 0 and terms.waiver_on_completion,
        "waiver_at_once": terms.waived_fen > 0 and not terms.waiver_on_completion,
        "has_down_payment": terms.down_payment_fen > 0,
        "has_deferral": terms.deferral_months > 0,
        "is_settlement": terms.is_settlement,
        "replaces": bool(terms.replaces),
        "no_new_cards_promise": terms.no_new_cards_promise,
    }


def _values(terms: AgreementTerms) -> dict[str, str]:
    return {
        "lender_name": terms.lender_name,
        "offer_id": terms.offer_id,
        "policy_code": terms.policy_code,
        "policy_version": terms.policy_version,
        "currency": terms.currency,
        "months": str(len(terms.instalments)),
        "deferral_months": str(terms.deferral_months),
        "replaced_number": terms.replaces,
        "owed": format_yuan(terms.owed_fen),
        "after_waivers": format_yuan(terms.owed_fen - terms.waived_fen),
        "plan_interest": format_yuan(terms.plan_interest_fen),
        "waived": format_yuan(terms.waived_fen),
        "total": format_yuan(terms.total_fen),
        "down_payment": format_yuan(terms.down_payment_fen),
        "grace_days": str(terms.missed_payment_grace_days),
        "payment_channel": terms.payment_channel,
        "contact_line": terms.contact_line,
        **_day("as_of", terms.as_of),
        **_day("expires", terms.expires_on),
        **(_day("down_payment_due", terms.down_payment_due_on) if terms.down_payment_due_on else {}),
    }


def _rows(terms: AgreementTerms) -> Mapping[str, Sequence[Mapping[str, str]]]:
    principal_parts = terms.principal_parts_fen or (0,) * len(terms.instalments)
    return {
        "debts": [
            {
                "label": debt.label,
                "debt_owed": format_yuan(debt.owed_fen),
                "principal": format_yuan(debt.principal_fen),
                "interest": format_yuan(debt.interest_fen),
                "penalty": format_yuan(debt.penalty_fen),
                "fee": format_yuan(debt.fee_fen),
                "waived_penalty": format_yuan(debt.waived_penalty_fen),
                "waived_fee": format_yuan(debt.waived_fee_fen),
                "waived_interest": format_yuan(debt.waived_interest_fen),
                "waived_principal": format_yuan(debt.waived_principal_fen),
            }
            for debt in terms.debts
        ],
        "instalments": [
            {
                "number": str(instalment.number),
                "amount": format_yuan(instalment.amount_fen),
                "instalment_principal": format_yuan(principal_fen),
                "instalment_interest": format_yuan(instalment.amount_fen - principal_fen),
                **_day("due", instalment.due_on),
            }
            for instalment, principal_fen in zip(terms.instalments, principal_parts, strict=True)
        ],
    }


def _day(name: str, day: date) -> dict[str, str]:
    return {f"{name}_year": str(day.year), f"{name}_month": str(day.month), f"{name}_day": str(day.day)}
