"""Views in, images and Plotly figures out; no tensor comes here."""
