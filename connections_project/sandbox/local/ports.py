"""Ports of this machine, looked at before anything is started."""

import errno
import socket

LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


class PortTakenError(Exception):
    """Somebody else listens at a port that is needed."""


def check_free(*ports: int, hint: str) -> None:
    """Make sure that nobody listens at any of these ports of localhost.

    Args:
        ports: Each is looked at in IPv4 and IPv6, since clients try both.
        hint: What to do about one that is taken.

    Raises:
        PortTakenError: One is; the message is one line that names it.
    """
    for port in ports:
        if any(_is_answered(host, port) for _, host in LOOPBACK) or not _can_be_taken(port):
            raise PortTakenError(f"port {port} is taken: {hint}")


def free_port() -> int:
    """Return a port of loopback at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _is_answered(host: str, port: int) -> bool:
    # Some systems let a second listener in beside one at all addresses, so that taking the port
    # proves nothing there.
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _can_be_taken(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise PortTakenError(f"port {port} can't be listened at ({error.strerror})") from error
    return True
