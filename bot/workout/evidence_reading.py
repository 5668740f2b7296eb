"""Whether somebody says that there is no proof to give. Only reading; texts are normalised as for ``reading``."""

import re

_LONGEST = 40
"""Characters of a message that can be nothing but this; a longer one tells more and is read by the desk as usual."""

_PAPER = (
    r"(?:证明(?![你我他她是过])|材料|单子|单据|票据|凭证|病历|诊断书|缴费单|收据|流水|截图|照片|文件|这些东西|纸质的?)"
)
_LACKS = (
    r"(?:没(?:有|得)?|拿不(?:出|到)|开不(?:出|了|到|来)|弄不(?:到|来|出)|办不(?:了|到|出|下)|给不(?:了|出)"
    r"|交不(?:了|出)|提供不(?:了|出)|找不(?:到|着)|不给开|不肯开|不愿开|开不下来|丢了|早没了)"
)
_NAMED = re.compile(rf"{_LACKS}[^,。!?]{{0,8}}?{_PAPER}|{_PAPER}[^,。!?]{{0,8}}?{_LACKS}")
_BARE = re.compile(
    rf"(?:我|我这|我们|都|真的?|确实|现在|手上|手头|暂时|这些|这个|一样|一个|什么|啥|也|实在|的话|来){{0,4}}{_LACKS}"
    r"(?:来|啊|呀|呢|了|的|过|这些|这个|啥|什么|哦|诶|都|任何){0,3}"
)

_ABOUT_YOURS = re.compile(
    r"你们?|贵(?:司|行)|收到|收着|结清|协议|合同|征信|律师|法院|怎么|如何|吗|[?]|为什么|凭什么|能不能|可以(?:吗|不)|要不要|没问题"
    r"|没发|还没|等|有没有|已经|发(?:了|过|给)"
)
"""Papers of the lender's, questions, and what is only on its way: none of it says that there is nothing to give."""


def says_none(text: str, *, just_asked: bool) -> bool:
    """Return whether a message says that there is no proof to give, and nothing else.

    ``just_asked``: the last thing said was the question for it, so that a bare 没有 or 拿不出来 answers it.
    """
    plain = text.strip("。.!~, ")
    if not plain or len(plain) > _LONGEST or _ABOUT_YOURS.search(text):
        return False
    return _NAMED.search(plain) is not None or (just_asked and _BARE.fullmatch(plain) is not None)
