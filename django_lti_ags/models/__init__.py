"""The tables: what the tool says, what the platforms show, and what happened in between."""

from django_lti_ags.models.contexts import Context
from django_lti_ags.models.history import DeliveryAttempt, Event
from django_lti_ags.models.leased import DECIDABLE, OPEN, RESTING, SETTLED, Leased, SyncState
from django_lti_ags.models.line_items import LineItem
from django_lti_ags.models.registrations import Deployment, Registration, Service, SigningKey
from django_lti_ags.models.results import Result
from django_lti_ags.models.scores import PendingScore, Score

__all__ = [
    "DECIDABLE",
    "OPEN",
    "RESTING",
    "SETTLED",
    "Context",
    "DeliveryAttempt",
    "Deployment",
    "Event",
    "Leased",
    "LineItem",
    "PendingScore",
    "Registration",
    "Result",
    "Score",
    "Service",
    "SigningKey",
    "SyncState",
]
