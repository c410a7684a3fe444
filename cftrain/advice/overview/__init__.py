"""Many pieces of advice as one: who must change what, by how much, at what cost."""
