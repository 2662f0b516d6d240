"""The control plane's HTTP."""
