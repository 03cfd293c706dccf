"""Canvas' gradebook in memory: attempts, comments that add up, a grade; what the state machine of kept submissions sends to."""

from __future__ import annotations

from collections import defaultdict
from http import HTTPStatus

from django_lti_ags.canvas.submission import EXTENSION
from tests.sync.strict_platform import Sent, Shown, StrictPlatform, _Client


class CanvasBook(StrictPlatform):
    """A score with an equal timestamp passes, as in Canvas, and one with the latest attempt's time adds none."""

    def __init__(self, clock):
        super().__init__(clock)
        self.attempts = defaultdict(list)
        self.comments = defaultdict(list)
        self.grades = {}
        self.brought = None

    def client(self, credentials, scopes, observe, profile):
        return _CanvasClient(self, observe)

    def take(self, sent: Sent) -> HTTPStatus:
        user, (at, extension) = sent.user_id, self.brought
        if sent.timestamp < self.shown(user).timestamp:
            return HTTPStatus.CONFLICT
        self.gradebook[user] = Shown(sent.given, sent.comment or self.shown(user).comment, sent.timestamp)
        self.applied.append(sent)
        if sent.comment:
            self.comments[user].append(sent.comment)
        if extension["new_submission"] and self.attempts[user][-1:] != [at]:
            self.attempts[user].append(at)
        if not extension.get("preserve_score"):
            self.grades[user] = sent.given
        return HTTPStatus.OK


class _CanvasClient(_Client):
    def post_score(self, url, score, *, start_by):
        self._platform.brought = score.submitted_at, score.extensions[EXTENSION]
        return super().post_score(url, score, start_by=start_by)
