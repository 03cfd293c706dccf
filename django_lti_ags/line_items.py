"""Columns: from a launch, or declared by the tool.

::

    line_item = line_items.from_launch(message_launch)  # the link's own column
    extra = line_items.declare(line_items.context_from_launch(message_launch), resource_id="essay-7", label="Essay", score_maximum=20)
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from django.db import transaction
from django.db.models import Model

from django_lti_ags.ags.rules import check_number, check_text
from django_lti_ags.ags.vocabulary import SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_SCORE
from django_lti_ags.exceptions import (
    InvalidLineItem,
    InvalidScore,
    LaunchRefused,
    MissingScope,
    NoAgsClaim,
    NoLineItem,
    NotGranted,
    UnknownRegistration,
)
from django_lti_ags.models import RESTING, Context, Deployment, LineItem, Registration, Score, SyncState
from django_lti_ags.models.identity import digest
from django_lti_ags.sync import blocks
from django_lti_ags.sync.launch_claims import LaunchClaims, read_claims
from django_lti_ags.sync.outbox_sql import UtcNow, database_now
from django_lti_ags.sync.recording import outbox_alias, wake_on_commit
from django_lti_ags.sync.services import found_or_made, service_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from django_lti_ags.models import Service

__all__ = ["context_from_launch", "declare", "from_launch"]

_LONGEST_TEXT = 4096
_TRIED_AGAIN_AFTER = timedelta(minutes=10)
"""A launch lifts a block that is so old, even if it brings nothing new."""
_KNOWN_FAMILIES = {
    "canvas": "canvas",
    "moodle": "moodle",
    "blackboardlearn": "blackboard",
    "desire2learn": "d2l",
    "sakai": "sakai",
    "schoology": "schoology",
    "open edx": "openedx",
}


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
            context = _context(claims, alias)
            service = service_at(context.deployment.registration_id, claims.line_item_url, alias)
            return _line_item(context, service, claims, alias)
        _keep_newest(claims, alias)
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
        return _context(claims, alias)


def declare(
    context: Context, *, label: str, score_maximum: float | Decimal, resource_id: str = "", resource_link_id: str = "", tag: str = ""
) -> LineItem:
    """A column that the tool wants in a course, told apart by (resource link, resource id, tag).

    It is found or made at the platform before its first score is sent; until then its scores wait.

    Raises:
        InvalidLineItem: a blank label, a maximum that is not above zero, or nothing to tell it apart by.
        NoAgsClaim: the course's launches brought no line item container.
        MissingScope: the platform does not let the tool manage columns.
    """
    _check_declaration(label, score_maximum, {"resource_id": resource_id, "resource_link_id": resource_link_id, "tag": tag})
    if not context.line_items_url:
        raise NoAgsClaim("The platform granted no line item container (its AGS claim has no lineitems), so no column can be made.")
    if not {SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY} & set(context.scopes):
        raise MissingScope(SCOPE_LINE_ITEM, context.scopes)
    alias = outbox_alias()
    with transaction.atomic(using=alias):
        if resource_link_id and not (resource_id or tag):
            launched = _coupled(LineItem.objects.using(alias).filter(context=context), resource_link_id)
            if launched is not None:
                return launched
        told_apart_by = {"resource_link_id": resource_link_id, "resource_id": resource_id, "tag": tag}
        return _declared(context, label, float(score_maximum), told_apart_by, alias)


def _declared(context: Context, label: str, score_maximum: float, told_apart_by: Mapping[str, str], alias: str) -> LineItem:
    now = database_now(alias)
    wanted = LineItem(
        context=context,
        service=service_at(context.deployment.registration_id, context.line_items_url, alias),
        declared_digest=digest(*told_apart_by.values()),
        label=label,
        score_maximum=score_maximum,
        scopes=list(context.scopes),
        due_at=now,
        aged_from=now,
        **told_apart_by,
    )
    line_item = found_or_made(wanted, ("context", "declared_digest"), alias)
    if not line_item.url and (line_item.label, line_item.score_maximum) != (label, score_maximum):
        line_item.label, line_item.score_maximum = label, score_maximum
        line_item.save(using=alias, update_fields=["label", "score_maximum", "url_digest"])
    if line_item.uid != wanted.uid and (line_item.state in RESTING or line_item.block_code == blocks.GONE):
        # Declared again: it is looked for again.
        blocks.lift(LineItem.objects.using(alias).filter(pk=line_item.pk))
        line_item.refresh_from_db(using=alias)
    wake_on_commit(alias)
    return line_item


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


def _keep_newest(claims: LaunchClaims, alias: str) -> None:
    """Bring up to date what is known of the course and the column of a launch that grants too little; nothing new is made."""
    keys = [digest(claims.issuer, client_id) for client_id in claims.client_ids]
    courses = Context.objects.using(alias).filter(deployment__registration__key__in=keys, context_digest=digest(claims.context_id))
    if not courses.filter(deployment__deployment_digest=digest(claims.deployment_id)).exists():
        return
    context = _context(claims, alias)
    known = LineItem.objects.using(alias).filter(context=context)
    if claims.line_item_url:
        if known.filter(url_digest=digest(claims.line_item_url)).exists() or _coupled(known, claims.resource_link_id):
            _line_item(context, service_at(context.deployment.registration_id, claims.line_item_url, alias), claims, alias)
        return
    line_item = _coupled(known, claims.resource_link_id)
    if line_item is not None:
        _refresh(line_item, {"scopes": list(claims.scopes)}, alias)


def _registration(claims: LaunchClaims, alias: str) -> Registration:
    keys = [digest(claims.issuer, client_id) for client_id in claims.client_ids]
    found = Registration.objects.using(alias).filter(key__in=keys).first()
    if found is None:
        raise UnknownRegistration(claims.issuer, claims.client_ids[0])
    return found


def _context(claims: LaunchClaims, alias: str) -> Context:
    registration = _registration(claims, alias)
    deployments = Deployment.objects.using(alias).filter(registration=registration)
    wanted = Deployment(registration=registration, deployment_id=claims.deployment_id, deployment_digest=digest(claims.deployment_id))
    if not registration.accept_new_deployments and not deployments.filter(deployment_digest=wanted.deployment_digest).exists():
        raise LaunchRefused(
            f"The deployment {claims.deployment_id!r} of {registration} is not listed, and the registration accepts no new ones. "
            "Add it in the admin, or let the registration accept new deployments."
        )
    deployment = found_or_made(wanted, ("registration", "deployment_digest"), alias)
    deployment.registration = registration
    _suggest_profile(registration, claims, alias)
    newest = {
        "title": claims.context_title,
        "label": claims.context_label,
        "line_items_url": claims.line_items_url,
        "scopes": list(claims.scopes),
    }
    context = found_or_made(
        Context(deployment=deployment, context_id=claims.context_id, context_digest=digest(claims.context_id), **newest),
        ("deployment", "context_digest"),
        alias,
    )
    context.deployment = deployment
    gained = context.line_items_url != claims.line_items_url or bool(set(claims.scopes) - set(context.scopes))
    below = LineItem.objects.using(alias).filter(context=context)
    if _refresh(context, newest, alias) and gained:
        below.exclude(declared_digest=None).update(scopes=list(claims.scopes))
        blocks.lift(below.filter(url=""))
        blocks.lift(below.exclude(declared_digest=None), code="missing_scope")
    if context.blocked_at is not None and context.blocked_at < database_now(alias) - _TRIED_AGAIN_AFTER:
        blocks.lift(below)
        context.refresh_from_db(using=alias, fields=["block_code", "blocked_at"])
    Context.objects.using(alias).filter(pk=context.pk).update(seen_at=UtcNow())
    return context


def _suggest_profile(registration: Registration, claims: LaunchClaims, alias: str) -> None:
    suggested = _KNOWN_FAMILIES.get(claims.product_family.casefold(), "")
    if suggested and not registration.profile:
        registration.profile = suggested
        Registration.objects.using(alias).filter(pk=registration.pk, profile="").update(profile=suggested)


def _line_item(context: Context, service: Service, claims: LaunchClaims, alias: str) -> LineItem:
    newest: dict[str, Any] = {
        "url": claims.line_item_url,
        "url_digest": digest(claims.line_item_url),
        "service": service,
        "scopes": list(claims.scopes),
        "resource_link_id": claims.resource_link_id,
        "extensions": dict(claims.extensions),
    }
    known = LineItem.objects.using(alias).filter(context=context)
    line_item = known.filter(url_digest=newest["url_digest"]).first() or _coupled(known, claims.resource_link_id)
    if line_item is None:
        fresh = LineItem(context=context, label=claims.resource_link_title, state=SyncState.DELIVERED, **newest)
        line_item = found_or_made(fresh, ("context", "url_digest"), alias)
    line_item.context = context
    moved = line_item.service_id != service.pk
    had_url, had_scopes = line_item.url, set(line_item.scopes)
    _refresh(line_item, newest, alias)
    if moved:
        Score.objects.using(alias).filter(line_item=line_item).update(service=service)
    _release(line_item, alias, new_url=had_url != line_item.url, new_scopes=bool(set(claims.scopes) - had_scopes))
    return line_item


def _coupled(known: Any, resource_link_id: str) -> LineItem | None:
    """The link's own column under an older URL: identifiers are compared here, byte for byte, not by the database."""
    if not resource_link_id:
        return None
    candidates = known.filter(resource_link_id=resource_link_id, declared_digest=None).order_by("-pk")
    return next((row for row in candidates if row.resource_link_id == resource_link_id), None)


def _release(line_item: LineItem, alias: str, *, new_url: bool, new_scopes: bool) -> None:
    """Deliver what a new URL or scope was waited for; and try again what was blocked a while ago, since the activity is alive."""
    rows = LineItem.objects.using(alias).filter(pk=line_item.pk)
    if new_url or _blocked_long_ago(line_item, alias):
        blocks.lift(rows)
    elif new_scopes:
        blocks.lift(rows, code="missing_scope")
    else:
        return
    line_item.block_code, line_item.blocked_at = rows.values_list("block_code", "blocked_at").get()
    wake_on_commit(alias)


def _blocked_long_ago(line_item: LineItem, alias: str) -> bool:
    blocked = [when for when in (line_item.blocked_at, line_item.context.blocked_at) if when is not None]
    return bool(blocked) and max(blocked) < database_now(alias) - _TRIED_AGAIN_AFTER


def _refresh(row: Model, newest: Mapping[str, Any], alias: str) -> bool:
    """Keep what the newest launch says; a launch that says nothing new writes nothing. Returns whether it did."""
    changed = [name for name, value in newest.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, newest[name])
    if changed:
        row.save(using=alias, update_fields=changed)
    return bool(changed)
