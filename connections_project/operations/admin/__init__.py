"""The admin of what concerns the connections of all apps."""

from connections_project.operations.admin import bulk_jobs

__all__ = ["bulk_jobs"]
