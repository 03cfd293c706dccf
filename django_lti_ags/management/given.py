"""What people and files give for identifiers, checked before anything is made of it."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Final

from django_lti_ags.ags.urls import check_url
from django_lti_ags.durations import parse
from django_lti_ags.sync.launch_claims import storable

LONGEST_NAME: Final = 200
"""The column's own limit."""


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


def check_place(url: str) -> None:
    """Accept a URL that others are made from, or that is compared whole, such as an issuer (LTI 1.3, 5.3.1).

    Raises:
        ValueError: what is wrong with it.
    """
    check_url(url)
    if "?" in url or "#" in url:
        raise ValueError(f"{url[:200]!r} must not have a query or a fragment")


def check_name(name: str) -> None:
    """Accept a name for people; blank is none.

    Raises:
        ValueError: what is wrong with it.
    """
    if len(name) > LONGEST_NAME:
        raise ValueError(f"at most {LONGEST_NAME} characters, not {len(name)}")
    if not storable(name):
        raise ValueError(f"{name!r} has a NUL or a lone surrogate in it, which no text may")


def span_seconds(given: str) -> float:
    """A span of time, for an argument's ``type``.

    Raises:
        ArgumentTypeError: it is none; argparse would not say of a ValueError what is wrong.
    """
    try:
        return parse(given)
    except ValueError as problem:
        raise ArgumentTypeError(str(problem)) from None
