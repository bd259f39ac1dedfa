from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "connections_project.operations"
    label = "operations"
