"""What the automatic checks of a conversation find, and what they leave alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.desk.talk_checks import SAME_IN_A_ROW, Line, TalkFlaw, TalkFound, check_talk

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)


def they(seq: int, text: str = "怎么分期", at: datetime = NOON, intent: str | None = None) -> Line:
    return Line(seq, text, at, is_ours=False, intent=intent)


def we(seq: int, text: str = "好的", at: datetime = NOON, by_person: bool = False) -> Line:
    return Line(seq, text, at, is_ours=True, by_person=by_person)


def found(*lines: Line) -> tuple[TalkFound, ...]:
    return check_talk(
        lines, lambda line: "threat" if "坐牢" in line.text else None, lambda at: at != NIGHT, timedelta(hours=12)
    )


def test_an_ordinary_talk_has_no_flaw() -> None:
    assert found(we(1), they(2), we(3), they(4, "谢谢", intent="thank")) == ()


def test_our_forbidden_words_are_found_and_theirs_are_not() -> None:
    assert found(they(1, "要坐牢吗"), we(2, "不还要坐牢")) == (TalkFound(TalkFlaw.FORBIDDEN_WORDS, 2, "threat"),)


def test_writing_first_at_night_is_found_and_answering_is_not() -> None:
    assert found(they(1), we(2), we(3, at=NIGHT + timedelta(0))) == ()  # within twelve hours of their words
    assert found(they(1, at=NIGHT - timedelta(hours=13)), we(2, at=NIGHT)) == (TalkFound(TalkFlaw.OFF_HOURS, 2),)


def test_the_greeting_of_somebody_who_comes_at_night_is_no_flaw() -> None:
    assert found(we(1, at=NIGHT), they(2, at=NIGHT), we(3, at=NIGHT)) == ()


def test_the_first_of_their_last_words_is_unanswered() -> None:
    assert found(they(1), we(2), they(3), they(4, "在吗")) == (TalkFound(TalkFlaw.UNANSWERED, 3),)


def test_the_same_answer_over_and_over_is_a_loop_once() -> None:
    lines = [line for seq in range(1, 12, 2) for line in (they(seq, f"问{seq}"), we(seq + 1, "没听懂，请再说一次。"))]
    assert found(*lines) == (TalkFound(TalkFlaw.LOOP, 2 * SAME_IN_A_ROW),)


def test_several_messages_in_one_answer_and_a_person_in_between_are_no_loop() -> None:
    assert found(they(1), we(2), we(3), we(4), they(5), we(6, "别的")) == ()
    assert found(they(1), we(2), they(3), we(4), we(5, "我来", by_person=True), they(6), we(7)) == ()
