"""Answering a question about rights from the checked articles."""

from __future__ import annotations

from collections.abc import Sequence
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


def longer_answer(deps: Deps, article_id: str) -> tuple[str, ...] | None:
    """Return the paragraphs of an article's longer answer, or None when it is unknown or not in force today."""
    article = deps.rights.article(article_id)
    return article.longer_answer if article is not None and article.in_force(business_date(deps.now())) else None


def answer_right(deps: Deps, conversation_id: str, topic: str, found: Sequence[str] = ()) -> RightAnswer | None:
    """Return today's article on a topic, or None when nothing checked is in force.

    ``found`` are ids of articles that answer the question, the likeliest first; the first of them that is in force and
    made for the borrower's product is told. Without one it is the topic's own article.

    For a verified borrower with debts of one kind only, an article for that product comes before the general one.
    """
    owed = portfolio(deps, conversation_id)
    kinds = set() if isinstance(owed, NotVerified) else {debt.kind.value for debt in owed.open_debts}
    product = kinds.pop() if len(kinds) == 1 else None
    today = business_date(deps.now())
    named = (deps.rights.article(article_id) for article_id in found)
    fitting = (a for a in named if a is not None and a.in_force(today) and (product is None or a.fits(product)))
    article = next(fitting, None) or deps.rights.answer(topic, today, product)
    if article is None:
        return None
    return RightAnswer(
        article.id,
        article.short_answer,
        article.does_not_mean,
        article.next_step,
        deps.rights.short_citation(article),
    )
