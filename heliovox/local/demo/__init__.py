"""The demonstration: a world comes up, serves callers near and lawfully, is hurt, and serves on."""
