"""What this process has counted."""

from connections_project.http.instruments import REGISTRY


def figure(name: str, **labels: str) -> float:
    """Give a figure of this process, 0 for one that was never counted."""
    return REGISTRY.get_sample_value(name, labels) or 0.0
