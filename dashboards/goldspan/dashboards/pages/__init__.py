"""The dashboard's pages; each is one file with a function `page`."""
