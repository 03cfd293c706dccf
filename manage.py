#!/usr/bin/env python3
"""Django's command line, for the example project."""

import os
import sys

if __name__ == "__main__":
    # The demo ends with whoever started it: who that is, is asked before anything slow, during which they might end.
    os.environ["DEMO_STARTER"] = str(os.getppid())
    if sys.version_info < (3, 11):  # said before anything is imported that the old ones cannot read
        sys.exit("django_lti_ags needs Python 3.11 or newer; this is %d.%d." % sys.version_info[:2])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    try:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
