"""What a launch says of a course and its column, kept: the newest launch's URLs and scopes (AGS 2.0, 3.1).

What waited for a new URL or scope is delivered then; nothing is refused here but an unknown registration or deployment.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Model

from django_lti_ags import conf
from django_lti_ags.exceptions import LaunchRefused, UnknownRegistration
from django_lti_ags.models import Context, Deployment, LineItem, Registration, Score, SyncState
from django_lti_ags.models.contexts import context_digest
from django_lti_ags.models.identity import digest
from django_lti_ags.sync import blocks
from django_lti_ags.sync.outbox_sql import UtcNow, database_now
from django_lti_ags.sync.profiles import profile_of
from django_lti_ags.sync.recording import wake_on_commit
from django_lti_ags.sync.services import found_or_made, service_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_lti_ags.models import Service
    from django_lti_ags.sync.launch_claims import LaunchClaims

_TRIED_AGAIN_AFTER: Final = timedelta(minutes=10)
"""A launch lifts a block that is so old, even if it brings nothing new."""
_KNOWN_FAMILIES: Final = {
    "canvas": "canvas",
    "moodle": "moodle",
    "blackboardlearn": "blackboard",
    "desire2learn": "d2l",
    "sakai": "sakai",
    "schoology": "schoology",
    "open edx": "openedx",
}


def course(claims: LaunchClaims, alias: str) -> Context:
    """The launch's course, made or brought up to date.

    Raises:
        UnknownRegistration: nobody registered this (issuer, client_id).
        LaunchRefused: the deployment is not listed, and the registration accepts no new ones.
    """
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
    newest: dict[str, Any] = {"title": claims.context_title, "label": claims.context_label}
    if claims.has_service:
        # A launch without grades, of another placement say, takes away nothing that others granted.
        newest |= {"line_items_url": claims.line_items_url, "scopes": list(claims.scopes)}
    if claims.canvas_course_id:
        newest["canvas_course_id"] = claims.canvas_course_id
    named = {"context_id": claims.context_id, "stand_in": claims.stand_in, "context_digest": _digest_of(claims)}
    context = found_or_made(Context(deployment=deployment, **named, **newest), ("deployment", "context_digest"), alias)
    context.deployment = deployment
    gained = claims.has_service and (context.line_items_url != claims.line_items_url or bool(set(claims.scopes) - set(context.scopes)))
    below = LineItem.objects.using(alias).filter(context=context)
    if _refresh(context, newest, alias) and gained:
        # No launch is theirs: they were declared, or are known over the REST API only.
        without_launch = below.exclude(declared_digest=None, resource_link_id__gt="")
        without_launch.update(scopes=list(claims.scopes))
        blocks.lift(below.filter(url=""))
        blocks.lift(without_launch, code="missing_scope")
    if context.blocked_at is not None and context.blocked_at < database_now(alias) - _TRIED_AGAIN_AFTER:
        blocks.lift(below)
        context.refresh_from_db(using=alias, fields=["block_code", "blocked_at"])
    Context.objects.using(alias).filter(pk=context.pk).update(seen_at=UtcNow())
    return context


def column(context: Context, service: Service, claims: LaunchClaims, alias: str) -> LineItem:
    """The column of the launch's link, made or brought up to date."""
    newest: dict[str, Any] = {
        "url": claims.line_item_url,
        "url_digest": digest(claims.line_item_url),
        "service": service,
        "scopes": list(claims.scopes),
        "resource_link_id": claims.resource_link_id,
        "extensions": dict(claims.extensions),
    }
    known = LineItem.objects.using(alias).filter(context=context)
    line_item = known.filter(url_digest=newest["url_digest"]).first() or coupled(known, claims.resource_link_id)
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


def keep_newest(claims: LaunchClaims, alias: str) -> None:
    """Bring up to date what is known of the course and the column of a launch that grants too little; nothing new is made."""
    keys = [digest(claims.issuer, client_id) for client_id in claims.client_ids]
    courses = Context.objects.using(alias).filter(deployment__registration__key__in=keys, context_digest=_digest_of(claims))
    if not courses.filter(deployment__deployment_digest=digest(claims.deployment_id)).exists():
        return
    context = course(claims, alias)
    known = LineItem.objects.using(alias).filter(context=context)
    if claims.line_item_url:
        if known.filter(url_digest=digest(claims.line_item_url)).exists() or coupled(known, claims.resource_link_id):
            column(context, service_at(context.deployment.registration_id, claims.line_item_url, alias), claims, alias)
        return
    line_item = coupled(known, claims.resource_link_id)
    if line_item is not None:
        _refresh(line_item, {"scopes": list(claims.scopes)}, alias)


def coupled(known: Any, resource_link_id: str) -> LineItem | None:
    """The link's own column under an older URL: identifiers are compared here, byte for byte, not by the database."""
    if not resource_link_id:
        return None
    candidates = known.filter(resource_link_id=resource_link_id, declared_digest=None).order_by("-pk")
    return next((row for row in candidates if row.resource_link_id == resource_link_id), None)


def default_column(line_item: LineItem) -> LineItem | None:
    """The column that moves the gradebook in the place of ``line_item``, as far as launches have shown it; None: none is known.

    Of declared columns alone: they may be a link's second one, which some platforms take scores for and show nothing of.
    """
    if line_item.declared_digest is None or not line_item.resource_link_id:
        return None
    if not profile_of(line_item.context.deployment.registration).grades_by_first_column:
        return None
    alias: str = conf.get("database")
    first = coupled(LineItem.objects.using(alias).filter(context=line_item.context_id), line_item.resource_link_id)
    return None if first is None or first.url == line_item.url else first


def _digest_of(claims: LaunchClaims) -> str:
    return context_digest(claims.context_id, claims.stand_in)


def _registration(claims: LaunchClaims, alias: str) -> Registration:
    keys = [digest(claims.issuer, client_id) for client_id in claims.client_ids]
    found = Registration.objects.using(alias).filter(key__in=keys).first()
    if found is None:
        raise UnknownRegistration(claims.issuer, claims.client_ids[0])
    return found


def _suggest_profile(registration: Registration, claims: LaunchClaims, alias: str) -> None:
    suggested = _KNOWN_FAMILIES.get(claims.product_family.casefold(), "")
    if suggested and not registration.profile:
        registration.profile = suggested
        Registration.objects.using(alias).filter(pk=registration.pk, profile="").update(profile=suggested)


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
