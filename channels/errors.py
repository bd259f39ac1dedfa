"""What can go wrong here beyond what every app's connections may run into."""

from uuid import UUID

from connections_project.connections.errors import ConnectionProblem


class ServiceAccountError(ConnectionProblem):
    """A service account may end its own connections, and nobody else's."""

    code = "service_account_not_allowed"


class ActiveSchedulesError(ConnectionProblem):
    """The channel still has something to publish.

    Args:
        count: How many schedules, in all.
        schedule_ids: The first of them.
    """

    code = "active_schedules"

    def __init__(self, count: int, schedule_ids: list[UUID]) -> None:
        super().__init__(count)
        self.count = count
        self.schedule_ids = schedule_ids


class InactiveConnectionError(ConnectionProblem):
    """Nothing can be scheduled on a channel that is not connected."""

    code = "connection_inactive"


class PublishingUnsupportedError(ConnectionProblem):
    """Nothing can be published on this channel; `reason` says why, for people."""

    code = "publishing_not_supported"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ScheduleTimeError(ConnectionProblem):
    """The time to publish at has passed."""

    code = "invalid_schedule_time"


class ScheduleNotFoundError(ConnectionProblem):
    """There is none with that id."""

    code = "schedule_not_found"


class ScheduleNotOwnerError(ConnectionProblem):
    """It is somebody else's."""

    code = "schedule_access_denied"


class ScheduleCancelledError(ConnectionProblem):
    """It was cancelled before."""

    code = "schedule_already_cancelled"


class ScheduleNotCancellableError(ConnectionProblem):
    """It is being published, or that is over."""

    code = "schedule_cannot_be_cancelled"
