"""Django's admin, with a site of our own as `admin.site`."""

import gc

from django.contrib.admin.apps import AdminConfig


class OperatorsAdminConfig(AdminConfig):
    default_site = "connections_project.admin.dashboard.site.DashboardSite"

    def ready(self) -> None:
        super().ready()
        # This app is the last one. What is loaded by now stays for good: no collection has to look
        # through it again, and processes that are forked go on sharing its memory (gc.freeze).
        gc.freeze()
        # The entry points switch it off while they load.
        gc.enable()
