package auth

import "exante/auth/uid"

// Admission is what a request with that key would get, with no token to prove.
func (r *Keyring) Admission(id uid.ID) Admission {
	live := r.live(id)
	return Admission{Key: live.record.Load(), live: live}
}

// Asked reports whether the key of r has asked for a lease and not got it.
func (a *Authenticator) Asked(r Request) (asked bool) {
	a.meterOf(r, func(m *meter) { asked = m.asked })
	return asked
}

// Waiting is how many requests wait for a lease of the key of r.
func (a *Authenticator) Waiting(r Request) (n int64) {
	a.meterOf(r, func(m *meter) { n = m.waiting })
	return n
}

func (a *Authenticator) meterOf(r Request, look func(*meter)) {
	for _, live := range a.keyring.withTag(newToken(string(r.Token)).Tag()) {
		live.mu.Lock()
		look(&live.meter)
		live.mu.Unlock()
	}
}
