"""Target networks, their construction by pruning a random network, and certificates of the error."""
