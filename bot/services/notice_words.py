"""The words of notices: one of several wordings by topic and stage, always the same one for the same notice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from string import Template

from bot.outreach.notice import WRITTEN, Topic
from bot.services.wording import Wording, WordingError


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """Wordings of notices by ``<topic>`` or ``<topic>_<stage>``; a stage without its own has those of its topic."""

    wordings: dict[str, tuple[str, ...]]

    @classmethod
    def load(cls, path: Path) -> NoticeWords:
        """Read a file of wordings.

        Raises:
            WordingError: the file is no file of words, a topic has none, a name belongs to no topic, or a wording
                asks for anything but ``${lender}``.
        """
        wordings = Wording.load(path).texts
        topics = {topic.value for topic in WRITTEN}
        if lacking := sorted(topics - wordings.keys()):
            raise WordingError(f"{path.name}: no words for {', '.join(lacking)}")
        for name, texts in wordings.items():
            if name not in topics and not any(name.startswith(f"{topic}_") for topic in topics):
                raise WordingError(f"{path.name}: {name}: belongs to no topic")
            if any(set(Template(text).get_identifiers()) - {"lender"} for text in texts):
                raise WordingError(f"{path.name}: {name}: only ${{lender}} can be filled in")
        return cls(wordings)

    def text(self, topic: Topic, stage: str | None, key: str, lender: str) -> str:
        """Return the words of a notice. ``key`` is the notice's own: sending it again says the same.

        A different key may give a different wording, so that a borrower does not read one sentence over and over.
        """
        texts = self.wordings.get(f"{topic.value}_{stage}") or self.wordings[topic.value]
        drawn = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
        return Template(texts[drawn % len(texts)]).substitute(lender=lender)
