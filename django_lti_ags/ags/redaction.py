"""Takes secrets out of what a platform says, in the ways that platforms write them.

Searched for are a secret as it is and escaped as in JSON (PHP escapes the slash, .NET the plus), in a
URL or in HTML, up to twice over, in any case. The time grows with the text and the secret, never with
their product: both are made plain first, and then compared literally.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

REDACTED: Final = "[redacted]"
_TELLING: Final = 8
"""So many characters of a secret are not shown; fewer tell nothing."""
_DEEPEST: Final = 2
"""JSON within JSON is common in error reports; deeper wrappings are not."""
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_JSON: Final = r"\\u(?P<json>[0-9a-f]{4})|\\(?P<quoted>.)"
_URL: Final = "%(?P<url>[0-9a-f]{2})"
_HTML: Final = "&#x(?P<hexadecimal>[0-9a-f]{1,8});|&#(?P<decimal>[0-9]{1,8});|&(?P<name>amp|lt|gt|quot|apos);"
_ONE_WAY: Final = [re.compile(way, re.IGNORECASE | re.DOTALL) for way in (_JSON, _URL, _HTML)]
"""Each by itself: a secret that holds a backslash is still itself in HTML."""
_ANY_WAY: Final = re.compile(f"{_JSON}|{_URL}|{_HTML}", re.IGNORECASE | re.DOTALL)
_LAST_CODE: Final = 0x10FFFF
_ASCII_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def redacted(text: str, secrets: Collection[str], *, cut_off: bool = False, mark: str = REDACTED) -> str:
    """``text`` with ``mark`` in place of ``secrets``; if it was ``cut_off``, also of the beginning of one at its end."""
    wanted = [spelling for secret in secrets if secret for spelling in _spellings(secret)]
    spans = [
        (offsets[start], offsets[end])
        for view, offsets in (_views(text) if wanted else ())
        for spelling in wanted
        for start, end in _found(view, spelling, cut_off=cut_off)
    ]
    parts, position = [], 0
    for start, end in sorted(spans):
        if start >= position:
            parts += [text[position:start], mark]
        position = max(position, end)
    return "".join([*parts, text[position:]])


def _spellings(secret: str) -> set[str]:
    """What to look for; a secret that holds an escape itself turns into another one when a text is made plain."""
    plain = {view for view, _ in _views(secret)}
    return {spelling for spelling in plain if len(spelling) >= _TELLING} | {_folded(secret)}


def _found(view: str, spelling: str, *, cut_off: bool) -> Iterator[tuple[int, int]]:
    start = view.find(spelling)
    while start >= 0:
        yield start, start + len(spelling)
        start = view.find(spelling, start + len(spelling))
    if cut_off:
        start = view.find(spelling[:_TELLING], max(0, len(view) - len(spelling)))
        if start >= 0:
            yield start, len(view)


def _views(text: str) -> Iterator[tuple[str, range | list[int]]]:
    """``text`` in lower case as it is, made plain in each way and in all, each with where its characters stand in ``text``."""
    offsets: range | list[int] = range(len(text) + 1)
    yield _folded(text), offsets
    if not any(mark in text for mark in "\\%&"):
        return
    for escape in _ONE_WAY:
        plain, kept = _plain(text, escape)
        yield _folded(plain), kept
    for _ in range(_DEEPEST):
        text, kept = _plain(text, _ANY_WAY)
        offsets = [offsets[position] for position in kept]
        yield _folded(text), offsets


def _plain(text: str, escape_pattern: re.Pattern[str]) -> tuple[str, list[int]]:
    parts: list[str] = []
    offsets: list[int] = []
    position = 0
    for escape in escape_pattern.finditer(text):
        parts += [text[position : escape.start()], _meant(escape)]
        offsets += range(position, escape.start() + 1)
        position = escape.end()
    parts.append(text[position:])
    offsets += range(position, len(text) + 1)
    return "".join(parts), offsets


def _meant(escape: re.Match[str]) -> str:
    kind = escape.lastgroup or ""
    value = escape[kind]
    if kind == "name":
        return _NAMED[value.lower()]
    if kind == "quoted":
        return value
    return chr(min(int(value, 10 if kind == "decimal" else 16), _LAST_CODE))


def _folded(text: str) -> str:
    lower = text.lower()
    return lower if len(lower) == len(text) else text.translate(_ASCII_LOWER)  # some letters have a longer lower case
