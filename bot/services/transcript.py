"""A conversation as a text to keep: what whoever asks may read of it now, and nothing that is withheld from them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.clock import local
from bot.services.deps import Deps
from bot.services.history import MessageView, messages_after
from bot.store.tables import Conversation
from bot.text.scripts import Script, to_script

MOST_MESSAGES = 20_000


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text, and the name of the file that it is saved in."""

    name: str
    text: str


def transcript(deps: Deps, conversation_id: str) -> Transcript | None:
    """Write down a conversation's messages in order, times in Asia/Shanghai; None where it is unknown."""
    with deps.read() as session:
        conversation = session.get(Conversation, conversation_id)
        if conversation is None:
            return None
        script = Script(conversation.script)
    now = local(deps.now())
    authors = ("borrower", "bot", "operator", "notice")
    names = {author: to_script(deps.wording.one(f"transcript_by_{author}"), script) for author in authors}
    head = deps.wording.one("transcript_head", lender=deps.settings.lender_name, time=f"{now:%Y-%m-%d %H:%M}")
    entries = [_entry(view, names) for view in messages_after(deps, conversation_id, 0, MOST_MESSAGES)]
    name = f"{to_script(deps.wording.one('transcript_name'), script)} {now:%Y-%m-%d}.txt"
    return Transcript(name, "\n\n".join([to_script(head, script), *entries]) + "\n")


def _entry(view: MessageView, names: dict[str, str]) -> str:
    paper = f"\n[{view.document.title}]" if view.document is not None else ""
    return f"{local(view.at):%Y-%m-%d %H:%M} {names[view.author]}\n{view.text}{paper}"
