"""Jobs that are rows of a table: claimed under a lease, and done again if they must be.

A queue is a model (`models.LeasedJob`) and a handler (`queue.process_jobs`). Broker messages only
say "look now"; a wait is a `due_at`.
"""
