"""What can go wrong with a call, and when a person should look."""
