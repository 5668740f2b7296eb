"""What every document says about itself: title, number, when and by whom it was made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.text.scripts import Script


@dataclass(frozen=True, slots=True)
class Imprint:
    """The frame of one document, in the script of its reader.

    ``number`` names it on every page and in its metadata. ``made_at`` is its creation date, an aware instant from the
    caller's clock. ``producer`` is the service that made it, ``label`` the visible words that say that an AI did
    (labelling measures, art. 4). ``foot`` are further lines of every page's foot, such as a check code.
    Raises ``ValueError`` for a naive instant.
    """

    script: Script
    title: str
    number: str
    made_at: datetime
    producer: str
    label: str
    foot: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.made_at.tzinfo is None:
            raise ValueError("a document is made at an aware instant")

    @property
    def language(self) -> str:
        """The BCP 47 tag of the text."""
        return "zh-Hant" if self.script is Script.HANT else "zh-Hans"
