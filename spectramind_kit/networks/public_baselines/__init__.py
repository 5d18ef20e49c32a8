"""The public baselines of the 2025 challenge, rebuilt from what is known of them, to be measured against."""
