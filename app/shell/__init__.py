"""The Qt desktop: sign-in, worklist, reading window, report editor, signing."""
