"""The comparison: heads on one frozen backbone, trained alike and measured alike."""
