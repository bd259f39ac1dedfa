"""What this process has counted."""

from connections_project.core.instruments import REGISTRY


def metric_value(name: str, **labels: str) -> float:
    """Return a metric's value in this process, 0 for one that was never counted."""
    return REGISTRY.get_sample_value(name, labels) or 0.0
