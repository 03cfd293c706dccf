"""The German catalogue, as the tests read it."""

import re
from pathlib import Path

import polib

import django_lti_ags

FOLDER = Path(django_lti_ags.__file__).parent / "locale" / "de" / "LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\(\w+\)[#0 +-]*\d*(?:\.\d+)?[a-z]|%%|\{\w+\}")


def written() -> polib.POFile:
    """What translators edit."""
    return polib.pofile(str(FOLDER / "django.po"))


def compiled() -> polib.MOFile:
    """What Django reads."""
    return polib.mofile(str(FOLDER / "django.mo"))


def texts(entry) -> list[tuple[str, str]]:
    """What is said in English, beside what is said in German; of a plural each form."""
    if not entry.msgid_plural:
        return [(entry.msgid, entry.msgstr)]
    return [(entry.msgid, entry.msgstr_plural.get(0, "")), (entry.msgid_plural, entry.msgstr_plural.get(1, ""))]
