"""What node and centre must agree on."""
