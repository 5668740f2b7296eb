"""Deciding a recorded conversation anew, each turn with the model, the rules and the articles of its day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from bot.release.engine import DecidedAgain, Tape, decide_again
from bot.release.shelf import Shelf
from bot.services.conversations import QuickReply, Reply
from bot.services.deps import Deps
from bot.services.offer_basis import Recomputed, recompute
from bot.services.recorded_turns import GUARD, Judged, Remade, judge, knowledge_in, recorded


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What became of every turn of a conversation that was decided anew, and of every set of offers made in it."""

    turns: tuple[Judged, ...]
    offers: tuple[Recomputed, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything came out otherwise."""
        return any(turn.verdict.differs for turn in self.turns) or any(each.verdict.differs for each in self.offers)

    @property
    def undecided(self) -> int:
        """How many turns and sets of offers can no longer be decided anew."""
        turns = sum(turn.verdict.is_undecided for turn in self.turns)
        return turns + sum(each.verdict.is_undecided for each in self.offers)

    def to_text(self) -> str:
        """Write the report for a terminal: verdicts, no words of anybody's."""
        lines = [
            f"message {turn.seq}: {turn.verdict.value}"
            + (f" ({turn.model})" if turn.verdict.value == "no_model" else "")
            + (f"; rules not kept: {', '.join(turn.missing)}" if turn.missing else "")
            for turn in self.turns
        ]
        lines += [
            f"offers of {each.made_at.isoformat(timespec='seconds')} under {each.policy}: {each.verdict.value}"
            for each in self.offers
        ]
        turns = sum(turn.verdict.value == "same" for turn in self.turns)
        offers = sum(each.verdict.value == "same" for each in self.offers)
        lines.append(f"{turns} of {len(self.turns)} turns came out the same")
        lines.append(f"{offers} of {len(self.offers)} sets of offers came out the same")
        if self.undecided:
            lines.append(f"{self.undecided} of them can no longer be decided anew")
        return "\n".join(lines)


def replay(deps: Deps, shelf: Shelf, conversation_id: str) -> ReplayReport | None:
    """Decide a conversation anew; None if there is no such conversation.

    Raises:
        bot.release.engine.ReplayFailed: a model that is kept could not be asked.
    """
    conversation = recorded(deps, conversation_id)
    if conversation is None:
        return None
    by_model: defaultdict[str, list[str]] = defaultdict(list)
    for turn in conversation.turns:
        if not turn.model.startswith(GUARD):
            by_model[turn.model].append(turn.message_id)
    remade: dict[str, Remade | None] = {}
    kept = set()
    for model_id, turns in by_model.items():
        if (model := shelf.find(model_id)) is None:
            continue
        kept.add(model_id)
        decided = decide_again(deps.settings, model, Tape(conversation.events, turns))
        remade.update({number: _remade(one) for number, one in decided.items()})
    return ReplayReport(judge(deps, conversation, remade, frozenset(kept)), recompute(deps, conversation_id))


def _remade(decided: DecidedAgain | None) -> Remade | None:
    if decided is None:
        return None
    return Remade(
        intent=decided.intent,
        confidence=decided.confidence,
        actions=tuple(decided.actions),
        replies=tuple(
            Reply(said.text, tuple(QuickReply(b.title, b.payload) for b in said.buttons))
            for said in decided.messages
            if said.text
        ),
        knowledge=tuple(answer for said in decided.messages for answer in knowledge_in(said.template, said.values)),
    )
