"""What a run has come to, as small text files for git: exported, committed, pushed."""
