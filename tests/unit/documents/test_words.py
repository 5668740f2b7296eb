"""The words of documents: every name that the code uses is there, in both scripts, and breaks no rule of speech."""

from __future__ import annotations

import ast
from pathlib import Path
from string import Template

import pytest
from paper_builders import HANS, HANT, WORDS

from bot.documents.words import DocumentWords, DocumentWordsError
from bot.lending.balances import Component
from bot.lending.ledger import EntryKind
from bot.services.document_store import DocumentKind

ROOT = Path(__file__).parents[3]
CODE = [
    *sorted((ROOT / "bot/documents").glob("*.py")),
    ROOT / "bot/services/document_store.py",
    ROOT / "bot/channels/web.py",
]
BUILT = {
    *(f"component_{component.value}" for component in Component),
    *(f"kind_{kind.value}" for kind in EntryKind),
    *(f"name_{kind.value}" for kind in DocumentKind),
    *(f"file_{kind.value}" for kind in DocumentKind),
}
DEBT_WORDS = ("债", "欠", "贷", "逾期", "催", "还款", "罚")


def named_in(path: Path) -> set[str]:
    """Return the constant first arguments of every call of ``say``."""
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    said = [
        call.args[0] for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "say" and call.args
    ]
    return {arg.value for arg in said if isinstance(arg, ast.Constant)}


def test_exactly_the_words_that_the_code_names_exist() -> None:
    named = set().union(*(named_in(path) for path in CODE)) | BUILT
    assert set(WORDS.texts) == named


def test_every_text_can_be_said_in_both_scripts() -> None:
    for name, text in WORDS.texts.items():
        values = dict.fromkeys(Template(text).get_identifiers(), "1")
        assert HANS.say(name, **values)
        assert HANT.say(name, **values)
    assert HANT.say("agreement_schedule") == "還款日和金額"


@pytest.mark.parametrize("kind", DocumentKind)
def test_a_file_name_gives_no_debt_away(kind: DocumentKind) -> None:
    name = HANS.say(f"file_{kind.value}", number="XY1")
    assert not [word for word in DEBT_WORDS if word in name]
    endings = {"image/png": ".png", "application/pdf": ".pdf", "application/json": ".json"}
    assert name.endswith(endings[kind.media_type])


def test_a_missing_name_or_value_is_said_so() -> None:
    with pytest.raises(DocumentWordsError, match="nothing_like_it"):
        HANS.say("nothing_like_it")
    with pytest.raises(DocumentWordsError, match="pages"):
        HANS.say("page", page="1")


def test_what_the_font_lacks_is_printed_as_a_stand_in() -> None:
    assert HANS.keep("王\U0002a6d6\U000e0041") in ("王〓〓", "王\U0002a6d6〓")
    assert HANS.keep("王小明\n李") == "王小明\n李"


def test_a_name_is_not_converted() -> None:
    assert HANT.keep("万里云") == "万里云"
    assert HANT.convert("万里云") == "萬里雲"


@pytest.mark.parametrize("content", ["- a list", "name: [1]", "name: $1", "a: {", "1: text"])
def test_a_broken_file_of_words_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "documents.yml"
    path.write_text(content, "utf-8")
    with pytest.raises(DocumentWordsError, match=r"documents\.yml"):
        DocumentWords.load(path)
