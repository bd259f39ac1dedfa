"""`/metrics`: figures of all processes of this host, in Prometheus' words."""
