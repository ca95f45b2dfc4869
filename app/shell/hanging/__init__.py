"""Hanging protocols and priors."""
