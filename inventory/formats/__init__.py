"""Tables of the inventory as files: CSV, YAML and XLSX, read into rows of text and written from them."""
