"""Measurements on trained tickets: paths between networks, signs, masks, functions and weights."""
