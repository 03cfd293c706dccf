"""Who learners are, on the pages: a platform's user id is opaque, and a tool may know a name for it.

``LTI_AGS["LEARNER_DISPLAY"]`` names a callable that gets all learners of a page at once and answers
with the names of those it knows::

    def names(learners: Sequence[Learner]) -> Mapping[Learner, str]: ...

Nothing of it is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from django.utils.module_loading import import_string
from django.utils.translation import gettext

from django_lti_ags import conf
from django_lti_ags.models.identity import digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

SEE: Final = "lti_ags.see_learners"
"""The permission to see ids and names."""


class Learner(NamedTuple):
    """A person, as their platform knows them."""

    issuer: str
    user_id: str


def may_see(request: HttpRequest) -> bool:
    """Whether ids and names are shown to whoever asks; otherwise a pseudonym is."""
    return bool(request.user.has_perm(SEE))


def shown(request: HttpRequest, learners: Iterable[Learner]) -> dict[Learner, str]:
    """What a page calls each of ``learners``: the tool's name with the id, the id, or a pseudonym."""
    wanted = list(dict.fromkeys(learners))
    if not may_see(request):
        return {learner: pseudonym(learner) for learner in wanted}
    path = conf.get("learner_display")
    names = import_string(path)(wanted) if path and wanted else {}
    return {learner: f"{names[learner]} ({learner.user_id})" if names.get(learner) else learner.user_id for learner in wanted}


def pseudonym(learner: Learner) -> str:
    """A name that tells learners apart and does not tell who they are."""
    return gettext("Learner %(mark)s") % {"mark": digest(*learner)[:8]}
