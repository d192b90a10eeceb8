"""What providers' status pages say."""
