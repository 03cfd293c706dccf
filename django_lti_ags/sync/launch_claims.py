"""The claims of a launch that grades need, read once and strictly (LTI 1.3, 5.3–5.4; AGS 2.0, 3.1)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django_lti_ags.ags import vocabulary
from django_lti_ags.ags.urls import check_url
from django_lti_ags.canvas.arguments import check_id
from django_lti_ags.exceptions import InvalidCanvasArgument, MalformedLaunch
from django_lti_ags.sync.canvas_courses import CUSTOM_VARIABLE

_DEEPEST: Final = 20
"""Levels of an extension's JSON; MariaDB takes 32, of which we leave some to the platforms' own nesting."""
_LONGEST_NUMBER_BITS: Final = 1024
"""As far as JSON's usual readers go (RFC 8259, 6)."""
_LONGEST_TEXT: Final = 65_535
"""What is longer is no id and no title; databases take some megabytes in one statement."""
_LONGEST_USER_ID: Final = 255
_MOST_AUDIENCES: Final = 100
"""Each is a parameter of one query, and databases limit those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchClaims:
    """What a launch says of where its grades go."""

    issuer: str
    client_ids: tuple[str, ...]
    """The authorised party first, then the audience."""
    deployment_id: str
    context_id: str = ""
    context_title: str = ""
    context_label: str = ""
    resource_link_id: str = ""
    resource_link_title: str = ""
    product_family: str = ""
    canvas_course_id: str = ""
    """By the custom variable, see ``canvas_courses``; blank: it is not there, or Canvas has not put a number in."""
    has_service: bool = False
    line_item_url: str = ""
    line_items_url: str = ""
    scopes: tuple[str, ...] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stand_in(self) -> str:
        """What tells the course of a launch that names none: what only its own launches have. Blank: it is named, or nothing tells."""
        if self.context_id:
            return ""
        in_canvas = f"{CUSTOM_VARIABLE}={self.canvas_course_id}" if self.canvas_course_id else ""
        return self.line_items_url or self.line_item_url or self.resource_link_id or in_canvas


def read_claims(launch: Any) -> LaunchClaims:
    """The claims of ``launch``: a mapping, or something whose ``get_launch_data()`` gives one.

    Raises:
        MalformedLaunch: a claim is missing, or is not what the standard says; the message names it.
    """
    claims = launch if isinstance(launch, Mapping) else launch.get_launch_data()
    if not isinstance(claims, Mapping):
        raise MalformedLaunch(f"The launch's claims must be a mapping, not {type(claims).__name__}.")
    context = _object(claims, vocabulary.CONTEXT_CLAIM)
    link = _object(claims, vocabulary.RESOURCE_LINK_CLAIM)
    platform = _object(claims, vocabulary.TOOL_PLATFORM_CLAIM)
    return LaunchClaims(
        issuer=_text(claims, "iss", required=True),
        client_ids=_client_ids(claims),
        deployment_id=_text(claims, vocabulary.DEPLOYMENT_ID_CLAIM, required=True),
        context_id=_text(context, "id", within=vocabulary.CONTEXT_CLAIM, required=claims.get(vocabulary.CONTEXT_CLAIM) is not None),
        context_title=_text(context, "title", within=vocabulary.CONTEXT_CLAIM),
        context_label=_text(context, "label", within=vocabulary.CONTEXT_CLAIM),
        resource_link_id=_text(link, "id", within=vocabulary.RESOURCE_LINK_CLAIM),
        resource_link_title=_text(link, "title", within=vocabulary.RESOURCE_LINK_CLAIM),
        product_family=_text(platform, "product_family_code", within=vocabulary.TOOL_PLATFORM_CLAIM),
        canvas_course_id=_canvas_course_id(claims.get(vocabulary.CUSTOM_CLAIM)),
        **_service(claims),
    )


def read_user_id(claims: Mapping[str, Any]) -> str:
    """Who came; blank: nobody is named (LTI 1.3, 5.3.6).

    Raises:
        MalformedLaunch: it is no text, or none that can be kept.
    """
    user_id = _text(claims, "sub")
    if len(user_id) > _LONGEST_USER_ID:
        raise MalformedLaunch(f"The claim sub is longer than {_LONGEST_USER_ID} characters, which LTI 1.3 does not allow.")
    return user_id


def _canvas_course_id(custom: Any) -> str:
    """Custom fields are the tool's own: what is no number there is none, and no reason to refuse the launch."""
    value = custom.get(CUSTOM_VARIABLE) if isinstance(custom, Mapping) else None
    try:
        return check_id(CUSTOM_VARIABLE, value)
    except InvalidCanvasArgument:
        return ""


def _service(claims: Mapping[str, Any]) -> dict[str, Any]:
    if vocabulary.AGS_ENDPOINT_CLAIM not in claims:
        return {}
    name = vocabulary.AGS_ENDPOINT_CLAIM
    endpoint = _object(claims, name)
    if not all(isinstance(key, str) for key in endpoint):
        raise MalformedLaunch(f"The claim {name} has a key that is no string.")
    extensions = {key: value for key, value in endpoint.items() if "://" in key}
    for key, value in extensions.items():
        _check_storable(key, f"{name} → {key}")
        _check_json(value, f"{name} → {key}")
    return {
        "has_service": True,
        "line_item_url": _url(endpoint, "lineitem"),
        "line_items_url": _url(endpoint, "lineitems"),
        "scopes": _scopes(endpoint.get("scope", [])),
        "extensions": extensions,
    }


def _scopes(scopes: Any) -> tuple[str, ...]:
    if isinstance(scopes, str):
        scopes = scopes.split()  # some platforms send OAuth's form
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise MalformedLaunch(f"The claim {vocabulary.AGS_ENDPOINT_CLAIM} must list its scopes as strings, not {_shown(scopes)}.")
    for scope in scopes:
        _check_storable(scope, f"{vocabulary.AGS_ENDPOINT_CLAIM} → scope")
    return tuple(scopes)


def _client_ids(claims: Mapping[str, Any]) -> tuple[str, ...]:
    audience = claims.get("aud")
    listed = [audience] if isinstance(audience, str) else audience
    if not isinstance(listed, list) or not listed or not all(isinstance(item, str) and item for item in listed):
        raise MalformedLaunch(f"The claim aud must be a client_id or a list of them, not {_shown(audience)}.")
    if len(listed) > _MOST_AUDIENCES:
        raise MalformedLaunch(f"The claim aud lists {len(listed)} audiences; {_MOST_AUDIENCES} are read.")
    for item in listed:
        _check_storable(item, "aud")
    party = _text(claims, "azp")
    return (party,) if party else tuple(listed)


def _object(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = claims.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise MalformedLaunch(f"The claim {name} must be an object, not {_shown(value)}.")
    return value


def _text(claims: Mapping[str, Any], name: str, *, within: str = "", required: bool = False) -> str:
    value = claims.get(name)
    shown = f"{within} → {name}" if within else name
    if value is None or value == "":
        if required:
            raise MalformedLaunch(f"The launch has no claim {shown}.")
        return ""
    if not isinstance(value, str):
        raise MalformedLaunch(f"The claim {shown} must be a string, not {_shown(value)}.")
    _check_storable(value, shown)
    if len(value) > _LONGEST_TEXT:
        raise MalformedLaunch(f"The claim {shown} is longer than {_LONGEST_TEXT} characters.")
    return value


def storable(text: str) -> bool:
    """Whether every database takes ``text``: no NUL, and nothing that UTF-8 cannot say."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _check_storable(text: str, name: str) -> None:
    if not storable(text):
        # The name may be what is bad: an extension's own key.
        said = name.encode(errors="backslashreplace").decode().replace("\x00", "\\x00")
        raise MalformedLaunch(f"The claim {said} holds a NUL or a lone surrogate, which no text may.")


def _check_json(value: Any, name: str, level: int = 0) -> None:
    """Accept what JSON can say and every database can store."""
    if level > _DEEPEST:
        raise MalformedLaunch(f"The claim {name} is nested deeper than {_DEEPEST} levels.")
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise MalformedLaunch(f"The claim {name} has a key that is no string.")
            _check_storable(key, name)
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            _check_json(item, name, level + 1)
    elif isinstance(value, str):
        _check_storable(value, name)
    elif isinstance(value, (int, float)):
        _check_number(value, name)
    elif value is not None:
        raise MalformedLaunch(f"The claim {name} holds a {type(value).__name__}, which JSON has not.")


def _check_number(value: float, name: str) -> None:
    if value.bit_length() > _LONGEST_NUMBER_BITS if isinstance(value, int) else not math.isfinite(value):
        raise MalformedLaunch(f"The claim {name} holds a number that JSON has not.")


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.120}"
    except (ValueError, RecursionError):  # an int with more digits than Python writes; a list in a list in a list …
        article = "an" if isinstance(value, int) else "a"
        return f"{article} {type(value).__name__}"


def _url(endpoint: Mapping[str, Any], name: str) -> str:
    url = _text(endpoint, name, within=vocabulary.AGS_ENDPOINT_CLAIM)
    if url:
        try:
            check_url(url)
        except ValueError as problem:
            raise MalformedLaunch(f"The claim {vocabulary.AGS_ENDPOINT_CLAIM} has a {name} that cannot be used: {problem}") from problem
    return url
