package auth

import (
	"net/netip"

	"exante/auth/uid"
)

// Principal is who acts, for the rules that depend on it and for the audit log.
// It is a parameter of every operation, never hidden in a context.
type Principal struct {
	OrgID  uid.ID // the organization acted in
	UserID uid.ID // the key's owner or the signed-in user; zero for the shell
	Key    *Key   // the API key that asked; nil for the shell and the system

	// Shell is set for an operator on this machine, who acts in every
	// organization; LocalUID is his Unix user.
	Shell    bool
	LocalUID int

	Addr      netip.Addr // where from; zero for the shell and the system
	RequestID string
}

// System is the principal of what the program does by itself.
func System(org uid.ID) Principal { return Principal{OrgID: org} }

// In is the same actor in another organization. Only the shell may move.
func (p Principal) In(org uid.ID) Principal {
	if p.Shell {
		p.OrgID = org
	}
	return p
}
