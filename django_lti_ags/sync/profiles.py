"""Which profile a registration has: the built-in ones, and those that ``LTI_AGS["PROFILES"]`` names."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django.utils.module_loading import import_string

from django_lti_ags import conf
from django_lti_ags.profiles.base import Profile
from django_lti_ags.profiles.blackboard import BlackboardProfile
from django_lti_ags.profiles.canvas import CanvasProfile
from django_lti_ags.profiles.d2l import BrightspaceProfile
from django_lti_ags.profiles.moodle import MoodleProfile
from django_lti_ags.profiles.openedx import OpenEdxProfile

if TYPE_CHECKING:
    from django_lti_ags.models import Registration

_STRICT = Profile()
_BUILT_IN = {profile.key: profile() for profile in (BlackboardProfile, BrightspaceProfile, CanvasProfile, MoodleProfile, OpenEdxProfile)}


def profile_of(registration: Registration) -> Profile:
    """The registration's profile; strict AGS where it names none, or one that nobody knows."""
    path: str | None = conf.get("profiles").get(registration.profile)
    return _load(path) if path else _BUILT_IN.get(registration.profile, _STRICT)


@lru_cache(maxsize=64)
def _load(path: str) -> Profile:
    loaded = import_string(path)()
    if not isinstance(loaded, Profile):
        raise TypeError(f'LTI_AGS["PROFILES"] names {path}, which is not a Profile.')
    return loaded
