-- Which process works here from now on?
INSERT INTO goldspan_executors (id, host, pid, beat) VALUES (:id, :host, :pid, :at)
