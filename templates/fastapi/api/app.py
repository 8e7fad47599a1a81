"""A FastAPI application like any other; Mangum turns events into its requests."""

from fastapi import FastAPI, HTTPException
from mangum import Mangum
from pydantic import BaseModel

app = FastAPI(title="Notes")


class Note(BaseModel):
    """What is posted."""

    text: str


notes = {1: Note(text="Buy milk")}  # for as long as this environment lives


@app.get("/notes/{number}")
def read_note(number: int, upper: bool = False) -> Note:
    """One note; with ?upper=1 in capitals."""
    if number not in notes:
        raise HTTPException(404, f"there is no note {number}")
    note = notes[number]
    return Note(text=note.text.upper()) if upper else note


@app.post("/notes", status_code=201)
def add_note(note: Note) -> dict[str, int]:
    """Keep a note and tell its number."""
    number = len(notes) + 1
    notes[number] = note
    return {"number": number}


handler = Mangum(app, lifespan="off")  # it would start and shut down with every event
