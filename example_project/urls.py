"""The tool's addresses."""

from django.contrib import admin
from django.urls import include, path

from django_lti_ags.launch import lti_urls
from example_project.quiz.views import QuizLaunch, QuizView, start

urlpatterns = [
    path("", start, name="start"),
    path("admin/", admin.site.urls),
    path("health/", include("django_lti_ags.health")),
    path("lti/", include(lti_urls(QuizLaunch))),
    path("quiz/<str:token>/", QuizView.as_view(), name="quiz"),
]
