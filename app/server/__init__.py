"""The server of the page: uvicorn around FastAPI, with Gradio mounted and guarded."""
