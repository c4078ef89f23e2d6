package auth

// evictionSamples is how many entries of a full map are looked at for one to forget.
const evictionSamples = 8

// leastOf is the key of the entry that is worth least, of a few that the map
// happens to name. A full map that forgets it stays bounded at a small constant
// cost, and keeps what matters: to lose an entry of some worth takes a flood of
// entries worth as much. The map must not be empty.
func leastOf[K comparable, V any](entries map[K]V, worth func(V) int64) K {
	var least K
	var lowest int64
	seen := 0
	for k, v := range entries {
		if w := worth(v); seen == 0 || w < lowest {
			least, lowest = k, w
		}
		if seen++; seen == evictionSamples {
			break
		}
	}
	return least
}
