"""Which profile a registration has: the built-in ones, and those that ``LTI_AGS["PROFILES"]`` names."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from django.utils.module_loading import import_string

from django_lti_ags import conf
from django_lti_ags.profiles.base import Profile

if TYPE_CHECKING:
    from django_lti_ags.models import Registration

logger = logging.getLogger(__name__)


def profile_of(registration: Registration) -> Profile:
    """The registration's profile; strict AGS where it names none, or one that nobody knows."""
    path: str | None = conf.get("profiles").get(registration.profile)
    return _load(path) if path else Profile()


@lru_cache(maxsize=64)
def _load(path: str) -> Profile:
    loaded = import_string(path)()
    if not isinstance(loaded, Profile):
        raise TypeError(f'LTI_AGS["PROFILES"] names {path}, which is not a Profile.')
    return loaded
