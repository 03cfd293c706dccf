"""What ``include[]`` brings: under ``linked``, beside the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django_lti_ags.ags.reading import require_object, text_or_none
from django_lti_ags.canvas.outcomes import Outcome, OutcomeAlignment, OutcomeGroup, OutcomeLink, OutcomePath
from django_lti_ags.canvas.reading import identifier, readable, words


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedUser:
    """A learner, with the names that Canvas shows."""

    id: str
    name: str = ""
    display_name: str = ""
    sortable_name: str = ""
    avatar_url: str | None = None

    @classmethod
    def from_json(cls, body: Any) -> LinkedUser:
        """A user as Canvas sent it.

        Raises:
            ValueError: it is no JSON object, or has no id.
        """
        require_object(body, "a user")
        names = {name: words(body, name) for name in ("name", "display_name", "sortable_name")}
        return cls(id=identifier(body, "id", "a user"), avatar_url=text_or_none(body, "avatar_url"), **names)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedCourse:
    """A course, with its name."""

    id: str
    name: str = ""

    @classmethod
    def from_json(cls, body: Any) -> LinkedCourse:
        """A course as Canvas sent it.

        Raises:
            ValueError: it is no JSON object, or has no id.
        """
        require_object(body, "a course")
        return cls(id=identifier(body, "id", "a course"), name=words(body, "name"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What was included, each empty unless it was asked for."""

    outcomes: tuple[Outcome, ...] = ()
    users: tuple[LinkedUser, ...] = ()
    courses: tuple[LinkedCourse, ...] = ()
    outcome_groups: tuple[OutcomeGroup, ...] = ()
    outcome_links: tuple[OutcomeLink, ...] = ()
    outcome_paths: tuple[OutcomePath, ...] = ()
    alignments: tuple[OutcomeAlignment, ...] = ()
    """Of the results."""
    outcome_alignments: tuple[OutcomeAlignment, ...] = ()
    """Of the outcomes: what is under ``outcomes.alignments``."""

    @classmethod
    def from_json(cls, body: Any) -> Linked:
        """What is under ``linked`` in an answer; what cannot be read of it is left out, and so is all that is no object."""
        if not isinstance(body, dict):
            return cls()
        return cls(
            outcomes=readable(body, "outcomes", Outcome.from_json),
            users=readable(body, "users", LinkedUser.from_json),
            courses=readable(body, "courses", LinkedCourse.from_json),
            outcome_groups=readable(body, "outcome_groups", OutcomeGroup.from_json),
            outcome_links=readable(body, "outcome_links", OutcomeLink.from_json),
            outcome_paths=readable(body, "outcome_paths", OutcomePath.from_json),
            alignments=readable(body, "alignments", OutcomeAlignment.from_json),
            outcome_alignments=readable(body, "outcomes.alignments", OutcomeAlignment.from_json),
        )
