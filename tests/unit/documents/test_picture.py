"""The schedule as a picture: wide enough for a phone, long enough for every instalment, labelled, stable."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from paper_builders import HANS, HANT, NOON, NUMBER, a_schedule
from PIL import Image

from bot.documents.fonts import cut
from bot.documents.picture import WIDTH, Picture, SchedulePicture, schedule_png
from bot.documents.words import Speech
from bot.text.scripts import Script


def drawn(months: int, speech: Speech = HANS) -> Picture:
    return schedule_png(SchedulePicture(NUMBER, "示例金融", NOON, a_schedule(months)), speech)


@pytest.fixture(scope="module")
def year() -> Picture:
    return drawn(12)


def test_it_is_a_png_of_the_size_it_says_and_made_for_a_narrow_phone(year: Picture) -> None:
    image = Image.open(io.BytesIO(year.png))
    assert image.format == "PNG"
    assert image.size == (year.width, year.height)
    assert year.width == WIDTH == 2 * 360
    assert len(year.png) < 200_000


def test_it_grows_by_the_same_height_for_each_instalment_and_stays_within_what_messengers_take(year: Picture) -> None:
    longest = drawn(60)
    assert (longest.height - year.height) % 48 == 0
    assert longest.height > year.height
    assert longest.width + longest.height <= 10_000
    assert longest.height / longest.width < 20


def test_every_row_has_something_written_in_it(year: Picture) -> None:
    image = Image.open(io.BytesIO(year.png)).convert("L")
    dark = [y for y in range(year.height) if min(image.crop((0, y, year.width, y + 1)).tobytes()) < 120]
    gaps = [later - earlier for earlier, later in pairwise(dark)]
    assert max(gaps) < 68, "no row of the table is empty"


def test_the_ai_label_is_in_the_picture_and_in_its_metadata(year: Picture) -> None:
    metadata = Image.open(io.BytesIO(year.png)).info["XML:com.adobe.xmp"]
    assert "TC260:AIGC" in metadata
    assert NUMBER in metadata


def test_equal_schedules_are_equal_to_the_byte_and_scripts_differ(year: Picture) -> None:
    assert drawn(12) == year
    assert drawn(12, HANT).png != year.png


def test_fonts_are_cut_alike_each_time_and_measure_what_they_print() -> None:
    pair = cut(Script.HANS, "还款¥1,234.50")
    assert pair == cut(Script.HANS, "05.432,1¥款还")
    assert pair.regular.width("还款") == 2000
    assert pair.regular.width("1") < 1000
    assert len(pair.regular.data) < 20_000


def test_a_character_that_no_font_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"U\+E000"):
        cut(Script.HANS, "款\ue000")
