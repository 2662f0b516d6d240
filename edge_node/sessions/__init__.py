"""A session, pure: events in, commands out. No loop, no socket, no clock, no engine."""
