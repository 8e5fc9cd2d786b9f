"""One loop, and for each network a task that says what it draws, what it minimizes and how it is judged."""
