"""``GET /api/idtoken``: the launch that an ltik stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rest_framework.response import Response

from django_lti_ags import launches
from django_lti_ags.api.authentication import LtikAuthentication
from django_lti_ags.api.describing import ONLY_LTIK, described, query
from django_lti_ags.api.errors import ApiError, bad
from django_lti_ags.api.queries import only
from django_lti_ags.api.schemas import AnyIdToken
from django_lti_ags.api.views import ApiView
from django_lti_ags.sync.launch_facts import LONGEST_RAW, LTI_VERSION

if TYPE_CHECKING:
    from rest_framework.request import Request

    from django_lti_ags.models import ApiLaunch

_RAW: Final = query("raw", "The platform's claims as they came.", bool)


class IdTokenView(ApiView):
    """One launch; a service key and an API key alone speak for none."""

    @described("readLaunch", "The launch", {200: (AnyIdToken, "Who came, and to what.")}, parameters=[_RAW], auth=ONLY_LTIK)
    def get(self, request: Request) -> Response:
        """The launch, as LTIAAS shapes it, with the course's service key; with ``raw=true`` the platform's claims as they came."""
        launch = self.caller.launch
        if launch is None:
            raise ApiError(401, LtikAuthentication.message, "A launch is told to whoever shows its ltik: LTIK-AUTH-V2 <api key>:<ltik>.")
        raw = (only(request, "raw") or "false").casefold()
        if raw not in ("true", "false"):
            raise bad({"raw": "must be true or false"})
        if raw == "true":
            return Response(_claims(launch))
        told = dict(launch.told)
        told["services"] = {**told["services"], "serviceKey": launches.service_key(launch.context)}
        return Response(told)


def _claims(launch: ApiLaunch) -> dict[str, Any]:
    claims = launch.claims
    if claims is None:
        raise ApiError(
            404,
            "RAW_ID_TOKEN_NOT_KEPT",
            f"The platform's claims are not kept: they are longer than {LONGEST_RAW} characters, or name somebody who was forgotten. "
            "Ask without raw.",
        )
    return {"ltiVersion": LTI_VERSION, **claims}  # no claim, but by it LTIAAS' own clients know which shape this is
