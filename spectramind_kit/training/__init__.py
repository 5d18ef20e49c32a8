"""What labels teach: held-out predictions and their calibration, networks, losses, augmentation."""
