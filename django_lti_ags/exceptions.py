"""Every error the package raises on purpose, in one tree.

::

    LtiAgsError
    ├── InvalidScore (ValueError)         a score that no platform may be sent
    ├── InvalidLineItem (ValueError)      a line item that no platform may be sent
    ├── LaunchRefused                     a launch that cannot be used for grades
    │   ├── UnknownRegistration           no such (issuer, client_id) here
    │   ├── MalformedLaunch               a claim is missing or is not what LTI says
    │   └── NotGranted                    the platform did not grant something
    │       ├── NoAgsClaim                no grades service at all
    │       ├── NoLineItem                no gradebook column for this link
    │       └── MissingScope              the service, but not the scope
    ├── EncryptionError                   a stored secret cannot be read
    ├── WrongDatabase                     called inside another database's transaction
    └── AgsError                          what the wire raises
        ├── ExchangeFailed                no usable answer; carries its exchanges
        │   └── InvalidAnswer             a success whose body is not what AGS says
        └── NotStarted                    the time to start had passed; nothing was sent

Standard library only: ``ags/`` stands on it and knows no Django.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django_lti_ags.ags.exchange import Exchange


class LtiAgsError(Exception):
    """The root: catch it to catch everything this package raises on purpose."""


class _InvalidField(LtiAgsError, ValueError):
    def __init__(self, field: str, value: object, rule: str) -> None:
        """``field`` is the argument's name, ``value`` what was given, ``rule`` what it breaks."""
        self.field = field
        self.value = value
        self.rule = rule
        try:
            shown = repr(value)
        except ValueError:  # an int with more digits than Python writes
            shown = f"<{type(value).__name__}>"
        if len(shown) > 120:
            shown = shown[:117] + "..."
        super().__init__(f"{field}={shown}: {rule}")


class InvalidScore(_InvalidField):
    """A score that AGS 2.0 (section 3.4) does not allow; nothing was stored or sent."""


class InvalidLineItem(_InvalidField):
    """A line item that AGS 2.0 (section 3.2) does not allow; nothing was stored or sent."""


class LaunchRefused(LtiAgsError):
    """A verified launch that cannot be used for grades, and why."""


class UnknownRegistration(LaunchRefused):
    """No registration has this (issuer, client_id)."""

    def __init__(self, issuer: str, client_id: str) -> None:
        self.issuer = issuer
        self.client_id = client_id
        super().__init__(
            f"No registration for issuer {issuer!r} and client_id {client_id!r}. Add it with "
            "`manage.py lti_ags_register`, or take over a pylti1p3 configuration with "
            "`manage.py lti_ags_import --pylti1p3-json FILE`."
        )


class MalformedLaunch(LaunchRefused):
    """A claim is missing, or is not what LTI 1.3 says it is."""


class NotGranted(LaunchRefused):
    """The platform did not grant something that grades need."""


class NoAgsClaim(NotGranted):
    """The launch has no AGS endpoint claim: the platform granted no grades service."""


class NoLineItem(NotGranted):
    """The launch's AGS claim has no ``lineitem``: the platform has no column for this link."""


class MissingScope(NotGranted):
    """The AGS claim is there, but not the scope that the call needs."""

    def __init__(self, scope: str, granted: Sequence[str]) -> None:
        self.scope = scope
        self.granted = tuple(granted)
        listed = ", ".join(self.granted) or "none"
        super().__init__(f"The platform did not grant the scope {scope}. Granted: {listed}.")


class EncryptionError(LtiAgsError):
    """A stored secret cannot be decrypted with ``LTI_AGS["ENCRYPTION_KEYS"]``."""


class WrongDatabase(LtiAgsError):
    """Called inside an ``atomic`` block of another database than the one that holds the outbox."""


class AgsError(LtiAgsError):
    """What the wire raises."""


class ExchangeFailed(AgsError):
    """No usable answer. ``exchange`` is the decisive one, ``exchanges`` all of the call, oldest first."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self.exchanges = tuple(exchanges)
        self.exchange = self.exchanges[-1]
        super().__init__(self.exchange.summary())


class InvalidAnswer(ExchangeFailed):
    """The platform answered 2xx, but the body is not what AGS 2.0 says; ``problem`` tells what."""

    def __init__(self, exchanges: Sequence[Exchange], problem: str) -> None:
        super().__init__(exchanges)
        self.problem = problem
        self.args = (f"{self.exchange.summary()}: {problem}",)


class NotStarted(AgsError):
    """The call's ``start_by`` had passed before its request went out; nothing was sent."""
