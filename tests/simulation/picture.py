"""What became of simulated talks as a small picture: a line for each persona, with intervals at 95 %."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from tests.simulation.verdict import Share

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 640, 150, 24, 56, 34
_COLOURS = ("#0a7d4f", "#b3541e")


def picture(title: str, names: tuple[str, str], rows: Mapping[str, tuple[Share, Share]]) -> str:
    """An SVG of two shares a row, each a dot with its interval."""
    height, across = _TOP + _ROW * len(rows) + 36, _WIDTH - _LEFT - _RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12" role="img"><title>{escape(title)}</title>',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
    ]
    for place, (name, colour) in enumerate(zip(names, _COLOURS, strict=True)):
        x = _LEFT + place * across / 2
        parts.append(f'<circle cx="{x + 5:.0f}" cy="24" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x + 16:.0f}" y="28">{escape(name)}</text>')
    for tick in range(5):
        x = _LEFT + across * tick / 4
        parts.append(f'<path d="M{x:.0f},{_TOP - 10} V{height - 30}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.0f}" y="{height - 12}" text-anchor="middle">{tick / 4:.0%}</text>')
    for place, (name, shares) in enumerate(rows.items()):
        y = _TOP + _ROW * place + 8
        parts.append(f'<text x="{_LEFT - 14}" y="{y + 8}" text-anchor="end">{escape(name)}</text>')
        for lower, (share, colour) in enumerate(zip(shares, _COLOURS, strict=True)):
            parts += _mark(share, colour, y + 10 * lower, across)
    return "\n".join([*parts, "</svg>", ""])


def _mark(share: Share, colour: str, y: int, across: int) -> list[str]:
    if not share.of:
        return []
    low, high = (_LEFT + across * end for end in share.interval)
    x = _LEFT + across * share.portion
    return [
        f'<path d="M{low:.1f},{y} H{high:.1f}" stroke="{colour}" stroke-width="2"/>',
        f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="{colour}"/>',
    ]
