"""What of a platform's texts may be read by whoever must not know who the learners are.

User ids stand in bodies, in the addresses of results, in headers that lead to the next page, and in
the platform's sentences. What cannot be told apart is not shown: too little is better than a name.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext

from django_lti_ags.admin.learners import Learner, may_see, pseudonym
from django_lti_ags.ags.redaction import REDACTED, redacted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

_TELLING: Final = ("user", "person", "mail", "login", "learner", "student", "assessor", "comment")
"""A key with one of these in it is about a person."""
_ALSO_TELLING: Final = ("sub", "name", "given_name", "family_name", "picture")
_SHORT: Final = 4
"""So short an id is taken for one only where it stands alone."""
_ADDRESS: Final = re.compile(r"https?://[^\s\"'<>]+")
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


class Concealer:
    """Takes ``people`` out of texts, unless whoever asks may see learners."""

    def __init__(self, request: HttpRequest, people: Sequence[Learner] = ()) -> None:
        self.open = may_see(request)
        self._people = [learner for learner in people if learner.user_id]

    def text(self, text: str) -> str:
        """A sentence of the platform's or of a person's."""
        if self.open or not text:
            return text
        text = _MAIL.sub(REDACTED, _ADDRESS.sub(lambda found: self._known(_path_only(found[0])), text))
        return self._known(text)

    def free(self, text: str) -> str:
        """What somebody wrote to the learner, or about them: all or nothing."""
        return text if self.open or not text else gettext("Not shown: it may name the learner.")

    def address(self, url: str) -> str:
        """A URL: neither what it asks for nor which result it is."""
        return url if self.open else self._known(_path_only(url))

    def value(self, value: Any) -> Any:
        """JSON, whatever is in it."""
        if self.open:
            return value
        if isinstance(value, dict):
            return {self.text(key): self._member(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def body(self, text: str) -> str:
        """A request's or an answer's body: JSON without the people in it; anything else not at all."""
        if self.open or not text:
            return text
        try:
            return json.dumps(self.value(json.loads(text)), ensure_ascii=False)
        except ValueError:
            return gettext("Not shown: it may name learners.")

    def _member(self, key: str, item: Any) -> Any:
        if not _about_a_person(key) or item in (None, ""):
            return self.value(item)
        known = next((pseudonym(learner) for learner in self._people if learner.user_id == item), None)
        return known or REDACTED

    def _known(self, text: str) -> str:
        for learner in self._people:
            text = without(text, learner.user_id)
        return text


def without(text: str, user_id: str, mark: str = REDACTED) -> str:
    """``text`` with ``mark`` in place of a learner's id, or of its beginning where the text was cut off in the middle of it."""
    if len(user_id) < _SHORT:
        return re.sub(rf"(?<!\w){re.escape(user_id)}(?!\w)", lambda _: mark, text) if user_id else text
    return redacted(text, [user_id], cut_off=True, mark=mark)


def _about_a_person(key: str) -> bool:
    lower = key.lower().rpartition("/")[2]
    return lower in _ALSO_TELLING or any(word in lower for word in _TELLING)


def _path_only(url: str) -> str:
    """Without the query, and without the id of a result."""
    path, asked, _ = url.partition("?")
    place, results, which = path.partition("/results")
    if results and which.strip("/"):
        path = f"{place}/results/…"
    return f"{path}?…" if asked else path
