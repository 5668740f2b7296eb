"""Codes of an authenticator app: the RFCs' own vectors, and which codes count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.identity.totp import accepted_step, address, code_at, from_text, step_at, to_text

SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 21, 4, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_at(SECRET, step_at(datetime.fromtimestamp(seconds, UTC)), digits=8) == code


def test_the_vectors_of_rfc_4226() -> None:
    codes = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489".split()
    assert [code_at(SECRET, counter) for counter in range(10)] == codes


@pytest.mark.parametrize(("ago", "counts"), [(-61, False), (-30, True), (0, True), (30, True), (61, False)])
def test_a_code_counts_one_step_early_or_late(ago: int, counts: bool) -> None:
    code = code_at(SECRET, step_at(NOW - timedelta(seconds=ago)))
    assert (accepted_step(SECRET, code, NOW, None) is not None) is counts


def test_a_code_counts_once_and_none_before_it_counts_afterwards() -> None:
    step = step_at(NOW)
    assert accepted_step(SECRET, code_at(SECRET, step), NOW, step - 1) == step
    assert accepted_step(SECRET, code_at(SECRET, step), NOW, step) is None
    assert accepted_step(SECRET, code_at(SECRET, step - 1), NOW, step) is None


@pytest.mark.parametrize("given", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345"])
def test_what_is_no_code_is_none(given: str) -> None:
    assert accepted_step(SECRET, given, NOW, None) is None


def test_blanks_in_a_code_are_forgiven() -> None:
    code = code_at(SECRET, step_at(NOW))
    assert accepted_step(SECRET, f" {code[:3]} {code[3:]} ", NOW, None) == step_at(NOW)


def test_a_secret_is_typed_in_base_32_and_goes_into_an_address() -> None:
    assert from_text(to_text(SECRET)) == SECRET
    assert to_text(SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert address(SECRET, "li min", "示例 银行").startswith("otpauth://totp/%E7%A4%BA%E4%BE%8B%20")
