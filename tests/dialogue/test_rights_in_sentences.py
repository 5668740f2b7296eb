"""Rights invoked in sentences, over the running desk: a sample of what ``bench/rights_everywhere.py`` goes through.

The places go round with the rights: each place meets one right, each right two places or three, in both its sentences.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.rights.hearing import named
from tests.rights.places import PLACES, Place
from tests.rights.rights import RIGHTS, Right
from tests.rights.running import hold
from tests.running.desk import RunningDesk

pytestmark = pytest.mark.running

SAMPLE = [(RIGHTS[number % len(RIGHTS)], place, number // len(RIGHTS) % 2) for number, place in enumerate(PLACES)]


@pytest.mark.parametrize(
    ("right", "place", "sentence"), SAMPLE, ids=[f"{named((right, place))}-{n + 1}" for right, place, n in SAMPLE]
)
def test_a_right_is_heard_on_the_page(desk: RunningDesk, right: Right, place: Place, sentence: int) -> None:
    hold(desk, right, place, right.sentences[sentence])


def test_the_sample_meets_every_place_and_every_right_in_both_sentences() -> None:
    assert {place.name for _, place, _ in SAMPLE} == {place.name for place in PLACES}
    met = Counter((right.name, sentence) for right, _, sentence in SAMPLE)
    assert all(met[right.name, sentence] for right in RIGHTS for sentence in (0, 1))
    assert len(SAMPLE) <= 35
