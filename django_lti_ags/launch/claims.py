"""What an id token must look like before anything is made of it (LTI 1.3, 5.3; Security Framework, 5.1.3).

Pure: no key, no clock, no database. Everything is checked for its type too, since the token's
signature is looked at later, and anybody can post one that is not signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from django_lti_ags.ags import vocabulary
from django_lti_ags.exceptions import MalformedLaunch
from django_lti_ags.launch.reasons import told

LTI_VERSION: Final = "1.3.0"
RESOURCE_LINK_MESSAGE: Final = "LtiResourceLinkRequest"
LONGEST_USER_ID: Final = 255

_LATEST: Final = 253_402_300_799  # the last second of the year 9999

_TEXTS: Final = ("iss", "nonce", "sub", vocabulary.MESSAGE_TYPE_CLAIM, vocabulary.VERSION_CLAIM, vocabulary.DEPLOYMENT_ID_CLAIM)


def check_header(header: Any) -> None:
    """RS256, and a key that is named.

    Raises:
        MalformedLaunch: it is signed otherwise, names no ``kid``, or asks for an extension.
    """
    if not isinstance(header, Mapping):
        raise MalformedLaunch(_("The id token's header must be an object."))
    if header.get("alg") != "RS256":
        raise MalformedLaunch(_("The id token must be signed with RS256 (alg): the platform must sign with its RSA key."))
    if not is_text(header.get("kid")):
        raise MalformedLaunch(
            _("The id token's header names no key (kid): the platform must name the key of its key set that it signed with.")
        )
    if "crit" in header:
        raise MalformedLaunch(_("The id token's header asks for extensions (crit) that LTI 1.3 does not know."))


def check_claims(claims: Any) -> None:
    """Every claim that any launch must have is there, and is of its type.

    Raises:
        MalformedLaunch: one is missing or wrong; the message names it.
    """
    if not isinstance(claims, Mapping):
        raise MalformedLaunch(_("The id token's claims must be an object."))
    for name in _TEXTS:
        if not is_text(claims.get(name)):
            raise MalformedLaunch(told(_("The id token has no usable {name}: the platform must send it, as text."), name=name))
    if len(claims["sub"]) > LONGEST_USER_ID:
        raise MalformedLaunch(
            told(_("The id token's sub is longer than {longest} characters, which LTI 1.3 does not allow."), longest=LONGEST_USER_ID)
        )
    if claims[vocabulary.VERSION_CLAIM] != LTI_VERSION:
        raise MalformedLaunch(
            told(
                _("The id token's LTI version must be {version}: the platform must launch the tool as an LTI 1.3 tool."),
                version=LTI_VERSION,
            )
        )
    for name in ("exp", "iat"):
        _check_time(claims, name)
    if claims.get("nbf") is not None:
        _check_time(claims, "nbf")
    _check_audience(claims)
    _check_message(claims)


def client_id(claims: Mapping[str, Any]) -> str:
    """The tool's client_id in checked claims: the authorised party if there is one, else the only audience."""
    audience = claims["aud"]
    return str(claims.get("azp") or (audience if isinstance(audience, str) else audience[0]))


def is_text(value: Any) -> bool:
    """Whether it is a string that says something and that a database can store."""
    if not isinstance(value, str) or not value.strip():
        return False
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _check_time(claims: Mapping[str, Any], name: str) -> None:
    value = claims.get(name)
    # The range keeps out NaN, infinities, and numbers that no clock can hold.
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= _LATEST:
        raise MalformedLaunch(told(_("The id token has no usable {name}: the platform must send it, as a number of seconds."), name=name))


def _check_audience(claims: Mapping[str, Any]) -> None:
    """OpenID Connect Core, 3.1.3.7: several audiences need an authorised party, and it must be one of them."""
    audience, party = claims.get("aud"), claims.get("azp")
    listed = audience if isinstance(audience, list) else [audience]
    if not listed or not all(is_text(item) for item in listed):
        raise MalformedLaunch(_("The id token's aud must be the tool's client_id, or a list with it."))
    if party is None and len(listed) > 1:
        raise MalformedLaunch(_("The id token has several audiences (aud) and no azp: the platform must say which one it was issued to."))
    if party is not None and party not in listed:
        raise MalformedLaunch(_("The id token's azp is not among its audiences (aud)."))


def _check_message(claims: Mapping[str, Any]) -> None:
    roles = claims.get(vocabulary.ROLES_CLAIM)
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise MalformedLaunch(
            told(_("The id token has no usable {name}: the platform must send a list, if only an empty one."), name=vocabulary.ROLES_CLAIM)
        )
    target = claims.get(vocabulary.TARGET_LINK_URI_CLAIM)
    if target is not None and not isinstance(target, str):
        raise MalformedLaunch(told(_("The id token's {name} must be text."), name=vocabulary.TARGET_LINK_URI_CLAIM))
    link = claims.get(vocabulary.RESOURCE_LINK_CLAIM)
    if link is None and claims[vocabulary.MESSAGE_TYPE_CLAIM] != RESOURCE_LINK_MESSAGE:
        return
    if not isinstance(link, Mapping) or not is_text(link.get("id")):
        raise MalformedLaunch(told(_("The id token has no usable {name} with an id."), name=vocabulary.RESOURCE_LINK_CLAIM))
