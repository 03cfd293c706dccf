"""A server that loads the application and then forks: no child shares a socket, a lock or a deadline with its parent."""

import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SECONDS = 30


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write per answer

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        name = self.path.removeprefix("/").encode()
        self.server.pause.wait(0.002)
        self.send_response(200)
        self.send_header("Content-Length", str(len(name)))
        self.end_headers()
        self.wfile.write(name)

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def echo():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        server.pause = threading.Event()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def run(program, *arguments):
    # A process of its own: forking one with pytest's threads in it would test those.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        cwd=ROOT,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_child_takes_no_answer_of_its_parents(echo):
    told = run(
        """
        import os, sys
        from django_lti_ags.ags.transport import Transport
        sender = Transport(deadline_seconds=5, allowed_private_hosts=["127.0.0.1"])
        assert sender.send("s", "POST", sys.argv[1] + "/warm", body=b"x").ok
        child = os.fork()
        name = "parent" if child else "child"
        found = {sender.send("s", "POST", f"{sys.argv[1]}/{name}{number}", body=b"x").body == f"{name}{number}" for number in range(100)}
        print(f"{name} {found} ", end="", flush=True)  # in one piece: two processes write here
        if child:
            assert os.waitpid(child, 0)[1] == 0
        """,
        echo,
    )
    assert sorted(told) == ["child", "parent", "{True}", "{True}"]


def test_a_child_closes_its_copies_without_ending_the_parents_connection(echo):
    told = run(
        """
        import os, sys
        from django_lti_ags.ags.transport import Transport
        sender = Transport(deadline_seconds=5, allowed_private_hosts=["127.0.0.1"])
        assert sender.send("s", "POST", sys.argv[1] + "/warm", body=b"x").ok
        [[connection]] = sender._pool._idle.values()
        child = os.fork()
        if not child:
            os._exit(0 if connection.sock is None and sender._pool._idle == {} else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert not connection.is_stale()
        assert sender.send("s", "POST", sys.argv[1] + "/again", body=b"x").ok
        print(connection.reused)
        """,
        echo,
    )
    assert told == ["True"]


def test_a_fork_while_locks_are_held_blocks_no_child(echo):
    """Another thread holds each lock at the moment of the fork; in the child nobody would ever let go of it."""
    told = run(
        """
        import os, signal, sys, threading
        from django_lti_ags.ags.tokens import MemoryTokenStore
        from django_lti_ags.ags.transport import Transport
        asked, answer = threading.Event(), threading.Event()

        def resolver(host, port):
            asked.set()
            if os.getpid() == parent:
                answer.wait(20)
            return ["127.0.0.1"]

        parent = os.getpid()
        sender = Transport(deadline_seconds=5, allowed_private_hosts=["127.0.0.1", "lms.example"], resolver=resolver)
        store = MemoryTokenStore()
        url = sys.argv[1].replace("127.0.0.1", "lms.example")
        looking = threading.Thread(target=sender.send, args=("s", "POST", url + "/x"), kwargs={"body": b"x"})
        looking.start()
        asked.wait(20)
        with store.lock("key"), store._lock, sender._pool._lock, sender._watchdog._changed:
            child = os.fork()
            if not child:
                signal.alarm(10)
                with store.lock("key"):
                    exchange = sender.send("s", "POST", url + "/child", body=b"x")
                assert exchange.body == "child", exchange
                print(sender._watchdog._thread is not None, flush=True)
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        answer.set()
        looking.join()
        """,
        echo,
    )
    assert told == ["True"]
