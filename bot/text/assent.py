"""Whether words that were understood as a yes can be one: a question, a condition or a no binds nobody."""

from __future__ import annotations

import re

_ASKS = re.compile(r"[?\uff1f]|为什么|为啥|为何|凭什么|凭啥|点解|怎么|咋|多少|吗|复核|重新审|再审")
_NOT_YET = re.compile(
    r"不(?:太|想|能|会|敢|肯|愿意?)?(?:同意|接受|答应|认可|认|签|登记|申请)|拒绝|先不|再想|再考虑|考虑(?:一下|下|考虑)"
)
_ON_CONDITION = re.compile(r"如果|要是|除非|只要|的话")


def may_be_assent(text: str) -> bool:
    """Whether a normalised message may be taken for the yes that makes something binding.

    The classifier is seldom wrong, but its mistake would bind the borrower. Whoever does mean yes is asked once more,
    which costs a tap.
    """
    return not (_ASKS.search(text) or _NOT_YET.search(text) or _ON_CONDITION.search(text))
