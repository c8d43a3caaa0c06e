"""One file per group of commands; ``strong_lth.cli`` lists them."""
