"""Methods side by side: what their strengths cost and gain, and who wins."""
