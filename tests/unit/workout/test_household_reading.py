"""How many live on an income, as people say it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.normalize import normalize_text
from bot.workout.household_reading import MOST, read_dependants

ASKED: list[tuple[str, int | None]] = [
    ("3", 2),
    ("三口", 2),
    ("3口人", 2),
    ("三个", 2),
    ("就我一个", 0),
    ("就我一个人", 0),
    ("我自己", 0),
    ("一个人", 0),
    ("单身", 0),
    ("没有", 0),
    ("不用养别人", 0),
    ("两个孩子一个老人", 3),
    ("俩孩子", 2),
    ("老婆和孩子", 2),
    ("我和老婆两个孩子", 3),
    ("父母和一个娃", 3),
    ("一家四口", 3),
    ("我一个人养三个", 3),
    ("单身一个人", 0),
    ("目前一个人过", 0),
    ("单身妈妈带两个孩子", 2),
    ("离婚单身带个娃", 1),
    ("我单身,要养父母", 2),
    ("我,老婆,两个孩子", 3),
    ("就我自己,还有个孩子", 1),
    ("爸妈有退休金不用养,养一个孩子", 1),
    ("没有老婆,养一个孩子", 1),
    ("没有孩子", 0),
    ("不想说", None),
    ("上有老下有小", None),
    ("200", None),
]

UNASKED: list[tuple[str, int | None]] = [
    ("养两个孩子", 2),
    ("要养三个人", 3),
    ("一家三口,房租1500", 2),
    ("家里5口人", 4),
    ("我一个人养三个", 3),
    ("不用养家", 0),
    ("不用养父母,有两个孩子", 2),
    ("我要带孩子去医院,等会再说", None),
    ("老婆和孩子", None),
    ("孩子上学要花1000", None),
    ("3", None),
    ("没有", None),
    ("养老金3000", None),
    ("就我一个", None),
    ("提供材料要一个人去吗", None),
]


@pytest.mark.parametrize(("text", "dependants"), ASKED)
def test_an_answer_to_the_question_is_read(text: str, dependants: int | None) -> None:
    assert read_dependants(normalize_text(text), asked=True) == dependants


@pytest.mark.parametrize(("text", "dependants"), UNASKED)
def test_unasked_only_what_says_who_is_kept_counts(text: str, dependants: int | None) -> None:
    assert read_dependants(normalize_text(text)) == dependants


KNOWN: list[tuple[str, int | None]] = [
    ("其实养三个孩子", 3),
    ("一家五口", 4),
    ("要照顾老人,走不开", None),
    ("我得供孩子上学", None),
    ("不用养家", None),
]


@pytest.mark.parametrize(("text", "dependants"), KNOWN)
def test_a_household_that_is_known_is_corrected_by_a_number_alone(text: str, dependants: int | None) -> None:
    assert read_dependants(normalize_text(text), known=True) == dependants


@given(people=st.integers(1, MOST))
def test_any_size_of_household_is_read_with_and_without_the_borrower(people: int) -> None:
    assert read_dependants(f"{people}口人", asked=True) == people - 1
    assert read_dependants(f"养{people}个孩子") == people
