"""The connections of every registered type, each with the forced disconnect."""

from django.contrib import admin

from connections_project.connections.registry import connection_types
from connections_project.operations.admin.force import ForceDisconnectAdmin

for _type in connection_types():
    _bases = (ForceDisconnectAdmin, _type.admin)
    admin.site.register(_type.model, type(f"Forcible{_type.admin.__name__}", _bases, {}))
