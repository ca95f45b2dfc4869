"""One series in colour over another: in the viewports and in the three planes."""
