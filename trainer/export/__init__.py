"""A trained model as a folder that loads without Photinus."""
