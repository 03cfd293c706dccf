"""Which registration is meant: exactly one, or a clear error."""

import pytest
from django.core.management import CommandError

from django_lti_ags import keys
from django_lti_ags.management.registered import registered, with_issuer
from django_lti_ags.models import Registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def make():
    key = keys.generate()

    def build(client_id, name="", issuer="https://lms.example/x"):
        return Registration.objects.create(issuer=issuer, client_id=client_id, name=name, signing_key=key)

    return build


def test_every_way_to_name_one(make):
    row = make("quiz", "Campus")
    make("other", "Other")
    for given in ("Campus", "quiz", str(row.pk), str(row.uid), "https://lms.example/x/quiz", "https://lms.example/x quiz", " Campus\n"):
        assert registered(given) == row
    elsewhere = make("third", issuer="https://other.example")
    assert registered("https://other.example") == elsewhere


@pytest.mark.parametrize(
    "given", ["campus", "Camp", "QUIZ", "https://lms.example/x/Quiz", "99999", "9" * 30, "", "²", "https://lms.example/"]
)
def test_an_unknown_one_is_told_with_those_that_are_there(make, given):
    row = make("quiz", "Campus")
    with pytest.raises(CommandError, match="There is no registration") as caught:
        registered(given)
    assert f"{row.pk}  Campus  https://lms.example/x/quiz" in str(caught.value)


def test_there_may_be_none():
    with pytest.raises(CommandError, match=r"There are: none\."):
        registered("x")


@pytest.mark.parametrize("end", ["\x00", "\udcff"])
def test_no_name_has_what_no_text_may(make, end):
    with pytest.raises(CommandError, match="a NUL"):
        registered(f"Campus{end}")
    with pytest.raises(CommandError, match="No registration has the issuer"):
        with_issuer(f"https://lms.example{end}")


@pytest.mark.parametrize("given", ["Campus", "https://lms.example/x"])
def test_several_are_not_guessed(make, given):
    first, second = make("a", "Campus"), make("b", "Campus")
    with pytest.raises(CommandError, match="any of several") as caught:
        registered(given)
    assert f"\n  {first.pk}  Campus  https://lms.example/x/a" in str(caught.value)
    assert f"\n  {second.pk}  Campus" in str(caught.value)


def test_a_long_list_is_cut(make):
    for number in range(12):
        make(f"c{number}")
    with pytest.raises(CommandError) as caught:
        registered("x")
    assert str(caught.value).count("\n") == 11
    assert str(caught.value).endswith("…")


def test_all_of_an_issuer(make):
    first, second = make("a"), make("b")
    make("c", issuer="https://LMS.example/x")
    assert set(with_issuer("https://lms.example/x")) == {first, second}
    with pytest.raises(CommandError, match=r"No registration has the issuer 'https://lms.example'"):
        with_issuer("https://lms.example")
