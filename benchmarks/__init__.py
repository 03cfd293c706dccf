"""Speed, as ratios measured in one run; see README.md. Each benchmark is a module to run: ``python -m benchmarks.delivery``."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
django.setup()
