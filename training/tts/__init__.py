"""Makes the voices that ship: teacher speech, its analysis, the network, its export."""
