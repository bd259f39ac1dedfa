"""What can go wrong with publishing, beside what can with any connection."""

from connections_project.connections.errors import ConnectionProblem


class ReconnectNeededError(ConnectionProblem):
    """The platform no longer honours the grant: only connecting again helps."""

    code = "reconnect_needed"


class PublishFailedError(ConnectionProblem):
    """The platform did not take the post.

    Args:
        is_uncertain: Whether it may have taken it all the same.
    """

    code = "publish_failed"

    def __init__(self, *, is_uncertain: bool) -> None:
        super().__init__()
        self.is_uncertain = is_uncertain


class KeyReusedError(ConnectionProblem):
    """The idempotency key was used for another post."""

    code = "key_reused"


class StillSendingError(ConnectionProblem):
    """The first call with this idempotency key is under way."""

    code = "still_sending"


class OutcomeUnknownError(ConnectionProblem):
    """The first call with this idempotency key was broken off: nobody knows what came of it."""

    code = "outcome_unknown"


class InvalidAccountIdError(ConnectionProblem):
    """What should be an account's id is no UUID."""

    code = "invalid_account_id"
