"""Sessions to which a redirect is an answer like any other."""

import requests


class AnsweringSession(requests.Session):
    """Never looks at where a redirect leads.

    Of one that is not followed, `requests` works out the next request all the same, and before that
    reads and unpacks the whole body, of whatever size, also where `stream` is asked for.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - as its base.
        return None
