"""Takes secrets out of what a platform says, in whatever way it writes them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

REDACTED: Final = "[redacted]"
_TELLING: Final = 8
"""So many characters of a secret are not shown; fewer tell nothing."""
_LONGEST_ESCAPE: Final = 6


def redacted(text: str, secrets: Collection[str], *, cut_off: bool = False) -> str:
    """``text`` without ``secrets``; if it was ``cut_off``, also without the beginning of one at its end."""
    for secret in secrets:
        text = _pattern(secret).sub(REDACTED, text)
        if cut_off:
            tail = _pattern(secret[:_TELLING]).search(text, max(0, len(text) - _LONGEST_ESCAPE * len(secret)))
            text = text[: tail.start()] + REDACTED if tail else text
    return text


@lru_cache(maxsize=64)
def _pattern(secret: str) -> re.Pattern[str]:
    # Kept, since a token is looked for in every header of every answer.
    return re.compile("".join(character if character.isalnum() else _escapes(character) for character in secret), re.IGNORECASE)


def _escapes(character: str) -> str:
    """As it is, in JSON (PHP escapes the slash, .NET the plus), in a URL, in HTML."""
    code = ord(character)
    literal = re.escape(character)
    return rf"(?:{literal}|\\{literal}|\\u{code:04x}|%{code:02x}|&#0*{code};|&#x0*{code:x};)"
