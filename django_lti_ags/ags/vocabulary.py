"""The words of LTI 1.3, AGS 2.0 and their OAuth 2 profile, as they stand on the wire.

Constants only. Both the client and the simulated platforms read them, so nothing
here may hold behaviour that the two could get wrong together.
"""

from enum import StrEnum
from typing import Final

AGS_ENDPOINT_CLAIM: Final = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
LTI_CLAIM_PREFIX: Final = "https://purl.imsglobal.org/spec/lti/claim/"
DEPLOYMENT_ID_CLAIM: Final = LTI_CLAIM_PREFIX + "deployment_id"
CONTEXT_CLAIM: Final = LTI_CLAIM_PREFIX + "context"
RESOURCE_LINK_CLAIM: Final = LTI_CLAIM_PREFIX + "resource_link"
TOOL_PLATFORM_CLAIM: Final = LTI_CLAIM_PREFIX + "tool_platform"
CUSTOM_CLAIM: Final = LTI_CLAIM_PREFIX + "custom"
MESSAGE_TYPE_CLAIM: Final = LTI_CLAIM_PREFIX + "message_type"
VERSION_CLAIM: Final = LTI_CLAIM_PREFIX + "version"
TARGET_LINK_URI_CLAIM: Final = LTI_CLAIM_PREFIX + "target_link_uri"
ROLES_CLAIM: Final = LTI_CLAIM_PREFIX + "roles"

SCOPE_PREFIX: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/"
SCOPE_LINE_ITEM: Final = SCOPE_PREFIX + "lineitem"
SCOPE_LINE_ITEM_READONLY: Final = SCOPE_PREFIX + "lineitem.readonly"
SCOPE_SCORE: Final = SCOPE_PREFIX + "score"
SCOPE_RESULT_READONLY: Final = SCOPE_PREFIX + "result.readonly"

MEDIA_LINE_ITEM: Final = "application/vnd.ims.lis.v2.lineitem+json"
MEDIA_LINE_ITEM_CONTAINER: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
MEDIA_SCORE: Final = "application/vnd.ims.lis.v1.score+json"
MEDIA_RESULT_CONTAINER: Final = "application/vnd.ims.lis.v2.resultcontainer+json"

GRANT_TYPE: Final = "client_credentials"
CLIENT_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class ActivityProgress(StrEnum):
    """How far the learner is (AGS 2.0, 3.4.7)."""

    INITIALIZED = "Initialized"
    STARTED = "Started"
    IN_PROGRESS = "InProgress"
    SUBMITTED = "Submitted"
    COMPLETED = "Completed"


class GradingProgress(StrEnum):
    """How far the grading is (AGS 2.0, 3.4.8); has nothing to do with the state of our delivery."""

    FULLY_GRADED = "FullyGraded"
    PENDING = "Pending"
    PENDING_MANUAL = "PendingManual"
    FAILED = "Failed"
    NOT_READY = "NotReady"
