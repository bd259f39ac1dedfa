"""A request's head as a WSGI environ (PEP 3333)."""

import sys
from io import BytesIO

from connections_project.server.responses import FileBody
from connections_project.server.rsgi import Environ, Scope

# They have no prefix in an environ.
_UNPREFIXED = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


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
            key = _UNPREFIXED.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
            # RFC 6265, section 5.4, and RFC 9110, section 5.3.
            separator = "; " if name == "cookie" else ","
            found[key] = f"{found[key]}{separator}{value}" if key in found else value
    if scope.authority:
        # It stands in the place of Host (RFC 9112, section 3.2.2; RFC 9113, section 8.3.1).
        found["HTTP_HOST"] = scope.authority
    return found
