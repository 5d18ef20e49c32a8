"""What recorded runs show side by side: found, compared, verified, repeated, ranked."""
