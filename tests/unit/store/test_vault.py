"""Sealing and look-up hashes."""

import base64

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from bot.store.vault import Vault, VaultKeyError

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(32)).decode()
VAULT = Vault(KEY, OTHER)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(texts, texts)
def test_what_was_sealed_can_be_unsealed_for_the_same_purpose(purpose: str, value: str) -> None:
    sealed = VAULT.seal(purpose, value)
    assert VAULT.unseal(purpose, sealed) == value
    assert sealed != VAULT.seal(purpose, value)


@given(st.sampled_from(["phone", "name", "id_tail"]), texts.filter(lambda value: len(value) > 3))
def test_a_sealed_value_does_not_show_what_it_holds(purpose: str, value: str) -> None:
    assert value.encode() not in base64.b64decode(VAULT.seal(purpose, value)[2:])


SEALED = VAULT.seal("phone", "13900001234")


@pytest.mark.parametrize(
    "altered",
    ["", "1:", "1:AAAA", "1:***", SEALED[2:], "2:" + SEALED[2:], SEALED[:-8], SEALED[:20] + "A" + SEALED[21:] + "A"],
    ids=["nothing", "empty", "short", "no base64", "no version", "other version", "cut off", "other and more"],
)
def test_an_altered_value_is_refused(altered: str) -> None:
    with pytest.raises(InvalidTag):
        VAULT.unseal("phone", altered)


def test_a_value_cannot_be_passed_off_as_another_kind_or_opened_with_another_key() -> None:
    with pytest.raises(InvalidTag):
        VAULT.unseal("name", SEALED)
    with pytest.raises(InvalidTag):
        Vault(OTHER, OTHER).unseal("phone", SEALED)


def test_equal_values_meet_in_one_purpose_and_under_one_key_only() -> None:
    found = VAULT.lookup("phone", "13900001234")
    assert found == Vault(KEY, OTHER).lookup("phone", "13900001234")
    assert len(found) == 64
    assert found != VAULT.lookup("name", "13900001234")
    assert found != VAULT.lookup("phone", "13900001235")
    assert found != Vault(KEY, KEY).lookup("phone", "13900001234")


def test_a_value_is_compared_with_its_hash() -> None:
    assert VAULT.matches("code", "123456", VAULT.lookup("code", "123456"))
    assert not VAULT.matches("code", "123456", "")
    assert not VAULT.matches("code", "123457", VAULT.lookup("code", "123456"))


@pytest.mark.parametrize("wrong", ["", "short", "密钥", base64.b64encode(b"k" * 31).decode(), KEY + "\n", KEY[:-1]])
def test_a_malformed_key_is_refused_by_the_name_of_its_setting_without_its_value(wrong: str) -> None:
    for keys, name in (((wrong, KEY), "DESK_DATA_KEY"), ((KEY, wrong), "DESK_LOOKUP_KEY")):
        with pytest.raises(VaultKeyError, match=name) as refused:
            Vault(*keys)
        assert not wrong or wrong not in str(refused.value)


NEW = base64.b64encode(bytes(range(1, 33))).decode()
ROTATING = Vault(NEW, OTHER, [KEY])


def test_a_new_key_seals_and_older_ones_go_on_opening() -> None:
    assert ROTATING.unseal("phone", SEALED) == "13900001234"
    sealed = ROTATING.seal("phone", "13900001234")
    assert Vault(NEW, OTHER).unseal("phone", sealed) == "13900001234"
    with pytest.raises(InvalidTag):
        VAULT.unseal("phone", sealed)


def test_what_is_sealed_anew_opens_without_the_old_key() -> None:
    again = ROTATING.reseal("phone", SEALED)
    assert Vault(NEW, OTHER).unseal("phone", again) == "13900001234"
    assert again.startswith(f"2:{ROTATING.key_number}:")
    with pytest.raises(InvalidTag):
        ROTATING.reseal("name", SEALED)


def test_a_key_that_is_still_to_come_opens_already() -> None:
    before = Vault(KEY, OTHER, [NEW])
    assert before.unseal("phone", ROTATING.seal("phone", "1")) == "1"
    assert ROTATING.unseal("phone", before.seal("phone", "1")) == "1"


def test_one_key_alone_seals_as_earlier_releases_read() -> None:
    assert VAULT.seal("phone", "1").startswith("1:")


def test_the_key_of_a_value_is_told_by_its_fingerprint() -> None:
    assert ROTATING.key_of("phone", SEALED) == VAULT.key_number != ROTATING.key_number
    assert ROTATING.key_of("phone", ROTATING.seal("phone", "1")) == ROTATING.key_number
    assert VAULT.key_of("phone", ROTATING.seal("phone", "1")) is None
    assert ROTATING.key_numbers == (ROTATING.key_number, VAULT.key_number)


@pytest.mark.parametrize("others", [[KEY], [NEW, NEW], ["short"]])
def test_a_key_given_twice_or_malformed_is_refused(others: list[str]) -> None:
    with pytest.raises(VaultKeyError, match="DESK_OTHER_DATA_KEYS"):
        Vault(KEY, OTHER, others)
