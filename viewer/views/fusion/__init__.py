"""One series over another on the screen."""
