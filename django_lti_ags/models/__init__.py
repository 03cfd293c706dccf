"""The tables: what the tool says, what the platforms show, and what happened in between."""

from django_lti_ags.models.api_keys import ApiKey
from django_lti_ags.models.canvas_credentials import CanvasCredential, CanvasCredentialKind
from django_lti_ags.models.contexts import Context
from django_lti_ags.models.files import SubmittedFile
from django_lti_ags.models.history import DeliveryAttempt, Event
from django_lti_ags.models.idempotency import IdempotentRequest
from django_lti_ags.models.launches import ApiLaunch, ServiceKey
from django_lti_ags.models.leased import DECIDABLE, OPEN, RESTING, SETTLED, Leased, SyncState
from django_lti_ags.models.line_items import LineItem
from django_lti_ags.models.live import LiveAssessment, LiveResult
from django_lti_ags.models.registrations import Deployment, Registration, Service, SigningKey
from django_lti_ags.models.results import DIVERGING, Agreement, Result
from django_lti_ags.models.samples import SyncSample
from django_lti_ags.models.scores import PendingScore, Score
from django_lti_ags.models.submissions import QueuedSubmission
from django_lti_ags.models.webhooks import WebhookDelivery, WebhookEndpoint, WebhookKind

__all__ = [
    "DECIDABLE",
    "DIVERGING",
    "OPEN",
    "RESTING",
    "SETTLED",
    "Agreement",
    "ApiKey",
    "ApiLaunch",
    "CanvasCredential",
    "CanvasCredentialKind",
    "Context",
    "DeliveryAttempt",
    "Deployment",
    "Event",
    "IdempotentRequest",
    "Leased",
    "LineItem",
    "LiveAssessment",
    "LiveResult",
    "PendingScore",
    "QueuedSubmission",
    "Registration",
    "Result",
    "Score",
    "Service",
    "ServiceKey",
    "SigningKey",
    "SubmittedFile",
    "SyncSample",
    "SyncState",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookKind",
]
