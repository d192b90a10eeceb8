"""What every format needs: bodies, compression, batches, times and signatures."""
