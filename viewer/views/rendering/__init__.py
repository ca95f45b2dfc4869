"""The volume in three dimensions on the screen."""
