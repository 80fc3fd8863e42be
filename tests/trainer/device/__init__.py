"""The trainer on a device that is not there: stand-ins as strict as the real ones."""
