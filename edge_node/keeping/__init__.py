"""Content that a policy keeps: put into the stores of its places, off the way of the session."""
