"""What the workflows have in common."""
