"""What every part of the workers stands on; imports nothing of ours."""
