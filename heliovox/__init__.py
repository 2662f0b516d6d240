"""Heliovox: streaming speech near the people who speak. This package is what callers hold."""
