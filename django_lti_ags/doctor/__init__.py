"""Examine one registration: from its key to a reading of its results, over the real wire, and without writing anything.

::

    for finding in examine(registration, tool_url="https://tool.example/lti"):
        print(finding.status, finding.check, finding.seen, finding.todo)

Each check is a small function that says what it saw; a failure also says what to change, and on which side. No
grade is sent, no row is written, and no token, assertion or key is in what is said.
"""

from django_lti_ags.doctor.examination import examine
from django_lti_ags.doctor.findings import Finding, Side, Status

__all__ = ["Finding", "Side", "Status", "examine"]
