-- What of a run stays for its agent's typical cost? Its figures, and no text.
UPDATE goldspan_runs SET queue = NULL, why = NULL, emptied = 1 WHERE run_id = :run_id
