"""Deep clustering: an autoencoder whose code is trained to form clusters."""
