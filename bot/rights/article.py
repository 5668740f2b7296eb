"""One question borrowers ask about their rights, the answer this desk may give, and the rules behind it.

The models describe the files in ``data/rights/``. They refuse what could mislead a borrower: an article number nobody
has read, an answer without a source, or an unverified fact that is not marked for legal review.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

SHORT_ANSWER_MAX_CHARACTERS = 120
"""A short answer fits one screen of a small phone."""

Item = TypeVar("Item")


def _holding(least: int, most: int | None = None) -> AfterValidator:
    """Limit the number of items, after the items: pydantic's own limits add a second, misleading "too short"."""

    def check(items: tuple[Item, ...]) -> tuple[Item, ...]:
        if len(items) < least or (most is not None and len(items) > most):
            raise ValueError(f"must hold {least} to {most} items" if most else f"must hold at least {least} items")
        return items

    return AfterValidator(check)


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
ArticleId = Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z0-9_]+$")]
ArticleNumber = Annotated[str, StringConstraints(pattern=r"^\S*\d\S*$", max_length=20)]
Product = Literal["credit_card", "consumer_loan", "online_loan", "small_loan"]
RelatedAction = Literal[
    "ask_balance", "dispute_debt", "ask_complaint", "request_human", "request_installment", "ask_payment_status"
]


class Confidence(StrEnum):
    """How a fact was verified."""

    READ = "A"
    """Read in the text of the rule or a verbatim quotation of it."""
    REPORTED = "B"
    """Read only in a secondary report."""
    UNVERIFIED = "U"
    """Not verified against any text: its article number is never shown."""


class Citation(BaseModel):
    """A rule that an answer rests on.

    ``article`` is the number as it is displayed, or ``None`` where only the rule may be named. ``in_force_from`` and
    ``in_force_to`` are the first and last day the cited text applies; ``in_force_to`` is ``None`` while it stands.
    ``source`` is where the text was read on ``last_checked``. ``is_issued`` is true for warnings and notices: their
    first day is the one they were published.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Text
    article: ArticleNumber | None
    in_force_from: date
    in_force_to: date | None
    source: Text
    last_checked: date
    confidence: Confidence
    is_issued: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.confidence is Confidence.UNVERIFIED and self.article is not None:
            raise ValueError("an unverified citation may not carry an article number")
        if self.in_force_to is not None and self.in_force_to < self.in_force_from:
            raise ValueError("in_force_to is before in_force_from")
        return self

    def in_force(self, on: date) -> bool:
        """Tell whether the cited text applies on the day ``on``, first and last day included."""
        return self.in_force_from <= on and (self.in_force_to is None or on <= self.in_force_to)


class Article(BaseModel):
    """A reviewed answer to one question, for all products or for some.

    ``question`` is the canonical wording and ``question_forms`` are ways borrowers put it. ``short_answer`` is shown
    first, ``longer_answer`` on request, a line each. ``does_not_mean`` heads off the usual misreading.
    ``needs_legal_check`` is true exactly when a citation is unverified.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: ArticleId
    topic: Text
    question: Text
    question_forms: Annotated[tuple[Text, ...], _holding(3, 16)]
    short_answer: Annotated[Text, Field(max_length=SHORT_ANSWER_MAX_CHARACTERS)]
    longer_answer: Annotated[tuple[Text, ...], _holding(1)]
    does_not_mean: Text
    products: Literal["all"] | Annotated[tuple[Product, ...], _holding(1)]
    citations: Annotated[tuple[Citation, ...], _holding(1)]
    next_step: Text
    related_actions: Annotated[tuple[RelatedAction, ...], _holding(1)]
    needs_legal_check: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unverified = any(citation.confidence is Confidence.UNVERIFIED for citation in self.citations)
        if self.needs_legal_check != unverified:
            raise ValueError("needs_legal_check must be true exactly when a citation has confidence U")
        if not self.id.startswith(f"{self.topic}."):
            raise ValueError(f"id must start with the topic {self.topic!r}")
        return self

    @property
    def is_general(self) -> bool:
        """Whether the answer holds for every product."""
        return self.products == "all"

    def in_force(self, on: date) -> bool:
        """Tell whether every rule the answer rests on applies on the day ``on``."""
        return all(citation.in_force(on) for citation in self.citations)

    def fits(self, product: str | None) -> bool:
        """Tell whether the answer holds for ``product``; an unknown product (``None``) takes only general answers."""
        return self.is_general or product in self.products

    def last_checked(self) -> date:
        """Return the day of the oldest check among the citations."""
        return min(citation.last_checked for citation in self.citations)
