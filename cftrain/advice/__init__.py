"""From a search result to what a person is told: raw units, sparse, judged again."""
