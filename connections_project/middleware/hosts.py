"""The Host header: one of ALLOWED_HOSTS, but for probes, which come by address."""

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware import common

from connections_project.core.probes import PROBES


class CommonMiddleware(common.CommonMiddleware):
    """Django's, which refuses foreign hosts, except where a probe asks. No probe's answer has the
    host in it."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        if request.path_info in PROBES:
            return None
        return super().process_request(request)
