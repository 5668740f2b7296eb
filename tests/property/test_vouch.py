"""The token with which a lender's server vouches: what is signed is read back, and nothing else counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.identity.vouch import LONGEST_LIFE, Vouch, VouchRefusal, read_vouch, sign_vouch
from bot.settings import ROOT

KEY = "a key that lender and desk share, long enough"
DESK = "https://desk.lender.example"
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)

keys = st.text(st.characters(codec="utf-8"), min_size=32, max_size=60)
nonces = st.from_regex(re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII), fullmatch=True)


@st.composite
def vouches(draw: st.DrawFn) -> Vouch:
    """A vouch that holds at ``NOW``."""
    issued_at = NOW - timedelta(seconds=draw(st.integers(0, 200)))
    return Vouch(
        audience=DESK,
        contract_number=draw(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)),
        issued_at=issued_at,
        expires_at=issued_at + timedelta(seconds=draw(st.integers(201, 300))),
        logged_in_at=NOW - timedelta(seconds=draw(st.integers(0, 10**6))),
        nonce=draw(nonces),
    )


@given(vouches(), keys)
def test_what_is_signed_is_read_back(vouch: Vouch, key: str) -> None:
    assert read_vouch(sign_vouch(vouch, key), key, DESK, NOW) == vouch


@given(vouches(), keys, keys)
def test_another_key_reads_nothing(vouch: Vouch, key: str, other: str) -> None:
    assume(key != other)
    assert read_vouch(sign_vouch(vouch, key), other, DESK, NOW) is VouchRefusal.FORGED


@given(vouches(), st.data())
def test_a_token_changed_in_one_place_says_nothing(vouch: Vouch, data: st.DataObject) -> None:
    token = sign_vouch(vouch, KEY)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("AbZ09-_.f"))
    assume(token[place] != letter)
    changed = token[:place] + letter + token[place + 1 :]
    assert read_vouch(changed, KEY, DESK, NOW) in (VouchRefusal.FORGED, VouchRefusal.MALFORMED)


@given(st.text(max_size=200) | st.from_regex(re.compile(r"v1\.[A-Za-z0-9_-]{1,80}\.[0-9a-f]{64}"), fullmatch=True))
def test_no_made_up_text_is_read_or_raises(text: str) -> None:
    assert isinstance(read_vouch(text, KEY, DESK, NOW), VouchRefusal)


@given(vouches(), st.integers(-(10**6), 10**6))
def test_it_holds_from_a_minute_before_it_was_made_until_it_ends(vouch: Vouch, seconds: int) -> None:
    now = NOW + timedelta(seconds=seconds)
    read = read_vouch(sign_vouch(vouch, KEY), KEY, DESK, now)
    too_early = max(vouch.issued_at, vouch.logged_in_at) - now > timedelta(minutes=1)
    expected = VouchRefusal.NOT_YET if too_early else VouchRefusal.EXPIRED if vouch.expires_at <= now else vouch
    assert read == expected


@given(vouches(), st.integers(1, 10**6))
def test_one_that_lives_too_long_is_refused_while_it_lives(vouch: Vouch, more: int) -> None:
    longer = _with(vouch, expires_at=vouch.issued_at + LONGEST_LIFE + timedelta(seconds=more))
    assert read_vouch(sign_vouch(longer, KEY), KEY, DESK, NOW) is VouchRefusal.TOO_LONG_LIVED


@given(vouches(), st.sampled_from(["", "https://desk.other.example", DESK + "/", DESK.upper()]))
def test_what_is_meant_for_another_desk_does_not_count(vouch: Vouch, audience: str) -> None:
    assert read_vouch(sign_vouch(_with(vouch, audience=audience), KEY), KEY, DESK, NOW) is VouchRefusal.OTHER_AUDIENCE


@given(vouches())
def test_fields_out_of_bounds_are_malformed_though_signed(vouch: Vouch) -> None:
    for bad in (_with(vouch, nonce="short"), _with(vouch, contract_number=""), _with(vouch, contract_number="9" * 41)):
        assert read_vouch(sign_vouch(bad, KEY), KEY, DESK, NOW) is VouchRefusal.MALFORMED


def test_the_lenders_example_in_the_documentation_makes_a_token_that_counts() -> None:
    text = (ROOT / "docs" / "vouching.md").read_text("utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    names: dict[str, Callable[..., str]] = {}
    exec(code.group(1), names)
    now = datetime.now(UTC)
    token = names["desk_token"](KEY, DESK, "HT-2026-001", int(now.timestamp()) - 60)
    read = read_vouch(token, KEY, DESK, now)
    assert isinstance(read, Vouch)
    assert read.contract_number == "HT-2026-001"


def _with(vouch: Vouch, **changes: str | datetime) -> Vouch:
    fields = {name: getattr(vouch, name) for name in Vouch.__dataclass_fields__}
    return Vouch(**{**fields, **changes})
