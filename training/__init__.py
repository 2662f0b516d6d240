"""How the embedded models are made: everything needed to train them again."""
