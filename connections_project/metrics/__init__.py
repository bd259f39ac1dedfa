"""`/metrics`: the metrics of all processes of this host, for Prometheus."""
