"""Django's admin, with a site of our own as `admin.site`."""

from django.contrib.admin.apps import AdminConfig


class OperatorsAdminConfig(AdminConfig):
    default_site = "connections_project.admin.dashboard.site.DashboardSite"
