"""What somebody wants done with their data, read from their own words (rule P5)."""

from __future__ import annotations

import re
from enum import StrEnum


class DataRequest(StrEnum):
    """What is wanted: Personal Information Protection Law arts. 24 (explain), 45 to 47 (others)."""

    SOURCE = "source"
    COPY = "copy"
    CORRECT = "correct"
    DELETE = "delete"
    EXPLAIN = "explain"
    REVIEW = "review"
    """A person is to look again at what was decided by a program."""


_DELETE = re.compile(r"删|刪|注销|清(?:掉|除|空|干净)|抹掉|销毁|不(?:同意|让|许|准)你们(?:存|留|用)|撤回同意")
_SOURCE = re.compile(r"从哪|哪来|哪[查弄搞搜看买]|谁(?:告诉|给|提供|泄露|卖)|怎么(?:会)?(?:有|知道|拿到|查到|找到)")
_CORRECT = re.compile(
    r"更正|修改|改(?:一?下|成|过来|改)|(?:写|填|登记|印|录)错|错了|不对|变更|换成|更新|旧的|怎么改|要改|改一改"
)
_REVIEW = re.compile(
    r"人工(?:复核|审核|再审|重审)|复核|(?:重新|再)(?:审|看|算|评估)[^,。]{0,6}(?:方案|决定|结果)"
    r"|(?:方案|决定|结果)[^。]{0,12}(?:重新|再)(?:审|看|评估)"
)
_WHY = r"为什么|为啥|为何|凭什么|凭啥|怎么|如何|(?:根据|按照?|依据)(?:什么|啥)"
_EXPLAIN = re.compile(
    rf"(?:{_WHY})[^,。]{{0,8}}(?:方案|决定|拒绝|批|算出|评分|打分|规则|判断|系统|\d+期)"
    rf"|(?:方案|决定|结果)[^,。]{{0,12}}(?:{_WHY}|依据)"
    r"|自动(?:化)?决策|算法|解释[^,。]{0,6}(?:决定|方案)"
)
_COPY = re.compile(
    r"导出|副本|复制|下载|拷贝|(?:看|查|发|给)[^,。]{0,10}(?:资料|信息|数据|存了|记录)"
    r"|(?:要|拿|取|来|给|一份|所有|全部|一切)[^,。]{0,12}(?:资料|信息|数据|记录|档案)(?!是|被|从|怎么|谁)"
    r"|(?:资料|信息|数据|档案)[^,。]{0,6}(?:给我看|看看|看一遍|发我|给我一份|列给我)"
    r"|(?:存|有|记|掌握)了?我?的?(?:哪些|什么|多少)"
)
_WORDS = (
    (DataRequest.DELETE, _DELETE),
    (DataRequest.SOURCE, _SOURCE),
    (DataRequest.REVIEW, _REVIEW),
    (DataRequest.CORRECT, _CORRECT),
    (DataRequest.EXPLAIN, _EXPLAIN),
    (DataRequest.COPY, _COPY),
)


def read_data_request(text: str) -> DataRequest:
    """Return what a normalised message asks for; one that names nothing asks where the data come from."""
    return next((kind for kind, words in _WORDS if words.search(text)), DataRequest.SOURCE)
