"""API keys: made for a tool that runs beside this app, recognised when it calls, revoked.

::

    key, text = api_keys.issue("Quiz in Node", [registration])  # the text is shown now, and never again
    key = api_keys.find(text)  # None: it opens nothing
    api_keys.revoke(key)
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from django_lti_ags import conf
from django_lti_ags.models import ApiKey, Context, Registration, WebhookEndpoint
from django_lti_ags.models.api_keys import PREFIX_LENGTH
from django_lti_ags.sync import webhook_endpoints
from django_lti_ags.sync.launch_claims import storable
from django_lti_ags.sync.outbox_sql import locked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["check", "find", "issue", "revoke"]

_MARK: Final = "ltiags"
_SECRET_BYTES: Final = 32
_LONGEST_NAME: Final = 200
_LONGEST_TEXT: Final = 200
"""No key is longer: what is, is not hashed."""
_USE_NOTED_EVERY: Final = timedelta(minutes=1)
_MOST_NAMED: Final = 5


@sensitive_variables("text", "secret")
def issue(name: str, registrations: Iterable[Registration], contexts: Iterable[Context] = ()) -> tuple[ApiKey, str]:
    """A new key and its text, ``ltiags_<prefix>_<secret>``: ASCII without a colon, which LTIK-AUTH-V2 puts between key and launch.

    Args:
        name: which tool has it, for people.
        registrations: it sees nothing of any other; at least one.
        contexts: narrow it to these courses of the registrations; none: all of them, also those that are yet to come.

    Raises:
        ValidationError: naming the field and the rule; nothing is stored.
    """
    of, within = list(registrations), list(contexts)
    check(name, of, within)
    prefix = secrets.token_hex(PREFIX_LENGTH // 2)
    text = f"{_MARK}_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    alias: str = conf.get("database")
    with transaction.atomic(using=alias):
        key = ApiKey.objects.using(alias).create(name=name.strip(), prefix=prefix, key_hash=_hash(text), narrowed=bool(within))
        _join(ApiKey.registrations.through, alias, key, "registration_id", of)
        _join(ApiKey.contexts.through, alias, key, "context_id", within)
    return key, text


def check(name: str, registrations: Sequence[Registration], contexts: Sequence[Context] = ()) -> None:
    """Accept what a key can be made for.

    Raises:
        ValidationError: naming each field and its rule.
    """
    errors: dict[str, list[str]] = {}
    if not isinstance(name, str) or not name.strip():
        errors["name"] = [_("Say which tool has it: it is what people know it by.")]
    elif len(name.strip()) > _LONGEST_NAME:
        errors["name"] = [_("At most %(most)d characters.") % {"most": _LONGEST_NAME}]
    elif not storable(name):
        errors["name"] = [_("It has a NUL or a lone surrogate in it, which no text may.")]
    if not registrations or not all(isinstance(one, Registration) and one.pk for one in registrations):
        errors["registrations"] = [_("At least one: a key with none sees nothing.")]
    elif not all(isinstance(one, Context) and one.pk for one in contexts):
        errors["contexts"] = [_("They must be stored courses.")]
    elif foreign := _foreign(registrations, contexts):
        named = ", ".join(str(one) for one in foreign[:_MOST_NAMED])
        errors["contexts"] = [_("They must belong to the chosen registrations; these do not: %(named)s.") % {"named": named}]
    if errors:
        raise ValidationError(errors)


@sensitive_variables("text", "sha")
def find(text: str) -> ApiKey | None:
    """The key with this text, if it is not revoked; that it was used is noted, at most once a minute.

    What is compared is a hash of what was sent: how long that takes tells nothing of the secret.
    """
    if not isinstance(text, str) or len(text) > _LONGEST_TEXT or not text.isascii() or not text.startswith(f"{_MARK}_"):
        return None
    sha = _hash(text)
    key = ApiKey.objects.filter(key_hash=sha, revoked_at=None).first()
    if key is None or not secrets.compare_digest(key.key_hash, sha):
        return None
    _note_use(key)
    return key


def revoke(key: ApiKey) -> bool:
    """Let ``key`` open nothing from now on, and its webhooks hear nothing; False: it was revoked before. There is no way back."""
    alias: str = conf.get("database")
    now = timezone.now()
    with transaction.atomic(using=alias):
        done = ApiKey.objects.using(alias).filter(pk=key.pk, revoked_at=None).update(revoked_at=now) > 0
        if done:
            webhook_endpoints.disable(WebhookEndpoint.objects.using(alias).filter(api_key=key.pk), "Its API key is revoked.", now)
    if done:
        key.revoked_at = now
    else:
        key.refresh_from_db(fields=["revoked_at"])
    return done


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is not None and now - _USE_NOTED_EVERY < key.last_used_at <= now:
        return
    rows = ApiKey.objects.filter(pk=key.pk)
    with transaction.atomic(using=rows.db):
        # A request may be one long transaction: another with the same key leaves the note to it, and does not wait.
        if locked(rows.only("pk"), skip=True):
            rows.update(last_used_at=now)
    key.last_used_at = now


def _foreign(registrations: Iterable[Registration], contexts: Sequence[Context]) -> list[Context]:
    """Those of ``contexts`` that are of none of ``registrations``."""
    below = Context.objects.filter(deployment__registration__in={one.pk for one in registrations})
    found = set(below.filter(pk__in={one.pk for one in contexts}).values_list("pk", flat=True))
    return [one for one in contexts if one.pk not in found]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _join(through: Any, alias: str, key: ApiKey, column: str, rows: Iterable[Registration] | Iterable[Context]) -> None:
    """Row by row on the outbox's database: Django's own ``set`` would go where a router says."""
    joined = [through(apikey_id=key.pk, **{column: pk}) for pk in dict.fromkeys(row.pk for row in rows)]
    through._default_manager.using(alias).bulk_create(joined)
