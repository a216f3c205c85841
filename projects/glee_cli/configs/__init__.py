"""What is read and checked of a config before anything heavy is imported."""
