"""View and tumor type of a brain MRI slice."""
