"""Senders of notices, a file each, called like the catalogue's value of `deauthorization`.

The catalogue is read before Django is ready, so that nothing may be imported here.
"""
