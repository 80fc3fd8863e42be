"""Code that runs on a host before Photinus is installed there: standard library only."""
