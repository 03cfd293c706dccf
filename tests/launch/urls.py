"""A tool with one activity: it says back who came."""

from __future__ import annotations

from django.http import JsonResponse
from django.urls import include, path

from django_lti_ags.launch import LaunchView, lti_urls


class Quiz(LaunchView):
    def launched(self, request, launch):
        return JsonResponse(
            {
                "user": launch.user_id,
                "instructor": launch.is_instructor,
                "learner": launch.is_learner,
                "link": launch.resource_link_id,
                "target": launch.target_link_uri,
                "column": launch.line_item().url,
                "course": launch.context().title,
            }
        )


class Unwritten(LaunchView):
    """A subclass that forgot its one method."""


urlpatterns = [
    path("lti/", include(lti_urls(Quiz))),
    path("other/", include((lti_urls(Quiz), "other"))),
    path("unwritten/", include((lti_urls(Unwritten), "unwritten"))),
]
