"""The borrower self-service desk."""
