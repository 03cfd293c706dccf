"""What is said of a refusal, made fit for a page and a log.

A reason is lazy: the page says it in the language of whoever launches, the log in English.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from django_lti_ags.exceptions import UnknownRegistration

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

LONGEST: Final = 600
_OF_LIBRARIES: Final = {
    # PyJWT's
    "Signature verification failed": _("Signature verification failed"),
    "Signature has expired": _("Signature has expired"),
    "The token is not yet valid (nbf)": _("The token is not yet valid (nbf)"),
    "The token is not yet valid (iat)": _("The token is not yet valid (iat)"),
    "Audience doesn't match": _("Audience doesn't match"),
    "Invalid issuer": _("Invalid issuer"),
    # PyLTI1p3's and pylti1p3next's
    "Missing id_token": _("Missing id_token"),
    "Invalid id_token, JWT must contain 3 parts": _("Invalid id_token, JWT must contain 3 parts"),
    "Invalid JWT format, can't be decoded": _("Invalid JWT format, can't be decoded"),
    "Missing Resource Link Id": _("Missing Resource Link Id"),
    "Missing Deep Linking Settings": _("Missing Deep Linking Settings"),
    "Missing Deep Linking Return URL": _("Missing Deep Linking Return URL"),
    "Must support resource link placement types": _("Must support resource link placement types"),
    "Must support a presentation type": _("Must support a presentation type"),
}
"""What a launch may be told that went through our own checks before."""


def one_line(text: str) -> str:
    """``text`` in one line of printable characters, whatever a stranger put into it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LONGEST]


def told(text: _StrPromise, **facts: Any) -> Any:
    """``text`` with its ``facts`` for the words in braces."""
    return format_lazy(text, **facts)


def of_library(problem: Exception) -> Any:
    """A library's own words, in the reader's language where they are known."""
    return _OF_LIBRARIES.get(str(problem), str(problem))


def reason_of(problem: Exception) -> str:
    """Why a launch is refused, in one line, in the language that is active."""
    if isinstance(problem, UnknownRegistration):
        text = _(
            "No registration for issuer {issuer} and client_id {client_id}. Add it with `manage.py lti_ags_register`, or take over a "
            "pylti1p3 configuration with `manage.py lti_ags_import --pylti1p3-json FILE`."
        )
        return one_line(str(told(text, issuer=repr(problem.issuer), client_id=repr(problem.client_id))))
    return one_line(str(of_library(problem)))
