"""Pages of a few words without script, for people who come by a link: in their script, framed by nobody."""

from __future__ import annotations

from string import Template

from fastapi.responses import HTMLResponse

from bot.text.scripts import Script

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

_LANGUAGE = {Script.HANS: "zh-Hans", Script.HANT: "zh-Hant"}
_PAGE = Template(
    """<!doctype html>
<html lang="$language"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
:root { color-scheme: light dark; --ink: #1f5f6b; --paper: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #93c9d4; --paper: #1d1b18 } }
body { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1rem; font: 1.125rem/1.7 system-ui, sans-serif }
h1 { font-size: 1.35rem }
a, button, input { display: block; box-sizing: border-box; width: 100%; margin: .6rem 0; padding: .8rem; font: inherit;
  text-align: center; border: 1px solid var(--ink); border-radius: .5rem; background: var(--paper); color: var(--ink);
  text-decoration: none }
a, .first { background: var(--ink); color: var(--paper) }
input { letter-spacing: .15em }
</style></head>
<body><main>
$content
</main></body></html>
"""
)


def plain_page(script: Script, title: str, content: str, status: int = 200) -> HTMLResponse:
    """Put a page together. ``title`` and ``content`` are markup: whatever was said by others is escaped already."""
    return HTMLResponse(_PAGE.substitute(language=_LANGUAGE[script], title=title, content=content), status, HEADERS)
