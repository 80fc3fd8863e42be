"""What the models learn beside their controls: single runs, the study that resumes, tables, pictures."""
