from django.apps import AppConfig


class RevocationConfig(AppConfig):
    name = "connections_project.revocation"
    label = "revocation"
