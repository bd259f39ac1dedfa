"""Development only: service and sandbox on this machine, for `make demo` and `make dev-up`."""
