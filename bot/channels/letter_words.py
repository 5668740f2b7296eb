"""The words around notices that leave by e-mail or text message, in their reader's script."""

from __future__ import annotations

from dataclasses import dataclass

from bot.services.deps import Deps
from bot.services.wording import Wording
from bot.text.scripts import Script, to_script


@dataclass(frozen=True, slots=True)
class LetterWords:
    """Words from ``data/templates/delivery.yml``, with the lender's name filled in."""

    wording: Wording
    lender: str

    @classmethod
    def load(cls, deps: Deps) -> LetterWords:
        """Read the words.

        Raises:
            bot.services.wording.WordingError: they cannot be used.
        """
        return cls(Wording.load(deps.data / "templates" / "delivery.yml"), deps.settings.lender_name)

    def in_script(self, which: str, script: Script, **values: str) -> str:
        """Return the words called ``which`` with their values filled in.

        ``values`` are addresses and texts that are in the reader's script already.

        Raises:
            bot.services.wording.WordingError: there are no such words, or a value is missing.
        """
        kept = {key: f"${{{key}}}" for key in values}
        words = to_script(self.wording.one(which, lender=self.lender, **kept), script)
        for key, value in values.items():
            words = words.replace(f"${{{key}}}", value)
        return words
