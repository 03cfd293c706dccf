"""The admin: what there is, where it stands, what happened. History is read-only, secrets are never shown."""

from django_lti_ags.admin import api_keys, canvas_credentials, history, live, overview, places, registrations, scores, webhooks

__all__ = ["api_keys", "canvas_credentials", "history", "live", "overview", "places", "registrations", "scores", "webhooks"]
