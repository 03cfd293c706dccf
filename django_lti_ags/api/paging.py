"""Our own listings, page by page: the newest first, and what is new meanwhile moves no later page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django_lti_ags import encryption
from django_lti_ags.api import queries
from django_lti_ags.api.errors import bad
from django_lti_ags.exceptions import EncryptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from rest_framework.request import Request

MOST: Final = 100


def newest_by_key(rows: QuerySet[Any], many: int) -> list[int]:
    """The keys of the newest ``many`` of ``rows``."""
    return list(rows.order_by("-pk").values_list("pk", flat=True)[:many])


def page(
    request: Request,
    seen: QuerySet[Any],
    rows: QuerySet[Any] | None = None,
    found_by: Callable[[QuerySet[Any], int], list[int]] = newest_by_key,
    *,
    size: int = MOST,
) -> tuple[list[Any], dict[str, str]]:
    """A page of ``rows``, and ``next`` if there are more; ``?limit=`` at most 100, ``?cursor=`` the ``next`` of an earlier answer.

    Args:
        request: whose parameters count.
        seen: all that the caller sees of this kind: a cursor is good in every filter of it.
        rows: those of them that are asked for; by default all.
        found_by: finds the keys of the newest so many of these, the newest first.
        size: of a page, unless ``?limit=`` is given.

    Raises:
        ApiError: 400.
    """
    rows = seen if rows is None else rows
    if (cursor := queries.only(request, "cursor")) is not None:
        rows = rows.filter(pk__lt=_after(seen, cursor))
    size = min(queries.limit(request) or size, MOST)
    keys = found_by(rows, size + 1)
    found = list(rows.filter(pk__in=keys[:size]).order_by("-pk"))
    return found, {"next": _cursor(seen, keys[size - 1])} if len(keys) > size else {}


def _cursor(seen: QuerySet[Any], key: int) -> str:
    """Good for as long as anything is listed: its row may be gone by then. Encrypted, since keys tell how many rows there are."""
    return encryption.encrypt(f"{seen.model._meta.label_lower}:{key}")


def _after(seen: QuerySet[Any], cursor: str) -> int:
    try:
        kind, _, key = encryption.decrypt(cursor).partition(":")
    except EncryptionError:
        kind = key = ""
    if kind != seen.model._meta.label_lower:
        raise bad({"cursor": "must be the next of an earlier answer"})
    return int(key)
