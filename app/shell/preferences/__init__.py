"""What a person sets: keys, presets, display, second screen."""
