"""What a person types becomes what is found: query, scores, match strength, labels."""
