"""What people and files give for identifiers, checked before anything is made of it."""

from __future__ import annotations

from django_lti_ags.sync.launch_claims import storable


def check_identifier(value: str) -> None:
    """Accept what a platform can have shown: it is compared character for character.

    Raises:
        ValueError: what is wrong with it.
    """
    shown = repr(value[:200])
    if not value.strip():
        raise ValueError(f"{shown} is blank: it must be what the platform shows")
    if not storable(value):
        raise ValueError(f"{shown} has a NUL or a lone surrogate in it, which no text may")
    if value != value.strip():
        raise ValueError(f"{shown} has spaces around it, and identifiers are compared character for character")
    if "…" in value:
        raise ValueError(f"{shown} has a … in it, which stands for what the platform shows")
