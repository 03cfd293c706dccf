"""What the tool itself keeps."""

from django.db import models

from django_lti_ags.models import LineItem


class Attempt(models.Model):
    """One learner's answers."""

    line_item = models.ForeignKey(LineItem, on_delete=models.CASCADE)
    user_id = models.TextField()
    points = models.PositiveIntegerField()
    maximum = models.PositiveIntegerField()
    submitted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.points} of {self.maximum}"
