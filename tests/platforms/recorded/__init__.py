"""What the platforms answer, in their own shapes, with invented values: a file for each platform.

`test_reading.py` and `test_grants.py` play each recording to the service over HTTP. To add a
platform, add a file with a `RECORDING`; what a platform has no such thing for is left out of it,
and named in the table that `python -m tests.platforms.recorded` prints for docs/platforms.md.
"""
