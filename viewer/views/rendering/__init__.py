"""A volume seen in three dimensions: presets, crop box, scalpel, bone removal and coloured surfaces.

A request carries everything (`scene.Scene`); a thread of its own renders it (`render_thread`) and the
newest picture is painted by a plain widget (`view`). VTK is imported on first use, in `renderer` and
`surfaces` alone; a child process has then shown that it works on this machine (`capability`).
"""
