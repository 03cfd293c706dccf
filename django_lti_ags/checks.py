"""System checks: what is set up in a way that would lose, delay or expose something."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING, Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.utils.module_loading import import_string

from django_lti_ags import conf, encryption
from django_lti_ags.ags.addresses import AddressGuard
from django_lti_ags.models import Score
from django_lti_ags.profiles.base import Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SQLITE_TIMEOUT_SECONDS = 5
"""Python's default."""
_ENOUGH_SECONDS = 10
_CALLABLES = {
    "wake": "without arguments",
    "learner_display": "of a sequence of learners that returns their names",
    "admin_scope": "of a request that returns registrations",
}
_DERIVE = "Derive it from django_lti_ags.profiles.base.Profile."
_PER_PROCESS_CACHE = "locmem.LocMemCache"
_FORGETFUL_CACHE = "dummy.DummyCache"
_CULLING_CACHES = (_PER_PROCESS_CACHE, "db.DatabaseCache", "filebased.FileBasedCache")
"""Over MAX_ENTRIES these throw a third away, whatever was promised to be kept."""
_DJANGOS_ENTRIES = 300
_ENOUGH_ENTRIES = 10_000
_OPTIONS_HINT = f"'OPTIONS': {{'MAX_ENTRIES': {_ENOUGH_ENTRIES}}}"


@register(Tags.compatibility)
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """``LTI_AGS`` itself: E001 for every mistake in it; only a sound one is looked at further."""
    found = conf.problems(getattr(django_settings, "LTI_AGS", {}))
    if found:
        hint = "The documentation's settings page lists every key with its type and default."
        return [Error(f"LTI_AGS: {problem}", hint=hint, id="lti_ags.E001") for problem in found]
    return [*_names(), *_times(), *_hosts(), *_paths(), *_secrets()]


@register(Tags.compatibility)
def check_surroundings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What else is installed and set."""
    return [*_libraries(), *_time_zone()]


@register(Tags.caches)
def check_cache(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W004, W006, E011: tokens and used nonces are to be shared between processes, and kept."""
    alias = _setting("CACHE", "default")
    return list(_cache(alias, django_settings.CACHES.get(alias, {})))


@register(Tags.compatibility)
def check_database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W001–W003: SQLite under a worker needs IMMEDIATE transactions, WAL and a timeout. E012, E013: zones and routers.

    Not tagged ``database``, which only ``migrate`` runs: it reads the settings and connects to nothing.
    """
    alias = _setting("DATABASE", "default")
    if alias not in connections:
        return []
    found = [*_zone(alias), *_routing(alias)]
    if connections[alias].vendor == "sqlite":
        found += _sqlite(connections[alias].settings_dict.get("OPTIONS") or {})
    return found


def _zone(alias: str) -> Iterator[CheckMessage]:
    if connections[alias].vendor != "postgresql" and connections[alias].settings_dict.get("TIME_ZONE") not in (None, "UTC"):
        yield Error(
            f"DATABASES['{alias}']['TIME_ZONE'] is set: times that the database itself gives are UTC, and would be read in that zone.",
            hint="Leave TIME_ZONE out for this database, or set it to 'UTC'.",
            id="lti_ags.E012",
        )


def _routing(alias: str) -> Iterator[CheckMessage]:
    """Relations are followed where the routers say; they must not say anything else than the setting."""
    for one in router.routers:
        for name in ("db_for_read", "db_for_write"):
            said = getattr(one, name)(Score) if hasattr(one, name) else None
            if said not in (None, alias):
                yield Error(
                    f"DATABASE_ROUTERS: {type(one).__name__}.{name} sends lti_ags to {said!r}, LTI_AGS['DATABASE'] to {alias!r}.",
                    hint="Let the router answer None, or the same alias, for the app label 'lti_ags'.",
                    id="lti_ags.E013",
                )


def _sqlite(options: dict[str, Any]) -> Iterator[CheckMessage]:
    if str(options.get("transaction_mode", "")).upper() not in ("IMMEDIATE", "EXCLUSIVE"):
        yield Warning(
            "SQLite begins its transactions deferred: one that reads and then writes fails at once when a worker commits in between.",
            hint="Set OPTIONS['transaction_mode'] = 'IMMEDIATE' for this database.",
            id="lti_ags.W001",
        )
    if "journal_mode=wal" not in str(options.get("init_command", "")).replace(" ", "").casefold():
        yield Warning(
            "SQLite is not in WAL mode: readers and the worker block each other.",
            hint="Set OPTIONS['init_command'] = 'PRAGMA journal_mode=WAL;' for this database.",
            id="lti_ags.W002",
        )
    timeout = options.get("timeout", _SQLITE_TIMEOUT_SECONDS)
    if not isinstance(timeout, (int, float)) or timeout < _ENOUGH_SECONDS:
        yield Warning(
            "SQLite gives up on a lock after a few seconds.",
            hint="Set OPTIONS['timeout'] = 20 or more for this database.",
            id="lti_ags.W003",
        )


def _cache(alias: str, configured: dict[str, Any]) -> Iterator[CheckMessage]:
    backend = str(configured.get("BACKEND", ""))
    if backend.endswith(_FORGETFUL_CACHE):
        yield Error(
            f"The cache {alias!r} keeps nothing: a replayed launch cannot be told from a new one, so every launch is refused.",
            hint="Name the alias of a cache that keeps what it is given in LTI_AGS['CACHE'].",
            id="lti_ags.E011",
        )
    if backend.endswith(_PER_PROCESS_CACHE):
        yield Warning(
            f"The cache {alias!r} is one per process: each fetches access tokens of its own, and a launch can be replayed at another.",
            hint=f"Use Redis, Memcached or the database cache (that one with {_OPTIONS_HINT}) in production, "
            "or name another alias in LTI_AGS['CACHE'].",
            id="lti_ags.W004",
        )
    if backend.endswith(_CULLING_CACHES) and _entries(configured) < _ENOUGH_ENTRIES:
        yield Warning(
            f"The cache {alias!r} throws entries away as soon as it holds {_entries(configured)}: used launches are forgotten early, "
            "and can be replayed within their ten minutes.",
            hint=f"Set {_OPTIONS_HINT} or more in CACHES[{alias!r}]; more than the entries of ten minutes, whoever makes them.",
            id="lti_ags.W006",
        )


def _entries(configured: dict[str, Any]) -> int:
    """As Django reads it: a number that it cannot read is its own default."""
    options = configured.get("OPTIONS") or {}
    try:
        return int(options.get("MAX_ENTRIES", _DJANGOS_ENTRIES))
    except (TypeError, ValueError):
        return _DJANGOS_ENTRIES


def _names() -> Iterator[CheckMessage]:
    for key, known in (("database", django_settings.DATABASES), ("cache", django_settings.CACHES)):
        alias = conf.get(key)
        if alias not in known:
            yield Error(
                f"LTI_AGS['{key.upper()}'] names {alias!r}, which is not configured.",
                hint=f"The configured ones are {', '.join(map(repr, known))}.",
                id="lti_ags.E002",
            )


def _times() -> Iterator[CheckMessage]:
    lease, deadline = conf.get("lease_seconds"), conf.get("send_deadline_seconds")
    if lease < 2 * deadline:
        yield Error(
            f"LTI_AGS: LEASE_SECONDS ({lease:g}) must be at least twice SEND_DEADLINE_SECONDS ({deadline:g}).",
            hint="A send is started only if it ends before its lease does; with less room hardly any would be.",
            id="lti_ags.E003",
        )


def _hosts() -> Iterator[CheckMessage]:
    try:
        AddressGuard(conf.get("allowed_private_hosts"))
    except ValueError as problem:
        hint = "Write hosts without a scheme, and networks as in '10.0.0.0/8'."
        yield Error(f"LTI_AGS['ALLOWED_PRIVATE_HOSTS']: {problem}", hint=hint, id="lti_ags.E014")


def _paths() -> Iterator[CheckMessage]:
    for key, path in conf.get("profiles").items():
        yield from _path(f"LTI_AGS['PROFILES'][{key!r}]", path, _is_profile, "a Profile", _DERIVE, "lti_ags.E005")
    for name, arguments in _CALLABLES.items():
        if conf.get(name):
            hint = f"Name a function {arguments}."
            yield from _path(f"LTI_AGS['{name.upper()}']", conf.get(name), callable, "callable", hint, "lti_ags.E010")


def _path(setting: str, path: str, fits: Callable[[Any], bool], wanted: str, hint: str, code: str) -> Iterator[CheckMessage]:
    try:
        loaded = import_string(path)
    except (ImportError, ValueError) as problem:  # ValueError: an empty part
        yield Error(f"{setting} names {path!r}, which cannot be imported: {problem}", hint="Give a dotted path.", id="lti_ags.E004")
        return
    if not fits(loaded):
        yield Error(f"{setting} names {path!r}, which is not {wanted}.", hint=hint, id=code)


def _is_profile(loaded: Any) -> bool:
    return isinstance(loaded, type) and issubclass(loaded, Profile)


def _secrets() -> Iterator[CheckMessage]:
    if conf.get("encryption_keys"):
        try:
            encryption.encrypt("")
        except ImproperlyConfigured as problem:
            yield Error(str(problem), hint="Make one with cryptography's Fernet.generate_key().", id="lti_ags.E006")
        return
    text = (
        "LTI_AGS['ENCRYPTION_KEYS'] is not set: private keys are encrypted with a key derived from SECRET_KEY, and lost when that changes."
    )
    hint = "Set it to a list with a key from Fernet.generate_key(), kept beside SECRET_KEY."
    yield Warning(text, hint=hint, id="lti_ags.W005") if django_settings.DEBUG else Error(text, hint=hint, id="lti_ags.E007")


def _libraries() -> Iterator[CheckMessage]:
    if _installed("PyLTI1p3") and _installed("pylti1p3next"):
        yield Error(
            "PyLTI1p3 and pylti1p3next are both installed. They are two distributions of one module, and overwrite each other's files.",
            hint="Uninstall both, then install the one you want: the extra [launch] or [launch-next].",
            id="lti_ags.E008",
        )


def _time_zone() -> Iterator[CheckMessage]:
    if not django_settings.USE_TZ:
        yield Error("USE_TZ is False: times without a zone would go to the platforms.", hint="Set USE_TZ = True.", id="lti_ags.E009")


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _setting(key: str, default: str) -> str:
    raw = getattr(django_settings, "LTI_AGS", {})
    value = raw.get(key, default) if isinstance(raw, dict) else default
    return value if isinstance(value, str) else default
