# WARNING: Empty playbook: There is no play in it
