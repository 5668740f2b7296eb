"""Making training examples of what borrowers said: nothing that points to a person, and nothing the checks refuse.

Pure. The last word about a text has the person who corrects it: rules cannot know every name.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.text.normalize import normalize_text

LONGEST_EXAMPLE = 120
"""Characters; longer messages hold more than one request and teach neither."""

_UNITS = r"(?:省|市|区|县|镇|乡|村|街道|大道|路|街|巷|弄|小区|花园|号楼|栋|单元|室)"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:https?://|www\.)[^\s\u3000-\u9fff\uff00-\uffef]+", re.IGNORECASE), ""),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*", re.ASCII), ""),
    (re.compile(r"(?<=微信号)[:：]?\s*[A-Za-z][\w-]{4,}|(?<=微信)[:：]\s*[A-Za-z][\w-]{4,}", re.ASCII), ""),
    # An address is at least two places one within the other, or a place with a number.
    (
        re.compile(rf"(?:[\u4e00-\u9fff]{{1,4}}?{_UNITS}(?:\d+号?)?){{2,}}|[\u4e00-\u9fff]{{2,4}}(?:路|街|巷|弄)\d+号"),
        "某地",
    ),
    (
        re.compile(r"(?P<says>我叫|名字叫|名字是|姓名是|姓名[:：]\s?|本人姓名)(?!某某)[\u4e00-\u9fff·]{2,3}"),
        r"\g<says>某某",
    ),
    (re.compile(r"(?<![\u4e00-\u9fff])我是(?P<name>[\u4e00-\u9fff]{2,3})(?=[,，。.!！\s]*$)"), "我是某某"),
    # A sum keeps its unit and its order of size alone; other long numbers name somebody or something.
    (re.compile(r"\d[\d,]{2,}(?:\.\d+)?(?=\s?(?:元|块|圆|万|千|w\b|k\b))", re.IGNORECASE), "\x01"),
    (re.compile(r"(?<!\d)(?:19|20)\d{2}(?=年)"), "\0"),
    (re.compile(r"\d(?:[ \-]?\d){3,}[Xx]?"), ""),
    (re.compile("\0年"), "去年"),
    (re.compile("\x01"), "1000"),
    (re.compile(r"[\[\]{}<>|`]"), ""),
    (re.compile(r"\s+"), " "),
)
_MOST_PASSES = 10
_EDGES = " -:：,，"


class Unteachable(StrEnum):
    """Why a corrected message is left out of the training data."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    KNOWN = "known"
    OTHER_INTENT = "other_intent"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Example:
    """A text with the intent it is to be read as."""

    text: str
    intent: str


@dataclass(frozen=True, slots=True)
class Teaching:
    """What goes into the training data, and what is left out and why."""

    taken: tuple[Example, ...]
    left_out: tuple[tuple[Example, Unteachable], ...]

    def as_yaml(self) -> str:
        """Return the examples as a file for ``data/nlu``, one block for each intent."""
        by_intent: dict[str, list[str]] = defaultdict(list)
        for example in self.taken:
            by_intent[example.intent].append(example.text)
        lines = ['version: "3.1"', "nlu:"]
        for intent, texts in sorted(by_intent.items()):
            lines += [f"  - intent: {intent}", "    examples: |", *(f"      - {text}" for text in texts)]
        return "\n".join(lines) + "\n" if by_intent else 'version: "3.1"\nnlu: []\n'


def anonymise(text: str, names: Iterable[str] = ()) -> str:
    """Return a text without numbers, addresses and names that point to a person; ``names`` are those known to be in it.

    Doing it twice changes nothing more.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isspace() or unicodedata.category(c)[0] != "C")
    for name in sorted(filter(None, names), key=len, reverse=True):
        plain = plain.replace(name, "某某")
    for _ in range(_MOST_PASSES):  # what one rule takes away may bring together what another one looks for
        before = plain
        for pattern, instead in _RULES:
            plain = pattern.sub(instead, plain)
        plain = plain.strip(_EDGES)
        if plain == before:
            break
    return plain


def bare(text: str) -> str:
    """Return what two examples must not share: letters and digits in one spelling."""
    return re.sub(r"[\W_]+", "", normalize_text(text))


def teach(corrected: Sequence[Example], known: Mapping[str, str], measured: Iterable[str]) -> Teaching:
    """Choose what may be taught.

    ``known`` maps the ``bare`` text of each example there is to its intent; ``measured`` are texts that measure the
    model and must not be learned, nor anything very like them.
    """
    taken: list[Example] = []
    left_out: list[tuple[Example, Unteachable]] = []
    seen = dict(known)
    alike = _Measured(measured)
    for example in corrected:
        text = anonymise(example.text)
        key = bare(text)
        if not key:
            why: Unteachable | None = Unteachable.EMPTY
        elif len(text) > LONGEST_EXAMPLE:
            why = Unteachable.TOO_LONG
        elif key in seen:
            why = Unteachable.KNOWN if seen[key] == example.intent else Unteachable.OTHER_INTENT
        else:
            why = Unteachable.MEASURED if alike.holds(key) else None
        if why is not None:
            left_out.append((example, why))
            continue
        seen[key] = example.intent
        taken.append(Example(text, example.intent))
    return Teaching(tuple(taken), tuple(left_out))


class _Measured:
    """Texts that nothing taught may copy: the same, or sharing seven of ten neighbouring pairs of characters."""

    _SHARE = 0.7
    _SHORT = 6

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = {bare(text) for text in texts}
        self._by_pair: dict[str, set[str]] = defaultdict(set)
        for text in self._texts:
            for pair in _pairs(text) if len(text) >= self._SHORT else ():
                self._by_pair[pair].add(text)

    def holds(self, text: str) -> bool:
        if text in self._texts:
            return True
        if len(text) < self._SHORT:
            return False
        own = _pairs(text)
        shared = Counter(other for pair in own for other in self._by_pair.get(pair, ()))
        return any(count / len(own | _pairs(other)) >= self._SHARE for other, count in shared.items())


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}
