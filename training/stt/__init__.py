"""The recogniser: its text, speech, training, export and evaluation."""
