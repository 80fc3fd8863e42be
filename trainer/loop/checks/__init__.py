"""What is asked before a run: does it fit, does the device compute as it should, do its values agree?"""
