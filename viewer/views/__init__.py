"""Qt widgets that draw images, overlays and regions."""
