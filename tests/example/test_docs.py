"""The documentation's script works, alone."""

import re
import subprocess
import sys
from pathlib import Path

from django_lti_ags.testing.platforms import SimulatedPlatform, User
from tests.conftest import KEY_ID

ROOT = Path(__file__).parent.parent.parent


def test_the_wire_alone_in_a_plain_script(tool_key, tmp_path):
    text = (ROOT / "docs" / "how-to" / "use-the-wire-alone.md").read_text(encoding="utf-8")
    script = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    assert len([line for line in script.splitlines() if line and not line.startswith(("import", "from"))]) <= 10
    (tmp_path / "script.py").write_text(script + "assert 'django' not in sys.modules\n", encoding="utf-8")
    (tmp_path / "key.pem").write_text(tool_key.pem, encoding="ascii")
    with SimulatedPlatform() as platform:
        tool = platform.register_tool(client_id="script", public_jwks={"keys": [tool_key.jwk]})
        course = platform.add_course("c", users=[User(id="u1", login="", name="")])
        link = platform.add_link(course, "Quiz", tool, score_maximum=10)
        url = platform.line_item_url(course, link.line_item)
        told = subprocess.run(
            [sys.executable, str(tmp_path / "script.py"), platform.token_url, "script", str(tmp_path / "key.pem"), KEY_ID, url, "u1"],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert told.stdout == "8.0\n", told.stderr
