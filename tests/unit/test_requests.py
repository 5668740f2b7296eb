"""Two requests in one message."""

from __future__ import annotations

import pytest

from bot.nlu import requests


def reads_as(label: str, confidence: float = 0.9) -> requests.Reading:
    return requests.Reading(((label, confidence), ("inform", 1 - confidence)))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("我欠多少", ("我欠多少",)),
        ("谢谢,另外能不能免点利息", ("能不能免点利息",)),
        ("好的谢谢,另外能不能免点利息", ("好的谢谢", "能不能免点利息")),
        ("怎么还款?还完能开结清证明吗", ("怎么还款", "还完能开结清证明吗")),
        ("我失业了,能不能分12期", ("我失业了,能不能分12期",)),
        ("征信会花吗 对了利息怎么算", ("征信会花吗", "利息怎么算")),
        ("??", ()),
    ],
)
def test_a_message_is_cut_only_where_a_second_request_is_announced_or_two_questions_meet(
    text: str, parts: tuple[str, ...]
) -> None:
    assert requests.clauses(text) == parts


def test_the_whole_message_decides_what_comes_first_and_the_other_request_is_kept() -> None:
    understood = requests.understand(reads_as("request_human"), [reads_as("request_human"), reads_as("request_relief")])
    assert (understood.ranking[0][0], understood.also) == ("request_human", "request_relief")


def test_a_courtesy_gives_way_to_the_request_behind_it() -> None:
    understood = requests.understand(reads_as("thank"), [reads_as("thank"), reads_as("request_relief")])
    assert (understood.ranking[0][0], understood.also) == ("request_relief", None)


def test_a_courtesy_with_two_requests_behind_it_keeps_both() -> None:
    parts = [reads_as("greet"), reads_as("ask_balance"), reads_as("rights/credit_report")]
    understood = requests.understand(reads_as("greet"), parts)
    assert (understood.ranking[0][0], understood.also) == ("ask_balance", "rights/credit_report")


def test_a_reason_beside_a_request_is_no_second_request() -> None:
    parts = [reads_as("request_installment"), reads_as("state_hardship")]
    assert requests.understand(reads_as("request_installment"), parts).also is None


def test_a_doubtful_clause_is_no_second_request() -> None:
    parts = [reads_as("ask_balance"), reads_as("request_relief", 0.5)]
    assert requests.understand(reads_as("ask_balance"), parts).also is None


def test_a_message_that_reads_as_none_of_its_clauses_is_taken_as_one_request() -> None:
    parts = [reads_as("ask_fee_reason"), reads_as("request_relief")]
    assert requests.understand(reads_as("complain_service"), parts).also is None


def test_of_two_questions_the_one_written_first_comes_first_whichever_the_whole_reads_as() -> None:
    parts = [reads_as("rights/legal_action"), reads_as("rights/credit_report")]
    understood = requests.understand(reads_as("rights/credit_report"), parts)
    assert (understood.ranking[0][0], understood.also) == ("rights/legal_action", "rights/credit_report")


def test_something_to_be_done_comes_before_something_to_be_told() -> None:
    parts = [reads_as("ask_balance"), reads_as("request_human")]
    understood = requests.understand(reads_as("ask_balance"), parts)
    assert (understood.ranking[0][0], understood.also) == ("request_human", "ask_balance")


def test_a_second_request_beside_an_agreement_is_kept() -> None:
    parts = [reads_as("accept_offer"), reads_as("ask_repayment_channel")]
    understood = requests.understand(reads_as("accept_offer"), parts)
    assert (understood.ranking[0][0], understood.also) == ("accept_offer", "ask_repayment_channel")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("你好，我还不上了", "我还不上了"),
        ("您好我想查账", "我想查账"),
        ("hi 在吗？ 我要投诉", "我要投诉"),
        ("谢谢你，转人工", "转人工"),
        ("好的，那我什么时候还", "那我什么时候还"),
        ("帮我查一下账，谢谢", "帮我查一下账"),
        ("你好", None),
        ("好的谢谢", None),
        ("可以分期吗", None),
        ("行不行啊", None),
        ("我欠多少", None),
    ],
)
def test_greetings_and_thanks_around_a_request_are_set_aside(text: str, left: str | None) -> None:
    assert requests.core(text) == left


def test_what_stands_behind_a_greeting_is_what_is_meant() -> None:
    assert requests.understand(reads_as("greet"), [], reads_as("state_hardship", 0.4)).ranking[0][0] == "state_hardship"
    assert requests.understand(reads_as("thank"), [], reads_as("request_human")).ranking[0][0] == "request_human"


def test_what_can_hardly_be_read_behind_a_greeting_is_answered_as_a_greeting() -> None:
    assert requests.understand(reads_as("greet"), [], reads_as("state_hardship", 0.2)).ranking[0][0] == "greet"
    assert requests.understand(reads_as("greet"), [], reads_as("chitchat")).ranking[0][0] == "greet"
    assert requests.understand(reads_as("thank"), [], reads_as("inform")).ranking[0][0] == "thank"


def test_what_is_read_better_with_its_courtesies_stays_as_it_is() -> None:
    assert requests.understand(reads_as("ask_balance"), [], reads_as("inform", 0.4)).ranking[0][0] == "ask_balance"
