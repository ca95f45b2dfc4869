"""From files to pixels on the screen."""
