"""The knowledge articles as a whole: loaded once, checked completely, asked by topic, day and product."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from string import Formatter
from typing import Annotated, Self, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from bot.rights.article import Article, Citation, Confidence

Model = TypeVar("Model", bound=BaseModel)

WORDING_FILE = "_wording.yml"
"""Patterns for citations; files that start with an underscore hold no articles."""


@dataclass(frozen=True, slots=True)
class KnowledgeProblem:
    """What is wrong with one field of one knowledge file; ``field`` is a dotted path or empty for the whole file."""

    file: str
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: {self.reason}" if self.field else f"{self.file}: {self.reason}"


class KnowledgeError(ValueError):
    """The knowledge folder cannot be used; ``problems`` lists everything found, not only the first."""

    def __init__(self, problems: tuple[KnowledgeProblem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def _with_placeholders(*names: str) -> AfterValidator:
    """Require that a pattern names exactly these placeholders, so a typo is found at load and not in a chat."""

    def check(pattern: str) -> str:
        found = {name for _, name, _, _ in Formatter().parse(pattern) if name is not None}
        if found != set(names):
            raise ValueError(f"placeholders must be {sorted(names)}, found {sorted(found)}")
        return pattern

    return AfterValidator(check)


class _Wording(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    citation: Annotated[str, _with_placeholders("entries")]
    entry: Annotated[str, _with_placeholders("rule", "articles", "in_force_from", "last_checked")]
    entry_issued: Annotated[str, _with_placeholders("rule", "articles", "in_force_from", "last_checked")] | None = None
    entry_reported: Annotated[str, _with_placeholders("rule", "articles", "in_force_from")] | None = None
    entry_issued_reported: Annotated[str, _with_placeholders("rule", "articles", "in_force_from")] | None = None
    entry_separator: str
    article_separator: str
    pending_check: str


class _ArticleFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    articles: tuple[Article, ...]


class RightsLibrary:
    """All knowledge articles of a folder, in file order.

    Build it with :meth:`load`. It is immutable and safe to share between threads.
    """

    def __init__(self, articles: tuple[Article, ...], wording: _Wording) -> None:
        self._articles = articles
        self._wording = wording
        self._by_id = {article.id: article for article in articles}

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read every ``<topic>.yml`` of ``folder`` and the citation patterns beside them.

        Raises ``KnowledgeError`` naming file and field for all problems together: unreadable YAML, a missing or
        ill-formed field, a topic other than the file's name, an id used twice, or a topic without a general article.
        """
        problems: list[KnowledgeProblem] = []
        wording = _read(folder / WORDING_FILE, _Wording, problems)
        articles: list[Article] = []
        file_of_id: dict[str, str] = {}
        paths = [path for path in sorted(folder.glob("*.yml")) if not path.name.startswith("_")]
        if not paths:
            problems.append(KnowledgeProblem(folder.name, "", "no article files"))
        for path in paths:
            content = _read(path, _ArticleFile, problems)
            if content is None:
                continue
            for index, article in enumerate(content.articles):
                where = f"articles.{index}"
                if article.topic != path.stem:
                    problems.append(KnowledgeProblem(path.name, f"{where}.topic", f"must be {path.stem!r}"))
                if article.id in file_of_id:
                    reason = f"{article.id!r} is already used in {file_of_id[article.id]}"
                    problems.append(KnowledgeProblem(path.name, f"{where}.id", reason))
                file_of_id.setdefault(article.id, path.name)
                articles.append(article)
            if not any(article.is_general for article in content.articles):
                problems.append(KnowledgeProblem(path.name, "articles", "no article for all products"))
        if wording is None or problems:
            raise KnowledgeError(tuple(problems))
        return cls(tuple(articles), wording)

    def articles(self) -> tuple[Article, ...]:
        """Return every article, whether in force or not."""
        return self._articles

    def article(self, article_id: str) -> Article | None:
        """Return the article with this id, whether in force or not, or ``None``."""
        return self._by_id.get(article_id)

    def topics(self) -> tuple[str, ...]:
        """Return the topics in alphabetical order, each once."""
        return tuple(sorted({article.topic for article in self._articles}))

    def answers(self, topic: str, on: date, product: str | None) -> tuple[Article, ...]:
        """Return the articles on ``topic`` that hold on the day ``on`` (Asia/Shanghai) for ``product``, best first.

        ``product`` is a product kind's value or ``None`` when unknown. What is written for the product comes before
        what holds for all; within either, file order decides. An unknown topic gives an empty tuple.
        """
        fitting = [a for a in self._articles if a.topic == topic and a.in_force(on) and a.fits(product)]
        return tuple(sorted(fitting, key=lambda article: article.is_general))

    def answer(self, topic: str, on: date, product: str | None) -> Article | None:
        """Return the best of :meth:`answers`, or ``None`` when nothing holds on that day for that product."""
        return next(iter(self.answers(topic, on, product)), None)

    def checked_before(self, day: date, max_age: timedelta) -> tuple[Article, ...]:
        """Return the articles with a citation last checked more than ``max_age`` before ``day``: due for review."""
        return tuple(article for article in self._articles if day - article.last_checked() > max_age)

    def short_citation(self, article: Article) -> str:
        """Return one line that names the rules, articles and dates behind ``article``.

        Unverified rules are not named; a note that part of the answer is still being checked stands for them.
        """
        wording = self._wording
        shown = [citation for citation in article.citations if citation.confidence is not Confidence.UNVERIFIED]
        entries = [self._entry(tuple(group)) for _, group in groupby(shown, key=_same_text)]
        line = wording.citation.format(entries=wording.entry_separator.join(entries)) if entries else ""
        if not article.needs_legal_check:
            return line
        return wording.entry_separator.join(part for part in (line, wording.pending_check) if part)

    def _entry(self, citations: tuple[Citation, ...]) -> str:
        first, wording = citations[0], self._wording
        if first.confidence is Confidence.REPORTED:
            pattern = wording.entry_issued_reported if first.is_issued else wording.entry_reported
        else:
            pattern = wording.entry_issued if first.is_issued else None
        numbers = [citation.article for citation in citations if citation.article is not None]
        return (pattern or wording.entry).format(
            rule=first.rule,
            articles=wording.article_separator.join(numbers),
            in_force_from=_day(first.in_force_from),
            last_checked=_day(first.last_checked),
        )


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _same_text(citation: Citation) -> tuple[str, date, date, Confidence]:
    return citation.rule, citation.in_force_from, citation.last_checked, citation.confidence


def _read(path: Path, model: type[Model], problems: list[KnowledgeProblem]) -> Model | None:
    """Return the file as ``model``, or add to ``problems`` and return ``None``."""
    try:
        content: object = yaml.safe_load(path.read_text(encoding="utf-8"))
        return model.model_validate(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problems.append(KnowledgeProblem(path.name, "", str(error)))
    except ValidationError as error:
        problems.extend(
            KnowledgeProblem(path.name, ".".join(str(part) for part in detail["loc"]), detail["msg"])
            for detail in error.errors(include_url=False)
        )
    return None
