"""The explorer: every image on a map, coloured by any cell, to pick from and to send the pick back."""
