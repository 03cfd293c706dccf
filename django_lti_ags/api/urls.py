"""Where the API answers: ``api/…`` below whatever a project includes this at."""

from django.urls import path, register_converter

from django_lti_ags.api import canvas_live, canvas_outcomes, converters
from django_lti_ags.api.idtoken import IdTokenView
from django_lti_ags.api.line_items import LineItemsView
from django_lti_ags.api.one_line_item import LineItemScoresView, LineItemView
from django_lti_ags.api.openapi import OpenApiView
from django_lti_ags.api.own_places import ColumnsView, RegistrationsView
from django_lti_ags.api.own_scores import CancelView, RetryView, ScoresView, ScoreView
from django_lti_ags.api.own_status import ReconcileView, StatusView
from django_lti_ags.api.views import NowhereView

register_converter(converters.AnythingConverter, "lti_ags_anything")

urlpatterns = [
    path("api/openapi.json", OpenApiView.as_view(), name="lti-api-openapi"),
    path("api/idtoken", IdTokenView.as_view(), name="lti-api-idtoken"),
    path("api/lineitems", LineItemsView.as_view(), name="lti-api-lineitems"),
    path("api/lineitems/", LineItemsView.as_view(schema=None)),
    path("api/lineitems/<lti_ags_anything:id>/scores", LineItemScoresView.as_view(), name="lti-api-lineitem"),
    path("api/lineitems/<lti_ags_anything:id>", LineItemView.as_view(), name="lti-api-lineitem"),
    path("api/sync/registrations", RegistrationsView.as_view(), name="lti-api-registrations"),
    path("api/sync/lineitems", ColumnsView.as_view(), name="lti-api-columns"),
    path("api/sync/status", StatusView.as_view(), name="lti-api-status"),
    path("api/sync/reconcile", ReconcileView.as_view(), name="lti-api-reconcile"),
    path("api/sync/scores", ScoresView.as_view(), name="lti-api-scores"),
    path("api/sync/scores/<uuid:uid>", ScoreView.as_view(), name="lti-api-score"),
    path("api/sync/scores/<uuid:uid>/retry", RetryView.as_view(), name="lti-api-retry"),
    path("api/sync/scores/<uuid:uid>/cancel", CancelView.as_view(), name="lti-api-cancel"),
    path("api/canvas/outcome_results", canvas_outcomes.ResultsView.as_view(), name="lti-api-canvas-outcome-results"),
    path("api/canvas/outcome_rollups", canvas_outcomes.RollupsView.as_view(), name="lti-api-canvas-outcome-rollups"),
    path(
        "api/canvas/outcomes/<str:outcome_id>/contributing_scores",
        canvas_outcomes.ContributingView.as_view(),
        name="lti-api-canvas-contributing-scores",
    ),
    path("api/canvas/live_assessments", canvas_live.AssessmentsView.as_view(), name="lti-api-live-assessments"),
    path("api/canvas/live_assessments/<uuid:uid>", canvas_live.AssessmentView.as_view(), name="lti-api-live-assessment"),
    path("api/canvas/live_assessments/<uuid:uid>/retry", canvas_live.AssessmentRetryView.as_view(), name="lti-api-live-assessment-retry"),
    path(
        "api/canvas/live_assessments/<uuid:uid>/cancel", canvas_live.AssessmentCancelView.as_view(), name="lti-api-live-assessment-cancel"
    ),
    path("api/canvas/live_assessments/<uuid:uid>/results", canvas_live.LiveResultsView.as_view(), name="lti-api-live-results"),
    path("api/", NowhereView.as_view()),
    path("api/<lti_ags_anything:given>", NowhereView.as_view()),
]
