"""A node as one of a fleet: what it tells the centre, what it asks, and what it decides alone."""
