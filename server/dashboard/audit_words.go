package dashboard

import (
	"exante/storage"
)

// deeds are what the actions of the audit log are, in words before the name of what
// it was done to. Those of the instance alone are in no organization's log.
var deeds = map[storage.Action]string{
	"org.create": "created the organization",
	"org.update": "changed the organization",

	"user.create":         "added the user",
	"user.disable":        "disabled the user",
	"user.enable":         "enabled the user",
	"user.role":           "changed the role of",
	"user.setup.create":   "made a setup link for",
	"user.password":       "set the password of",
	"user.password.clear": "took the password from",
	"user.rehash":         "strengthened the stored password of",
	"user.sessions.end":   "signed out everywhere",

	"session.create": "signed in",
	"session.end":    "ended a session",

	"key.create": "created the API key",
	"key.revoke": "revoked the API key",
	"key.rotate": "rotated the API key",
	"key.update": "changed the API key",
	"key.rehash": "strengthened the stored secret of the API key",

	"party.create": "added the party",
	"party.update": "changed the party",

	"invoice.create":            "created the invoice",
	"invoice.update":            "changed the invoice",
	"invoice.delete":            "deleted the invoice",
	"invoice.line_items.add":    "added lines to the invoice",
	"invoice.line_items.update": "changed lines of the invoice",
	"invoice.line_items.delete": "deleted lines of the invoice",
	"invoice.payment.record":    "recorded a payment of the invoice",
	"invoice.attachment.add":    "attached files to the invoice",
	"invoice.attachment.delete": "deleted an attachment of the invoice",
	"invoice.import":            "imported invoices, beginning with",
}

// deedKinds are the kinds of records that the log can be narrowed to.
var deedKinds = []struct{ Kind, Name string }{
	{"key", "API keys"}, {"user", "Users"}, {"session", "Sessions"}, {"invoice", "Invoices"}, {"party", "Parties"}, {"org", "Organization"},
}

// deedGroup is one kind with its actions, for a list to choose from.
type deedGroup struct {
	Name, All string // All: "key."
	Actions   []storage.Action
}

// deedGroups is that list.
func deedGroups() []deedGroup {
	groups := make([]deedGroup, len(deedKinds))
	for n, k := range deedKinds {
		groups[n] = deedGroup{Name: k.Name, All: k.Kind + "."}
		for _, a := range storage.Actions() {
			if a.Kind() == k.Kind {
				groups[n].Actions = append(groups[n].Actions, a)
			}
		}
	}
	return groups
}

// Words is an action in words: "Revoked the API key".
func (deedGroup) Words(a storage.Action) string { return capital(deeds[a]) }
