"""What the platforms answer, in their own shapes, with invented values: a file for each platform.

`test_contract.py` plays each recording to the service over HTTP. To add a platform, add a file with
a `RECORDING`; what a platform has no such thing for is left out of it.
"""
