"""The comparison experiment: heads on one frozen backbone, trained and evaluated alike."""
