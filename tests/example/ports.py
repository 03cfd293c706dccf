"""Ports for processes that are started in a moment: from a range that the system gives to nobody, so that they stay free until then."""

import contextlib
import itertools
import os
import socket

_FIRST, _COUNT = 10_000, 20_000
_chosen = itertools.count(os.getpid() * 101)


def free_port() -> int:
    """A port on which nobody listens; no two calls of one process give the same one."""
    for number in _chosen:
        port = _FIRST + number % _COUNT
        if is_free(port):
            return port
    raise AssertionError("unreachable: the numbers do not end")


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False
