"""Products for other tools: data frames, datasets, ECSV and FITS files, likelihoods for retrieval codes."""
