"""What platforms tell by themselves: that a user took a grant back, or wants data erased."""
