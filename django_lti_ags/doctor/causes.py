"""Why there was no usable answer, and who can change that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django_lti_ags.ags.exchange import Failure
from django_lti_ags.doctor.findings import Finding, Side, fail, warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_lti_ags.ags.exchange import Exchange

_CAUSES: Final[Mapping[Failure, tuple[Side, str]]] = {
    Failure.ADDRESS_REFUSED: (
        Side.TOOL,
        (
            "The tool sends nothing to private addresses. Is {host} meant to be on your own network? Then list it in LTI_AGS"
            '["ALLOWED_PRIVATE_HOSTS"]; otherwise correct the address.'
        ),
    ),
    Failure.BAD_URL: (Side.TOOL, "Correct this address: manage.py lti_ags_register --update."),
    Failure.DNS: (
        Side.TOOL,
        "The name {host} is not known to this machine's DNS. Correct the address (lti_ags_register --update), or DNS.",
    ),
    Failure.CONNECT: (
        Side.TOOL,
        "Nobody answers at {host}. Let the tool's machine out to it (firewall, proxy); if that is open, the platform is down.",
    ),
    Failure.TLS: (
        Side.PLATFORM,
        "The certificate of {host} is not trusted: renew it, or serve its whole chain. A private authority: see REQUESTS_CA_BUNDLE.",
    ),
    Failure.NO_ANSWER: (
        Side.PLATFORM,
        '{host} took the request and gave no whole answer within LTI_AGS["SEND_DEADLINE_SECONDS"]. Try again; then look at its load.',
    ),
    Failure.TOO_LARGE: (Side.PLATFORM, "What is served at this address is far too long: it is something else. Correct the address."),
}


def unanswered(check: str, exchange: Exchange, *, only_a_warning: bool = False) -> Finding | None:
    """The finding for an exchange without a usable answer; None: it has one."""
    if exchange.failure is None or exchange.failure not in _CAUSES:
        return None
    side, todo = _CAUSES[exchange.failure]
    found = warn if only_a_warning else fail
    return found(check, exchange.summary(), todo.format(host=urlsplit(exchange.url).hostname or exchange.url), side)
