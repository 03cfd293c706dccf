"""What the tool says of one learner in one column, as the row that is sent keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.models.identity import digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NEWEST: Final = "newest"
"""A newer submission takes the place of one that waits."""
EVERY: Final = "every"
"""Each submission is delivered."""
KEEPS: Final = (NEWEST, EVERY)

TIMES: Final = ("started_at", "submitted_at")
WIRE_FIELDS: Final = (
    "score_given",
    "score_maximum",
    "activity_progress",
    "grading_progress",
    "comment",
    *TIMES,
    "scoring_user_id",
    "extensions",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the tool says of one learner in one column: every field of the wire but the timestamp."""

    user_id: str
    score_given: float | None
    score_maximum: float | None
    activity_progress: str
    grading_progress: str
    comment: str
    started_at: datetime | None
    submitted_at: datetime | None
    scoring_user_id: str
    extensions: Mapping[str, Any] = field(default_factory=dict)
    keep: str = NEWEST
    """One of :data:`KEEPS`: what becomes of the submission that it brings, if a newer one overtakes it."""

    @property
    def user_digest(self) -> str:
        """What the learner's row is found by."""
        return digest(self.user_id)

    @property
    def keeps(self) -> bool:
        """Whether its submission is delivered even if a newer one overtakes it."""
        return self.keep == EVERY

    def wire_values(self) -> dict[str, Any]:
        """The fields as a row keeps them: times in UTC, extensions as JSON gives them back."""
        values = {name: getattr(self, name) for name in WIRE_FIELDS}
        values["extensions"] = json.loads(json.dumps(dict(self.extensions)))
        for name in TIMES:
            values[name] = None if values[name] is None else values[name].astimezone(UTC)
        return values
