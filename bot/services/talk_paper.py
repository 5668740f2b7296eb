"""A conversation as a PDF for whoever reviews it: masked as on the page, on record as an export."""

from __future__ import annotations

from bot.clock import local
from bot.documents.talk import TalkLine, TalkPaper, talk_pdf
from bot.services import audit, inbox
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.document_store import speech_in
from bot.services.operators import OperatorView
from bot.services.transcript_export import ExportFile
from bot.text.scripts import Script


def as_pdf(deps: Deps, operator: OperatorView, conversation_id: str) -> ExportFile | None:
    """Return a conversation as a PDF, in Simplified script; None where this operator may not read it.

    Nobody's name is on it: who reviews conduct needs none.
    """
    found = inbox.transcript(deps, conversation_id, operator.reader)
    if found is None:
        return None
    now = deps.now()
    names = {author.value: deps.wording.one(f"transcript_by_{author.value}") for author in Author}
    paper = TalkPaper(
        number=conversation_id[:8],
        producer=deps.settings.lender_name,
        made_at=now,
        lines=tuple(TalkLine(turn.at, names[turn.author], turn.text) for turn in found.turns),
    )
    content = talk_pdf(paper, speech_in(deps, Script.HANS))
    with deps.begin() as session:
        actor, subject = audit.Actor("operator", operator.id), ("conversation", conversation_id)
        audit.record(session, now, actor, "transcript_exported", subject, turns=len(found.turns))
    return ExportFile(f"transcript-{conversation_id[:8]}-{local(now):%Y%m%d}.pdf", "application/pdf", content)
