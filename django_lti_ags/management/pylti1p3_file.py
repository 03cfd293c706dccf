"""pylti1p3's configuration file (``ToolConfJsonFile``), read strictly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from django_lti_ags.ags.urls import check_url
from django_lti_ags.management.given import check_identifier
from django_lti_ags.sync.launch_claims import storable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NEEDED = ("client_id", "auth_login_url", "auth_token_url", "private_key_file")
_TEXTS = ("auth_audience", "private_key_file", "public_key_file")
_URLS = ("auth_login_url", "auth_token_url", "key_set_url")


class _Twice(ValueError):
    """A name stands twice in one object: JSON's readers keep the last and say nothing."""


def entries(source: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each issuer with each of its configurations, checked.

    Raises:
        CommandError: what is wrong, and where.
    """
    for issuer, listed in _configuration(source).items():
        try:
            check_identifier(issuer)
        except ValueError as problem:
            raise CommandError(f"{source}: the issuer {problem}.") from None
        if listed == []:
            raise CommandError(f"{source}: {issuer!r} has no entry: there is nothing to take over. Take it out of the file.")
        clients: set[str] = set()
        for entry in listed if isinstance(listed, list) else [listed]:
            try:
                _check(entry)
                if entry["client_id"] in clients:
                    raise ValueError(f"names the client_id {entry['client_id']!r} twice")
            except ValueError as problem:
                raise CommandError(f"{source}: an entry of {issuer!r} {problem}.") from None
            clients.add(entry["client_id"])
            # pylti1p3 takes the entry that stands alone, not in a list, for every login.
            yield issuer, entry if isinstance(listed, list) else entry | {"default": True}


def _configuration(source: Path) -> dict[str, Any]:
    try:
        configuration = json.loads(source.read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
    except OSError as problem:
        raise CommandError(f"{source} cannot be read: {problem.strerror}.") from None
    except _Twice as problem:
        raise CommandError(f"{source} {problem}; only one can be meant.") from None
    except (ValueError, RecursionError) as problem:
        raise CommandError(f"{source} is not JSON: {problem}.") from None
    if not isinstance(configuration, dict) or not configuration:
        raise CommandError(f"{source} must hold an object with an entry per issuer, as pylti1p3's ToolConfJsonFile reads it.")
    return configuration


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(f"names {name!r} twice")
        found[name] = value
    return found


def _check(entry: Any) -> None:
    if not isinstance(entry, dict):
        raise ValueError("must be an object")
    missing = [name for name in _NEEDED if not isinstance(entry.get(name), str) or not entry[name].strip()]
    missing += [] if "deployment_ids" in entry else ["deployment_ids"]
    if missing:
        raise ValueError(f"lacks {', '.join(missing)}")
    if not entry.get("key_set_url"):
        raise ValueError(
            "has no key_set_url. A key set pasted into the file (key_set) goes stale when the platform changes its keys, so it is not "
            "taken over; put the platform's key set URL there"
        )
    for name in _URLS:
        _check_part(name, check_url, entry[name])
    for name in _TEXTS:
        if not isinstance(entry.get(name) or "", str) or not storable(entry.get(name) or ""):
            raise ValueError(f"has a bad {name}: it must be text that can be stored")
        if "-----BEGIN" in (entry.get(name) or ""):  # a message with the "file's" name would show the key
            raise ValueError(f"has a bad {name}: the {name} holds a key, and must name the file that does")
    _check_part("client_id", check_identifier, entry["client_id"])
    deployments = entry["deployment_ids"]
    if not isinstance(deployments, list) or not all(isinstance(item, str) for item in deployments):
        raise ValueError("has bad deployment_ids: they must be a list of texts")
    for deployment_id in deployments:
        _check_part("deployment_ids", check_identifier, deployment_id)


def _check_part(name: str, check: Any, value: Any) -> None:
    try:
        check(value)
    except ValueError as problem:
        raise ValueError(f"has {'' if name.endswith('s') else 'a '}bad {name}: {problem}") from None
