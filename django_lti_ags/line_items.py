"""Columns: from a launch, or declared by the tool.

::

    line_item = line_items.from_launch(message_launch)  # the link's own column
    extra = line_items.declare(line_items.context_from_launch(message_launch), resource_id="essay-7", label="Essay", score_maximum=20)
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Protocol

from django.db import transaction

from django_lti_ags.ags.rules import check_extensions, check_number, check_text
from django_lti_ags.ags.vocabulary import SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_SCORE
from django_lti_ags.canvas.submission_columns import check_column_extensions
from django_lti_ags.exceptions import (
    InvalidLineItem,
    InvalidScore,
    MissingScope,
    NoAgsClaim,
    NoLineItem,
    NotGranted,
)
from django_lti_ags.models import RESTING, Context, LineItem
from django_lti_ags.models.identity import digest
from django_lti_ags.sync import blocks
from django_lti_ags.sync.launch_claims import LaunchClaims, read_claims
from django_lti_ags.sync.launched import column, coupled, course, default_column, keep_newest
from django_lti_ags.sync.outbox_sql import database_now
from django_lti_ags.sync.recording import outbox_alias, wake_on_commit
from django_lti_ags.sync.services import found_or_made, service_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

logger = logging.getLogger(__name__)

__all__ = ["context_from_launch", "declare", "from_launch"]

_LONGEST_TEXT = 4096


class MessageLaunch(Protocol):
    """A verified launch of pylti1p3's."""

    def get_launch_data(self) -> Mapping[str, Any]:
        """The id token's claims."""


def from_launch(launch: MessageLaunch | Mapping[str, Any]) -> LineItem:
    """The column of a verified launch's link; Deployment, Context and LineItem are made or brought up to date.

    The newest launch's URLs and scopes are kept: platforms may change them (AGS 2.0, 3.1). What
    waited for a new URL or scope is delivered now.

    Args:
        launch: a pylti1p3 message launch, or the claims of an id token that was verified otherwise.

    Raises:
        UnknownRegistration: nobody registered this (issuer, client_id); the message names the commands that do.
        MalformedLaunch: a claim is not what LTI 1.3 says.
        NoAgsClaim: the platform granted no grades service.
        NoLineItem: it has no column for this link.
        MissingScope: it does not let the tool post scores. After this and NoLineItem too, what was known of the course and the
            column is up to date.
    """
    claims = read_claims(launch)
    _require_service(claims)
    refusal = _not_granted(claims)
    alias = outbox_alias()
    with transaction.atomic(using=alias):
        if refusal is None:
            context = course(claims, alias)
            service = service_at(context.deployment.registration_id, claims.line_item_url, alias)
            return column(context, service, claims, alias)
        keep_newest(claims, alias)
    # Not inside the block, which would take back what this launch says of scopes and URLs.
    raise refusal


def context_from_launch(launch: MessageLaunch | Mapping[str, Any]) -> Context:
    """The course of a verified launch, made or brought up to date: what :func:`declare` needs.

    Raises:
        UnknownRegistration, MalformedLaunch, NoAgsClaim: as :func:`from_launch`.
    """
    claims = read_claims(launch)
    _require_service(claims)
    alias = outbox_alias()
    with transaction.atomic(using=alias):
        return course(claims, alias)


def declare(
    context: Context,
    *,
    label: str,
    score_maximum: float | Decimal,
    resource_id: str = "",
    resource_link_id: str = "",
    tag: str = "",
    extensions: Mapping[str, Any] | None = None,
) -> LineItem:
    """A column that the tool wants in a course, told apart by (resource link, resource id, tag).

    It is found or made at the platform before its first score is sent; until then its scores wait.

    Args:
        context: the course, from :func:`context_from_launch`.
        label: what it is called.
        score_maximum: above zero.
        resource_id, resource_link_id, tag: what it is found again by; at least one.
        extensions: further fields that it is made with, each under a full URL; Canvas' own go to Canvas only. In Canvas a second
            column of one resource link accepts scores and shows none: leave ``resource_link_id`` out there. Where launches have
            shown the first one, that is logged as a warning, and stands on the column's page in the admin.

    Raises:
        InvalidLineItem: a blank label, a maximum that is not above zero, or nothing to tell it apart by.
        NoAgsClaim: the course's launches brought no line item container.
        MissingScope: the platform does not let the tool manage columns.
    """
    _check_declaration(label, score_maximum, {"resource_id": resource_id, "resource_link_id": resource_link_id, "tag": tag})
    further = _checked_extensions(extensions)
    if not context.line_items_url:
        raise NoAgsClaim("The platform granted no line item container (its AGS claim has no lineitems), so no column can be made.")
    if not {SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY} & set(context.scopes):
        raise MissingScope(SCOPE_LINE_ITEM, context.scopes)
    alias = outbox_alias()
    with transaction.atomic(using=alias):
        if resource_link_id and not (resource_id or tag):
            launched = coupled(LineItem.objects.using(alias).filter(context=context), resource_link_id)
            if launched is not None:
                return launched
        told_apart_by = {"resource_link_id": resource_link_id, "resource_id": resource_id, "tag": tag}
        return _declared(context, label, float(score_maximum), {**told_apart_by, "extensions": further}, alias)


def _declared(context: Context, label: str, score_maximum: float, more: Mapping[str, Any], alias: str) -> LineItem:
    now = database_now(alias)
    wanted = LineItem(
        context=context,
        service=service_at(context.deployment.registration_id, context.line_items_url, alias),
        declared_digest=digest(*(more[name] for name in ("resource_link_id", "resource_id", "tag"))),
        label=label,
        score_maximum=score_maximum,
        scopes=list(context.scopes),
        due_at=now,
        aged_from=now,
        **more,
    )
    line_item = found_or_made(wanted, ("context", "declared_digest"), alias)
    newest = {"label": label, "score_maximum": score_maximum, "extensions": more["extensions"]}
    if not line_item.url and any(getattr(line_item, name) != value for name, value in newest.items()):
        for name, value in newest.items():
            setattr(line_item, name, value)
        line_item.save(using=alias, update_fields=[*newest, "url_digest"])
    if line_item.uid != wanted.uid and (line_item.state in RESTING or line_item.block_code == blocks.GONE):
        # Declared again: it is looked for again.
        blocks.lift(LineItem.objects.using(alias).filter(pk=line_item.pk))
        line_item.refresh_from_db(using=alias)
    wake_on_commit(alias)
    if line_item.uid == wanted.uid:
        _warn_of_a_second_column(line_item)
    return line_item


def _warn_of_a_second_column(line_item: LineItem) -> None:
    first = default_column(line_item)
    if first is not None:
        text = "The column %s (%s) moves no grade: its resource link has the column %s already. Declare it without resource_link_id."
        logger.warning(text, line_item.uid, line_item.label, first.uid, extra={"line_item_id": line_item.pk})


def _check_declaration(label: str, score_maximum: float | Decimal, told_apart_by: Mapping[str, str]) -> None:
    try:
        for name, text in {"label": label, **told_apart_by}.items():
            check_text(name, text, _LONGEST_TEXT)
        check_number("score_maximum", score_maximum)
    except InvalidScore as problem:
        raise InvalidLineItem(problem.field, problem.value, problem.rule) from None
    if not label.strip():
        raise InvalidLineItem("label", label, "must not be blank (AGS 2.0, 3.2.5)")
    if float(score_maximum) <= 0:
        raise InvalidLineItem("score_maximum", score_maximum, "must be above zero (AGS 2.0, 3.2.8)")
    if not any(told_apart_by.values()):
        raise InvalidLineItem("resource_id", "", "a declared column needs a resource_id, a resource_link_id or a tag to be found again by")


def _checked_extensions(extensions: Mapping[str, Any] | None) -> dict[str, Any]:
    try:
        check_extensions({} if extensions is None else extensions)
        check_column_extensions(extensions or {})
    except InvalidScore as problem:
        raise InvalidLineItem(problem.field, problem.value, problem.rule) from None
    return dict(json.loads(json.dumps(dict(extensions or {}))))


def _require_service(claims: LaunchClaims) -> None:
    if not claims.has_service:
        raise NoAgsClaim(
            "The platform granted no Assignment and Grade Services: the launch has no AGS endpoint claim. "
            "Enable grades for this tool in the platform's tool settings."
        )


def _not_granted(claims: LaunchClaims) -> NotGranted | None:
    """Why no score can go where this launch points."""
    if not claims.line_item_url:
        return NoLineItem(
            "The platform has no gradebook column for this link (its AGS claim has no lineitem). Make the activity graded there, "
            "or declare a column: line_items.declare(line_items.context_from_launch(launch), …)."
        )
    return None if SCOPE_SCORE in claims.scopes else MissingScope(SCOPE_SCORE, claims.scopes)
