"""What an attempt is asked, how it is told to stop, and how it ends. No torch here."""
