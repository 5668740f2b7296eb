"""Whether words that were understood as a yes can be one, and whether somebody only asks for time to think."""

from __future__ import annotations

import re

_ASKS = re.compile(r"[?\uff1f]|为什么|为啥|为何|凭什么|凭啥|点解|怎么|咋|多少|吗|复核|重新审|再审")
_NOT_YET = re.compile(
    r"不(?:太|想|能|会|敢|肯|愿意?)?(?:同意|接受|答应|认可|认|签|登记|申请)|拒绝|先不|再想|再考虑|考虑(?:一下|下|考虑)"
)
_ON_CONDITION = re.compile(r"如果|要是|除非|只要|的话")
_FAMILY = (
    r"(?:我)?(?:老婆|老公|媳妇|爱人|对象|男朋友|女朋友|家里人?|家人|家属"
    r"|爸妈|父母|爸爸?|妈妈?|儿子|女儿|孩子|朋友|姐姐?|哥哥?)"
)
_LATER = re.compile(
    r"^(?:[我俺你您先再得要还让容等那好嗯哦啊呃额行吧就想会去回家晚上明天今天,。.… ~慢需]|不急)*"
    r"(?:稍等(?:一?下|片刻)?|等(?:一?下|一?会儿?|等|我)|想想|想一?下|想一想|想几天|想清楚(?:再说|再定)|考虑(?:考虑|一?下|几天|清楚再说)?|琢磨(?:琢磨|一?下)?|合计(?:合计|一?下)?|斟酌(?:斟酌|一?下)?"
    rf"|(?:跟|和|同){_FAMILY}(?:商量|说|合计|讨论)(?:商量|说|合计|一?下)?|问(?:一?下|问)?{_FAMILY})"
    r"[再说吧呗哈了啊嘛哦先看回复您你给告诉答定决,。.… ~]*$"
)


def wants_time(text: str) -> bool:
    """Whether a normalised message asks for time to think, and for nothing else (我再想想, 跟老婆商量一下)."""
    return _LATER.match(text) is not None


def may_be_assent(text: str) -> bool:
    """Whether a normalised message may be taken for the yes that makes something binding.

    The classifier is seldom wrong, but its mistake would bind the borrower. Whoever does mean yes is asked once more,
    which costs a tap.
    """
    return not (_ASKS.search(text) or _NOT_YET.search(text) or _ON_CONDITION.search(text))
