"""How completely transcripts are found: pairs of characters against words of a dictionary, on the training sentences.

Usage: python bench/search_tokens.py [--questions 2000]

Texts are the examples below ``data/nlu``; questions are runs of two to four Chinese characters cut out of them at
random, as a reviewer types a word seen somewhere. A text ought to be found if it holds the question as written. Printed
for each way of cutting: share of the right texts found, share of the found that are right, tokens for each character,
and microseconds for each text.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import jieba

from bot.desk.fulltext import fold, index_tokens
from bot.nlu_report.training import training_texts
from bot.settings import ROOT

Cut = Callable[[str], Sequence[str]]


def pairs(text: str) -> Sequence[str]:
    return list(index_tokens(text))


def pairs_asked(text: str) -> Sequence[str]:
    return pairs(text)[:-1]


def words(text: str) -> Sequence[str]:
    return [word for word in jieba.lcut(fold(text)) if word.strip()]


def words_and_parts(text: str) -> Sequence[str]:
    return [word for word in jieba.lcut_for_search(fold(text)) if word.strip()]


def in_order(tokens: Sequence[str], asked: Sequence[str]) -> bool:
    return any(list(tokens[at : at + len(asked)]) == list(asked) for at in range(len(tokens) - len(asked) + 1))


def measure(name: str, texts: Sequence[str], questions: Sequence[str], cut: Cut, ask: Cut, ordered: bool) -> None:
    began = time.perf_counter()
    cut_texts = [cut(text) for text in texts]
    each = (time.perf_counter() - began) / len(texts)
    holders: dict[str, set[int]] = defaultdict(set)
    for number, tokens in enumerate(cut_texts):
        for token in tokens:
            holders[token].add(number)
    right = found = both = 0
    folded = [fold(text) for text in texts]
    for question in questions:
        wanted = {number for number, text in enumerate(folded) if question in text}
        asked = ask(question)
        got = set.intersection(*(holders.get(token, set()) for token in asked)) if asked else set()
        if ordered:
            got = {number for number in got if in_order(cut_texts[number], asked)}
        right, found, both = right + len(wanted), found + len(got), both + len(wanted & got)
    characters = sum(map(len, folded))
    tokens_each = sum(map(len, cut_texts)) / characters
    print(
        f"{name:<34} recall {both / right:6.1%}  precision {both / max(found, 1):6.1%}  "
        f"{tokens_each:.2f} tokens a character  {each * 1e6:6.1f} µs a text"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=2000)
    given = parser.parse_args()
    jieba.setLogLevel("ERROR")
    jieba.initialize()
    jieba.load_userdict(str(ROOT / "data" / "jieba" / "desk.txt"))
    draw = Random(8)
    texts = sorted(training_texts())
    questions = []
    while len(questions) < given.questions:
        text, length = fold(draw.choice(texts)), draw.choice((2, 2, 3, 4))
        start = draw.randrange(max(1, len(text) - length + 1))
        piece = text[start : start + length]
        if len(piece) == length and all("\u4e00" <= character <= "\u9fff" for character in piece):
            questions.append(piece)
    print(f"{len(texts)} texts, {len(questions)} questions")
    measure("pairs, one behind the other", texts, questions, pairs, pairs_asked, ordered=True)
    measure("pairs, anywhere", texts, questions, pairs, pairs_asked, ordered=False)
    measure("words (jieba)", texts, questions, words, words, ordered=False)
    measure("words and their parts (jieba)", texts, questions, words_and_parts, words_and_parts, ordered=False)


if __name__ == "__main__":
    main()
