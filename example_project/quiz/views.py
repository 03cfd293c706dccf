"""The tool: launched from the LMS, it asks, and records the score with the attempt."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.generic import View

from django_lti_ags import scores
from django_lti_ags.launch import Launch, LaunchView
from django_lti_ags.models import LineItem, Score
from example_project.quiz import visits
from example_project.quiz.models import Attempt
from example_project.quiz.questions import MAXIMUM, QUESTIONS, points


class QuizLaunch(LaunchView):
    """From the LMS into the quiz."""

    def launched(self, request: HttpRequest, launch: Launch) -> HttpResponse:
        """Begin a visit, and go there."""
        return redirect("quiz", visits.begin(request, launch))


@method_decorator([never_cache, xframe_options_exempt], name="dispatch")  # an LMS may show it in a frame
class QuizView(View):
    """The questions, and what became of the answers."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Only for somebody who came through the LMS, and for what they came for."""
        visit = visits.find(request, kwargs["token"])
        if visit is None:
            return render(request, "quiz/ended.html", status=403)
        self.visit = visit
        self.line_item = get_object_or_404(LineItem, pk=visit["line_item"])
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Questions for learners, the class' scores for teachers."""
        if not self.visit["learns"]:
            rows = Score.objects.filter(line_item=self.line_item).order_by("user_id") if self.visit["teaches"] else ()
            return render(request, "quiz/class.html", {"rows": rows, "line_item": self.line_item, "teaches": self.visit["teaches"]})
        attempt = self._attempts().first()
        score = Score.objects.filter(line_item=self.line_item, user_id=self.visit["user_id"]).first()
        asked = "again" in request.GET or attempt is None
        page = {"attempt": attempt, "score": score, "questions": QUESTIONS if asked else (), "name": self.visit["name"]}
        return render(request, "quiz/quiz.html", page)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Keep the attempt and its score in one transaction: both are there, or neither is."""
        if not self.visit["learns"]:  # platforms take scores for learners only
            return redirect("quiz", token)
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
        return redirect("quiz", token)

    def _attempts(self) -> Any:
        return Attempt.objects.filter(line_item=self.line_item, user_id=self.visit["user_id"]).order_by("-pk")


def start(request: HttpRequest) -> HttpResponse:
    """For whoever comes without a launch."""
    return render(request, "quiz/start.html")
