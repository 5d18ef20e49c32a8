"""What physics asks of a spectrum before any label does: bands, terms of the loss, violations of a prediction."""
