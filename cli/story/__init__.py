"""The story of `connext demo`: the main job, told on a fresh stack, each step proving itself."""
