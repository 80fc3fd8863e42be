"""Everything that training changes, on disk: written whole, verified, restored, let go."""
