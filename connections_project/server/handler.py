"""The service as a WSGI application, for whatever serves it."""

import gc
from importlib import import_module

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

from connections_project.core.web_start import web_process_starts
from connections_project.server.rsgi import Environ, WSGIApplication


class Request(WSGIRequest):
    """A request whose query and form are UTF-8, whatever its Content-Type says.

    Django would decode them by its charset, before any middleware, and fails at those of Python's
    codecs that decode no text ("hex"), or decode halves of surrogate pairs ("unicode_escape").
    """

    def _set_content_type_params(self, meta: Environ) -> None:
        kind = meta.get("CONTENT_TYPE", "")
        try:
            self.content_type, self.content_params = parse_header_parameters(kind)
        except (LookupError, ValueError):
            # A parameter may name a codec too (RFC 2231, section 4): whoever reads it again gets
            # none of them.
            self.content_type, self.content_params = kind.partition(";")[0].strip().lower(), {}
            meta["CONTENT_TYPE"] = self.content_type


class Handler(WSGIHandler):
    request_class = Request


def wsgi_application() -> WSGIApplication:
    """Return the application, with Django set up, and what the first requests need imported."""
    # Nothing that is imported is garbage (manage.py).
    gc.disable()
    django.setup(set_prefix=False)
    import_module(settings.ROOT_URLCONF)
    web_process_starts.send(sender=None)
    gc.enable()
    return Handler()
