"""What was taken, and what it costs."""
