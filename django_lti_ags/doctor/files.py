"""Whether Canvas may be asked how far it is with files that were handed in; nothing is said where none was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django_lti_ags.ags.exchange import Exchange
from django_lti_ags.canvas.progress import SCOPE
from django_lti_ags.canvas.submission import EXTENSION
from django_lti_ags.doctor.causes import unanswered
from django_lti_ags.doctor.findings import Finding, Side, ok, skipped, warn
from django_lti_ags.models import OPEN, RESTING, Score, SubmittedFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_lti_ags.doctor.case import Case

_CHECK: Final = "files"
_MOST: Final = 200
"""So many scores that have not arrived are looked at."""
_GRANT: Final = (
    f"Grant {SCOPE} in the developer key, and launch the tool once. Then have the platform asked about the files: "
    "manage.py lti_ags_resync --registration NAME --files."
)


def progress(case: Case) -> Iterator[Finding]:
    """Whether launches and tokens grant the scope."""
    if not (case.profile.takes_submissions and _hands_in_files(case)):
        return
    without = [line_item for line_item in case.line_items if SCOPE not in line_item.scopes]
    if without:
        seen = f"The launch of {without[0].url} did not grant {SCOPE}: nobody can ask whether a file arrived."
        yield warn(_CHECK, seen, _GRANT, Side.PLATFORM)
        return
    if case.credentials is None or case.granted is None:
        yield skipped(_CHECK, "Without a token nobody can ask how far files are.")
        return
    got = case.obtain(case.credentials, frozenset({SCOPE}))
    if isinstance(got, Exchange):
        seen = f"The platform gives no token for {SCOPE}: {got.summary()}"
        yield unanswered(_CHECK, got, only_a_warning=True) or warn(_CHECK, seen, _GRANT, Side.PLATFORM)
    elif SCOPE not in got.scopes:
        yield warn(_CHECK, f"The platform's token does not carry {SCOPE}.", _GRANT, Side.PLATFORM)
    else:
        yield ok(_CHECK, "The platform may be asked how far files are.")


def _hands_in_files(case: Case) -> bool:
    if SubmittedFile.objects.filter(service__registration=case.registration).exists():
        return True
    # Of those that arrived the files have rows.
    others = Score.objects.filter(service__registration=case.registration, state__in=(*OPEN, *RESTING))
    told = (one.get(EXTENSION) for one in others.values_list("extensions", flat=True)[:_MOST] if isinstance(one, dict))
    return any(isinstance(one, dict) and one.get("content_items") for one in told)
