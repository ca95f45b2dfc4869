"""Marks and lesions of the study: list, figures, keeping."""
