"""Where a text names a learner: in JSON, in a URL, in HTML, in the ways that platforms spell an identifier.

An id may be as short as ``5``, which stands everywhere: a short one counts only beside a word for a person.
"""

from __future__ import annotations

import json
import re
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

from django.db.models import Q

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FORGOTTEN: Final = "[forgotten]"
"""What stands instead of what named a forgotten learner."""

_DISTINCTIVE: Final = 8
"""An id of so many characters is itself wherever it stands."""
_PERSON: Final = r"(?:user|learner|student|member|person|sub|sourcedid)\w*\\?[\"']?\s*[:= ]\s*\\?[\"']?"
_PATH: Final = r"(?:/|%2F)(?:results?|users?|members?|people|learners?|students?)(?:/|%2F)"
_BEGIN: Final = r"(?:(?<![\w-])|(?<=%[0-9a-fA-F]{2}))"
_END: Final = r"(?![\w-])(?!\.\w)"


class Mentions:
    """Finds one learner's id in texts."""

    def __init__(self, user_id: str) -> None:
        self._spellings = sorted(_spellings(user_id), key=len, reverse=True)
        some = f"(?:{'|'.join(re.escape(spelling) for spelling in self._spellings)}){_END}"
        begin = _BEGIN if len(user_id) >= _DISTINCTIVE else f"(?P<before>(?i:{_PERSON}|{_PATH}))"
        self._pattern = re.compile(begin + some)

    def candidates(self, fields: Iterable[str]) -> Q:
        """Rows that may name the learner: a superset, which :meth:`named_in` narrows down."""
        return reduce(or_, (Q(**{f"{field}__contains": spelling}) for field in fields for spelling in self._spellings))

    def named_in(self, text: str) -> bool:
        """Whether ``text`` names the learner."""
        return self._pattern.search(text) is not None

    def without(self, text: str) -> str:
        """``text``, with another word in the learner's place."""
        return self._pattern.sub(lambda found: found.groupdict().get("before", "") + FORGOTTEN, text)

    def without_in(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The same for each value of a mapping of texts."""
        return {name: self.without(value) if isinstance(value, str) else value for name, value in values.items()}


def _spellings(user_id: str) -> set[str]:
    """As it is; in JSON (PHP escapes the slash, .NET writes capitals); in a URL."""
    in_json = {json.dumps(user_id)[1:-1], json.dumps(user_id, ensure_ascii=False)[1:-1]}
    in_json |= {re.sub(r"\\u[0-9a-f]{4}", lambda escape: "\\u" + escape[0][2:].upper(), spelling) for spelling in in_json}
    in_json |= {spelling.replace("/", "\\/") for spelling in in_json}
    in_url = {quote(user_id, safe=safe) for safe in ("", "/", ":@/~!$'()*,;")} | {quote_plus(user_id)}
    in_url |= {re.sub(r"%[0-9A-F]{2}", lambda escape: escape[0].lower(), spelling) for spelling in in_url}
    return {user_id} | in_json | in_url
