"""One file per method; ``strong_lth.tickets.listed`` lists them."""
