"""The paths of probes."""

# Asked every few seconds by whoever runs the service, under whatever name it has there.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
