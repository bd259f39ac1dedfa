"""The admin of what concerns the connections of all apps."""

from connections_project.operations.admin import bulk_jobs, offboarding

__all__ = ["bulk_jobs", "offboarding"]
