"""The entry point for WSGI servers, for behind a server or proxy that buffers bodies alone.

A WSGI server can't be kept from merging `X_Forwarded_For` into `X-Forwarded-For`, and a thread
waits for each body, for as long as its client likes: PEP 3333 has no deadline for `wsgi.input`,
and a thread that reads it beside the request's blocks granian as soon as the request is answered.
Both are left to the proxy in front (docs/operating.md), as each start says.
"""

import logging
import os

from connections_project.core.background_log import write_in_background
from connections_project.server.handler import wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connections_project.settings")
application = wsgi_application()
# Each process that is forked after this has a writer of its own. One that is no web server takes
# `wsgi_application`, and writes its log by itself.
write_in_background()

logging.getLogger(__name__).warning(
    "Served by WSGI: nothing ends a request whose body stalls. Serve connections_project.rsgi, or "
    "have a proxy buffer bodies and drop headers with underscores."
)
