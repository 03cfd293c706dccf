"""What the guide to Canvas says of a tool works, read from top to bottom."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TOLD = """\
Ada Lovelace {'Sums': 5.0}
Kurt Gödel {'Sums': 2.0}
Emmy Noether {'Sums': None}
median [3.5]
[1.0]
[5.0, 2.0]
2 learners with results
"""


@pytest.mark.django_db
def test_the_guide_to_canvas_in_a_tool(school, capsys):
    text = (ROOT / "docs" / "how-to" / "canvas.md").read_text(encoding="utf-8")
    blocks = re.findall(r"<!-- run by tests/example/test_docs_canvas_course.py -->\n```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 3
    secret, refresh = school.rest.register_key("100")
    given = {"key_id": "100", "key_secret": secret, "refresh_token": refresh, "outcome_id": 1, "base_url": school.base_url}
    exec("\n".join(blocks), {"registration": school.registration, "context": school.context(), **given})
    assert capsys.readouterr().out == TOLD
    assert (school.book.order, school.book.calculations) == ([1], [""])
