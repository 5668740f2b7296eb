"""Bars for the reports: drawn on the server, readable without seeing them."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 480, 150
_TOP, _FOOT = 22, 22


def bars(key: str, title: str, labels: Sequence[str], values: Sequence[int | None], unit: str = "") -> Markup:
    """Draw one bar for each label; None is a gap that says so. ``key`` keeps ids on a page apart.

    The picture's name is its title, and its description says every value in words.
    """
    most = max((value for value in values if value is not None), default=0) or 1
    step = _WIDTH / max(len(values), 1)
    room = _HEIGHT - _TOP - _FOOT
    said = "；".join(f"{label} {_said(value, unit)}" for label, value in zip(labels, values, strict=True))
    name = escape(key)
    parts = [
        f'<svg class="bars" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="{name}-t {name}-d">',
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(said)}</desc>',
    ]
    for place, (label, value) in enumerate(zip(labels, values, strict=True)):
        left, middle = place * step + step * 0.2, place * step + step / 2
        high = room * (value or 0) / most
        top = _TOP + room - high
        if value is not None:
            parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" width="{step * 0.6:.1f}" height="{high:.1f}"/>')
        parts.append(f'<text x="{middle:.1f}" y="{top - 5:.1f}">{escape(_shown(value, unit))}</text>')
        parts.append(f'<text class="week" x="{middle:.1f}" y="{_HEIGHT - 6}">{escape(label)}</text>')
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704  # every text in it has been escaped above


def _shown(value: int | None, unit: str) -> str:
    return "–" if value is None else f"{value}{unit}"


def _said(value: int | None, unit: str) -> str:
    return "没有" if value is None else f"{value}{unit}"
