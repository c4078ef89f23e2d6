package dashboard

import (
	"fmt"

	"exante/auth"
)

// scopeSentences say what each scope allows.
var scopeSentences = map[auth.Scope]string{
	auth.InvoicesRead:  "See invoices with their lines, payments and attachments, their totals, and export them.",
	auth.InvoicesWrite: "Create, change, send and void invoices, record payments, add and remove attachments.",
	auth.PartiesRead:   "See whom you invoice, with addresses and contacts.",
	auth.PartiesWrite:  "Add and change whom you invoice.",
	auth.APIKeysRead:   "See the API keys of the organization and what they did. Never a secret.",
	auth.APIKeysWrite:  "Create, rotate and revoke API keys, within its own rights.",
}

// scopeChoice is a scope that can be chosen.
type scopeChoice struct{ Name, Sentence string }

// scopeChoices are the scopes that a set permits, but for those that another does, each
// with its sentence.
func scopeChoices(in, but auth.Scopes) []scopeChoice {
	var choices []scopeChoice
	for _, s := range auth.AllScopes() {
		if in.Allows(s) && !but.Allows(s) {
			choices = append(choices, scopeChoice{s.String(), scopeSentences[s]})
		}
	}
	return choices
}

// preset is a set of scopes with a name.
type preset struct {
	Word, Name, Sentence string
	scopes               []string
}

// custom is the word for scopes that are chosen one by one.
const custom = "custom"

var presets = []preset{
	{"read", "Read only", "Sees invoices and parties, and changes nothing.", []string{"invoices:read", "parties:read"}},
	{"invoices", "Invoices", "Creates and changes invoices, and the parties that they go to.", []string{"invoices:write", "parties:write"}},
	{"full", "Full access", "May do all that there is, what later versions bring too, and make other keys.", []string{"*"}},
}

// scopesOf reads the fields access and scopes of a form. What is wrong goes there.
func scopesOf(f *form) auth.Scopes {
	names := append([]string{}, f.all("scopes")...) // not nil: nil means all
	for _, p := range presets {
		if f.value("access") == p.Word {
			names = p.scopes
		}
	}
	set, err := auth.ParseScopes(names)
	switch {
	case len(names) == 0:
		f.refuse("scopes", "Choose at least one.")
	case err != nil:
		f.refuse("scopes", "Choose from those that are offered.")
	}
	return set
}

// shortScopes is a set in a few words, for a list.
func shortScopes(s auth.Scopes) string {
	names := s.Names()
	for _, p := range presets {
		if set, err := auth.ParseScopes(p.scopes); err == nil && set == s {
			return p.Name
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprintf("%d scopes", len(names))
}
