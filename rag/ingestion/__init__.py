"""Story 1: read -> split -> embed -> store.

    ingest.py            make a store hold what a folder holds now; plan.py, what changes then
    uploads.py           articles that people add while it runs; staging.py checks their files
    lock.py              one writer at a time

It may import `reading`, `embedding` and `store`.
"""
