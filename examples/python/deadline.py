"""A deadline for a whole request of `urllib`, whatever its server does."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.request
from typing import Any


class Deadline:
    """Shuts the connections of a request down when its time is over.

    The timeout of a socket applies to each read alone, so a server that sends a byte now and then would keep a thread for ever.
    """

    def __init__(self, seconds: float) -> None:
        self._lock, self._sockets = threading.Lock(), list[socket.socket]()
        self.has_passed = False
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._timer.cancel()
        with self._lock:
            for each in self._sockets:
                each.close()

    def add(self, connected: socket.socket) -> None:
        with self._lock:
            if self.has_passed:
                raise TimeoutError
            # The connection takes the socket over when TLS begins.
            self._sockets.append(connected.dup())

    def _pass(self) -> None:
        with self._lock:
            self.has_passed = True
            for each in self._sockets:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # The connection has ended.


class Connection(http.client.HTTPConnection):
    """A connection with a deadline, which is set before it connects."""

    deadline: Deadline

    def connect(self) -> None:
        super().connect()
        self.deadline.add(self.sock)


class TlsConnection(http.client.HTTPSConnection, Connection):
    """Connects like `Connection`, and then begins TLS."""


class Handler(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Opens connections with a deadline."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(self._connection(Connection), request)

    def https_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(self._connection(TlsConnection), request)

    def _connection(self, kind: type[Connection]) -> Any:
        def made(host: str, **settings: Any) -> Connection:
            connection = kind(host, **settings)
            connection.deadline = self._deadline
            return connection

        return made
