"""The trade-off as a small picture: cash recovered against days of distress caused, one point a negotiator."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT, _EDGE = 560, 360, 56


def picture(points: Mapping[str, tuple[float, float]]) -> str:
    """An SVG of named points: excess days (to the right) and share of cash recovered (up). Up and left is better."""
    most_days = max(days for days, _ in points.values()) * 1.2 or 1
    most_cash = max(cash for _, cash in points.values()) * 1.15 or 1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img"><title>Cash recovered and distress caused, by negotiator</title>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<path d="M{_EDGE},{_EDGE // 2} V{_HEIGHT - _EDGE} H{_WIDTH - _EDGE // 2}" fill="none" stroke="#444"/>',
        f'<text x="{_WIDTH // 2}" y="{_HEIGHT - 14}" text-anchor="middle">excess days with almost nothing put by, '
        f"a deal</text>",
        f'<text transform="translate(16,{_HEIGHT // 2}) rotate(-90)" text-anchor="middle">cash received in two years, '
        f"of what is owed</text>",
    ]
    for tick in range(5):
        days, cash = most_days * tick / 4, most_cash * tick / 4
        x, y = _place(days, cash, most_days, most_cash)
        parts.append(f'<text x="{x:.0f}" y="{_HEIGHT - _EDGE + 16}" text-anchor="middle">{days:.0f}</text>')
        parts.append(f'<text x="{_EDGE - 6}" y="{y + 4:.0f}" text-anchor="end">{cash:.0%}</text>')
    for name, (days, cash) in points.items():
        x, y = _place(days, cash, most_days, most_cash)
        colour = "#0a7d4f" if name == "ours" else "#777"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _place(days: float, cash: float, most_days: float, most_cash: float) -> tuple[float, float]:
    across, up = _WIDTH - 1.5 * _EDGE, _HEIGHT - 1.5 * _EDGE
    return _EDGE + across * days / most_days, _HEIGHT - _EDGE - up * cash / most_cash
