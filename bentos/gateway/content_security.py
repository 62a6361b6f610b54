"""Content security policies: one for each HTML page. Other responses may not load anything.

Inline scripts and styles of a page are allowed by hash, so injected scripts do not run. This protects the token that
the page at `/` keeps in the session storage of the browser.
"""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser

POLICY_HEADER = "content-security-policy"
NO_CONTENT = "default-src 'none'; frame-ancestors 'none'"
"""Policy of every response that is not a page."""


def content_security_policy(html: str, *, static_files: bool = False) -> str:
    """The policy of a page: inline scripts and styles by hash, requests to this server, images in data URLs.

    Args:
        html: the page exactly as it is sent.
        static_files: the page also loads scripts, styles and images from this server.
    """
    inline = _InlineScriptsAndStyles()
    inline.feed(html)
    inline.close()
    own = ["'self'"] if static_files else []
    directives = {
        "default-src": ["'none'"],
        "script-src": own + [_csp_hash_source(text) for text in inline.texts["script"]],
        "style-src": own + [_csp_hash_source(text) for text in inline.texts["style"]],
        "img-src": [*own, "data:"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(" ".join((name, *sources)) for name, sources in directives.items() if sources)


class _InlineScriptsAndStyles(HTMLParser):
    """Collects the text of each non-empty `script` and `style` element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)  # these elements contain no character references
        self.texts: dict[str, list[str]] = {"script": [], "style": []}
        self._parts: list[str] = []

    def handle_starttag(self, *_: object) -> None:
        self._parts = []

    def handle_data(self, data: str) -> None:
        self._parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = "".join(self._parts)
        if tag in self.texts and text:
            self.texts[tag].append(text)
        self._parts = []


def _csp_hash_source(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
