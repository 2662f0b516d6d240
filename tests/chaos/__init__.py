"""`make chaos`: a real world is hurt while people speak, and no word may be lost."""
