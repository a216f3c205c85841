"""What several rooms use: random streams, the console; and what belongs to none: counting parameters and operations."""
