"""Platforms' own ways, a file a platform; `social/plugin.py` finds them.

The catalogue is read before Django is ready, so that nothing may be imported here.
"""
