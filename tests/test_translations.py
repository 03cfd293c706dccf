"""The German catalogue is whole, says the same as the English, and is compiled; no gettext tools are needed."""

from collections import Counter

import pytest
from django.utils import translation

from django_lti_ags.admin.readonly import advice_for
from django_lti_ags.models import Score
from django_lti_ags.profiles.advice import ADVICE
from tests.catalogue import PLACEHOLDER, compiled, texts, written


def test_everything_is_translated():
    assert [entry.msgid for entry in written() for _, german in texts(entry) if not german.strip()] == []


def test_nothing_is_fuzzy_or_left_over():
    assert [entry.msgid for entry in written() if entry.fuzzy or entry.obsolete] == []


def test_placeholders_are_the_same():
    for entry in written():
        for english, german in texts(entry):
            assert Counter(PLACEHOLDER.findall(german)) == Counter(PLACEHOLDER.findall(english)), english


def test_sentences_end_as_they_do_in_english():
    for entry in written():
        for english, german in texts(entry):
            assert german[-1:] == english[-1:] or english[-1:] not in ".:…", english
            assert german == german.strip()


def test_the_compiled_catalogue_is_the_written_one():
    def said(catalogue):
        return {(entry.msgctxt, entry.msgid): texts(entry) for entry in catalogue}

    assert said(compiled()) == said(written())


@pytest.mark.parametrize("code", sorted(ADVICE))
def test_all_advice_is_translated(code):
    assert advice_for(code) == ADVICE[code]
    with translation.override("de"):
        assert advice_for(code) not in ("", ADVICE[code])


def test_no_code_is_no_advice():
    assert advice_for("") == advice_for("made up") == ""


def test_models_and_fields_have_german_names():
    with translation.override("de"):
        assert str(Score._meta.verbose_name_plural) == "Bewertungen"
        assert str(Score._meta.get_field("due_at").verbose_name) == "fällig am"
        assert str(Score._meta.app_config.verbose_name) == "LTI-Bewertungen"
