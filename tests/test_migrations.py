"""Promise 17: the migrations say what the models say, on every Django that the suite runs on."""

from io import StringIO

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_nothing_is_left_to_migrate():
    call_command("makemigrations", check_changes=True, dry_run=True, stdout=StringIO())
