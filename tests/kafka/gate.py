"""A gate before a broker's listener: connections pass, late if wished, or are turned away as no TLS server would do it."""
from __future__ import annotations

import contextlib
import socket
import threading
import time


class Gate:
    """Use as a context manager; `target` (host, port) may be set later."""

    def __init__(self, target=None):
        self.target, self.shut, self.delay = target, False, 0.0
        self.passed = self.turned_away = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.links: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        return "127.0.0.1:%d" % self.listener.getsockname()[1]

    def close_links(self) -> None:
        for link in self.links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        self.links = []

    def refuse(self) -> None:
        """Ends what is connected, and turns away who comes."""
        self.shut = True
        self.close_links()

    def reopen(self) -> None:
        self.shut = False

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._meet, args=(client,), daemon=True).start()

    def _meet(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self.shut:
                client.recv(1000)
                client.sendall(b"who are you?\n" * 10)
                self.turned_away += 1
                return
            with socket.create_connection(self.target) as server:
                self.links += [client, server]
                self.passed += 1
                back = threading.Thread(target=self._carry, args=(server, client), daemon=True)
                back.start()
                self._carry(client, server)
                back.join()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                time.sleep(self.delay)
                target.sendall(data)
        for link in (source, target):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_) -> None:
        self.listener.close()
        self.close_links()
