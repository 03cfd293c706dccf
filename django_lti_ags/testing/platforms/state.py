"""What a platform holds: courses, people, columns, scores."""

from __future__ import annotations

import itertools
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any


@dataclass(slots=True, kw_only=True)
class User:
    """A person. ``id`` is the LTI ``sub``; ``login`` is what they log in with."""

    id: str
    login: str
    name: str
    role: str = "learner"

    @property
    def is_learner(self) -> bool:
        """Whether scores may be posted for them."""
        return self.role == "learner"


@dataclass(slots=True, kw_only=True)
class Held:
    """A learner's score in a column."""

    timestamp: datetime
    finer: Fraction = Fraction(0)
    """What the timestamp has below a microsecond."""
    given: float | None = None
    maximum: float | None = None
    comment: str | None = None
    scoring_user_id: str | None = None
    activity_progress: str = ""
    grading_progress: str = ""

    @property
    def moment(self) -> tuple[datetime, Fraction]:
        """What tells a later score from an earlier one."""
        return self.timestamp, self.finer

    def scaled(self, maximum: float) -> float | None:
        """The score on the column's scale."""
        if self.given is None or not self.maximum:
            return None
        return self.given * maximum / self.maximum


@dataclass(slots=True, kw_only=True)
class LineItem:
    """A column."""

    id: str
    label: str
    score_maximum: float
    resource_link_id: str | None = None
    resource_id: str | None = None
    tag: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    owner: str = ""
    """The client that made it, or that it belongs to."""
    scores: dict[str, Held] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class ResourceLink:
    """A tool's activity in a course."""

    id: str
    title: str
    client_id: str
    line_item: LineItem | None = None


@dataclass(slots=True, kw_only=True)
class Course:
    """A course with its people, activities and gradebook."""

    id: str
    title: str
    users: dict[str, User] = field(default_factory=dict)
    links: dict[str, ResourceLink] = field(default_factory=dict)
    line_items: dict[str, LineItem] = field(default_factory=dict)
    concluded: bool = False
    """Whether it is over: no AGS call is accepted any more."""

    def enrol(self, *users: User) -> None:
        """Let people into the course."""
        for user in users:
            self.users[user.id] = user

    def gradebook(self) -> list[tuple[User, LineItem, float | None]]:
        """Each learner's grade in each column, on the column's scale."""
        learners = [user for user in list(self.users.values()) if user.is_learner]
        return [
            (user, item, item.scores[user.id].scaled(item.score_maximum) if user.id in item.scores else None)
            for user in learners
            for item in list(self.line_items.values())
        ]


class State:
    """Everything the platform holds, behind one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.courses: dict[str, Course] = {}
        self._numbers = itertools.count(1)

    def add_course(self, course_id: str, title: str) -> Course:
        """A new course."""
        with self.lock:
            return self.courses.setdefault(course_id, Course(id=course_id, title=title))

    def add_line_item(self, course: Course, **values: Any) -> LineItem:
        """A new column."""
        with self.lock:
            item = LineItem(id=str(next(self._numbers)), **values)
            course.line_items[item.id] = item
            return item

    def add_link(self, course: Course, title: str, client_id: str, score_maximum: float | None) -> ResourceLink:
        """A new activity, with a column of its own unless ``score_maximum`` is None."""
        with self.lock:
            link = ResourceLink(id=str(uuid.uuid4()), title=title, client_id=client_id)
            if score_maximum is not None:
                link.line_item = self.add_line_item(
                    course, label=title, score_maximum=score_maximum, resource_link_id=link.id, owner=client_id
                )
            course.links[link.id] = link
            return link
