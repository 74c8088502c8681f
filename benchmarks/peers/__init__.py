"""The contestants of the race."""
