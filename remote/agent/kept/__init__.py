"""What is known of runs beside their own records: their labels, and where they went."""
