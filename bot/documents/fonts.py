"""The Chinese fonts, cut down to the characters of one document.

The font files hold thirty thousand glyphs in every weight; a document needs some hundreds of them in two.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fontTools.varLib import instancer  # type: ignore[import-untyped]

from bot.text.scripts import Script

_FOLDER = Path(str(files("justmytype_intl_cjk"))) / "fonts" / "ofl"
_FILES = {
    Script.HANS: _FOLDER / "notosanssc" / "NotoSansSC[wght].ttf",
    Script.HANT: _FOLDER / "notosanstc" / "NotoSansTC[wght].ttf",
}
_WEIGHTS = {"Regular": 400, "Bold": 700}
_EM = 1000
_NOT_NEEDED = ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "HVAR", "vhea", "vmtx", "prep", "gasp")
"""Tables for shaping, vertical text and screens."""

_ALWAYS = frozenset(map(chr, range(0x20, 0x7F))) | {"¥"}
"""Figures, codes and signs, whatever the document: so that papers that differ in them alone share a cut."""

STAND_IN = "〓"
"""Printed for a character that the font does not have, as printers always did."""


@dataclass(frozen=True, slots=True)
class CutFont:
    """A font with only some characters, as the bytes of a TrueType file, and their widths in thousandths of an em."""

    data: bytes
    advances: Mapping[str, int]

    def width(self, text: str) -> int:
        """Return a text's width in thousandths of an em. Raises ``KeyError`` for a character that was cut away."""
        return sum(self.advances[character] for character in text)


@dataclass(frozen=True, slots=True)
class FontPair:
    """The two weights a document is set in."""

    regular: CutFont
    bold: CutFont


def printable(text: str, script: Script) -> str:
    """Replace what the script's font cannot print by ``STAND_IN``; line breaks stay."""
    known = _known(script)
    return "".join(c if c == "\n" or ord(c) in known else STAND_IN for c in text)


def cut(script: Script, characters: Iterable[str]) -> FontPair:
    """Cut the script's font down to some characters. Equal arguments give equal bytes.

    Raises:
        ValueError: the font lacks one of them; see ``printable``.
        OSError: the font files are not installed.
    """
    wanted = frozenset(characters) - {"\n"}
    if missing := sorted(c for c in wanted if ord(c) not in _known(script)):
        raise ValueError(f"the font lacks {len(missing)} characters, the first is U+{ord(missing[0]):04X}")
    return _cut(script, wanted | _ALWAYS)


@lru_cache(maxsize=32)
def _cut(script: Script, wanted: frozenset[str]) -> FontPair:
    """Kept for a while, for it takes most of a second: papers of one kind need the same characters but for figures."""
    options = subset.Options(layout_features=[], hinting=False, name_IDs=[1, 2, 4, 6], recalc_timestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(wanted)))
    with TTFont(_FILES[script], lazy=True, recalcTimestamp=False) as whole:
        for table in _NOT_NEEDED:  # before anything reads them: they are half the work
            if table in whole:
                del whole[table]
        subsetter.subset(whole)
        reduced = _saved(whole)
    return FontPair(_of_weight(reduced, "Regular"), _of_weight(reduced, "Bold"))


@lru_cache(maxsize=len(Script))
def _known(script: Script) -> frozenset[int]:
    with TTFont(_FILES[script], lazy=True) as font:
        return frozenset(font.getBestCmap())


def _of_weight(variable: bytes, weight: str) -> CutFont:
    with TTFont(io.BytesIO(variable), recalcTimestamp=False) as font:
        instancer.instantiateVariableFont(font, {"wght": _WEIGHTS[weight]}, inplace=True)
        for record in font["name"].names:  # else both weights bear the thinnest one's name, and viewers mix them up
            record.string = record.toUnicode().replace("Thin", weight)
        scale, metrics = font["head"].unitsPerEm, font["hmtx"].metrics
        advances = {chr(code): round(metrics[name][0] * _EM / scale) for code, name in font.getBestCmap().items()}
        return CutFont(_saved(font), advances)


def _saved(font: TTFont) -> bytes:
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()
