"""What the office that keeps the records works with: reports on its files, records set aside, templates, new waves."""
