"""`export`: what a run told, in the files of other programs."""
