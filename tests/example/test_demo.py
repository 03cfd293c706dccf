"""The demo's processes: they do what they promise, and end with whoever started them."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from tests.example.ports import free_port, is_free

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.demo
PATIENCE_SECONDS = 120


def family_of(directory_mark: str) -> list[int]:
    """The processes whose environment carries the mark."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if directory_mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found


def wait_until(condition, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, what
        pause.wait(0.1)


@pytest.fixture
def demo(tmp_path):
    """Starts a demo; whatever is left of it at the end is killed."""
    mark = f"DEMO_TEST_MARK={tmp_path}"
    environment = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL")}
    environment |= {"DEMO_TEST_MARK": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    started = []

    def start(*arguments, command=(sys.executable, "manage.py", "demo"), ports=None, wait=True, **more_environment):
        tool, lms = ports or (free_port(), free_port())
        process = subprocess.Popen(
            [*command, *arguments, "--tool-port", str(tool), "--lms-port", str(lms)],
            cwd=ROOT,
            env=environment | more_environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        process.ports, process.mark = (tool, lms), mark
        started.append(process)
        if wait:
            wait_until(lambda: process.poll() is not None or (is_up(tool) and is_up(lms)), "the demo did not come up")
        return process

    yield start
    for process in started:
        for pid in {process.pid, *family_of(mark)}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not process.stdout.closed:
            process.communicate()


def is_up(port: int) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with contextlib.suppress(OSError), direct.open(f"http://127.0.0.1:{port}/", timeout=5):
        return True
    return False


def all_gone(process) -> bool:
    return not family_of(process.mark) and all(is_free(port) for port in process.ports)


def test_the_check_takes_every_student_from_launch_to_gradebook_and_asks_no_proxy(demo):
    proxies = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    process = demo("--check", wait=False, **dict.fromkeys(proxies, f"http://127.0.0.1:{free_port()}"))
    told, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, told
    rows = [line.split() for line in told.splitlines() if " / 8" in line]
    assert [(row[2], row[5]) for row in rows] == [("10", "10"), ("8", "8"), ("6", "6"), ("2", "2"), ("0", "0")]
    assert all(float(row[-1]) < PATIENCE_SECONDS for row in rows)
    assert all_gone(process)


def test_ctrl_c_stops_everything_and_a_second_one_changes_nothing(demo):
    process = demo()
    assert len(family_of(process.mark)) == 4
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGINT)
    told, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert f"http://127.0.0.1:{process.ports[0]}/admin/" in told
    assert "name admin, password admin" in told
    assert "Everything is stopped." in told
    assert "Traceback" not in told
    assert all_gone(process)


def test_a_killed_demo_leaves_no_process_and_free_ports_and_the_next_one_removes_its_directory(demo, tmp_path):
    process = demo()
    process.kill()
    process.wait()
    wait_until(lambda: all_gone(process), "a process outlived the demo")
    [left] = tmp_path.glob("lti-ags-demo-*")
    owner = left.name.rpartition("-")[0].rpartition("-")[0]
    others = [tmp_path / f"{owner}-{os.getpid()}-alive", tmp_path / "lti-ags-demo-elsewhere-0-4194305-x", tmp_path / "lti-ags-demo-mine"]
    for directory in others:
        directory.mkdir()
    following = demo(wait=False)
    wait_until(lambda: not left.exists(), "it stayed")
    following.send_signal(signal.SIGTERM)
    assert following.wait(PATIENCE_SECONDS) == 0
    assert set(tmp_path.glob("lti-ags-demo-*")) == set(others)


def test_a_demo_whose_starter_is_gone_stops(demo):
    """What a killed tox leaves: a demo without a parent."""
    starter = "import subprocess, sys; subprocess.Popen([sys.executable, 'manage.py', 'demo', *sys.argv[1:]]).wait()"
    process = demo(command=(sys.executable, "-c", starter))
    process.kill()
    process.wait()
    wait_until(lambda: all_gone(process), "the demo outlived whoever started it")


@pytest.mark.parametrize("seconds", [0, 0.25, 1.5])
def test_a_demo_whose_starter_ends_early_stops(demo, seconds):
    starter = (
        "import os, subprocess, sys, threading; subprocess.Popen([sys.executable, 'manage.py', 'demo', *sys.argv[2:]]);"
        "threading.Event().wait(float(sys.argv[1])); os._exit(0)"
    )
    process = demo(command=(sys.executable, "-c", starter, str(seconds)), wait=False)
    process.wait()
    wait_until(lambda: all_gone(process), "the demo outlived whoever started it")


@pytest.mark.parametrize("seconds", [1.0, 2.5, 4.0])
def test_ctrl_c_during_a_check_is_no_verdict(demo, seconds):
    process = demo("--check", wait=False)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    with contextlib.suppress(ProcessLookupError):  # it may have been faster
        os.killpg(process.pid, signal.SIGINT)
    told, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in told
    if process.returncode:
        assert told.strip().endswith("Interrupted."), told
    else:
        assert told.count(" / 8") == 10
    assert all_gone(process)


def test_of_two_demos_that_begin_together_one_runs_and_one_says_why_not(demo):
    ports = (free_port(), free_port())
    both = [demo(ports=ports, wait=False) for _ in range(2)]
    wait_until(lambda: any(process.poll() is not None for process in both), "neither gave way")
    [loser] = [process for process in both if process.poll() is not None]
    [winner] = [process for process in both if process is not loser]
    told = loser.communicate()[0]
    assert "cannot be used (Address already in use). Perhaps another demo runs there." in told
    assert "Traceback" not in told
    assert "Fatal" not in told
    wait_until(lambda: is_up(ports[0]) and is_up(ports[1]), "nobody runs")
    winner.send_signal(signal.SIGTERM)
    assert "Everything is stopped." in winner.communicate(timeout=PATIENCE_SECONDS)[0]


@pytest.mark.parametrize("role", ["tool", "lms"])
def test_a_part_whose_port_was_taken_meanwhile_says_so(role, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"DEMO_TOOL_PORT": str(free_port()), "DEMO_LMS_PORT": str(free_port())}
        ports[f"DEMO_{role.upper()}_PORT"] = str(taken.getsockname()[1])
        settings = {"DJANGO_SETTINGS_MODULE": "example_project.settings", "DEMO_DIRECTORY": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-m", "django", "demo_process", role],
            cwd=ROOT,
            env=os.environ | settings | ports,
            stdin=subprocess.PIPE,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
    assert done.returncode == 1
    assert f"Choose another one: --{role}-port " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_what_is_no_port_is_called_so(demo, port):
    process = demo(ports=(port, free_port()), wait=False)
    told, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert f"{port} is no port: --tool-port takes a number from 1 to 65535" in told
    assert "earlier demo" not in told


@pytest.mark.parametrize("which", [0, 1])
def test_a_taken_port_is_said_and_nothing_is_left(demo, which):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [free_port(), free_port()]
        ports[which] = taken.getsockname()[1]
        process = demo(ports=ports, wait=False)
        told, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode != 0
    assert f"Port {ports[which]} on 127.0.0.1 cannot be used" in told
    assert f"{('--tool-port', '--lms-port')[which]} " in told
    assert "Traceback" not in told
    assert all_gone(process)


def test_one_port_cannot_be_both(demo):
    port = free_port()
    process = demo(ports=(port, port), wait=False)
    told, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert "cannot both have port" in told


def test_a_part_that_dies_ends_the_demo_with_a_word(demo):
    process = demo()
    [worker] = [pid for pid in family_of(process.mark) if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(worker, signal.SIGKILL)
    told, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode != 0
    assert "The worker ended by itself" in told
    assert all_gone(process)


def test_tox_gives_the_demo_time_to_stop(demo, tmp_path):
    """Ctrl-C in a terminal reaches tox and the demo at once."""
    process = demo(command=(sys.executable, "-m", "tox", "run", "-e", "demo", "--workdir", str(tmp_path / "tox"), "--"))
    os.killpg(process.pid, signal.SIGINT)
    told, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Everything is stopped." in told
    assert "Traceback" not in told
    wait_until(lambda: all_gone(process), "a process outlived tox")


def test_a_killed_tox_leaves_no_process_and_free_ports(demo, tmp_path):
    process = demo(command=(sys.executable, "-m", "tox", "run", "-e", "demo", "--workdir", str(tmp_path / "tox"), "--"))
    process.kill()
    process.wait()
    wait_until(lambda: all_gone(process), "a process outlived tox")
