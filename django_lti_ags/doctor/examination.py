"""The order in which a registration is examined: each check stands on those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django_lti_ags.doctor import canvas, columns, files, places, tokens
from django_lti_ags.doctor.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django_lti_ags.doctor.findings import Finding
    from django_lti_ags.models import Registration

_CHECKS: Final[tuple[Callable[[Case], Iterator[Finding]], ...]] = (
    places.delivery,
    places.signing_key,
    places.tool_key_set,
    places.platform_key_set,
    tokens.audience,
    tokens.token,
    tokens.scopes,
    columns.columns,
    tokens.clock,
    files.progress,
    canvas.rest_api,
)


def examine(registration: Registration, *, tool_url: str = "") -> Iterator[Finding]:
    """Every finding, as it comes.

    Args:
        registration: the one.
        tool_url: where the tool's LTI addresses are, as platforms see them; with it, the tool's own key set is fetched.
    """
    with Case(registration, tool_url) as case:
        for check in _CHECKS:
            yield from check(case)
