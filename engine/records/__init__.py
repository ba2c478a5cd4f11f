"""What all departments share: who calls (parties), and what is kept of them."""
