"""The one settings dict, ``LTI_AGS``: typed defaults, read late, every mistake named.

Reads happen when a value is used, never at import: ``override_settings`` works, and a
module can be imported before Django is set up.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``LTI_AGS`` may hold. Names in the dict are these in capitals; times are in the unit they name."""

    encryption_keys: list[str] = field(default_factory=list)
    """Fernet keys, newest first: the first encrypts, all decrypt. Empty: derived from SECRET_KEY."""
    allowed_private_hosts: list[str] = field(default_factory=list)
    """Hosts (``host``, ``host:port``, ``*.campus.example``, ``10.0.0.0/8``) that may resolve to private addresses."""
    database: str = "default"
    """The alias that holds every table of this package."""
    cache: str = "default"
    """The cache that shares access tokens (encrypted) between processes."""
    lease_seconds: float = 60.0
    """How long a claimed score belongs to one worker."""
    send_deadline_seconds: float = 20.0
    """The total time of one request, from connect to the last byte of the answer."""
    max_age_seconds: float = 7 * 24 * 3600.0
    """How long a version of a score is tried before it is FAILED."""
    max_body_bytes: int = 1_048_576
    """The longest answer that is read."""
    threads: int = 32
    """Sends in flight per worker process; webhooks have a quarter as many more, one at least, and get none of these."""
    threads_per_service: int = 8
    """Sends in flight per service (campus) and worker process."""
    poll_seconds: float = 1.0
    """How long an idle worker waits before it looks again."""
    circuit_failures: int = 5
    """Failures of a service in a row that open its circuit."""
    circuit_max_seconds: float = 900.0
    """The longest wait between two probes of a service that is down."""
    keep_attempts_seconds: float = 90 * 24 * 3600.0
    """How long ``lti_ags_prune`` leaves attempts; those that explain why a score is still not there stay longer."""
    keep_results_seconds: float = 365 * 24 * 3600.0
    """How long it leaves results that were not read again."""
    keep_events_seconds: float = 90 * 24 * 3600.0
    """How long it leaves events, and the webhook messages that told of them."""
    keep_samples_seconds: float = 30 * 24 * 3600.0
    """How long it leaves the samples that the charts are drawn from."""
    keep_comments_seconds: float = 365 * 24 * 3600.0
    """How long it leaves the comments and extensions of settled scores, and what stands of them elsewhere."""
    profiles: dict[str, str] = field(default_factory=dict)
    """Key → dotted path of a Profile, beside or instead of the built-in ones."""
    learner_display: str = ""
    """Dotted path of a callable that names learners in the admin: learners → names (see ``admin/learners.py``)."""
    admin_scope: str = ""
    """Dotted path of a callable that says which registrations a person sees in the admin: request → queryset, or None for all."""
    metrics_token: str = ""
    """What Prometheus must show to read the metrics; empty: nobody reads them (see ``contrib/prometheus.py``)."""
    api_requests_per_minute: int = 6000
    """How many requests one API key may make in a minute (see ``api/throttling.py``)."""
    wake: str = ""
    """Dotted path of a callable without arguments, called after the commit of a recording."""


def get(name: str) -> Any:
    """The value of one field of :class:`Settings`, as it is configured now."""
    return getattr(load(), name)


def load() -> Settings:
    """All settings, as they are configured now.

    Raises:
        ImproperlyConfigured: an unknown key, or a value of the wrong type; the message lists them all.
    """
    raw = getattr(django_settings, "LTI_AGS", {})
    found = problems(raw)
    if found:
        raise ImproperlyConfigured("LTI_AGS: " + " ".join(found))
    return Settings(**{key.lower(): value for key, value in raw.items()})


_NEVER_SHOWN = ("ENCRYPTION_KEYS", "METRICS_TOKEN")
_NUMBERS = {"float": (int, float), "int": (int,)}
_MOST = {"float": 10 * 365 * 24 * 3600.0, "int": 2**40}
"""Ten years in seconds, a terabyte: beyond it, calendars and memory end."""


def problems(raw: object) -> list[str]:
    """A sentence per mistake in the dict ``raw``: what is wrong, where, what to do. Empty: none."""
    if not isinstance(raw, dict):
        return [f"The setting must be a dict, not {type(raw).__name__}."]
    known = {item.name.upper(): item for item in fields(Settings)}
    sentences = []
    for key, value in raw.items():
        if key not in known:
            sentences.append(f"Unknown key {key!r}; the known ones are {', '.join(sorted(known))}.")
            continue
        problem = _problem_of(str(known[key].type), value)
        if problem:
            sentences.append(f"{key} {problem}, not {_shown(key, value)}.")
    return sentences


def _shown(key: str, value: object) -> str:
    # The easiest mistake is a key instead of a list with a key; it must not end in a log.
    return f"a {type(value).__name__}" if key in _NEVER_SHOWN else repr(value)


def _problem_of(declared: str, value: object) -> str:
    if declared in _NUMBERS:
        right = isinstance(value, _NUMBERS[declared]) and not isinstance(value, bool) and 0 < value <= _MOST[declared]
        return "" if right else f"must be a {'number' if declared == 'float' else 'whole number'} above zero, at most {_MOST[declared]:g}"
    if declared == "str":
        return "" if isinstance(value, str) else "must be a string"
    if declared.startswith("list"):
        right = isinstance(value, (list, tuple)) and all(isinstance(item, str) and item for item in value)
        return "" if right else "must be a list of strings"
    right = isinstance(value, dict) and all(isinstance(item, str) for pair in value.items() for item in pair)
    return "" if right else "must be a dict of strings to strings"
