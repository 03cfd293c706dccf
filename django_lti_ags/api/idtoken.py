"""``GET /api/idtoken``: the launch that an ltik stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rest_framework.response import Response

from django_lti_ags import launches
from django_lti_ags.api.authentication import LtikAuthentication
from django_lti_ags.api.describing import ONLY_LTIK, described, query
from django_lti_ags.api.errors import ApiError, bad
from django_lti_ags.api.queries import only
from django_lti_ags.api.schemas import IdToken
from django_lti_ags.api.views import ApiView

if TYPE_CHECKING:
    from rest_framework.request import Request

_RAW: Final = query("raw", "LTIAAS' parameter. Only false is possible: the platform's own id token is not kept.")


class IdTokenView(ApiView):
    """One launch; a service key and an API key alone speak for none."""

    @described("readLaunch", "The launch", {200: (IdToken, "Who came, and to what.")}, parameters=[_RAW], auth=ONLY_LTIK)
    def get(self, request: Request) -> Response:
        """The launch, as LTIAAS shapes it, with the course's service key."""
        launch = self.caller.launch
        if launch is None:
            raise ApiError(401, LtikAuthentication.message, "A launch is told to whoever shows its ltik: LTIK-AUTH-V2 <api key>:<ltik>.")
        if (only(request, "raw") or "false") != "false":
            raise bad({"raw": "must be false: the platform's own id token is not kept"})
        told = dict(launch.told)
        told["services"] = {**told["services"], "serviceKey": launches.service_key(launch.context)}
        return Response(told)
