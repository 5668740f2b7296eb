from decimal import Decimal
from pathlib import Path

import pytest
from workout_builders import percent, policy

from bot.lending.contract import ProductKind
from bot.lending.delinquency import DelinquencyBucket
from bot.workout.policy import PolicyError, load_policies, load_policy
from bot.workout.policy_sections import Authority

SHIPPED = Path(__file__).parents[3] / "data" / "policies"


@pytest.fixture
def card_text() -> str:
    return (SHIPPED / "credit_card.yml").read_text(encoding="utf-8")


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if line.startswith(start))


def written(folder: Path, text: str, name: str = "policy.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_policies_serve_every_kind_of_product() -> None:
    assert set(load_policies(SHIPPED)) == set(ProductKind)


def test_decimals_are_read_exactly() -> None:
    assert load_policy(SHIPPED / "credit_card.yml").surplus_share_max == Decimal("0.8")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("max_months: 60", "max_months: 61", "card_at_most_60_months"),
        ("min_months: 3", "min_months: 61", "min_months_not_above_max_months"),
        ("month_choices: [6, 12", "month_choices: [2, 12", "month_choices_rise_within_bounds"),
        ("month_choices: [6, 12", "month_choices: [12, 6", "month_choices_rise_within_bounds"),
        ("waiver_steps_percent: [60, 100]", "waiver_steps_percent: [60, 90]", "waiver_steps_rise_to_100"),
        ("waiver_steps_percent: [60, 100]", "waiver_steps_percent: [60, 50, 100]", "waiver_steps_rise_to_100"),
        (
            "interest_during_plan: false",
            "equal_principal: true\ninterest_during_plan: false",
            "equal_principal_only_where_interest_runs",
        ),
        ("interest_during_plan: false", "interest_during_plan: true", "waivers_at_once_where_interest_runs"),
        (
            "first_due_within_days: 45",
            "first_due_within_days: 37",
            "first_due_at_least_31_days_after_expiry_so_that_any_pay_day_fits",
        ),
        ("surplus_share_max: 0.8", "surplus_share_max: 1.1", "surplus_share_max"),
        ("minimum_instalment_fen: 10000", "minimum_instalment_fen: 100.5", "minimum_instalment_fen"),
        ("conditional_on_completion: true", "conditional_on_completion: 1", "conditional_on_completion"),
        ("product_kind: credit_card", "product_kind: mortgage", "product_kind"),
        (
            "excluded_buckets: [current]",
            "excluded_buckets: [current, dpd_1_30]",
            "no_bucket_both_eligible_and_excluded",
        ),
        ("down_payment_percent: 0", "down_payment_percent: 100", "down_payment_percent"),
        ("missed_in_a_row_breaks: 2", "missed_in_a_row_breaks: 0", "missed_in_a_row_breaks"),
        ("max_replans: 2", "max_replans: -1", "max_replans"),
        (
            "evidence_above_waiver_percent: 20",
            "evidence_above_waiver_percent: 120",
            "evidence_above_waiver_percent",
        ),
        ("surplus_share_max: 0.8", "surplus_share_max: .inf", "yaml"),
        ("bot_authority_fen: 20000000", "max_months: 48", "yaml"),
    ],
)
def test_a_broken_rule_is_named_with_its_line(tmp_path: Path, card_text: str, old: str, new: str, rule: str) -> None:
    broken = card_text.replace(old, new, 1)
    assert broken != card_text
    path = written(tmp_path, broken)

    with pytest.raises(PolicyError) as caught:
        load_policy(path)

    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.rule) == (path, line_of(broken, new.partition("\n")[0]), rule)


@pytest.mark.parametrize(
    ("old", "new", "rule", "at"),
    [
        ("  buckets: [dpd_181_plus]", "  buckets: []", "settlement.buckets", "  buckets: []"),
        ("  interest_percent: 80", "  interest_percent: 101", "settlement.interest_percent", "  interest_percent: 101"),
        ("  days_to_pay: 30", "  days_to_pay: 6", "settlement_days_to_pay_not_below_offer_valid_days", "settlement:"),
        ("  max_payments: 3", "  max_payments: 7", "settlement.max_payments", "  max_payments: 7"),
        ("  max_months: 3", "  max_months: 0", "deferral.max_months", "  max_months: 0"),
        ("  largest_fen: 300000", "  largest_fen: 9999", "promise_minimum_not_above_largest", "promise:"),
        ("  illness: [current]", "  flu: [current]", "hardship_buckets.flu.[key]", "  flu:"),
        (
            "  illness: [current]",
            "  illness: [current, dpd_1_30]",
            "hardship_opens_only_buckets_not_open_already",
            "hardship_buckets:",
        ),
        (
            "    largest_debt_fen: 30000000",
            "    largest_debt_fen: 10000000",
            "authority_never_falls_from_bot_to_agent_to_supervisor",
            "authority:",
        ),
        (
            "    largest_waiver_percent: 60",
            "    largest_waiver_percent: 20",
            "authority_never_falls_from_bot_to_agent_to_supervisor",
            "authority:",
        ),
    ],
)
def test_a_broken_section_is_named_with_the_line_it_stands_on(
    tmp_path: Path, card_text: str, old: str, new: str, rule: str, at: str
) -> None:
    broken = card_text.replace(old, new, 1)
    assert broken != card_text

    with pytest.raises(PolicyError) as caught:
        load_policy(written(tmp_path, broken))

    (fault,) = caught.value.faults
    assert (fault.line, fault.rule) == (line_of(broken, at), rule)


def test_what_is_not_stated_is_not_allowed() -> None:
    plain = policy(authority=Authority())

    assert (plain.settlement, plain.deferral, plain.promise, plain.max_replans) == (None, None, None, 0)
    assert plain.authority.bot is None


def test_a_ceiling_must_be_given_for_each_eligible_bucket(tmp_path: Path, card_text: str) -> None:
    path = written(tmp_path, card_text.replace("  dpd_31_60: 50\n", "", 1))

    with pytest.raises(PolicyError, match="ceiling_for_each_eligible_bucket: penalty_waiver_percent"):
        load_policy(path)


def test_a_ceiling_above_a_hundred_percent_points_at_its_own_line(tmp_path: Path, card_text: str) -> None:
    broken = card_text.replace("  dpd_61_90: 70", "  dpd_61_90: 700", 1)

    with pytest.raises(PolicyError) as caught:
        load_policy(written(tmp_path, broken))

    (fault,) = caught.value.faults
    assert (fault.line, fault.rule) == (line_of(broken, "  dpd_61_90: 700"), "penalty_waiver_percent.dpd_61_90")


def test_missing_and_unknown_fields_are_both_reported(tmp_path: Path, card_text: str) -> None:
    broken = card_text.replace("bot_authority_fen", "bot_autority_fen")

    with pytest.raises(PolicyError) as caught:
        load_policy(written(tmp_path, broken))

    assert {fault.rule for fault in caught.value.faults} == {"bot_authority_fen", "bot_autority_fen"}


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "code: [", "a: 1\na: 2\n"])
def test_what_is_no_policy_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PolicyError):
        load_policy(written(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="file_readable"):
        load_policy(tmp_path / "absent.yml")


def test_a_folder_without_policies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="folder_has_policies"):
        load_policies(tmp_path)


def test_a_folder_reports_the_faults_of_all_files(tmp_path: Path, card_text: str) -> None:
    written(tmp_path, card_text, "a.yml")
    written(tmp_path, card_text, "b.yml")
    written(tmp_path, card_text.replace("max_months: 60", "max_months: 72"), "c.yml")

    with pytest.raises(PolicyError) as caught:
        load_policies(tmp_path)

    assert {(fault.file.name, fault.rule) for fault in caught.value.faults} == {
        ("b.yml", "one_policy_per_product"),
        ("c.yml", "card_at_most_60_months"),
    }


def test_waivers_rise_by_step_and_never_round_above_the_ceiling() -> None:
    rules = policy(penalty_waiver_percent=percent(50), waiver_steps_percent=(Decimal(60), Decimal(100)))

    waived = [rules.waivable_penalty_fen(333, DelinquencyBucket.DPD_91_180, step) for step in (1, 2, 3)]

    assert waived == [99, 166, 166]
