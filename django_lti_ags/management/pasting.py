"""What a platform has to be told of the tool."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from django_lti_ags.ags.vocabulary import SCOPE_LINE_ITEM, SCOPE_RESULT_READONLY, SCOPE_SCORE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_lti_ags.models import SigningKey

UNKNOWN_TOOL: Final = "https://YOUR-TOOL/lti"


def to_paste(tool_url: str, key: SigningKey | None, hint: str) -> Iterator[str]:
    """Line by line; ``hint`` says where, ``key`` is the one that signs, if there is one yet."""
    tool = tool_url.rstrip("/")
    yield "Paste into the platform:"
    yield f"  Login initiation URL   {tool}/login/"
    yield f"  Redirect URL           {tool}/launch/"
    yield f"  Target link URL        {tool}/launch/"
    yield f"  Public key set URL     {tool}/jwks.json"
    if key is not None:
        yield f"  or the public JWK      {json.dumps(key.public_jwk, sort_keys=True)}"
    yield f"  Scopes                 {SCOPE_LINE_ITEM}"
    yield f"{'':25}{SCOPE_SCORE}"
    yield f"{'':25}{SCOPE_RESULT_READONLY}"
    if hint:
        yield ""
        yield hint
    if tool == UNKNOWN_TOOL:
        yield ""
        yield "--tool-url https://tool.example/lti (where lti_urls() is included) prints the tool's own addresses."
