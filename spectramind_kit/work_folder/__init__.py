"""What a run's own folder holds: products, model, submission, record."""
