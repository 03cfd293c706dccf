"""The tests that the documentation names are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_test_that_a_promise_names_exists():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/explanation/promises.md").read_text()))
    there = {name for path in (ROOT / "tests").rglob("*.py") for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)}
    assert len(named) > 20
    assert named <= there, f"not there: {sorted(named - there)}"
