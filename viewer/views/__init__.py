"""From arrays to the screen: viewports, overlays, drawing tools, the series strip. Plain QPainter.

What needs no toolkit stands in modules without Qt (`viewport_state`, `scale_bar`, `contour`,
`overlay`, `drawing`, `pyramid`); the widgets draw these models and turn gestures into acts.
"""
