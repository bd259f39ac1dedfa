"""A request's head as a WSGI environ (PEP 3333)."""

import sys
from io import BytesIO

from connections_project.core.request_body import BodyRefusedError
from connections_project.server.responses import FileBody
from connections_project.server.rsgi import Environ, Scope

# They have no prefix in an environ.
_UNPREFIXED = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}

# What stands for a value that granian gives to nobody, for having more than ASCII (RFC 9110,
# section 5.5): its header must not pass for one that was not sent. No header of ours is good so.
UNREADABLE = "\xff"
FORWARDED = frozenset({"x-forwarded-for", "x-forwarded-proto"})


def refuse_unreadable_way(scope: Scope) -> None:
    """Refuse a caller whose address the proxies have told in vain, by what it wrote beside it.

    Raises:
        BodyRefusedError: 400.
    """
    if not FORWARDED.isdisjoint(_unreadable(scope)):
        raise BodyRefusedError(400)


def environ_of(scope: Scope, body: bytes) -> Environ:
    """Return the environ of a request whose body has been received."""
    server_name, _, server_port = scope.server.rpartition(":")
    return {
        **_headers(scope),
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        # PEP 3333, "Unicode Issues": the bytes of the path, each as one character.
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": server_name.strip("[]"),
        "SERVER_PORT": server_port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileBody,
    }


def _headers(scope: Scope) -> Environ:
    """Return the headers, without those that have an underscore in their names.

    `X_Forwarded_For` and `X-Forwarded-For` would be one key, so that whoever calls past a proxy's
    knowledge could write what only the proxy may say.
    """
    found: Environ = {}
    for name, value in scope.headers.items():
        # A server may ignore Range (RFC 9110, section 14.2): parts of a static file would be kept
        # in memory for whoever reads them slowly.
        if "_" not in name and name != "range":
            key = _key(name)
            # RFC 6265, section 5.4, and RFC 9110, section 5.3.
            separator = "; " if name == "cookie" else ","
            found[key] = f"{found[key]}{separator}{value}" if key in found else value
    for name in _unreadable(scope):
        found[_key(name)] = UNREADABLE
    if scope.authority:
        # It stands in the place of Host (RFC 9112, section 3.2.2; RFC 9113, section 8.3.1).
        found["HTTP_HOST"] = scope.authority
    return found


def _unreadable(scope: Scope) -> list[str]:
    """Return the names of headers whose first line has a value that can't be had."""
    names, value_of = scope.headers.keys(), scope.headers.get
    return [name for name in names if "_" not in name and value_of(name) is None]


def _key(name: str) -> str:
    return _UNPREFIXED.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
