"""The native wire protocol: what a caller and a node say to each other (docs/protocol.md)."""
