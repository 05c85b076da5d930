"""The processes under measure, one module per system."""
