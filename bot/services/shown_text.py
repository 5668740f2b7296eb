"""A message's text as operators may read it: what proves identity is nobody's to see but the desk's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from bot.identity.factors import read_code
from bot.identity.masking import mask_numbers
from bot.services.conversations import Author
from bot.store.tables import Message

_NOTHING_BUT_A_NUMBER = re.compile(r"[\W_]*\d[\d\W_]*[Xx]?[\W_]*")
_TAIL_WITH_X = re.compile(r"(?<![0-9A-Za-z])\d{3}[Xx](?![0-9A-Za-z])")
_SPEAKS_OF_PROOF = re.compile(r"身份证|證件|证件|身份證|[后後尾]四位|尾[号號]|[验驗][证證]码?|密[码碼]")


def is_proving(message: Message) -> bool:
    """Tell whether a borrower was proving identity, or may have been: which form took it tells better than the intent.

    A code or a tail of an identity number is a bare number, as an income is. What a person answers the bot has never
    understood, so its looks decide: sums told in a sentence have to stay readable for that person.
    """
    actions: Sequence[str] = (message.understanding or {}).get("actions", ())
    if "verify_form" in actions or message.handling == "pending":
        return True
    if message.handling == "held":
        return _looks_like_proof(unicodedata.normalize("NFKC", message.text))
    return message.intent == "verify_identity" and "plan_form" not in actions


def _looks_like_proof(text: str) -> bool:
    if _NOTHING_BUT_A_NUMBER.fullmatch(text) or _TAIL_WITH_X.search(text) or _SPEAKS_OF_PROOF.search(text):
        return True
    return read_code(text) is not None


def shown_text(message: Message) -> str:
    """Return a message's text as operators may read it: what a borrower typed about themselves is masked."""
    if message.author != Author.BORROWER:
        return message.text
    return mask_numbers(message.text, proving=is_proving(message))
