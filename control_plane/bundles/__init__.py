"""What nodes need to admit callers by themselves."""
