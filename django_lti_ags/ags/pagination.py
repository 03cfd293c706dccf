"""The ``Link`` header (RFC 8288) as platforms really write it.

Read leniently: names in any case, several relation types in one value, values without quotes,
commas and semicolons inside quotes and inside ``<…>``, ``&amp;`` for ``&`` and typographic quotes
(both Moodle's). What it names is checked strictly: a page on another origin is never requested.
Reading takes time in proportion to the header, whatever it holds: a server may send megabytes.
"""

from __future__ import annotations

import re
from typing import Final

from django_lti_ags.ags.urls import check_url, origin, resolved

_QUOTES: Final = str.maketrans({"“": '"', "”": '"', "„": '"', "″": '"', "‘": "'", "’": "'"})
_AMPERSAND: Final = re.compile("&(?:amp|#0*38|#x0*26);", re.IGNORECASE)
"""Not html.unescape: it reads names without a semicolon too, and makes ``¶ms=1`` of ``&params=1``."""
_TARGET: Final = re.compile("<([^<>]*)>")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)')
_PARAMETER: Final = re.compile(r"""[\s;]*;\s*([^\s=;,<]+)\s*(?:=\s*("(?:[^"\\]|\\.)*(?:"|\\?$)|'[^']*'|[^\s;,]*))?""")
"""Empty parameters are passed over, and a quote that is not closed ends with the header (RFC 8288, B.3 and B.4)."""


_RELATIONS: Final = frozenset({"next", "prev", "first", "last"})
_OLD_NAMES: Final = {"previous": "prev"}


class ForeignPage(ValueError):
    """The next page is on another origin; the token stays at home."""


def next_url(link_header: str | None, current_url: str) -> str | None:
    """The next page's URL, resolved against ``current_url``; None: this is the last page (AGS 2.0, 3.2.4).

    Raises:
        ForeignPage: it is on another origin, or no URL that can be requested.
    """
    for target, parameters in links(link_header or ""):
        if "next" not in parameters.get("rel", "").casefold().split():
            continue
        return page_url(_AMPERSAND.sub("&", target.strip()), current_url)
    return None


def other_pages(link_header: str | None, current_url: str) -> dict[str, str]:
    """The URLs of the ``next``, ``prev``, ``first`` and ``last`` page, as far as the header names them.

    Raises:
        ForeignPage: the next one must not be requested. Another that must not be is left out.
    """
    found: dict[str, str] = {}
    for target, parameters in links(link_header or ""):
        relations = {_OLD_NAMES.get(name, name) for name in parameters.get("rel", "").casefold().split()}
        for name in sorted(relations & _RELATIONS - set(found)):
            try:
                found[name] = page_url(_AMPERSAND.sub("&", target.strip()), current_url)
            except ForeignPage:
                if name == "next":
                    raise
    return found


def page_url(target: str, current_url: str) -> str:
    """``target``, resolved against ``current_url``, if it is on the same origin.

    Raises:
        ForeignPage: it is not, or no URL that can be requested.
    """
    try:
        url = resolved(target, current_url)
        check_url(url)
        same = origin(url) == origin(current_url)
    except ValueError as problem:
        raise ForeignPage(f"the next page's URL cannot be used: {problem}") from None
    if not same:
        raise ForeignPage(f"the next page is on another origin: {origin(url)}")
    return url


def links(header: str) -> list[tuple[str, dict[str, str]]]:
    """Each link of the header: its target, and its parameters with lower-case names (the first of a name counts)."""
    found = []
    text = _as_written(header).translate(_QUOTES)
    position = 0
    while match := _TARGET.search(text, position):
        parameters: dict[str, str] = {}
        position = match.end()
        while parameter := _PARAMETER.match(text, position):
            parameters.setdefault(parameter[1].casefold(), _unquoted(parameter[2] or ""))
            position = parameter.end()
        found.append((match[1], parameters))
    return found


def _as_written(header: str) -> str:
    """HTTP's headers are read as Latin-1, but platforms write UTF-8: Moodle's quotes would look like ``â\\x80\\x9c``."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def _unquoted(value: str) -> str:
    if value.startswith("'"):
        return value[1:-1]
    quoted = _QUOTED.match(value)
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value
