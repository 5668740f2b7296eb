"""The relief a lender has approved in advance, one YAML file per product. The bot never goes beyond it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from bot.lending.balances import Balances, Component
from bot.lending.contract import ProductKind
from bot.lending.delinquency import DelinquencyBucket
from bot.lending.money import floor_to_fen
from bot.workout.policy_sections import (
    Authority,
    Buckets,
    Count,
    DeferralTerms,
    Fen,
    HardshipKind,
    Percent,
    PromiseTerms,
    SettlementTerms,
    WaiverLimit,
    Whole,
)

CARD_MAX_MONTHS = 60
"""A personalised card instalment agreement lasts at most five years (rule N1)."""

_LONGEST_MONTH_DAYS = 31

_Rule = tuple[bool, str, str]
"""Whether it holds, the field at fault, and the rule's name."""

_Text = Annotated[str, StringConstraints(strict=True, min_length=1, strip_whitespace=True)]


class ReliefPolicy(BaseModel):
    """What may be offered for one product; every bound is the lender's, none is the program's.

    Percentages are 0 to 100. ``eligible_buckets`` may be offered a plan, ``excluded_buckets`` go to a person, and
    ``hardship_buckets`` opens further ones to a kind of hardship, also excluded ones. The waiver ceilings say, for each
    bucket that may be offered a plan, how much of the penalty interest, of the fees and of the interest may be waived;
    interest none where it is not stated. ``waiver_steps_percent`` says which part of the ceiling the first, second, …
    set of offers of one negotiation uses; it rises and ends at 100. ``month_choices`` are offered first.

    ``down_payment_percent`` of the total must be paid at once; ``down_payment_choices_percent`` may be instead.
    ``surplus_share_max`` is the share of the monthly surplus that an instalment may take, and every month leaves
    ``protected_floor_fen_per_person`` for the borrower and each dependant. With ``asks_whole_budget`` everybody is
    asked how many live on the income and what other debts take, else only those for whom it could change the offers.
    ``bot_authority_fen`` is the largest debt that the bot may offer a plan for by itself; ``authority`` says who may
    waive how much, and without it the bot may waive nothing. Proof of hardship is asked for where more than
    ``evidence_above_waiver_percent`` of what is owed is waived and a person has to grant it.
    ``interest_during_plan`` false means interest and fees stop while the plan is kept; true, that interest runs on by
    the contract, without penalty interest and fees, in equal instalments, or with ``equal_principal`` in equal
    parts with the interest of each period on top. A settlement stops it in any case.
    ``missed_in_a_row_breaks`` instalments missed one after the other break a plan, which ``max_replans`` times may be
    followed by a new one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]*$")]
    version: _Text
    product_kind: ProductKind
    eligible_buckets: Buckets
    excluded_buckets: tuple[DelinquencyBucket, ...] = ()
    hardship_buckets: Mapping[HardshipKind, Buckets] = {}
    min_months: Count
    max_months: Count
    month_choices: Annotated[tuple[Count, ...], Field(min_length=1)]
    minimum_instalment_fen: Fen
    down_payment_percent: Annotated[Decimal, Field(ge=0, lt=100)]
    down_payment_choices_percent: tuple[Annotated[Decimal, Field(gt=0, lt=100)], ...] = ()
    penalty_waiver_percent: Mapping[DelinquencyBucket, Percent]
    fee_waiver_percent: Mapping[DelinquencyBucket, Percent]
    interest_waiver_percent: Mapping[DelinquencyBucket, Percent] = {}
    waiver_steps_percent: Annotated[tuple[Percent, ...], Field(min_length=1)] = (Decimal(100),)
    conditional_on_completion: StrictBool
    interest_during_plan: StrictBool
    equal_principal: StrictBool = False
    settlement: SettlementTerms | None = None
    deferral: DeferralTerms | None = None
    promise: PromiseTerms | None = None
    max_replans: Whole = 0
    missed_in_a_row_breaks: Count = 2
    first_due_within_days: Count
    surplus_share_max: Annotated[Decimal, Field(gt=0, le=1)]
    protected_floor_fen_per_person: Fen = 0
    asks_whole_budget: StrictBool = False
    offer_valid_days: Count
    bot_authority_fen: Fen
    authority: Authority = Authority()
    evidence_above_waiver_percent: Percent | None = None
    approved_by: _Text
    approved_on: date

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        for holds, field, rule in (*self._month_rules(), *self._bucket_rules(), *self._authority_rules()):
            if not holds:
                raise PydanticCustomError("policy_rule", "{rule}", {"rule": rule, "field": field})
        return self

    def _month_rules(self) -> tuple[_Rule, ...]:
        rising = all(a < b for a, b in pairwise(self.month_choices))
        steps, downs = self.waiver_steps_percent, (self.down_payment_percent, *self.down_payment_choices_percent)
        is_card = self.product_kind is ProductKind.CREDIT_CARD
        return (
            (not is_card or self.max_months <= CARD_MAX_MONTHS, "max_months", f"card_at_most_{CARD_MAX_MONTHS}_months"),
            (
                self.interest_during_plan or not self.equal_principal,
                "equal_principal",
                "equal_principal_only_where_interest_runs",
            ),
            (self.min_months <= self.max_months, "min_months", "min_months_not_above_max_months"),
            (
                rising and self.min_months <= self.month_choices[0] and self.month_choices[-1] <= self.max_months,
                "month_choices",
                "month_choices_rise_within_bounds",
            ),
            (
                self.first_due_within_days >= self.offer_valid_days + _LONGEST_MONTH_DAYS,
                "first_due_within_days",
                f"first_due_at_least_{_LONGEST_MONTH_DAYS}_days_after_expiry_so_that_any_pay_day_fits",
            ),
            (
                steps[-1] == 100 and all(a < b for a, b in pairwise(steps)),
                "waiver_steps_percent",
                "waiver_steps_rise_to_100",
            ),
            (
                all(a < b for a, b in pairwise(downs)),
                "down_payment_choices_percent",
                "down_payment_choices_rise_above_the_required_one",
            ),
            # A waiver that waits for completion leaves in the ledger what the schedule does not ask: interest that runs
            # on principal would then not be that of the schedule.
            (
                not (self.interest_during_plan and self.conditional_on_completion),
                "interest_during_plan",
                "waivers_at_once_where_interest_runs",
            ),
            (
                self.promise is None or self.promise.minimum_fen <= self.promise.largest_fen,
                "promise",
                "promise_minimum_not_above_largest",
            ),
        )

    def _bucket_rules(self) -> tuple[_Rule, ...]:
        widened = {bucket for buckets in self.hardship_buckets.values() for bucket in buckets}
        served = {*self.eligible_buckets, *widened}
        settled = set(self.settlement.buckets) if self.settlement else set()
        ceiling = "ceiling_for_each_eligible_bucket"
        return (
            (served <= set(self.penalty_waiver_percent), "penalty_waiver_percent", ceiling),
            (served <= set(self.fee_waiver_percent), "fee_waiver_percent", ceiling),
            (
                not set(self.eligible_buckets) & set(self.excluded_buckets),
                "excluded_buckets",
                "no_bucket_both_eligible_and_excluded",
            ),
            (
                not widened & set(self.eligible_buckets),
                "hardship_buckets",
                "hardship_opens_only_buckets_not_open_already",
            ),
            (settled <= served, "settlement", "settlement_only_in_eligible_buckets"),
            (
                self.settlement is None or self.settlement.days_to_pay >= self.offer_valid_days,
                "settlement",
                "settlement_days_to_pay_not_below_offer_valid_days",
            ),
        )

    def _authority_rules(self) -> tuple[_Rule, ...]:
        none = WaiverLimit(largest_waiver_fen=0, largest_waiver_percent=Decimal(0))
        roles = (self.authority.bot or none, self.authority.agent, self.authority.supervisor)
        stated = [limit for limit in roles if limit is not None]
        persons = [limit for limit in (self.authority.agent, self.authority.supervisor) if limit is not None]
        debts = [self.bot_authority_fen, *(limit.largest_debt_fen for limit in persons)]
        rises = (
            all(a <= b for a, b in pairwise(debts))
            and all(a.largest_waiver_fen <= b.largest_waiver_fen for a, b in pairwise(stated))
            and all(a.largest_waiver_percent <= b.largest_waiver_percent for a, b in pairwise(stated))
        )
        return ((rises, "authority", "authority_never_falls_from_bot_to_agent_to_supervisor"),)

    def serves(self, bucket: DelinquencyBucket, hardship: HardshipKind | None = None) -> bool:
        """Whether a debt in this bucket may be offered a plan, given the borrower's hardship."""
        widened = self.hardship_buckets.get(hardship, ()) if hardship is not None else ()
        return bucket in self.eligible_buckets or bucket in widened

    def waivable_penalty_fen(self, penalty_fen: int, bucket: DelinquencyBucket, step: int) -> int:
        """Penalty interest that the ``step``-th set of offers (from 1) waives; never above the ceiling."""
        return self._waivable(penalty_fen, self.penalty_waiver_percent[bucket], step)

    def waivable_fee_fen(self, fee_fen: int, bucket: DelinquencyBucket, step: int) -> int:
        """Fees that the ``step``-th set of offers (from 1) waives; never above the ceiling."""
        return self._waivable(fee_fen, self.fee_waiver_percent[bucket], step)

    def waivable_fen(self, component: Component, balances: Balances, bucket: DelinquencyBucket, step: int) -> int:
        """What the ``step``-th set of offers (from 1) waives of one component in a plan; never any principal."""
        match component:
            case Component.PENALTY:
                return self.waivable_penalty_fen(balances.penalty_fen, bucket, step)
            case Component.FEE:
                return self.waivable_fee_fen(balances.fee_fen, bucket, step)
            case Component.INTEREST:
                ceiling = self.interest_waiver_percent.get(bucket, Decimal(0))
                return self._waivable(balances.interest_fen, ceiling, step)
            case Component.PRINCIPAL:
                return 0

    def settleable_fen(self, component: Component, balances: Balances, step: int) -> int:
        """What a settlement of the ``step``-th set of offers forgives of one component; 0 without a settlement."""
        ceiling_fen = self.settlement.ceiling_fen(component, balances) if self.settlement else 0
        return floor_to_fen(ceiling_fen * self.step_percent(step) / 100)

    def step_percent(self, step: int) -> Decimal:
        """The part of the ceilings, 0 to 100, that the ``step``-th set of offers (from 1) uses."""
        return self.waiver_steps_percent[min(step, len(self.waiver_steps_percent)) - 1]

    @property
    def last_step(self) -> int:
        """The set of offers from which on everything approved is used."""
        return len(self.waiver_steps_percent)

    def _waivable(self, amount_fen: int, ceiling_percent: Decimal, step: int) -> int:
        return floor_to_fen(amount_fen * ceiling_percent * self.step_percent(step) / 10_000)


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """One thing wrong with a policy file: where, and which rule it breaks. ``line`` counts from 1."""

    file: Path
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}"


class PolicyError(Exception):
    """Policies that must not be used; ``faults`` names every one found. The desk does not start with such a file."""

    def __init__(self, faults: Sequence[PolicyFault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


def load_policy(path: Path) -> ReliefPolicy:
    """Read and check one policy file. Raises ``PolicyError`` naming file, line and rule."""
    try:
        loader = _PolicyLoader(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyError([PolicyFault(path, 1, "file_readable", str(error))]) from error
    try:
        root = loader.get_single_node()
        data: object = loader.construct_document(root) if root is not None else {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyError([PolicyFault(path, line, "yaml", error.problem or "not YAML")]) from error
    finally:
        loader.dispose()
    try:
        return ReliefPolicy.model_validate(data)
    except ValidationError as error:
        raise PolicyError(_faults(path, root, error)) from error


def load_policies(folder: Path) -> Mapping[ProductKind, ReliefPolicy]:
    """Read every ``*.yml`` file of a folder, one policy for each product.

    Raises ``PolicyError`` with the faults of all files together, also if there is no file or two serve one product.
    """
    paths = sorted(folder.glob("*.yml"))
    faults = [] if paths else [PolicyFault(folder, 1, "folder_has_policies", "no *.yml file here")]
    found: dict[ProductKind, ReliefPolicy] = {}
    for path in paths:
        try:
            policy = load_policy(path)
        except PolicyError as error:
            faults += error.faults
            continue
        if policy.product_kind in found:
            faults.append(PolicyFault(path, 1, "one_policy_per_product", f"second one for {policy.product_kind.value}"))
        found[policy.product_kind] = policy
    if faults:
        raise PolicyError(faults)
    return found


class _PolicyLoader(yaml.SafeLoader):
    """Safe YAML that reads decimals exactly and refuses a key given twice."""


def _exact_decimal(loader: _PolicyLoader, node: yaml.ScalarNode) -> Decimal:
    try:
        return Decimal(loader.construct_scalar(node))
    except ArithmeticError as error:
        raise yaml.MarkedYAMLError(problem="not a plain decimal number", problem_mark=node.start_mark) from error


def _unique_mapping(loader: _PolicyLoader, node: yaml.MappingNode) -> dict[object, object]:
    made: dict[object, object] = {}
    for key_node, value_node in node.value:
        key: object = loader.construct_object(key_node)
        if key in made:
            raise yaml.MarkedYAMLError(problem=f"{key!r} is given twice", problem_mark=key_node.start_mark)
        made[key] = loader.construct_object(value_node, deep=True)
    return made


_PolicyLoader.add_constructor("tag:yaml.org,2002:float", _exact_decimal)
_PolicyLoader.add_constructor("tag:yaml.org,2002:map", _unique_mapping)


def _faults(path: Path, root: yaml.Node | None, error: ValidationError) -> list[PolicyFault]:
    faults: list[PolicyFault] = []
    for detail in error.errors(include_url=False):
        context = detail.get("ctx", {})
        if detail["type"] == "policy_rule":
            faults.append(PolicyFault(path, _line(root, [context["field"]]), context["rule"], str(context["field"])))
        else:
            where = detail["loc"]
            rule = ".".join(str(step) for step in where) or "mapping"
            faults.append(PolicyFault(path, _line(root, where), rule, detail["msg"]))
    return faults


def _line(root: yaml.Node | None, where: Sequence[str | int]) -> int:
    """The line of the deepest part of ``where`` that exists in the file."""
    line, node = 1, root
    for step in where:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(step)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line
