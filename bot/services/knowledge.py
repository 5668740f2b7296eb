"""Answering a question about rights from the checked articles."""

from __future__ import annotations

from dataclasses import dataclass

from bot.clock import business_date
from bot.services.accounts import NotVerified, portfolio
from bot.services.deps import Deps


@dataclass(frozen=True, slots=True)
class RightAnswer:
    """An article as it is told: the answer, what it does not mean, the next step, the rule it rests on."""

    article_id: str
    answer: str
    does_not_mean: str
    next_step: str
    citation: str


def answer_right(deps: Deps, conversation_id: str, topic: str) -> RightAnswer | None:
    """Return today's article on a topic, or None when nothing checked is in force.

    For a verified borrower with debts of one kind only, an article for that product comes before the general one.
    """
    owed = portfolio(deps, conversation_id)
    kinds = set() if isinstance(owed, NotVerified) else {debt.kind.value for debt in owed.open_debts}
    product = kinds.pop() if len(kinds) == 1 else None
    article = deps.rights.answer(topic, business_date(deps.now()), product)
    if article is None:
        return None
    return RightAnswer(
        article.id,
        article.short_answer,
        article.does_not_mean,
        article.next_step,
        deps.rights.short_citation(article),
    )
