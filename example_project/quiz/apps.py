"""The quiz' configuration."""

from django.apps import AppConfig


class QuizConfig(AppConfig):
    """The example tool."""

    name = "example_project.quiz"
    default_auto_field = "django.db.models.BigAutoField"
