"""Canvas' wire beyond AGS, without Django, usable in a plain script: submissions that go with a score, outcome results, live assessments.

The latter two need a user's token.
"""

from django_lti_ags.canvas.calls import Listing, Page
from django_lti_ags.canvas.client import Client
from django_lti_ags.canvas.linked import Linked, LinkedCourse, LinkedUser
from django_lti_ags.canvas.live_assessments import LiveAssessment, LiveAssessmentResult
from django_lti_ags.canvas.outcomes import (
    Outcome,
    OutcomeAlignment,
    OutcomeGroup,
    OutcomeLink,
    OutcomePath,
    OutcomePathPart,
    OutcomeRating,
    OutcomeResult,
)
from django_lti_ags.canvas.progress import Progress
from django_lti_ags.canvas.rollups import (
    ContributingAlignment,
    ContributingScore,
    ContributingScores,
    OutcomeRollup,
    OutcomeRollupLinks,
    OutcomeRollupScore,
)
from django_lti_ags.canvas.scopes import SCOPES
from django_lti_ags.canvas.submission import File, Submission
from django_lti_ags.canvas.tokens import DeveloperKeyToken, TokenSource, UserToken

__all__ = [
    "SCOPES",
    "Client",
    "ContributingAlignment",
    "ContributingScore",
    "ContributingScores",
    "DeveloperKeyToken",
    "File",
    "Linked",
    "LinkedCourse",
    "LinkedUser",
    "Listing",
    "LiveAssessment",
    "LiveAssessmentResult",
    "Outcome",
    "OutcomeAlignment",
    "OutcomeGroup",
    "OutcomeLink",
    "OutcomePath",
    "OutcomePathPart",
    "OutcomeRating",
    "OutcomeResult",
    "OutcomeRollup",
    "OutcomeRollupLinks",
    "OutcomeRollupScore",
    "Page",
    "Progress",
    "Submission",
    "TokenSource",
    "UserToken",
]
