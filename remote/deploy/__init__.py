"""Bringing our code to a host: look (`survey`), choose (`plan`), carry (`wheel`, `upload`), build, try.

`deploying.deploy` does it all; `checking` tells whether it is needed. What runs on the host before anything
of ours is there (`probe`, `stage`) is standard library only; `builder` runs out of the uploaded wheel.
"""
