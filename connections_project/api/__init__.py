"""What HTTP asks of every app alike: errors, traces, rate limits, paging. Knows no model."""
