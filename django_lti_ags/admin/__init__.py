"""The admin: what there is, where it stands, what happened. History is read-only, secrets are never shown."""

from django_lti_ags.admin import history, places, registrations, scores

__all__ = ["history", "places", "registrations", "scores"]
