"""Answer requests under callgrind: `python -m bench.counted FILE`, called by bench.instructions.

The file has, for each call, the requests of which the first ones are not counted.
"""

import gc
import io
import json
import sys
from pathlib import Path
from typing import Any

from django.core.wsgi import get_wsgi_application

from bench import valgrind

WARM_UP = 10


def main() -> None:
    application = get_wsgi_application()
    for requests in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")).values():
        for request in requests[:WARM_UP]:
            _answer(application, request)
        gc.collect()
        valgrind.start()
        for request in requests[WARM_UP:]:
            _answer(application, request)
        valgrind.stop()


def _answer(application: Any, request: dict[str, str]) -> None:
    statuses: list[str] = []
    given = {
        **request,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_ACCEPT": "application/json",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
    }
    answer = application(given, lambda status, *_: statuses.append(status))
    for _ in answer:
        pass
    answer.close()
    if statuses != ["200 OK"]:
        raise RuntimeError(f"{request['PATH_INFO']}: {statuses}")


if __name__ == "__main__":
    main()
