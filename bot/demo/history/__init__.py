"""The shop's past week: visits, the deploys before today, and how they are imported."""
