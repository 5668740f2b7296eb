"""Reading that somebody who was thought to be in danger says they are not. From normalised text alone."""

from __future__ import annotations

import re

_FILLERS = r"(?:[我真的啊呀哎嗯哦好您你了啦哈吧就,。! ]|没有?[,。 ])*"
_WELL = (
    r"(?:没(?:什么)?(?:事|啥)|挺好|还好|好着呢?|(?:没|不)(?:会|有|要)?想不开|没有?(?:要)?(?:那个|这个)?(?:意思|想法)"
    r"|(?:不是|没有?)(?:要|想)(?:去)?(?:死|自杀)|不是(?:那个|这个|那种)?意思|(?:是)?(?:误会|误解|理解错|会错意|想多|弄错)"
    r"|说[着著]玩|开(?:个)?玩笑|随便说说|只是(?:累|烦|困|想想))"
)
_FINE = re.compile(rf"^{_FILLERS}{_WELL}(?:{_FILLERS}{_WELL})*{_FILLERS}$")


def says_fine(text: str) -> bool:
    """Tell whether a normalised message says nothing but that all is well, or that it was a misunderstanding."""
    return _FINE.match(text) is not None
