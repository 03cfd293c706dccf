"""How a simulated Canvas' REST API refuses."""

from __future__ import annotations

from collections.abc import Sequence

from django_lti_ags.testing.platforms.http import Refused, Response


def messages(status: int, text: str, *, headers: Sequence[tuple[str, str]] = ()) -> Refused:
    """A refusal as most of Canvas words it."""
    return Refused.by(Response.json({"errors": [{"message": text}]}, status=status, headers=headers))


def rejected(text: str) -> Refused:
    """A refusal as the outcome and live assessment controllers word it."""
    return Refused.by(Response.json({"status": "bad_request", "message": text}, status=400))
