"""What tox promises: SQLite whatever the shell has, and a word to those whose Python is too old."""

import ast
import configparser
import os
import subprocess
import sys

from tests.example.projects import ROOT

INSTALL = ROOT / ".ci" / "install"


def test_the_suite_does_not_take_the_shells_database():
    settings = configparser.RawConfigParser()
    settings.read(ROOT / "tox.ini", encoding="utf-8")
    passed = {name: section.get("pass_env", "") for name, section in settings.items()}
    assert [name for name, names in passed.items() if "DATABASE" in names] == []


def test_an_unknown_kind_of_database_is_said():
    done = subprocess.run(
        [sys.executable, "-c", "import tests.settings"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": "oracle://somewhere/x"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "ImproperlyConfigured: DATABASE_URL begins with 'oracle'" in done.stderr


def test_an_old_python_is_told_what_to_do():
    script = INSTALL.read_text(encoding="utf-8")
    ast.parse(script, feature_version=(3, 7))
    pretend = f"import runpy, sys; sys.version_info = (3, 10, 13); runpy.run_path({str(INSTALL)!r})"
    done = subprocess.run([sys.executable, "-c", pretend, "nothing"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed; this is 3.10." in done.stderr
    assert "Delete .venv and .tox, and use e.g.: python3.13 -m venv .venv" in done.stderr


def test_a_new_one_installs():
    done = subprocess.run([sys.executable, "-I", str(INSTALL), "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "Install packages from" in done.stdout
