"""What several rooms use: random streams; and what belongs to none: counting parameters and operations."""
