"""A whole world on this machine: message buses, a control plane, a node in each region."""
