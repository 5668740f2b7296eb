"""The rights that a borrower may invoke anywhere: how each is said, what is answered, and what becomes of the question
that was open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from bot.cases.kinds import CaseKind
from bot.services.deps import Deps
from tests.rights.places import Dialogue, Place
from tests.rights.records import (
    asked_for,
    complained,
    copied,
    disputed,
    explained,
    in_danger,
    let_go,
    queued_for,
    stopped,
    third_party_met,
)


class Then(Enum):
    """What becomes of what was going on."""

    GOES_ON = "goes on"
    """The question that was open is asked again; where none was open, nothing is."""
    IS_LEFT = "is left"
    """Nothing is asked any more."""
    OWN_QUESTION = "own question"
    """The right asks its own question, unless another was open, which is asked again."""
    SILENT = "silent"
    """The desk speaks, the dialogue does not."""


@dataclass(frozen=True)
class Right:
    """A right: how it is invoked, what is said first, and what is on record afterwards.

    ``sentences`` are two: the second is in no training file, so that hearing it is not only remembering.
    """

    name: str
    sentences: tuple[str, str]
    intent: str
    says: tuple[str, ...]
    record: Callable[[Deps, Dialogue, Place], None]
    then: Then = Then.GOES_ON
    says_unverified: tuple[str, ...] = ()
    tells_figures: bool = False
    """Whether a sum may be said to the verified borrower."""


RIGHTS = (
    Right(
        "complaint",
        ("客服态度太差,我要投诉", "你们这服务我要投诉,太不负责了"),
        "complain_service",
        ("utter_complaint_taken", "utter_complaint_known", "utter_case_fact_noted", "utter_case_evidence"),
        complained,
        Then.OWN_QUESTION,
    ),
    Right(
        "harassment",
        ("你们的人威胁我,要上门", "催收的一天打几十个电话还骂我"),
        "complain_harassment",
        # 110 comes first for a threat; many calls and rude words are no emergency.
        (
            "utter_complaint_evidence",
            "utter_complaint_taken",
            "utter_complaint_known",
            "utter_case_fact_noted",
            "utter_case_evidence",
        ),
        complained,
        Then.OWN_QUESTION,
    ),
    Right(
        "dispute",
        ("这钱不是我借的", "我从来没借过这笔钱,不是我的"),
        "dispute_debt",
        ("utter_ask_case_yes", "utter_ask_case_debt", "utter_case_fact_noted"),
        disputed,
        Then.OWN_QUESTION,
        ("utter_verify_before_answer", "utter_verify_first"),
    ),
    Right(
        "stop",
        ("别再给我发消息了", "以后不要再联系我了"),
        "stop_contact",
        ("utter_contact_stopped",),
        stopped,
        says_unverified=("utter_contact_stopped_here",),
    ),
    Right(
        "access",
        ("把我的数据导出来给我", "我要一份你们手里我的全部资料"),
        "ask_data_source",
        ("utter_document_data_export",),
        copied,
        says_unverified=("utter_verify_before_answer", "utter_verify_first"),
    ),
    Right(
        "correct",
        ("我的电话写错了,更正一下", "登记的地址不对,帮我改过来"),
        "ask_data_source",
        ("utter_data_correct",),
        asked_for(CaseKind.DATA_CORRECTION),
    ),
    Right(
        "delete",
        ("删除我的信息", "把你们存的我的资料都删掉"),
        "ask_data_source",
        ("utter_data_delete",),
        asked_for(CaseKind.DATA_DELETION),
    ),
    Right(
        "explain",
        ("为什么给我这个方案", "这个方案是根据什么定的"),
        "ask_data_source",
        ("utter_data_explain", "utter_data_explain_none"),
        explained,
        says_unverified=("utter_verify_before_answer", "utter_verify_first"),
        tells_figures=True,
    ),
    Right(
        "review",
        ("请人工复核这个方案", "方案是机器定的,我要人工再审一遍"),
        "ask_data_source",
        ("utter_data_review",),
        asked_for(CaseKind.DATA_EXPLANATION),
    ),
    Right(
        "human",
        ("转人工", "别让机器回我了,换个活人来"),
        "request_human",
        ("utter_human_coming",),
        queued_for("asked"),
        Then.IS_LEFT,
    ),
    Right("crisis", ("我真的不想活了", "活着没意思,想跳楼"), "express_distress", (), in_danger, Then.SILENT),
    Right(
        "distress",
        ("心都死了", "情绪崩溃了,控制不住地哭"),
        "express_distress",
        ("utter_safety",),
        in_danger,
        Then.IS_LEFT,
    ),
    Right(
        "third_party",
        ("我是他老婆,他欠多少", "我是他爸,你们找他什么事"),
        "third_party_inquiry",
        ("utter_third_party_relative",),
        third_party_met,
        Then.IS_LEFT,
    ),
    Right(
        "wrong_person",
        ("打错了,我没欠你们钱", "你找错人了,我不是这个人"),
        "wrong_person",
        ("utter_wrong_person",),
        let_go,
        Then.IS_LEFT,
    ),
)
