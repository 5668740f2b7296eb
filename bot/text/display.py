"""How days are written for borrowers."""

from datetime import date


def day_text(day: date, today: date) -> str:
    """Return 12月15日, with the year in front when it is not this year's."""
    text = f"{day.month}月{day.day}日"
    return text if day.year == today.year else f"{day.year}年{text}"
