"""A launch as a tool in another language is told it: the shape of LTIAAS' ``GET /api/idtoken`` (docs.ltiaas.com/api/get-idtoken).

What a platform says oddly is left out: no tool should break over a title that is a number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.ags import vocabulary
from django_lti_ags.ags.reading import can_be_kept
from django_lti_ags.sync.launch_claims import storable

if TYPE_CHECKING:
    from django_lti_ags.models import Context
    from django_lti_ags.sync.launch_claims import LaunchClaims

_PERSON: Final = {"email": "email", "name": "name", "givenName": "given_name", "familyName": "family_name"}
_PLATFORM: Final = {
    "name": "name",
    "guid": "guid",
    "productFamilyCode": "product_family_code",
    "version": "version",
    "description": "description",
    "contactEmail": "contact_email",
}
_CONTEXT: Final = {"id": "id", "label": "label", "title": "title"}
_LINK: Final = {"id": "id", "title": "title", "description": "description"}
# LTIAAS' reference spells the target in one way, its guide and its clients in the other.
_PRESENTATION: Final = {
    "locale": "locale",
    "document_target": "document_target",
    "documentTarget": "document_target",
    "returnUrl": "return_url",
}
_NAMES_AND_ROLES: Final = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
_DEEP_LINKING: Final = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
_EARLIER: Final = vocabulary.LTI_CLAIM_PREFIX + "lti1p1"
_EARLIER_SIGNATURE: Final = "oauth_consumer_key_sign"
_LONGEST_TEXT: Final = 65_535
_MOST_TEXTS: Final = 1000
_DEEPEST: Final = 200
LTI_VERSION: Final = "1.3.0"
LONGEST_RAW: Final = 65_536
"""In characters of JSON; a usual launch has some thousands."""


def told_of(raw: Mapping[str, Any], claims: LaunchClaims, context: Context) -> dict[str, Any]:
    """``user``, ``platform``, ``launch`` and ``services`` of a verified launch, all but the service key; JSON that can be stored."""
    registration = context.deployment.registration
    platform = {
        "id": str(registration.uid),
        "url": registration.issuer,
        "clientId": registration.client_id,
        "deploymentId": claims.deployment_id,
        "name": str(registration),
    }
    grades: dict[str, Any] = {"available": claims.has_service}
    if claims.line_item_url:
        grades["lineItemId"] = claims.line_item_url
    return {
        "user": {"id": _text(raw.get("sub")), "roles": _texts(raw.get(vocabulary.ROLES_CLAIM)), **_chosen(raw, _PERSON)},
        "platform": platform | _chosen(raw.get(vocabulary.TOOL_PLATFORM_CLAIM), _PLATFORM),
        "launch": _launch(raw),
        "services": {
            "deepLinking": {"available": _DEEP_LINKING in raw},
            "namesAndRoles": {"available": _NAMES_AND_ROLES in raw},
            "assignmentAndGrades": grades,
            # LTI 1.1's; LTIAAS' own client refuses an answer without it, and without the version.
            "outcomes": {"available": False},
        },
        "ltiVersion": LTI_VERSION,
    }


def _launch(raw: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": _text(raw.get(vocabulary.MESSAGE_TYPE_CLAIM)),
        "target": _text(raw.get(vocabulary.TARGET_LINK_URI_CLAIM)),
    }
    context = raw.get(vocabulary.CONTEXT_CLAIM)
    if isinstance(context, Mapping):
        told["context"] = _chosen(context, _CONTEXT) | {"type": _texts(context.get("type"))}
    if isinstance(raw.get(vocabulary.RESOURCE_LINK_CLAIM), Mapping):
        told["resourceLink"] = _chosen(raw[vocabulary.RESOURCE_LINK_CLAIM], _LINK)
    presentation = raw.get(vocabulary.LTI_CLAIM_PREFIX + "launch_presentation")
    if isinstance(presentation, Mapping):
        sizes = {name: presentation[name] for name in ("width", "height") if type(presentation.get(name)) is int}
        told["presentation"] = _chosen(presentation, _PRESENTATION) | sizes
    custom = raw.get(vocabulary.CUSTOM_CLAIM)
    told["custom"] = dict(custom) if isinstance(custom, Mapping) and can_be_kept(custom) else {}
    return told


def _chosen(source: Any, names: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(source, Mapping):
        return {}
    found = {ours: _text(source.get(theirs)) for ours, theirs in names.items()}
    return {name: text for name, text in found.items() if text}


def raw_of(raw: Mapping[str, Any]) -> str:
    """All claims of a verified launch as JSON, for a tool that asks for them as they came; blank: they are too much to keep, or no JSON.

    Left out is what LTI 1.1's shared secret signed: it is there for whoever verifies the launch, and that was done.
    """
    claims = dict(raw)
    earlier = claims.get(_EARLIER)
    if isinstance(earlier, Mapping):
        claims[_EARLIER] = {name: value for name, value in earlier.items() if name != _EARLIER_SIGNATURE}
    try:
        told = json.dumps(claims, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return ""
    return told if len(told) <= LONGEST_RAW and not _is_deep(claims) else ""


def _is_deep(value: Any, room: int = _DEEPEST) -> bool:
    """Whether reading it again may take more levels than Python has."""
    if isinstance(value, (dict, list, tuple)):
        inner = value.values() if isinstance(value, dict) else value
        return room == 0 or any(_is_deep(one, room - 1) for one in inner)
    return False


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_TEXT and storable(value) else ""


def _texts(values: Any) -> list[str]:
    return [value for value in values if _text(value)][:_MOST_TEXTS] if isinstance(values, list) else []
