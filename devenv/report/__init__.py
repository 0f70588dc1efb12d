"""Values to text. Pure: no printing, no terminal."""
