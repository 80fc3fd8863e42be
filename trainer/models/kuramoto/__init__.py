"""Oscillators: banks, coupling, dynamics, and their scans."""
