"""Run the sandbox: listen, migrate, seed, serve, until SIGTERM or Ctrl-C."""

import errno
import os
import signal
import sys
from typing import NoReturn

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from connections_project.conf.environment import Environment
from connections_project.oauth.client import ClientRegistration
from connections_project.sandbox.people import PEOPLE


class ListenError(OSError):
    """The address can't be listened at; the message says what to do."""


def run() -> None:
    """Serve by the environment's `SANDBOX_…` variables; exit 1 in one line if that can't be."""
    signal.signal(signal.SIGTERM, _stop)
    env = Environment(os.environ)
    try:
        serve(listen(env), registration=client_of(env))
    except (ImproperlyConfigured, ListenError) as error:
        sys.exit(f"Sandbox: {error}")
    except KeyboardInterrupt:
        _say("Sandbox stopped.")


def client_of(env: Environment) -> ClientRegistration:
    """Return the one client that may ask for access.

    Raises:
        ImproperlyConfigured: A variable is missing; the message names it.
    """
    hint = "say which client may ask for access, as the service's OAUTH_SANDBOX_… do"
    return ClientRegistration(
        client_id=env.required("SANDBOX_CLIENT_ID", hint=hint, unless=False),
        client_secret=env.required("SANDBOX_CLIENT_SECRET", hint=hint, unless=False),
        redirect_uris=tuple(
            env.required("SANDBOX_REDIRECT_URIS", hint=hint, unless=False).split(",")
        ),
    )


def listen(env: Environment) -> ThreadedWSGIServer:
    """Bind the port first: port 0 is any free one, and only then is the issuer's address known.

    Raises:
        ListenError: The port is taken, or the host isn't this machine's.
    """
    host = env.text("SANDBOX_HOST", "127.0.0.1")
    port = env.whole_number("SANDBOX_PORT", 9000, least=0)
    try:
        server = ThreadedWSGIServer((host, port), WSGIRequestHandler)
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "is taken" if taken else f"can't be listened at ({error})"
        raise ListenError(
            f"port {port} of {host} {reason}: free it, or choose another with --port"
        ) from error
    os.environ["SANDBOX_ISSUER"] = f"http://{host}:{server.server_port}"
    return server


def serve(server: ThreadedWSGIServer, *, registration: ClientRegistration) -> None:
    """Make the database ready and answer until the process is stopped."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "connections_project.sandbox.settings"
    with server:
        django.setup()
        call_command("migrate", verbosity=0, interactive=False)
        from connections_project.sandbox import seed, wsgi  # Models need setup() first.

        seed.seed(registration)
        server.set_app(wsgi.application)
        _announce()
        server.serve_forever()


def _announce() -> None:
    for person in PEOPLE.values():
        _say(f"Sign in as {person.username} with the password {person.password}")
    _say(f"Sandbox ready at {os.environ['SANDBOX_ISSUER']}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _stop(*_signal: object) -> NoReturn:
    raise KeyboardInterrupt
