"""The guide to Canvas works, read from top to bottom, and without Django."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from django_lti_ags.testing.platforms import CanvasRest, SimulatedPlatform

ROOT = Path(__file__).parent.parent.parent
BEFORE = "import sys\nbase_url, access_token, key_id, key_secret, refresh_token, course_id, outcome_id, user_id = sys.argv[1:]\n"
AFTER = "transport.close()\nassert 'django' not in sys.modules\n"
TOLD = """\
1 results
9 scopes, such as url:GET|/api/v1/courses/:course_id/outcome_results
Ada Lovelace {'Sums': 4.0}
median [4.0]
1 assignment_5 4.0
[True]
aggregate – must be one of course
can only include id's of users in the outcome context – \
Leave out who is not a student of this course (any more), or correct the ids in user_ids.
[4.0]
"""


def test_the_guide_to_canvas(tmp_path):
    text = (ROOT / "docs" / "how-to" / "canvas.md").read_text(encoding="utf-8")
    blocks = re.findall(r"<!-- run by tests/example/test_docs_canvas.py -->\n```python\n(.*?)```", text, re.DOTALL)
    others = [text.count(f"<!-- run by tests/example/test_docs_{other}.py -->\n```python") for other in ("canvas_course", "live")]
    assert len(blocks) + sum(others) == text.count("```python")
    (tmp_path / "script.py").write_text(BEFORE + "\n".join(blocks) + AFTER, encoding="utf-8")
    with SimulatedPlatform(dialect="canvas") as platform:
        rest = CanvasRest(platform)
        book = rest.add_course(7, "Algebra")
        book.add_student(1, "Ada Lovelace")
        book.assess(1, book.add_outcome("Sums"), "assignment_5", 4, datetime.now(UTC))
        told = subprocess.run(
            [
                sys.executable,
                str(tmp_path / "script.py"),
                platform.base_url,
                rest.issue_token(),
                "100",
                *rest.register_key("100"),
                "7",
                "1",
                "1",
            ],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert told.stdout == TOLD, told.stderr
