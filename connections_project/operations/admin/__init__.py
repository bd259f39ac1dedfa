"""The admin: registers the connections of all apps, and what concerns all of them."""

from connections_project.operations.admin import bulk_jobs, connections, offboarding

__all__ = ["bulk_jobs", "connections", "offboarding"]
