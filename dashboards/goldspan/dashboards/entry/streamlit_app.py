"""The script that Streamlit runs. It stands alone in its folder: beside a folder called `pages`,
Streamlit would take that folder's files for pages of its own, and put ours on the import path."""

from goldspan.dashboards.app import main

main()
