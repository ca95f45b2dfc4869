"""The built-in model's eyes: pictures with a known truth, the pair that reads them, its training."""
