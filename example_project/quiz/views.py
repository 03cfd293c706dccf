"""The tool: launched from the LMS, it asks, and records the score with the attempt."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.generic import View

from django_lti_ags import scores
from django_lti_ags.launch import Launch, LaunchView
from django_lti_ags.models import LineItem, Score
from example_project.quiz.models import Attempt
from example_project.quiz.questions import MAXIMUM, QUESTIONS, points


class QuizLaunch(LaunchView):
    """From the LMS into the quiz."""

    def launched(self, request: HttpRequest, launch: Launch) -> HttpResponse:
        """Remember who came, and for which column."""
        request.session.flush()
        request.session["quiz"] = {
            "line_item": launch.line_item().pk,
            "user_id": launch.user_id,
            "name": launch.claims.get("name", ""),
            "teaches": launch.is_instructor,
        }
        return redirect("quiz")


class QuizView(View):
    """The questions, and what became of the answers."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Only for somebody who came through the LMS."""
        if "quiz" not in request.session:
            return render(request, "quiz/start.html", status=403)
        self.visit: dict[str, Any] = request.session["quiz"]
        self.line_item = get_object_or_404(LineItem, pk=self.visit["line_item"])
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Questions for learners, the class' scores for teachers."""
        if self.visit["teaches"]:
            rows = Score.objects.filter(line_item=self.line_item).order_by("user_id")
            return render(request, "quiz/class.html", {"rows": rows, "line_item": self.line_item})
        attempt = self._attempts().first()
        score = Score.objects.filter(line_item=self.line_item, user_id=self.visit["user_id"]).first()
        asked = "again" in request.GET or attempt is None
        page = {"attempt": attempt, "score": score, "questions": QUESTIONS if asked else (), "name": self.visit["name"]}
        return render(request, "quiz/quiz.html", page)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep the attempt and its score in one transaction: both are there, or neither is."""
        if self.visit["teaches"]:
            return redirect("quiz")
        now = timezone.now()
        with transaction.atomic():
            attempt = Attempt.objects.create(
                line_item=self.line_item,
                user_id=self.visit["user_id"],
                points=points(request.POST.dict()),
                maximum=MAXIMUM,
                submitted_at=now,
            )
            scores.record(
                self.line_item,
                user_id=attempt.user_id,
                score_given=attempt.points,
                score_maximum=attempt.maximum,
                submitted_at=now,
                comment=f"{attempt.points} of {attempt.maximum} points",
            )
        return redirect("quiz")

    def _attempts(self) -> Any:
        return Attempt.objects.filter(line_item=self.line_item, user_id=self.visit["user_id"]).order_by("-pk")


def start(request: HttpRequest) -> HttpResponse:
    """For whoever comes without a launch."""
    return render(request, "quiz/start.html")
