"""Every command line that the documentation shows is one that its command takes; the runbook has every incident."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import CommandError, get_commands, load_command_class

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
INCIDENTS = [
    "The LMS is down",
    "One learner's grade is missing",
    "A key was rotated",
    "A course was copied",
    "Canvas throttles us",
    "A registration is paused",
    "Scores are blocked",
    "The worker died",
    "A learner asks to be forgotten",
    "Upgrade",
]


def lines(text: str) -> set[str]:
    """The command lines in the code of a page: those of its blocks, and those that stand in a sentence."""
    joined = re.sub(r"\\\n\s*", "", text)
    blocks = re.findall(r"```sh\n(.*?)```", joined, re.DOTALL)
    shown = [line for block in blocks for line in block.splitlines()]
    shown += re.findall(
        r"`(lti_ags_\w+ -[^`]*|(?:python )?manage\.py lti_ags_[^`]*)`", re.sub(r"(?m)^\|.*$|```.*?```", "", joined, flags=re.DOTALL)
    )
    found = (re.search(r"(?:^|manage\.py )(lti_ags_\w+.*)", line.strip()) for line in shown)
    return {line[1].partition(" #")[0].strip() for line in found if line}


SHOWN = sorted({(line, page.name) for page in PAGES for line in lines(page.read_text(encoding="utf-8"))})


def parse(line: str) -> None:
    name, *arguments = shlex.split(line)
    commands = get_commands()
    assert name in commands, f"there is no command {name}"
    command = load_command_class(commands[name], name)
    command._called_from_command_line = False  # an error, not an exit
    command.create_parser("manage.py", name).parse_args(arguments)


@pytest.mark.parametrize(("line", "page"), SHOWN)
def test_a_command_line_is_one_that_its_command_takes(line, page):
    parse(line)


def test_lines_are_found_and_wrong_ones_are_not_taken():
    assert len(SHOWN) > 25
    assert lines(
        "```sh\npython manage.py lti_ags_keys --bits \\\n  7\n* * * * * cd x && python manage.py lti_ags_deliver --seconds 5\n```"
    ) == {
        "lti_ags_keys --bits 7",
        "lti_ags_deliver --seconds 5",
    }
    assert lines("Say `lti_ags_keys --list` or `manage.py lti_ags_worker`.\n| `lti_ags_keys --no` |") == {
        "lti_ags_keys --list",
        "lti_ags_worker",
    }
    for wrong in ("lti_ags_keys --nothing", "lti_ags_prune --attempts 90", "lti_ags_forget_user --user a"):
        with pytest.raises(CommandError):
            parse(wrong)
    with pytest.raises(AssertionError, match="no command"):
        parse("lti_ags_nothing")


def test_the_runbook_has_every_incident_with_a_way_to_know_that_it_is_over():
    text = (ROOT / "docs" / "how-to" / "runbook.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == INCIDENTS
    for title, section in sections.items():
        assert "**How you know.**" in section, title


@pytest.mark.parametrize("name", sorted(name for name, app in get_commands().items() if app == "django_lti_ags"))
def test_every_command_is_in_the_reference(name):
    assert f"`{name}" in (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["lti_ags_apikey", "lti_ags_doctor", "lti_ags_forget_user", "lti_ags_keys", "lti_ags_prune", "lti_ags_webhook"]
)
def test_help_ends_with_examples_that_the_command_takes(name):
    command = load_command_class("django_lti_ags", name)
    told = command.create_parser("manage.py", name).format_help()
    examples = re.findall(rf"^  manage\.py ({name}.*)$", told, re.MULTILINE)
    assert len(examples) >= 3
    for example in examples:
        parse(example)
