"""Sessions that go on after a lost connection: their tokens, how long they wait, who has them."""
