package auth

// Asked reports whether the key of r waits for a lease.
func (a *Authenticator) Asked(r Request) bool {
	t := newToken(string(r.Token))
	for _, live := range a.keyring.withTag(t.Tag()) {
		live.mu.Lock()
		asked := live.meter.asked
		live.mu.Unlock()
		if asked {
			return true
		}
	}
	return false
}
