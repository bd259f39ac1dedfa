"""The start of a web process: what would make the first request wait is done then."""

from django.dispatch import Signal

# Sent once in each web process, with Django set up, before it answers. Commands and workers never
# send it.
web_process_starts = Signal()
