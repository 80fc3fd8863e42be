"""Does a token reach another, does anything pass the oscillators, and does R do anything? With controls."""
