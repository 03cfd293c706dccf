"""Simulated LTI platforms over real sockets, for the tests and demonstrations of tools.

They import nothing of this package but the words of the standard: the client and the platform it
is tested against must not share a mistake.
"""

from django_lti_ags.testing.platforms.canvas import CanvasGradebook
from django_lti_ags.testing.platforms.canvas_rest import CanvasRest
from django_lti_ags.testing.platforms.dialects import MoodleGradebook, OpenEdxGradebook
from django_lti_ags.testing.platforms.faults import Effect, Fault
from django_lti_ags.testing.platforms.http import Refused, Request, Response, Route
from django_lti_ags.testing.platforms.ledger import Entry, Ledger
from django_lti_ags.testing.platforms.platform import SimulatedPlatform
from django_lti_ags.testing.platforms.state import Course, LineItem, ResourceLink, User
from django_lti_ags.testing.platforms.tokens import ALL_SCOPES, Tool

__all__ = [
    "ALL_SCOPES",
    "CanvasGradebook",
    "CanvasRest",
    "Course",
    "Effect",
    "Entry",
    "Fault",
    "Ledger",
    "LineItem",
    "MoodleGradebook",
    "OpenEdxGradebook",
    "Refused",
    "Request",
    "ResourceLink",
    "Response",
    "Route",
    "SimulatedPlatform",
    "Tool",
    "User",
]
