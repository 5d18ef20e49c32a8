"""Inside a Kaggle session: what is attached, what earlier runs left, what may be shared."""
