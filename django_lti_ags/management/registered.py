"""Which registration is meant: by its name, number, uid, client_id, issuer, or issuer and client_id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.management.base import CommandError
from django.db.models import Q

from django_lti_ags.models import Registration
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.launch_claims import storable

if TYPE_CHECKING:
    from collections.abc import Iterator

HOW: Final = "name, number (pk), uid, client_id, issuer, or both as ISSUER/CLIENT_ID"
"""For an argument's help."""
_MOST_SHOWN: Final = 10
_LARGEST_PK: Final = 2**63 - 1


def registered(given: str) -> Registration:
    """The one registration that ``given`` names, character for character; spaces around it do not count.

    Raises:
        CommandError: none, or several; it lists which there are.
    """
    given = given.strip()
    if not storable(given):
        raise CommandError("No registration is called by a name with a NUL or a lone surrogate in it.")
    wanted = Q(name=given) | Q(client_id=given) | Q(issuer=given) | Q(key__in=list(_keys(given)))
    if given.isascii() and given.isdigit() and int(given) <= _LARGEST_PK:
        wanted |= Q(pk=int(given))
    uid = _uid(given)
    if uid is not None:
        wanted |= Q(uid=uid)
    # A database may take "a" for "A".
    found = [row for row in Registration.objects.filter(wanted) if _is_meant(row, given, uid)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError(f"There is no registration {given!r}. There are:{_listed(Registration.objects.all())}")
    raise CommandError(f"{given!r} may be any of several registrations; give the number of one:{_listed(found)}")


def with_issuer(issuer: str) -> list[Registration]:
    """All registrations at ``issuer``; one learner has one id at all of them (LTI 1.3, 5.3.6.1).

    Raises:
        CommandError: there is none.
    """
    rows = Registration.objects.filter(issuer=issuer) if storable(issuer) else ()
    found = [row for row in rows if row.issuer == issuer]
    if not found:
        raise CommandError(f"No registration has the issuer {issuer!r}. There are:{_listed(Registration.objects.all())}")
    return found


def _keys(given: str) -> Iterator[str]:
    for position, character in enumerate(given):
        if character in "/ ":
            yield digest(given[:position], given[position + 1 :])


def _is_meant(row: Registration, given: str, uid: UUID | None) -> bool:
    pairs = (f"{row.issuer}/{row.client_id}", f"{row.issuer} {row.client_id}")
    return given in {row.name, row.client_id, row.issuer, str(row.pk), *pairs} or (uid is not None and row.uid == uid)


def _uid(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None


def _listed(rows: object) -> str:
    listed: list[Registration] = list(rows[: _MOST_SHOWN + 1])  # type: ignore[index]
    lines = [f"\n  {row.pk}  {row}  {row.issuer}/{row.client_id}" for row in listed[:_MOST_SHOWN]]
    return "".join([*lines, "\n  …" if len(listed) > _MOST_SHOWN else ""]) if listed else " none."
