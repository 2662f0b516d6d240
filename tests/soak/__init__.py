"""`make soak`: a node under load for minutes or hours, and a session of a hundred days."""
