"""Which sessions there are, and what they used."""
