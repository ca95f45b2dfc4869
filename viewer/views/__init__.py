"""From arrays to the screen: viewports, overlays, drawing tools, the series strip. Plain QPainter.

What needs no toolkit stands in modules without Qt (`viewport_state`, `scale_bar`, `overlay`,
`mouse`, `pyramid`); the widgets draw these models and turn gestures into acts.
"""
