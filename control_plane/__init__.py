"""Who may and can take a session. Nothing is built here yet."""
