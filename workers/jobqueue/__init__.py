"""Jobs: claiming them, running them, and recording what came of it; not what they do."""
