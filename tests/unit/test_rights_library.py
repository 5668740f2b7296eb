"""The rights library: what its files may contain, and which article it returns."""

import re
import typing
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.lending.contract import ProductKind
from bot.rights.article import SHORT_ANSWER_MAX_CHARACTERS, Article, Confidence, Product
from bot.rights.library import KnowledgeError, RightsLibrary
from bot.text.scripts import to_simplified

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "data" / "rights"
TODAY = date(2026, 11, 21)
TOPICS = {
    "overview",
    "credit_report",
    "legal_action",
    "enforcement",
    "home_visit",
    "collection_conduct",
    "third_party_contact",
    "interest_cap",
    "statute_of_limitations",
    "family_liability",
    "outsourcing",
    "installment_law",
    "personal_data",
    "bankruptcy",
    "anti_fraud",
    "financial_education",
}
LIBRARY = RightsLibrary.load(FOLDER)
ARTICLES = [pytest.param(article, id=article.id) for article in LIBRARY.articles()]


def citation_data(**changes: object) -> dict[str, object]:
    return {
        "rule": "《某法》",
        "article": "第7条",
        "in_force_from": date(2020, 1, 1),
        "in_force_to": None,
        "source": "example.invalid",
        "last_checked": date(2026, 1, 2),
        "confidence": "A",
    } | changes


def article_data(**changes: object) -> dict[str, object]:
    return {
        "id": "overview.first",
        "topic": "overview",
        "question": "问题",
        "question_forms": ["问法一", "问法二", "问法三"],
        "short_answer": "回答。",
        "longer_answer": ["说明。"],
        "does_not_mean": "不等于。",
        "products": "all",
        "citations": [citation_data()],
        "next_step": "回复“人工”。",
        "related_actions": ["request_human"],
    } | changes


WORDING = {
    "citation": "依据：{entries}",
    "entry": "{rule}{articles}（{in_force_from}起，{last_checked}核对）",
    "entry_reported": "{rule}{articles}（{in_force_from}起，据报道）",
    "entry_separator": "；",
    "article_separator": "、",
    "pending_check": "部分待核对",
}


def write(folder: Path, files: Mapping[str, object], wording: Mapping[str, str] = WORDING) -> Path:
    for name, content in ({"_wording.yml": wording} | dict(files)).items():
        text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def library_of(folder: Path, *articles: dict[str, object]) -> RightsLibrary:
    return RightsLibrary.load(write(folder, {"overview.yml": {"articles": list(articles)}}))


def places_refused(folder: Path) -> set[tuple[str, str]]:
    with pytest.raises(KnowledgeError) as caught:
        RightsLibrary.load(folder)
    for problem in caught.value.problems:
        assert f"{problem.file}: {problem.field}" in str(caught.value)
    return {(problem.file, problem.field) for problem in caught.value.problems}


def texts_of(article: Article) -> tuple[str, ...]:
    return (
        article.question,
        *article.question_forms,
        article.short_answer,
        *article.longer_answer,
        article.does_not_mean,
        article.next_step,
    )


def folded(text: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text)).lower()


def red_phrases() -> list[str]:
    content = yaml.safe_load((FOLDER / "_red_list.yml").read_text(encoding="utf-8"))
    return [entry["phrase"] for entry in content["phrases"]]


def red_phrases_in(texts: tuple[str, ...]) -> list[str]:
    return [phrase for phrase in red_phrases() for text in texts if folded(phrase) in folded(text)]


# --- the files as they are ---------------------------------------------------------------------------------------


def test_every_topic_of_the_intent_list_has_an_article_and_there_are_no_others() -> None:
    assert set(LIBRARY.topics()) == TOPICS


def test_every_rights_intent_the_assistant_can_read_has_a_topic() -> None:
    files = (yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / "data" / "nlu" / "rights").glob("*.yml"))
    assert {entry["intent"] for file in files for entry in file["nlu"]} == {f"rights/{topic}" for topic in TOPICS}


@pytest.mark.parametrize("product", [None, *ProductKind])
@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_every_topic_is_answered_today_for_every_product(topic: str, product: str | None) -> None:
    assert LIBRARY.answer(topic, TODAY, product) is not None


def test_products_of_articles_are_the_products_of_lending() -> None:
    assert set(typing.get_args(Product)) == {kind.value for kind in ProductKind}


@pytest.mark.parametrize("article", ARTICLES)
def test_every_citation_is_in_force_and_checked_within_a_year(article: Article) -> None:
    assert article.citations
    for citation in article.citations:
        assert citation.in_force(TODAY), citation
        assert timedelta(0) <= TODAY - citation.last_checked <= timedelta(days=365), citation


@pytest.mark.parametrize("article", ARTICLES)
def test_unverified_citations_show_no_article_and_mark_the_answer_for_review(article: Article) -> None:
    unverified = [citation for citation in article.citations if citation.confidence is Confidence.UNVERIFIED]
    assert [citation.article for citation in unverified] == [None] * len(unverified)
    assert article.needs_legal_check == bool(unverified)


@pytest.mark.parametrize("article", ARTICLES)
def test_no_article_number_stands_in_the_prose_where_its_confidence_cannot_be_seen(article: Article) -> None:
    assert not [text for text in texts_of(article) if re.search(r"第\s*[\d一二三四五六七八九十百千]+\s*条", text)]


@pytest.mark.parametrize("article", ARTICLES)
def test_every_text_is_in_simplified_script(article: Article) -> None:
    assert [text for text in texts_of(article) if to_simplified(text) != text] == []


@pytest.mark.parametrize("article", ARTICLES)
def test_the_next_step_says_what_to_reply_or_whom_to_call(article: Article) -> None:
    assert re.search(r"“[^”]+”|\b\d{3,5}\b", article.next_step, re.ASCII)


@pytest.mark.parametrize("article", ARTICLES)
def test_no_article_says_what_must_never_be_said(article: Article) -> None:
    assert red_phrases_in(texts_of(article)) == []


def test_red_list_covers_every_forbidden_kind_and_sees_through_punctuation() -> None:
    content = yaml.safe_load((FOLDER / "_red_list.yml").read_text(encoding="utf-8"))
    assert {entry["section"] for entry in content["phrases"]} == set(range(1, 19))
    assert red_phrases_in(("放心，超过 24%，就不用还。",)) == ["超过24%就不用还"]


def test_question_wordings_lead_to_one_article_only() -> None:
    seen: dict[str, str] = {}
    for article in LIBRARY.articles():
        for form in (article.question, *article.question_forms):
            assert seen.setdefault(folded(form), article.id) == article.id


# --- choosing an article -----------------------------------------------------------------------------------------


def test_an_answer_holds_from_the_first_to_the_last_day_of_its_rule(tmp_path: Path) -> None:
    span = citation_data(in_force_from=date(2026, 8, 1), in_force_to=date(2026, 8, 31))
    library = library_of(tmp_path, article_data(citations=[citation_data(), span]))

    def answered(on: date) -> bool:
        return library.answer("overview", on, None) is not None

    assert not answered(date(2026, 7, 31))
    assert answered(date(2026, 8, 1))
    assert answered(date(2026, 8, 31))
    assert not answered(date(2026, 9, 1))


def test_what_is_written_for_the_product_comes_before_what_holds_for_all(tmp_path: Path) -> None:
    library = library_of(
        tmp_path,
        article_data(id="overview.general"),
        article_data(id="overview.card", products=["credit_card"]),
    )
    assert [a.id for a in library.answers("overview", TODAY, "credit_card")] == ["overview.card", "overview.general"]
    assert [a.id for a in library.answers("overview", TODAY, "small_loan")] == ["overview.general"]


def test_an_unknown_product_gets_only_general_answers(tmp_path: Path) -> None:
    library = library_of(
        tmp_path,
        article_data(id="overview.card", products=["credit_card"]),
        article_data(id="overview.general"),
    )
    for product in (None, "mortgage", "all", ""):
        assert [a.id for a in library.answers("overview", TODAY, product)] == ["overview.general"]


def test_an_unknown_topic_has_no_answer() -> None:
    assert LIBRARY.answer("weather", TODAY, None) is None


def test_card_rule_on_instalments_is_shown_to_card_holders_only() -> None:
    def rules(product: str) -> set[str]:
        article = LIBRARY.answer("installment_law", TODAY, product)
        assert article is not None
        return {citation.rule for citation in article.citations}

    card_rule = "《商业银行信用卡业务监督管理办法》"
    assert card_rule in rules("credit_card")
    assert all(card_rule not in rules(kind) for kind in ProductKind if kind is not ProductKind.CREDIT_CARD)


@given(
    topic=st.sampled_from(sorted(TOPICS)),
    on=st.dates(date(2000, 1, 1), date(2040, 12, 31)),
    product=st.sampled_from([None, "mortgage", *ProductKind]),
)
def test_whatever_is_answered_is_on_topic_in_force_and_for_the_product(
    topic: str, on: date, product: str | None
) -> None:
    for article in LIBRARY.answers(topic, on, product):
        assert article.topic == topic
        assert article.products == "all" or product in article.products
        assert all(citation.in_force_from <= on for citation in article.citations)


def test_articles_are_due_for_review_after_the_given_age(tmp_path: Path) -> None:
    library = library_of(tmp_path, article_data(citations=[citation_data(last_checked=date(2026, 1, 2))]))
    year = timedelta(days=365)
    assert library.checked_before(date(2027, 1, 2), year) == ()
    assert [article.id for article in library.checked_before(date(2027, 1, 3), year)] == ["overview.first"]


# --- citations ---------------------------------------------------------------------------------------------------


def test_short_citation_names_rule_article_and_dates() -> None:
    article = LIBRARY.answer("family_liability", TODAY, None)
    assert article is not None
    assert LIBRARY.short_citation(article) == "依据：《民法典》第1064条（2021年1月1日起施行，2026年11月21日核对）"


def test_short_citation_says_of_a_rule_that_was_only_reported_that_nobody_checked_its_text() -> None:
    for article in LIBRARY.articles():
        reported = [citation for citation in article.citations if citation.confidence is Confidence.REPORTED]
        assert ("据公开报道" in LIBRARY.short_citation(article)) == bool(reported), article.id


def test_short_citation_says_when_a_warning_was_issued() -> None:
    warned = LIBRARY.article("anti_fraud.paid_agents")
    assert warned is not None
    line = LIBRARY.short_citation(warned)
    assert "关于代理维权的风险提示（2026年2月6日发布；据公开报道，原文未核对）" in line


def test_patterns_of_an_earlier_day_are_still_read(tmp_path: Path) -> None:
    earlier = {name: text for name, text in WORDING.items() if name != "entry_reported"}
    write(tmp_path, {"overview.yml": {"articles": [article_data(citations=[citation_data(confidence="B")])]}}, earlier)
    library = RightsLibrary.load(tmp_path)
    assert library.short_citation(library.articles()[0]) == "依据：《某法》第7条（2020年1月1日起，2026年1月2日核对）"


def test_short_citation_joins_articles_of_one_rule_and_separates_rules(tmp_path: Path) -> None:
    citations = [
        citation_data(article="第7条"),
        citation_data(article="第8条"),
        citation_data(rule="某指引", article=None, confidence="B"),
    ]
    library = library_of(tmp_path, article_data(citations=citations))
    assert library.short_citation(library.articles()[0]) == (
        "依据：《某法》第7条、第8条（2020年1月1日起，2026年1月2日核对）；某指引（2020年1月1日起，据报道）"
    )


def test_short_citation_does_not_name_an_unverified_rule(tmp_path: Path) -> None:
    unverified = citation_data(rule="某规定", article=None, confidence="U")
    library = library_of(
        tmp_path,
        article_data(id="overview.some", citations=[citation_data(), unverified], needs_legal_check=True),
        article_data(id="overview.none", citations=[unverified], needs_legal_check=True),
    )
    some, none = library.articles()
    assert library.short_citation(some) == "依据：《某法》第7条（2020年1月1日起，2026年1月2日核对）；部分待核对"
    assert library.short_citation(none) == "部分待核对"


# --- what is refused, and where it says the fault lies -----------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"short_answer": "长" * (SHORT_ANSWER_MAX_CHARACTERS + 1)}, "short_answer"),
        ({"question_forms": ["一", "二"]}, "question_forms"),
        ({"question_forms": [f"问法{n}" for n in range(17)]}, "question_forms"),
        ({"longer_answer": []}, "longer_answer"),
        ({"longer_answer": ["好", " "]}, "longer_answer.1"),
        ({"does_not_mean": ""}, "does_not_mean"),
        ({"next_step": None}, "next_step"),
        ({"citations": []}, "citations"),
        ({"citations": [citation_data(article="某条")]}, "citations.0.article"),
        ({"citations": [citation_data(last_checked="yesterday")]}, "citations.0.last_checked"),
        ({"citations": [citation_data(confidence="C")]}, "citations.0.confidence"),
        ({"citations": [citation_data(confidence="U")], "needs_legal_check": True}, "citations.0"),
        ({"citations": [citation_data(in_force_to=date(2019, 12, 31))]}, "citations.0"),
        ({"related_actions": ["promise_to_pay"]}, "related_actions.0"),
        ({"shrot_answer": "错字"}, "shrot_answer"),
        ({"needs_legal_check": True}, ""),
        ({"citations": [citation_data(article=None, confidence="U")]}, ""),
        ({"id": "credit_report.first"}, ""),
    ],
)
def test_an_ill_formed_article_is_refused_with_file_and_field(
    tmp_path: Path, changes: dict[str, object], field: str
) -> None:
    write(tmp_path, {"overview.yml": {"articles": [article_data(**changes)]}})
    assert places_refused(tmp_path) == {("overview.yml", f"articles.0.{field}".rstrip("."))}


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    article = article_data()
    del article["next_step"]
    write(tmp_path, {"overview.yml": {"articles": [article]}})
    assert places_refused(tmp_path) == {("overview.yml", "articles.0.next_step")}


def test_an_unknown_product_in_a_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"overview.yml": {"articles": [article_data(), article_data(id="overview.x", products=["car"])]}})
    assert all(
        file == "overview.yml" and field.startswith("articles.1.products") for file, field in places_refused(tmp_path)
    )


def test_a_topic_without_a_general_article_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"overview.yml": {"articles": [article_data(products=["credit_card"])]}})
    assert places_refused(tmp_path) == {("overview.yml", "articles")}


def test_a_topic_other_than_the_file_name_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"bankruptcy.yml": {"articles": [article_data()]}})
    assert places_refused(tmp_path) == {("bankruptcy.yml", "articles.0.topic")}


def test_an_id_used_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"overview.yml": {"articles": [article_data(), article_data()]}})
    assert places_refused(tmp_path) == {("overview.yml", "articles.1.id")}


def test_problems_of_all_files_are_reported_together(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "overview.yml": {"articles": [article_data(question="")]},
            "bankruptcy.yml": "articles: [",
            "anti_fraud.yml": "",
        },
    )
    assert places_refused(tmp_path) == {
        ("overview.yml", "articles.0.question"),
        ("bankruptcy.yml", ""),
        ("anti_fraud.yml", ""),
    }


def test_a_folder_without_articles_or_wording_is_refused(tmp_path: Path) -> None:
    assert {file for file, _ in places_refused(tmp_path)} == {"_wording.yml", tmp_path.name}


@pytest.mark.parametrize("entry", ["{rule}", "{rule}{articles}{in_force_from}{last_check}", "{rule"])
def test_a_citation_pattern_with_wrong_placeholders_is_refused(tmp_path: Path, entry: str) -> None:
    write(tmp_path, {"overview.yml": {"articles": [article_data()]}}, WORDING | {"entry": entry})
    assert places_refused(tmp_path) == {("_wording.yml", "entry")}


def test_files_that_start_with_an_underscore_hold_no_articles(tmp_path: Path) -> None:
    write(tmp_path, {"_notes.yml": "anything", "overview.yml": {"articles": [article_data()]}})
    assert RightsLibrary.load(tmp_path).topics() == ("overview",)
