"""What operators see first: what needs attention now, and how the last days went."""
