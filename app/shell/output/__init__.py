"""What leaves the window: copy, print, key images, de-identified export."""
