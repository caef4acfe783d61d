"""Ways to the bank. Each hands over stored bytes, once, and says what is known afterwards."""
