"""Every error the package raises on purpose, in one tree.

::

    LtiAgsError
    ├── InvalidScore (ValueError)         a score that no platform may be sent
    ├── InvalidLineItem (ValueError)      a line item that no platform may be sent
    ├── InvalidCanvasArgument (ValueError)  an argument that Canvas would refuse
    ├── LaunchRefused                     a launch that cannot be used for grades
    │   ├── UnknownRegistration           no such (issuer, client_id) here
    │   ├── MalformedLaunch               a claim is missing or is not what LTI says
    │   └── NotGranted                    the platform did not grant something
    │       ├── NoAgsClaim                no grades service at all
    │       ├── NoLineItem                no gradebook column for this link
    │       └── MissingScope              the service, but not the scope
    ├── NoCanvasCredential                nothing is stored that Canvas' REST API can be asked with
    ├── UnknownCanvasCourse               nobody has told which course of Canvas it is
    ├── EncryptionError                   a stored secret cannot be read
    ├── WrongDatabase                     called inside another database's transaction
    └── AgsError                          what the wire raises
        ├── ExchangeFailed                no usable answer; carries its exchanges
        │   ├── InvalidAnswer             a success whose body is not what AGS or Canvas says
        │   └── CanvasRefused             Canvas says no; quotes it, and says what to change
        │       ├── CanvasTokenRefused    the token is missing, expired or revoked
        │       ├── CanvasScopeMissing    the developer key does not enforce this scope
        │       ├── CanvasNotAuthorized   the token's user may not do this
        │       ├── CanvasNotFound        no such course, outcome or assessment
        │       ├── CanvasThrottled       too many requests; nothing was done
        │       └── CanvasBadRequest      a parameter or a value is wrong there
        ├── NotStarted                    the time to start had passed; nothing was sent
        └── IncompleteReading             a column's results were not read to their end

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


class InvalidCanvasArgument(_InvalidField):
    """An argument that Canvas' REST API does not document, or would refuse or misread; nothing was sent."""


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


class NoCanvasCredential(LtiAgsError):
    """Canvas' REST API beyond AGS needs a user's token, and none is stored for this registration."""

    def __init__(self, registration: str) -> None:
        self.registration = registration
        super().__init__(
            f"No credential for Canvas' REST API is stored for {registration}: the LTI token is good for AGS only. Store a user's token "
            "or a developer key: manage.py lti_ags_canvas_credential --help, or in the admin under Canvas credentials."
        )


class UnknownCanvasCourse(LtiAgsError):
    """No launch has told which course of Canvas' REST API a Context is, or it is not at the Canvas that would be asked."""


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
    """The platform answered 2xx, but the body is not what AGS 2.0 or Canvas' API says; ``problem`` tells what."""

    def __init__(self, exchanges: Sequence[Exchange], problem: str) -> None:
        super().__init__(exchanges)
        self.problem = problem
        self.args = (f"{self.exchange.summary()}: {problem}",)


class CanvasRefused(ExchangeFailed):
    """Canvas' REST API said no. ``said`` quotes it, without secrets; ``advice`` is a sentence that says what a person can change."""

    def __init__(self, exchanges: Sequence[Exchange], said: str, advice: str) -> None:
        super().__init__(exchanges)
        self.said = said
        self.advice = advice
        quoted = f"Canvas says: “{said}”. " if said else ""
        self.args = (f"{self.exchange.method} {self.exchange.url[:300]} → {self.exchange.status or ''}. {quoted}{advice}",)


class CanvasTokenRefused(CanvasRefused):
    """The access token is missing, expired or revoked, or no new one was given for the refresh token."""


class CanvasScopeMissing(CanvasRefused):
    """The token does not carry the scope of this endpoint; ``scope`` is its name in the developer key."""

    def __init__(self, exchanges: Sequence[Exchange], said: str, scope: str) -> None:
        self.scope = scope
        super().__init__(
            exchanges,
            said,
            f"Let the Canvas administrator add the scope {scope} to the developer key, and the user authorise the tool again: "
            "a token keeps the scopes that it was given.",
        )


class CanvasNotAuthorized(CanvasRefused):
    """The token is good, but its user may not do this in this course."""


class CanvasNotFound(CanvasRefused):
    """The course, the outcome or the assessment does not exist, or not for the token's user."""


class CanvasThrottled(CanvasRefused):
    """Canvas' rate limit; nothing was done, and the same request may be sent again later."""


class CanvasBadRequest(CanvasRefused):
    """A parameter or a value that Canvas does not take: a user who is not in the course, an outcome that is not linked to it."""


class NotStarted(AgsError):
    """The call's ``start_by`` had passed before its request went out; nothing was sent."""


class IncompleteReading(AgsError):
    """A column's results were not read to their end, so nothing was compared; ``read`` learners were.

    Who was not read is not missing: nobody knows. ``__cause__`` is what ended the reading.
    """

    def __init__(self, read: int, problem: AgsError) -> None:
        self.read = read
        self.problem = problem
        super().__init__(
            f"The platform's results could not be read to their end ({read} learners were), so nothing was compared. {problem}"
        )
